"""What the catalogue says of one kind of fault."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.domains.datasets.doctor.findings import Severity
from tunesmith.domains.datasets.doctor.fixable import FIXABLE

RED, AMBER, GREEN = Severity.RED, Severity.AMBER, Severity.GREEN


@dataclass(frozen=True)
class Code:
    """One kind of fault."""

    slug: str
    severity: Severity
    title: str
    example: str
    fix: str

    @property
    def is_fixable(self) -> bool:
        """Whether findings with this code may be mended by themselves."""
        return self.slug in FIXABLE
