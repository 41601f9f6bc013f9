"""What a new file is: its layout, its columns, and the format and mapping in which its rows will be read."""

from __future__ import annotations

import io
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.domains.datasets.doctor.examine import DETECTION_ROWS
from tunesmith.domains.datasets.errors import EmptyDatasetError, FileValidationError, MissingColumnsError
from tunesmith.domains.datasets.formats import FIELDS, DataFormat, check_columns, detect
from tunesmith.domains.datasets.mapping import SURE, Proposal, check_mapping, propose
from tunesmith.domains.datasets.readers import DataFile, Layout, UnpackLimits, layout_of
from tunesmith.domains.datasets.readers.layout import HEAD_BYTES
from tunesmith.domains.datasets.readers.reading import look_into
from tunesmith.domains.datasets.readers.renaming import renamed, renamed_names

MAX_NAME_CHARACTERS = 60
SHOWN_ALTERNATIVES = 3


class MappingOrigin(StrEnum):
    """Where a mapping comes from."""

    GIVEN = "given"
    SAVED = "saved"
    PROPOSED = "proposed"


@dataclass(frozen=True)
class Seen:
    """The beginning of a file."""

    layout: Layout
    has_bom: bool
    columns: list[str]
    is_table: bool
    rows: list[dict[str, Any]]
    """The first rows that are objects, with the file's own names."""
    all_rows: int
    """How many rows were looked at, objects or not."""


@dataclass(frozen=True)
class Reading:
    """How the rows will be read; ``mapping`` is empty where the names of the file are the format's own."""

    format: DataFormat
    mapping: dict[str, str]
    origin: MappingOrigin | None
    confidence: float
    reasons: list[str]

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the mapping comes from, for the source of a dataset."""
        return {"mapping": self.origin.value} if self.origin is not None else {}


def see(path: Path, file_name: str, max_row_bytes: int, limits: UnpackLimits) -> Seen:
    """Look at the beginning of a file. Raises a named error when it cannot be data, EmptyDatasetError without a row."""
    layout, head = layout_of(path, file_name, limits)
    data = look_into(io.BytesIO(head), layout.plain_kind, max_row_bytes)
    records = list(islice((record for record in data.records() if record.is_row), DETECTION_ROWS))
    if not records and len(head) < HEAD_BYTES:
        raise EmptyDatasetError("The file has no rows.")
    values = [record.value for record in records if record.fault is None]
    rows = [value for value in values if isinstance(value, dict)]
    names = data.columns or list(dict.fromkeys(str(name) for row in rows for name in row))
    _refuse_table_without_header(data)
    return Seen(layout, data.has_bom, names, data.columns is not None, rows, len(values))


def read_as(
    seen: Seen,
    wanted: DataFormat | None,
    given: Mapping[str, str] | None = None,
    saved: Proposal | None = None,
) -> Reading:
    """The format and mapping: what was given; else what was said of these columns before; else what fits by its own names;

    else, where no format was asked for, a proposal that is sure. Raises MissingColumnsError with the proposals otherwise.
    """
    if given:
        mapping = check_mapping(given, seen.columns, wanted)
        return _named(seen, wanted, mapping, MappingOrigin.GIVEN)
    if saved is not None and wanted in (None, saved.format):
        return Reading(saved.format, saved.mapping, MappingOrigin.SAVED, saved.confidence, saved.reasons)
    try:
        return _named(seen, wanted, {}, None)
    except MissingColumnsError as error:
        proposals = propose(seen.columns, seen.rows)
        if wanted is None and proposals and proposals[0].confidence >= SURE:
            best = proposals[0]
            return Reading(best.format, best.mapping, MappingOrigin.PROPOSED, best.confidence, best.reasons)
        raise _with_proposals(error, [p for p in proposals if wanted in (None, p.format)], wanted, seen) from None


def _named(seen: Seen, wanted: DataFormat | None, mapping: dict[str, str], origin: MappingOrigin | None) -> Reading:
    """The reading of the columns under the names that they have, or are given."""
    fields = renamed_names(seen.columns, mapping)
    if seen.is_table or (wanted is not None and seen.rows):
        check_columns(fields, wanted)
    if wanted is not None:
        return Reading(wanted, mapping, origin, 1.0, [f"The format {wanted.value} was asked for."])
    if seen.all_rows == 0:
        return Reading(DataFormat.MESSAGES, mapping, origin, 0.0, ["No row can be read yet."])
    rows = [renamed(row, mapping) if mapping else row for row in seen.rows]
    found = detect(rows + [None] * (seen.all_rows - len(rows)))
    return Reading(found.format, mapping, origin, found.confidence, found.reasons)


def _with_proposals(
    error: MissingColumnsError, proposals: Sequence[Proposal], wanted: DataFormat | None, seen: Seen
) -> MissingColumnsError:
    """The refusal with the mapping that would help."""
    if not proposals and wanted is not None:
        proposals = _towards(propose(seen.columns, seen.rows), seen.columns, wanted)
    if not proposals:
        return error
    best = proposals[0]
    arrows = ", ".join(f"`{column[:60]}` → `{name}`" for column, name in best.mapping.items())
    options = " ".join(shlex.join(["--map", f"{column[:60]}={name}"]) for column, name in best.mapping.items())
    shown = [
        {"format": p.format.value, "mapping": p.mapping, "confidence": p.confidence}
        for p in proposals[:SHOWN_ALTERNATIVES]
    ]
    return MissingColumnsError(
        error.message,
        hint=f"Map the columns: send `column_mapping` with {arrows} (format {best.format.value}), or rename them. "
        f"On the command line: tunesmith datasets add FILE {options}",
        proposals=shown,
        **error.extra,
    )


_SAME_PART = (
    {"instruction", "prompt", "question"},
    {"output", "completion", "answer"},
    {"input", "context"},
)


def _towards(proposals: Sequence[Proposal], columns: Sequence[str], wanted: DataFormat) -> list[Proposal]:
    """A proposal for another format of a question and its answer, in the words of ``wanted``."""
    words = {other: name for name in FIELDS[wanted].known for part in _SAME_PART if name in part for other in part}
    for proposal in proposals:
        own = {name: name for name in columns if name in FIELDS[proposal.format].known}
        mapping: dict[str, str] = {}
        for column, name in (proposal.mapping | own).items():
            if name in words and column != words[name] and words[name] not in mapping.values():
                mapping[column] = words[name]
        if set(FIELDS[wanted].required) <= set(mapping.values()):
            return [replace(proposal, format=wanted, mapping=mapping)]
    return []


def _refuse_table_without_header(data: DataFile) -> None:
    """A first line that reads like an example, not like names."""
    if data.columns is None:
        return
    try:
        check_columns(data.columns, None)
        return
    except MissingColumnsError:
        pass
    texts = [
        name
        for name in data.columns
        if len(name) > MAX_NAME_CHARACTERS or name.rstrip().endswith((".", "?", "!", "요"))
    ]
    if texts and not propose(data.columns, []):
        raise FileValidationError(
            "Line 1: the first line looks like a row, not like the names of columns: the file has no header.",
            hint="Put a line with the names of the columns on top, for example: "
            + data.dialect.delimiter.join(f"column_{at}" for at in range(1, len(data.columns) + 1))[:120],
            errors=[{"location": "line 1", "message": "no names of columns", "value": texts[0][:40]}],
        )
