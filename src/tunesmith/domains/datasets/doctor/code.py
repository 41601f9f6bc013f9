"""What the catalogue says of one kind of fault."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.domains.datasets.doctor.findings import Severity

RED, AMBER, GREEN = Severity.RED, Severity.AMBER, Severity.GREEN


@dataclass(frozen=True)
class Code:
    """One kind of fault."""

    slug: str
    severity: Severity
    title: str
    example: str
    fix: str
