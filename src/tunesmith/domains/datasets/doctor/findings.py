"""A finding, the counts over many, and the score."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, computed_field

from tunesmith.domains.datasets.doctor.fixable import FIXABLE
from tunesmith.settings import ScoreWeights


class Severity(StrEnum):
    """Red rows cannot be trained on; amber ones probably should not be; green is for information."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"


class Finding(BaseModel):
    """One fault in a data file, with its place and what to do about it."""

    model_config = ConfigDict(frozen=True)
    code: str = Field(description="Stable slug of the kind of fault.", examples=["missing-field"])
    severity: Severity = Field(description="red: not trainable; amber: suspicious; green: for information.")
    row: int = Field(description="Row number, from 1 (a blank line: the row before it).", examples=[17])
    line: int | None = Field(description="First physical line of the record in the file.", examples=[17])
    pointer: str = Field(description="JSON pointer to the place inside the row.", examples=["/messages/1/content"])
    expected: str | None = Field(description="What belongs there.")
    found: str | None = Field(description="What is there, shortened, personal data masked.")
    fix: str = Field(description="What to do.")
    message: str = Field(description="The fault in one sentence.")

    @computed_field(description="Whether `POST …/fixes` may mend it by itself.")  # type: ignore[prop-decorator]
    @property
    def fixable(self) -> bool:
        """As the catalogue of codes says."""
        return self.code in FIXABLE


class Later(NamedTuple):
    """What is known about a row after the pass: a finding, and the code of an earlier one that it makes void (or either)."""

    row: int
    finding: Finding | None
    instead_of: str | None = None
    """An amber one; the row has another amber finding, or gets one here."""


class FindingCounts(BaseModel):
    """How many findings a file has."""

    red: int = Field(0, description="Findings that forbid training.")
    amber: int = Field(0, description="Findings that are suspicious.")
    green: int = Field(0, description="Findings for information.")
    by_code: dict[str, int] = Field(default_factory=dict, description="Number by code.")


@dataclass
class Counts:
    """How many findings there are, by severity and code, and how many rows have which worst severity."""

    by_severity: Counter[str] = field(default_factory=Counter)
    by_code: Counter[str] = field(default_factory=Counter)
    worst_rows: Counter[str] = field(default_factory=Counter)

    def add(self, findings: list[Finding]) -> None:
        """Count the findings of one row."""
        for finding in findings:
            self.by_severity[finding.severity] += 1
            self.by_code[finding.code] += 1
        if findings:
            self.worst_rows[min((f.severity for f in findings), key=list(Severity).index)] += 1

    def add_later(self, later: Later, worst_before: Severity | None) -> None:
        """Count what is known after the pass about a row that was counted before, with ``worst_before`` as its worst.

        What is void is no worse than what the row has beside it, so the row is no better for that.
        """
        if later.instead_of is not None:
            self.by_severity[Severity.AMBER] -= 1
            self.by_code[later.instead_of] -= 1
        if later.finding is None:
            return
        worst = later.finding.severity
        self.by_severity[worst] += 1
        self.by_code[later.finding.code] += 1
        order = list(Severity)
        if worst_before is None or order.index(worst) < order.index(worst_before):
            self.worst_rows[worst] += 1
            if worst_before is not None:
                self.worst_rows[worst_before] -= 1

    @property
    def total(self) -> int:
        """All findings."""
        return self.by_severity.total()

    def document(self) -> FindingCounts:
        """``{red, amber, green, by_code}``."""
        return FindingCounts(
            **{severity.value: self.by_severity[severity] for severity in Severity},
            by_code={code: count for code, count in sorted(self.by_code.items()) if count},
        )

    def score(self, rows: int, weights: ScoreWeights) -> int:
        """0–100: what the rows are worth on average, where a row loses the weight of its worst finding, rounded down.

        ``floor(100 × (1 − (red × red rows + amber × amber rows + green × green rows) ÷ rows))``; a file without rows scores 0.
        """
        if rows == 0:
            return 0
        lost = sum(cost * self.worst_rows[severity] for severity, cost in weights.model_dump().items())
        return max(0, int(100 * (1 - lost / rows) + 1e-9))
