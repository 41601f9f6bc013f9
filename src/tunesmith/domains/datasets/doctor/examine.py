"""The pass over a file: reader → structure → texts → what only several rows show → findings."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, Field

from tunesmith.domains.datasets.doctor.answers import Traits, answer_faults, traits_of
from tunesmith.domains.datasets.doctor.codes import CODES
from tunesmith.domains.datasets.doctor.contents import faults_of_texts, taught
from tunesmith.domains.datasets.doctor.digests import FirstRows, digest
from tunesmith.domains.datasets.doctor.findings import Counts, Finding, FindingCounts
from tunesmith.domains.datasets.doctor.learning import DEFAULT_MAX_LENGTH, Learner, Lesson, batched
from tunesmith.domains.datasets.doctor.rows import CheckedRow, RowChecker, json_type
from tunesmith.domains.datasets.duplicates import DEFAULT_THRESHOLD
from tunesmith.domains.datasets.formats import SUPERVISED, DataFormat, check_columns, detect, to_example
from tunesmith.domains.datasets.pii import FindPii, find_pii, mask, shown
from tunesmith.domains.datasets.readers import DataFile, Fault, Record, open_file
from tunesmith.settings import ScoreWeights

DETECTION_ROWS = 100
MAX_NAMES_REMEMBERED = 1000


@dataclass(frozen=True)
class Limits:
    """What is looked for, and what is too much."""

    check_format: bool = True
    check_duplicates: bool = True
    check_pii: bool = True
    find_pii: FindPii = find_pii
    check_quality: bool = False
    similarity_threshold: float = DEFAULT_THRESHOLD
    learner: Learner | None = None
    """The model whose eyes the rows are read with; None leaves out what they teach."""


class DoctorReport(BaseModel):
    """What the doctor says about one file."""

    file: str = Field(description="Name of the file.")
    format: DataFormat = Field(description="Format of the rows.")
    rows: int = Field(description="Number of rows.")
    findings: list[Finding] = Field(description="Every fault, in the order of the file.")
    counts: FindingCounts = Field(description="`{red, amber, green, by_code}`.")
    score: int = Field(description="0–100; see the formula in the reference of findings.")


@dataclass
class Tally:
    """Sums over the rows that have been read."""

    rows: int = 0
    red_rows: int = 0
    asked_characters: int = 0
    answered_characters: int = 0
    bytes_read: int = 0
    counts: Counts = field(default_factory=Counts)

    def mean(self, characters: int) -> float:
        """Characters for each row that could be read."""
        readable = self.rows - self.red_rows
        return round(characters / readable, 2) if readable else 0.0


class Examined(NamedTuple):
    """A record with its findings; ``messages`` when it can be trained on."""

    record: Record
    findings: list[Finding]
    checked: CheckedRow | None
    lesson: Lesson | None = None
    """What the row teaches, where a learner looked at it."""
    traits: Traits | None = None
    """What is compared with all other rows, where quality is looked at."""

    @property
    def is_red(self) -> bool:
        """Whether the record cannot be trained on."""
        return any(finding.severity == "red" for finding in self.findings)


def detect_format(data: DataFile, wanted: DataFormat | None = None) -> DataFormat:
    """The format of the first rows, or the one that was asked for; refuses columns that cannot carry it."""
    if data.fields is not None:
        check_columns(data.fields, wanted)
    if wanted is not None:
        return wanted
    rows = (record.value for record in data.records() if record.is_row and record.fault is None)
    first = list(islice(rows, DETECTION_ROWS))
    return detect(first).format if first else DataFormat.MESSAGES


def examine(data: DataFile, fmt: DataFormat, limits: Limits, tally: Tally) -> Iterator[Examined]:
    """Read ``data`` once; yields every record with its findings, and keeps ``tally``."""
    checker = _Checker(fmt, limits, data)
    for fault in _faults_of_head(data):
        yield _counted(checker.examined(Record(1, 1, 0, fault=fault, is_row=False)), tally)
    last = Record(1, 1, 0)
    records = (checker.examined(record) for record in data.records())
    is_taught = limits.learner is not None and fmt in SUPERVISED
    for examined in checker.taught(records) if is_taught else records:
        last = examined.record
        yield _counted(examined, tally)
    if tally.rows == 0:
        fault = Fault("empty-file", "The file has no rows.", "at least one row", "none")
        yield _counted(checker.examined(Record(1, 1, 0, fault=fault, is_row=False)), tally)
    if data.ending is not None:
        end = Record(last.row + last.is_row, last.line, last.offset, fault=data.ending, is_row=False)
        yield _counted(checker.examined(end), tally)


def _faults_of_head(data: DataFile) -> Iterator[Fault]:
    """What is worth knowing before the first row."""
    if data.has_bom:
        yield Fault("encoding-bom", "The file begins with a byte order mark.", None, "ef bb bf")
    if data.mapping:
        pairs = [f"`{column[:60]}` → `{name}`" for column, name in data.mapping.items()]
        yield Fault(
            "mapped-columns", f"Columns are read under other names: {', '.join(pairs)}.", None, ", ".join(pairs)
        )


def examine_file(
    path: Path,
    *,
    name: str | None = None,
    fmt: DataFormat | None = None,
    limits: Limits | None = None,
    tokenizer_dir: Path | None = None,
    max_length: int = DEFAULT_MAX_LENGTH,
    weights: ScoreWeights | None = None,
) -> DoctorReport:
    """Examine a whole file and keep every finding in memory: for small files and notebooks.

    With the folder of a model's tokenizer, rows are read as its trainer will, cut at ``max_length``.
    """
    limits = limits or Limits(check_quality=True)
    if tokenizer_dir is not None:
        limits = replace(limits, learner=Learner.from_folder(tokenizer_dir, tokenizer_dir.name, max_length))
    tally = Tally()
    findings: list[Finding] = []
    with open_file(path, name or path.name) as (data, _):
        found = detect_format(data, fmt)
        for examined in examine(data, found, limits, tally):
            findings.extend(examined.findings)
    return DoctorReport(
        file=name or path.name,
        format=found,
        rows=tally.rows,
        findings=findings,
        counts=tally.counts.document(),
        score=tally.counts.score(tally.rows, weights or ScoreWeights()),
    )


def _counted(examined: Examined, tally: Tally) -> Examined:
    tally.counts.add(examined.findings)
    tally.rows += examined.record.is_row
    tally.bytes_read = examined.record.offset
    if examined.record.is_row and examined.is_red:
        tally.red_rows += 1
    elif examined.checked is not None:
        for turn in examined.checked.turns:
            if turn.role == "user":
                tally.asked_characters += len(turn.text)
            elif turn.role == "assistant":
                tally.answered_characters += len(turn.text)
    return examined


class _Checker:
    """One pass's memory: what was seen in earlier rows."""

    def __init__(self, fmt: DataFormat, limits: Limits, data: DataFile) -> None:
        self._data = data
        self._rows = RowChecker(fmt)
        self._format = fmt
        self._limits = limits
        self._find_pii = limits.find_pii if limits.check_pii else None
        self._whole = FirstRows()
        self._prompts = FirstRows()
        self._types: dict[str, str] = {}

    def examined(self, record: Record) -> Examined:
        """All findings of one record."""
        if record.fault is not None:
            return Examined(record, [_finding(self._data, record, record.fault)], None)
        checked = self._rows.check(record.value)
        faults = list(checked.faults) if self._limits.check_format else []
        if record.note is not None:
            faults.append(record.note)
        is_whole = not any(CODES[fault.code].severity == "red" for fault in checked.faults)
        faults.extend(faults_of_texts(checked, record.value, self._find_pii))
        if self._limits.check_format:
            faults.extend(self._of_extra(checked, record.row))
        traits = traits_of(checked) if is_whole and self._limits.check_quality else None
        if traits is not None:
            faults.extend(answer_faults(checked, traits))
        if is_whole:
            faults.extend(self._of_neighbours(record, checked))
        return Examined(record, [_finding(self._data, record, fault) for fault in faults], checked, traits=traits)

    def taught(self, records: Iterator[Examined]) -> Iterator[Examined]:
        """The same records with what they teach; a red row teaches nothing. A batch is tokenised while the next one is examined."""
        learner = self._limits.learner
        assert learner is not None
        sized = ((sum(len(turn.text) for turn in one.checked.turns) if one.checked else 0, one) for one in records)
        waiting: tuple[list[Examined], Future[list[Lesson]]] | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="lessons") as pool:
            for batch in batched(sized):
                examples = [to_example(one.record.value, self._format) for one in batch if _is_sound(one)]
                begun = (batch, pool.submit(learner.lessons, examples))
                if waiting is not None:
                    yield from self._joined(*waiting)
                waiting = begun
            if waiting is not None:
                yield from self._joined(*waiting)

    def _joined(self, batch: list[Examined], lessons: Future[list[Lesson]]) -> Iterator[Examined]:
        learner = self._limits.learner
        assert learner is not None
        made = iter(lessons.result())
        for one in batch:
            if _is_sound(one):
                lesson = next(made)
                found = [_finding(self._data, one.record, fault) for fault in learner.faults(lesson)]
                yield one._replace(findings=one.findings + found, lesson=lesson)
            else:
                yield one

    def _of_extra(self, checked: CheckedRow, row: int) -> Iterator[Fault]:
        """A field that no format uses is one fault of the file, named where it is first seen; its type may drift."""
        for pointer, value in checked.extra:
            name = _without_indexes(pointer)
            kind = json_type(value)
            known = self._types.get(name)
            if known is None:
                if len(self._types) < MAX_NAMES_REMEMBERED:
                    self._types[name] = kind
                message = f"The field `{shown(pointer.rsplit('/', 1)[-1], 60)}` is not used for training."
                yield Fault("extra-field", message, None, kind, pointer)
            elif known == "null":
                self._types[name] = kind
            elif kind not in (known, "null"):
                message = f"The field is {kind} here and {known} in the rows before."
                yield Fault("type-drift", message, known, kind, pointer)

    def _of_neighbours(self, record: Record, checked: CheckedRow) -> Iterator[Fault]:
        texts = taught(checked, record.value)
        try:
            if self._limits.check_duplicates:
                first = self._whole.first(digest(*texts), record.row)
                other = 0
                if self._format is DataFormat.KTO:
                    other = self._prompts.first(digest(*texts[:-1]), record.row)
                elif self._format in SUPERVISED:
                    asked = (part for turn in checked.prompt for part in (turn.role, turn.text))
                    other = self._prompts.first(digest(*asked), record.row)
                if first:
                    message = f"The row repeats row {first} exactly."
                    yield Fault("exact-duplicate", message, "each example once", f"the same as row {first}")
                elif other:
                    is_marked = self._format is DataFormat.KTO
                    message = f"Row {other} has the same prompt and " + (
                        "the same answer with the other label." if is_marked else "another answer."
                    )
                    wanted = "one label to one answer" if is_marked else "one answer to one prompt"
                    found = f"another {'label' if is_marked else 'answer'} than row {other}"
                    yield Fault("contradictory-answers", message, wanted, found)
            else:
                "".join(texts).encode()
        except UnicodeEncodeError:
            message = "A text holds half of a surrogate pair (\\ud800–\\udfff), which is no character."
            yield Fault("invalid-encoding", message, "whole characters", "half a surrogate pair")


def _is_sound(examined: Examined) -> bool:
    return examined.checked is not None and not examined.is_red


def _without_indexes(pointer: str) -> str:
    return "/".join("*" if part.isdigit() else part for part in pointer.split("/"))


def _finding(data: DataFile, record: Record, fault: Fault) -> Finding:
    code = CODES[fault.code]
    column = data.column_of.get(fault.pointer.split("/", 2)[1]) if fault.pointer else None
    message = f"{fault.message} In the file the column is `{column[:60]}`." if column else fault.message
    return Finding(
        code=code.slug,
        severity=code.severity,
        row=record.row if record.is_row else max(1, record.row - 1),
        line=record.line if data.has_lines else None,
        pointer=mask(fault.pointer),
        expected=None if fault.expected is None else shown(fault.expected),
        found=None if fault.found is None else shown(fault.found),
        fix=mask(fault.fix or code.fix),
        message=mask(message),
    )
