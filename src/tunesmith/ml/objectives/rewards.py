"""Points for an answer, by rules that a recipe declares. Nothing here runs code from a recipe or from data."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunesmith.wire.methods import RewardRule

SEARCHED_CHARACTERS = 2000
"""A pattern is looked for in the beginning of an answer only: what it may cost is bounded."""
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")


def points(rules: Sequence[RewardRule], answer: str, columns: Mapping[str, Any]) -> float:
    """The points of an answer: for each rule its weight times what it finds, between 0 and 1."""
    return sum(rule.weight * score(rule, answer, columns) for rule in rules)


def score(rule: RewardRule, answer: str, columns: Mapping[str, Any]) -> float:
    """What one rule finds, between 0 and 1; a row without the column gets 0."""
    wanted = rule.text if rule.text is not None else columns.get(rule.column or "")
    if rule.kind in _COMPARISONS:
        return 0.0 if wanted is None else _COMPARISONS[rule.kind](rule, answer, _as_text(wanted))
    return _CHECKS[rule.kind](rule, answer)


def plain(text: str) -> str:
    """A text as answers are compared: NFKC, lower case, single spaces, without punctuation at the ends."""
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return words.strip(" .,!?;:。、！？\"'`")


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number_close(rule: RewardRule, answer: str, wanted: str) -> float:
    found, target = _first_number(answer), _first_number(wanted)
    return float(found is not None and target is not None and abs(found - target) <= rule.tolerance)


def _first_number(text: str) -> float | None:
    match = _NUMBER.search(text[:SEARCHED_CHARACTERS])
    value = float(match[0].replace(",", "")) if match else None
    return value if value is not None and math.isfinite(value) else None


def _regex(rule: RewardRule, answer: str) -> float:
    return float(re.search(rule.pattern or "", answer[:SEARCHED_CHARACTERS]) is not None)


def _length(rule: RewardRule, answer: str) -> float:
    low = -math.inf if rule.minimum is None else rule.minimum
    high = math.inf if rule.maximum is None else rule.maximum
    return float(low <= len(answer.strip()) <= high)


def _json_valid(rule: RewardRule, answer: str) -> float:
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return 0.0
    if not rule.keys:
        return 1.0
    return float(isinstance(value, dict) and all(key in value for key in rule.keys))


_COMPARISONS: dict[str, Callable[[RewardRule, str, str], float]] = {
    "exact_match": lambda _, answer, wanted: float(plain(answer) == plain(wanted)),
    "contains": lambda _, answer, wanted: float(plain(wanted) in plain(answer)),
    "starts_with": lambda _, answer, wanted: float(plain(answer).startswith(plain(wanted))),
    "number_close": _number_close,
}
_CHECKS: dict[str, Callable[[RewardRule, str], float]] = {
    "regex": _regex,
    "length": _length,
    "json_valid": _json_valid,
}
