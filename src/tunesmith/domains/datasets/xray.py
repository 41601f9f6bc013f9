"""The mask X-ray: every row as the trainer sees it, and what is wrong over all rows. Masks come from ``tunesmith.text`` alone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from tunesmith.db import Access, Unit
from tunesmith.domains.datasets.doctor import Limits, RowChecker, examine
from tunesmith.domains.datasets.doctor.codes import CODES
from tunesmith.domains.datasets.doctor.examine import Tally
from tunesmith.domains.datasets.doctor.learning import Learner, RowFlag
from tunesmith.domains.datasets.errors import DatasetFormatError
from tunesmith.domains.datasets.explorations import FindModel, refuse_purged, submit_or_join
from tunesmith.domains.datasets.formats import SUPERVISED, TITLES, DataFormat, to_example
from tunesmith.domains.datasets.lessons_file import LessonsWriter, read_counts, rows_with
from tunesmith.domains.datasets.readers import Record
from tunesmith.domains.datasets.results import ContentResults
from tunesmith.domains.datasets.row_index import ROW_INDEX, find_place
from tunesmith.domains.datasets.schemas.xray import (
    DatasetXrayRequest,
    DatasetXrayResponse,
    XrayFilter,
    XrayRow,
    XrayToken,
)
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.kit.errors import InvalidInput
from tunesmith.text import IGNORED, TokenizedRow

KIND = "xray"
RULES = 1
"""Counts up when the same rows would be counted otherwise than before."""
LEARNERS_KEPT = 4
FLAGS = {
    XrayFilter.UNTRAINED: RowFlag.NO_LOSS | RowFlag.UNREADABLE,
    XrayFilter.TRUNCATED: RowFlag.ANSWER_CUT,
    XrayFilter.NO_END: RowFlag.END_UNTRAINED | RowFlag.STOPS_IN_PADDING,
}


class XrayService:
    """Rows as a model reads them. Sums over a whole dataset are made once for each content, model and length."""

    def __init__(self, *, datasets: DatasetService, jobs: JobService, find_model: FindModel) -> None:
        self.datasets = datasets
        self._jobs = jobs
        self._find_model = find_model
        self._results = ContentResults(datasets.storage, datasets.files)
        self._learners: dict[tuple[Path, int], Learner] = {}

    async def learner(self, unit: Unit, model: str, max_length: int) -> Learner:
        """The tokenizer and template of ``model``; raises what finding it raises, TokenizerError and ChatTemplateError."""
        found = await self._find_model(unit, model)
        return await asyncio.to_thread(self._load, found.tokenizer_path or found.base_path, model, max_length)

    def _load(self, folder: Path, name: str, max_length: int) -> Learner:
        changed = max((path.stat().st_mtime_ns for path in folder.glob("*.j*") if path.is_file()), default=0)
        known = self._learners.get((folder, changed))
        if known is None:
            known = Learner.from_folder(folder, name, max_length)
            while len(self._learners) >= LEARNERS_KEPT:
                self._learners.pop(next(iter(self._learners)), None)
            self._learners[(folder, changed)] = known
        return replace(known, name=name, max_length=max_length)

    async def keep(self, row: DatasetRow, learner: Learner, lessons: Path) -> None:
        """Keep what a pass has counted; the same content is never counted again for this learner."""
        await self._results.keep(row, _named(learner), lessons)

    async def look(
        self, access: Access, dataset_id: int, asked: DatasetXrayRequest, wait_seconds: float
    ) -> DatasetXrayResponse | JobView:
        """Rows token by token. Where ``only`` needs sums that are not there in time, the job that makes the answer.

        Raises DatasetFormatError, DatasetPurgedError and what ``learner`` raises.
        """
        async with access.read() as unit:
            row = await self.datasets.get_row(unit, dataset_id)
            learner = await self.learner(unit, asked.model, asked.max_length)
        _refuse(row)
        if await self.has_counted(row, learner):
            return await self.page(row, learner, asked)
        counting = asked if asked.only else DatasetXrayRequest(model=asked.model, max_length=asked.max_length, limit=1)
        spec = {"dataset_id": row.id, **counting.model_dump(mode="json")}
        async with access.write("dataset.xray", resource=f"dataset:{row.id}") as unit:
            job = await submit_or_join(self._jobs, unit, KIND, spec, f"X-ray {row.name} {row.version}")
        ended = await self._jobs.answer(access, job.id, wait_seconds)
        if ended is not None:
            ended.result_or_raise()
        elif asked.only is not None:
            return job
        return await self.page(row, learner, asked, None if ended else job.id)

    async def has_counted(self, row: DatasetRow, learner: Learner) -> bool:
        """Whether the sums over this content are there."""
        return await self._results.find(row, _named(learner)) is not None

    async def page(
        self, row: DatasetRow, learner: Learner, asked: DatasetXrayRequest, job_id: int | None = None
    ) -> DatasetXrayResponse:
        """The rows, and the sums where they are there."""
        flags = await self._results.find(row, _named(learner))
        source = await self.datasets.source_of(row)
        places = await self.datasets.files.path_of(f"{row.examination}/{ROW_INDEX}") if row.examination else None
        rows, total = await asyncio.to_thread(_look, source, places, flags, learner, asked)
        return DatasetXrayResponse(
            dataset_id=row.id,
            tokenizer=asked.model,
            template_sha256=hashlib.sha256(learner.template.source.encode()).hexdigest(),
            max_length=asked.max_length,
            total=total if total is not None else row.total_samples or asked.offset + len(rows),
            offset=asked.offset,
            limit=asked.limit,
            rows=rows,
            counts=None if flags is None else await asyncio.to_thread(read_counts, flags),
            job_id=job_id,
        )


def _named(learner: Learner) -> str:
    return f"lessons-{RULES}-{learner.key()[:32]}"


def _refuse(row: DatasetRow) -> None:
    refuse_purged(row)
    fmt = DataFormat(row.format)
    if fmt not in SUPERVISED:
        raise DatasetFormatError(
            f"The dataset {row.name!r} {row.version} holds {TITLES[fmt]}; the X-ray shows conversations.",
            hint="Use data with questions and answers, or map its columns to a format that has them.",
            format=row.format,
        )


def count(source: RowSource, learner: Learner, look: Callable[[int, int], None], target: Path) -> None:
    """Write the sums and flags of all rows to ``target``; ``look`` is told rows and bytes, and may raise to end it."""
    lessons, tally = LessonsWriter(), Tally()
    limits = Limits(check_pii=False, check_duplicates=False, learner=learner)
    with source.open() as data:
        for examined in examine(data, source.format, limits, tally):
            if examined.record.is_row:
                lessons.add(examined.lesson)
            look(tally.rows, tally.bytes_read)
    lessons.save(target)


def _look(
    source: RowSource, places: Path | None, flags: Path | None, learner: Learner, asked: DatasetXrayRequest
) -> tuple[list[XrayRow], int | None]:
    wanted: Sequence[int] | None = None
    total = None
    if asked.only is not None and flags is not None:
        numbers = rows_with(flags, FLAGS[asked.only])
        total = len(numbers)
        wanted = [int(number) for number in numbers[asked.offset : asked.offset + asked.limit]]
    elif flags is not None:
        total = read_counts(flags).rows
    checker = RowChecker(source.format)
    records = _records(source, places, asked, wanted)
    return [_row(record, source, checker, learner, asked) for record in records], total


def _records(
    source: RowSource, places: Path | None, asked: DatasetXrayRequest, wanted: Sequence[int] | None
) -> Iterator[Record]:
    with source.open() as data:
        for first, many in (
            [(number, 1) for number in wanted] if wanted is not None else [(asked.offset + 1, asked.limit)]
        ):
            place = find_place(places, first) if places else None
            yield from islice((r for r in data.records(place) if r.is_row and r.row >= first), many)


def _row(
    record: Record, source: RowSource, checker: RowChecker, learner: Learner, asked: DatasetXrayRequest
) -> XrayRow:
    line = record.line if source.has_lines else None
    fault = record.fault or next(
        (f for f in checker.check(record.value).faults if CODES[f.code].severity == "red"), None
    )
    try:
        if fault is not None:
            raise InvalidInput(fault.message)
        row = learner.row(to_example(record.value, source.format))
    except InvalidInput as error:
        return XrayRow(
            row=record.row, line=line, text="", tokens=[], trained_tokens=0, total_tokens=0, read_tokens=0, truncated=False,
            answer_cut=False, end_of_turn_trained=False, error=error.message,
        )  # fmt: skip
    tokens = list(_tokens(row, asked.token_offset, asked.token_offset + asked.token_limit))
    return XrayRow(
        row=record.row,
        line=line,
        text=row.text[tokens[0].start : tokens[-1].end] if tokens else "",
        tokens=tokens,
        trained_tokens=row.trained_tokens,
        total_tokens=row.total_tokens,
        read_tokens=len(row.input_ids),
        truncated=row.truncated,
        answer_cut=row.is_answer_cut,
        end_of_turn_trained=row.end_of_turn_trained,
        error=None,
    )


def _tokens(row: TokenizedRow, first: int, last: int) -> Iterator[XrayToken]:
    shown = 0
    window = slice(first, last)
    for token, label, (start, end) in zip(row.input_ids[window], row.labels[window], row.offsets[window], strict=True):
        yield XrayToken(
            id=token, text=row.text[max(start, shown) : end], start=start, end=end, trained=label != IGNORED
        )
        shown = max(shown, end)
