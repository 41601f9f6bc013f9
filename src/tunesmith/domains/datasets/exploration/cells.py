"""One value of a row: is it missing, and what would a spreadsheet take it for?"""

from __future__ import annotations

import re
from datetime import UTC, datetime

MISSING_KINDS = ("absent", "null", "empty", "blank", "na_like")
NA_LIKE = frozenset(
    [
        "na",
        "n/a",
        "#n/a",
        "#na",
        "<na>",
        "nan",
        "-nan",
        "null",
        "none",
        "nil",
        "-",
        "--",
        "결측",
        "결측치",
        "미상",
        "해당없음",
        "해당 없음",
    ]
)
"""What people write for “nothing”; compared without case and outer white space."""
LONGEST_TOKEN = 40
LARGEST_NUMBER = 1e150
_TRUE = frozenset(["true", "yes", "y", "예", "네", "참"])
_FALSE = frozenset(["false", "no", "n", "아니오", "아니요", "거짓"])
_NUMBER = re.compile(
    r"[+-]?(?:(?:0|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,14})(?:\.\d{0,25})?|\.\d{1,25})(?:[eE][+-]?\d{1,3})?"
)
"""Not `007` or a telephone number, which name something, and no more whole digits than a number can keep; programs write up to
twenty behind the point."""
_DATE = re.compile(
    r"(\d{4})(?:[-./]|년 ?)(\d{1,2})(?:[-./]|월 ?)(\d{1,2})(?:\.|일)?"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?"
)


def missing_kind(value: object) -> str | None:
    """Which of ``MISSING_KINDS`` a value is (never ``absent``); None when something is there."""
    if value is None:
        return "null"
    if isinstance(value, str):
        if not value:
            return "empty"
        if len(value) <= LONGEST_TOKEN or value[0].isspace():
            stripped = value.strip()
            if not stripped:
                return "blank"
            if stripped.lower() in NA_LIKE:
                return "na_like"
        return None
    return "empty" if isinstance(value, (list, dict)) and not value else None


def number_in(text: str) -> float | None:
    """The number that a text is, with or without thousands separators."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text.replace(",", ""))
    return number if abs(number) <= LARGEST_NUMBER else None


def boolean_in(text: str) -> bool | None:
    """The truth value that a text is, in English or Korean."""
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def moment_in(text: str) -> float | None:
    """The date or time that a text is, as seconds since 1970; without an offset it is taken for UTC."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, _zone = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    return moment.timestamp() - _offset_seconds(found[7])


def shown_moment(seconds: float) -> str:
    """Seconds since 1970 as an ISO 8601 text; a bare day where the time is midnight."""
    moment = datetime.fromtimestamp(seconds, UTC)
    text = moment.isoformat().replace("+00:00", "Z")
    return text.removesuffix("T00:00:00Z")


def _offset_seconds(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    return (1 if zone[0] == "+" else -1) * (hours * 3600 + minutes * 60)
