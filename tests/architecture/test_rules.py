"""Every rule of the house holds. `test_rules_bite.py` shows that each of them can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.rules import RULES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.matrix
@pytest.mark.parametrize("name", RULES)
def test_rule(name: str) -> None:
    violations = RULES[name](ROOT)
    assert not violations, f"rule {name!r} is broken:\n  " + "\n  ".join(violations)
