"""Figures of a dataset's content, computed once: kept in the store under what they depend on, and answered from there."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from tunesmith.db import Access, Unit
from tunesmith.domains.datasets.errors import ColumnUnknownError, DatasetPurgedError
from tunesmith.domains.datasets.exploration import (
    DOCUMENT,
    VALUES,
    VERSION,
    Document,
    EdaAnswer,
    Pass,
    Question,
    explored,
    save,
    view,
)
from tunesmith.domains.datasets.exploration.document import Explored
from tunesmith.domains.datasets.results import ContentResults
from tunesmith.domains.datasets.schemas.exploration import ColumnBrief, EdaStatistics, View
from tunesmith.domains.datasets.schemas.tokens import TokenAnalysis, TokenAnalysisRequest
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.domains.datasets.tokens import VERSION as TOKENS_VERSION
from tunesmith.domains.datasets.tokens import Counted, Tokenization, analysis
from tunesmith.domains.jobs import JobService, JobState, JobView
from tunesmith.domains.models import BUNDLED, ModelStore
from tunesmith.kit.paging import PageRequest
from tunesmith.ports.serving import Servable
from tunesmith.text import ChatTemplate, ChatTemplateMissing, TextTokenizer

FindModel = Callable[[Unit, str], Awaitable[Servable]]
Kept = TypeVar("Kept", bound=BaseModel)
Answer = TypeVar("Answer", bound=BaseModel)
LOOKED_THROUGH = 50
HEAD_BYTES = 8 << 20
EARLY_ROWS = 200


@dataclass(frozen=True)
class TokenizerInUse:
    """A tokenizer with its template, and what the answer says about it."""

    tokenization: Tokenization
    about: dict[str, Any]
    counted: str
    """Name of the result that holds its counts."""


class ExplorationService:
    """What exploring and token counting answer; the passes themselves run in jobs (``tasks/exploration.py``)."""

    def __init__(
        self, *, datasets: DatasetService, jobs: JobService, models: ModelStore, find_model: FindModel
    ) -> None:
        self.datasets = datasets
        self._jobs = jobs
        self._models = models
        self._find_model = find_model
        self._results = ContentResults(datasets.storage, datasets.files)

    async def answer(
        self, access: Access, dataset_id: int, question: Question, model: type[Answer], wait_seconds: float
    ) -> Answer | JobView:
        """The view, from what is kept or from a job that ends within ``wait_seconds``; else the job.

        Raises DatasetNotFoundError, ColumnUnknownError and JobFailed.
        """
        async with access.read() as unit:
            row = await self.datasets.get_row(unit, dataset_id)
        found = await self.find_view(row, question)
        if found is None:
            async with access.write("dataset.explore", resource=f"dataset:{dataset_id}") as unit:
                job = await self.submit(unit, dataset_id, question)
            ended = await self._jobs.answer(access, job.id, wait_seconds)
            if ended is None:
                return job
            found = await self.find_view(row, question)  # raises what the job could only fail with
            if found is None:
                return model.model_validate(ended.result_or_raise())
        assert isinstance(found, model)
        return found

    async def answer_tokens(
        self, access: Access, dataset_id: int, asked: TokenAnalysisRequest, wait_seconds: float
    ) -> TokenAnalysis | JobView:
        """The analysis, from what is kept or from a job; raises what finding the model raises, before any work."""
        async with access.read() as unit:
            row = await self.datasets.get_row(unit, dataset_id)
            tokenizer = await self.tokenizer_of(unit, asked.model)
        found = await self.find_tokens(row, asked, tokenizer)
        if found is not None:
            return found
        async with access.write("dataset.analyze-tokens", resource=f"dataset:{dataset_id}") as unit:
            job = await self.submit_tokens(unit, dataset_id, asked)
        ended = await self._jobs.answer(access, job.id, wait_seconds)
        return job if ended is None else TokenAnalysis.model_validate(ended.result_or_raise())

    async def columns(self, unit: Unit, dataset_id: int) -> list[ColumnBrief]:
        """The columns: of all rows when the content has been explored, else of the first ones."""
        row = await self.datasets.get_row(unit, dataset_id)
        found = await self.find_view(row, Question(view=View.STATISTICS))
        if not isinstance(found, EdaStatistics):
            found = await self._head(unit, row)
        return [
            ColumnBrief(
                column=column.column,
                type=column.type,
                types=column.types,
                missing=column.missing,
                rows_looked_at=found.rows,
            )
            for column in found.columns
        ]

    async def _head(self, unit: Unit, row: DatasetRow) -> EdaStatistics:
        """Statistics of the first rows; a file that is still being unpacked shows those that its preview shows."""
        if await self.datasets.plain_copy_of(row) is None:
            source = await self.datasets.source_of(row)
            seen = await asyncio.to_thread(lambda: Pass().run(source, max_bytes=HEAD_BYTES))
        else:
            shown = await self.datasets.preview(unit, row.id, 0, EARLY_ROWS)
            seen = await asyncio.to_thread(Pass().take, [one.data for one in shown.rows if one.error is None])
        return explored(seen).document.statistics

    async def submit(self, unit: Unit, dataset_id: int, question: Question) -> JobView:
        """Have the dataset explored; a job that answers the same question and has not ended is joined."""
        row = await self.datasets.get_row(unit, dataset_id)
        spec = {"dataset_id": row.id, **question.model_dump(mode="json")}
        return await submit_or_join(self._jobs, unit, "explore", spec, f"Explore {row.name} {row.version}")

    async def submit_tokens(self, unit: Unit, dataset_id: int, asked: TokenAnalysisRequest) -> JobView:
        """Have its tokens counted."""
        row = await self.datasets.get_row(unit, dataset_id)
        spec = {"dataset_id": row.id, **asked.model_dump(mode="json")}
        return await submit_or_join(
            self._jobs, unit, "analyze-tokens", spec, f"Count tokens of {row.name} {row.version}"
        )

    async def find_view(self, row: DatasetRow, question: Question) -> EdaAnswer | None:
        """The answer, if this content has been explored. Raises ColumnUnknownError."""
        refuse_purged(row)
        document = await self._results.find(row, _named(DOCUMENT))
        values = await self._results.find(row, _named(VALUES))
        if document is None or values is None:
            return None
        return await asyncio.to_thread(_view, document, values, question, row.id)

    async def keep(self, row: DatasetRow, made: Explored, folder: Path) -> None:
        """Keep what a pass has found; the document goes last, so that it never stands alone."""
        await asyncio.to_thread(save, made, folder)
        for name in (VALUES, DOCUMENT):
            await self._results.keep(row, _named(name), folder / name)
            (folder / name).unlink()

    async def find_tokens(
        self, row: DatasetRow, asked: TokenAnalysisRequest, tokenizer: TokenizerInUse
    ) -> TokenAnalysis | None:
        """The answer, if this content has been counted with this tokenizer."""
        refuse_purged(row)
        path = await self._results.find(row, tokenizer.counted)
        if path is None:
            return None
        kept = await asyncio.to_thread(_read, path, Counted)
        about = {"dataset_id": row.id, **tokenizer.about}
        return await asyncio.to_thread(analysis, kept, asked, about)

    async def keep_tokens(self, row: DatasetRow, tokenizer: TokenizerInUse, kept: Counted, folder: Path) -> None:
        """Keep what a pass has counted."""
        path = folder / tokenizer.counted
        await asyncio.to_thread(path.write_bytes, kept.model_dump_json().encode())
        await self._results.keep(row, tokenizer.counted, path)
        path.unlink()

    async def tokenizer_of(self, unit: Unit, reference: str | None) -> TokenizerInUse:
        """Tokenizer and template of a model; raises what finding it raises, and TokenizerError."""
        found = await self._find_model(unit, reference or BUNDLED)
        folder = found.tokenizer_path or found.base_path
        metadata = await self._models.inspect(found.base_path)
        return await asyncio.to_thread(_tokenizer, folder, found.name, metadata.context_length)


async def submit_or_join(jobs: JobService, unit: Unit, kind: str, spec: dict[str, Any], name: str) -> JobView:
    """A job for ``spec``: one that does the same and has not ended, else a new one."""
    for state in (JobState.RUNNING, JobState.QUEUED):
        page = await jobs.list_jobs(unit, PageRequest(1, LOOKED_THROUGH), kind=kind, state=state)
        for job in page.items:
            if job.spec == spec:
                return job
    return await jobs.submit(unit, kind, spec, name=name[:200])


def refuse_purged(row: DatasetRow) -> None:
    """Raise DatasetPurgedError when there is no content any more."""
    if row.purged_at is not None:
        raise DatasetPurgedError(f"The content of the dataset {row.name!r} {row.version} has been purged.")


def _named(name: str) -> str:
    """The name of a result, which changes with what is computed."""
    return f"explored-{VERSION}-{name}"


def _view(document: Path, values: Path, question: Question, dataset_id: int) -> EdaAnswer:
    kept = _read(document, Document)
    answer = view(kept, values, question, dataset_id)
    if answer is None:
        names = ", ".join(f"`{column.column[:60]}`" for column in kept.statistics.columns[:20]) or "none"
        raise ColumnUnknownError(f"There is no column {str(question.column)[:60]!r}; there are {names}.")
    return answer


def _read(path: Path, model: type[Kept]) -> Kept:
    return model.model_validate_json(path.read_bytes())


def _tokenizer(folder: Path, name: str, context_length: int | None) -> TokenizerInUse:
    tokenizer = TextTokenizer.from_folder(folder)
    try:
        template = ChatTemplate.from_folder(folder)
    except ChatTemplateMissing:
        template = None
    with (folder / "tokenizer.json").open("rb") as file:
        tokenizer_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    parts = [tokenizer_sha256, tokenizer.added_beginning + tokenizer.eos_token]
    if template is not None:
        parts += [template.source, json.dumps(dict(template.special_tokens), sort_keys=True)]
    key = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return TokenizerInUse(
        Tokenization(tokenizer, template),
        {
            "model": name,
            "tokenizer_sha256": tokenizer_sha256,
            "template_sha256": None if template is None else hashlib.sha256(template.source.encode()).hexdigest(),
            "vocab_size": tokenizer.vocab_size,
            "context_length": context_length,
        },
        f"tokens-{TOKENS_VERSION}-{key[:32]}.json",
    )
