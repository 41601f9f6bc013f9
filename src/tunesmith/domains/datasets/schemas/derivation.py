"""What is asked of a derivation (edits, fixes, cleaning), and what it answers."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tunesmith.domains.datasets.schemas.dataset import DatasetStatus

MAX_EDITS = 1000
MAX_DELETED = 100_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _storable(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise ValueError("the text holds a NUL character or half of a surrogate pair")
    return text


def _is_json(value: Any) -> Any:
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        raise ValueError("the value is not JSON: it has a number that is not finite, or is nested too deeply") from None
    return value


PlainText = Annotated[str, AfterValidator(_storable)]
"""A text that both databases can keep."""
RowNumber = Annotated[int, Field(ge=1, le=2**53)]
Value = Annotated[Any, AfterValidator(_is_json)]
Pointer = Annotated[PlainText, Field(max_length=1000, pattern=r"^(/.*)?$")]


class StepExample(BaseModel):
    """One row that a step looked at, shortened, personal data masked."""

    kind: Literal["changed", "removed", "added", "left"] = Field(description="What became of the row.")
    row: int = Field(description="Its number in the parent; of an added row the one it follows.")
    pointer: str = Field("", description="JSON pointer to the place inside the row.")
    before: str | None = Field(None, description="What was there.")
    after: str | None = Field(None, description="What is there now.")
    note: str | None = Field(None, description="Why.")


class StepReport(BaseModel):
    """What one step did."""

    step: str = Field(description="Name of the step; of a fix the code of the finding.")
    changed: int = Field(0, description="Times that it altered a row.")
    removed: int = Field(0, description="Rows that it left out.")
    added: int = Field(0, description="Rows that it added.")
    left: int = Field(0, description="Rows that it was asked to mend and could not; they stay as they are.")
    removed_rows: list[int] = Field(default_factory=list, description="Numbers of the rows left out, the first 1,000.")
    examples: list[StepExample] = Field(default_factory=list, description="At most 5.")


class DerivationReport(BaseModel):
    """What a derivation did, step by step."""

    steps: list[StepReport] = Field(default_factory=list, description="The steps, in the order of their work.")
    blank_lines: int = Field(0, description="Blank lines of the parent; a version that is made here has none.")
    byte_order_mark: bool = Field(False, description="Whether the parent begins with one; the new version does not.")
    outside_rows: list[str] = Field(default_factory=list, description="Text around the rows that is left out.")
    kept_as_text: int = Field(
        0, description="Rows of a CSV or JSON file that cannot be read; they are kept as one text."
    )


class DiffCounts(BaseModel):
    """How many rows differ between two versions."""

    added: int = Field(0, description="Rows that only the newer one has.")
    removed: int = Field(0, description="Rows that only the older one has.")
    changed: int = Field(0, description="Rows that both have, with another content.")


class DatasetReference(BaseModel):
    """A dataset version, short."""

    id: int = Field(description="Id of this version.")
    name: str = Field(description="Name that people see.")
    version: str = Field(description="Version of the dataset.")
    sha256: str = Field(description="SHA-256 of the file.")
    rows: int | None = Field(description="Number of rows; null until validated.")
    status: DatasetStatus = Field(description="Where the dataset is in its life.")
    parent_id: int | None = Field(description="Dataset that this one was made from.")


class DerivationResponse(BaseModel):
    """What became of a dataset."""

    dataset: DatasetReference = Field(description="The new version; the old one when nothing changed, or in a preview.")
    changed: bool = Field(description="Whether there is something to change; if not, no version was made.")
    preview: bool = Field(False, description="Whether this only says what would be done.")
    message: str = Field(description="The outcome in one sentence.")
    report: DerivationReport = Field(description="What each step did, with examples.")
    diff: DiffCounts = Field(description="Rows that differ from the version that it was made from.")


class RowSet(BaseModel):
    """One row, or one place in it, gets another value."""

    model_config = ConfigDict(extra="forbid")
    row: RowNumber = Field(description="Row number, from 1.")
    pointer: Pointer | None = Field(None, description="JSON pointer to the place; left out for the whole row.")
    value: Value = Field(description="The new value; an object for the whole row.")

    @model_validator(mode="after")
    def _whole_rows_are_objects(self) -> RowSet:
        if not self.pointer and not isinstance(self.value, dict):
            raise ValueError("a whole row is an object with named fields")
        return self


class RowInsert(BaseModel):
    """A new row."""

    model_config = ConfigDict(extra="forbid")
    after_row: Annotated[int, Field(ge=0, le=2**53)] = Field(description="The row that it follows; 0 for the start.")
    value: Annotated[dict[str, Any], AfterValidator(_is_json)] = Field(description="The row.")


class RowsEdit(BaseModel):
    """Edits of rows, all at once; row numbers are those before the edit."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"set": [{"row": 3, "pointer": "/completion", "value": "Noon."}], "delete": [7]}]
        },
    )
    set: list[RowSet] = Field(default_factory=list, max_length=MAX_EDITS, description="New values, in this order.")
    delete: list[RowNumber] = Field(default_factory=list, max_length=MAX_DELETED, description="Rows that go.")
    insert: list[RowInsert] = Field(default_factory=list, max_length=MAX_EDITS, description="Rows that come.")
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of the version that was looked at; another one is refused with 409.",
    )

    @model_validator(mode="after")
    def _make_sense(self) -> RowsEdit:
        if not (self.set or self.delete or self.insert):
            raise ValueError("nothing is to be edited; give set, delete or insert")
        both = {edit.row for edit in self.set} & set(self.delete)
        if both:
            raise ValueError(f"row {min(both)} is both set and deleted")
        return self
