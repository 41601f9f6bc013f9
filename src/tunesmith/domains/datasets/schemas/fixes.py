"""What is asked of fixes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tunesmith.domains.datasets.doctor.codes import CODES
from tunesmith.domains.datasets.doctor.fixable import FIXABLE
from tunesmith.domains.datasets.schemas.derivation import Pointer, RowNumber

MAX_FINDINGS = 1000
MAX_ROWS = 10_000


def _fixable(code: str) -> str:
    if code not in CODES:
        raise ValueError(f"there is no finding {code[:60]!r}; those that can be fixed are {', '.join(sorted(FIXABLE))}")
    if code not in FIXABLE:
        raise ValueError(f"{code} cannot be fixed by itself; those that can are {', '.join(sorted(FIXABLE))}")
    return code


class FoundFault(BaseModel):
    """One finding, by its place."""

    model_config = ConfigDict(extra="forbid")
    row: RowNumber = Field(description="Row of the finding.")
    code: str = Field(description="Code of the finding.")
    pointer: Pointer | None = Field(None, description="Its pointer; left out for all places of the row.")

    _code = field_validator("code")(_fixable)


class FixRequest(BaseModel):
    """Which findings to fix; nothing named means all that can be."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"codes": ["control-character", "unknown-role"]}, {}]}
    )
    codes: list[str] = Field(default_factory=list, max_length=100, description="Only findings with these codes.")
    rows: list[RowNumber] = Field(default_factory=list, max_length=MAX_ROWS, description="Only findings in these rows.")
    findings: list[FoundFault] = Field(
        default_factory=list, max_length=MAX_FINDINGS, description="Just these findings."
    )
    preview: bool = Field(False, description="Only say what would be done; no version is made.")

    @field_validator("codes")
    @classmethod
    def _are_fixable(cls, codes: list[str]) -> list[str]:
        return [_fixable(code) for code in codes]
