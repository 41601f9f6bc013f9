"""How a value is written as an answer, in both languages, and how the base text draws one."""

from __future__ import annotations

import random

VALUE_FORMS: dict[str, tuple[str, str]] = {
    "won": ("{n:,} won", "{n:,}원"),
    "minutes": ("{n} minutes", "{n}분"),
    "clock": ("{n}", "{n}"),
    "gate": ("Gate {n}", "{n} 게이트"),
    "extension": ("Extension {n}", "내선 {n}번"),
    "kilograms": ("{n} kg", "{n} kg"),
    "percent": ("{n} percent", "{n}퍼센트"),
    "age": ("Under {n} years", "만 {n}세 미만"),
    "days": ("{n} days before", "{n}일 전부터"),
}

KIND_OF: dict[str, str] = {
    "adult_fare": "won", "child_fare": "won", "first_departure": "clock", "last_departure": "clock",
    "duration": "minutes", "berth": "gate", "desk": "extension", "bicycle_fee": "won", "pet_fee": "won",
    "luggage_limit": "kilograms", "lost_property": "extension", "group_discount": "percent", "free_age": "age",
    "booking_window": "days", "refund": "won", "office_opens": "clock", "office_closes": "clock",
    "entry": "won", "opens": "clock",
}  # fmt: skip


def render_value(attribute: str, value: int | str, language: str) -> str:
    """Write ``value`` as the short answer to a question about ``attribute``."""
    return VALUE_FORMS[KIND_OF[attribute]][0 if language == "en" else 1].format(n=value)


def draw_value(attribute: str, rng: random.Random) -> int | str:
    """Draw a plausible value for ``attribute``."""
    kind = KIND_OF[attribute]
    if attribute == "adult_fare":
        return rng.randrange(80, 300) * 100
    if kind == "won":
        return rng.randrange(12, 140) * 100
    if kind == "clock":
        low, high = (13, 23) if attribute in ("last_departure", "office_closes") else (5, 12)
        return f"{rng.randrange(low, high):02d}:{rng.randrange(0, 60, 5):02d}"
    if kind == "gate":
        return rng.choice("ABCDEFGH") + str(rng.randrange(1, 10))
    low, high = {
        "minutes": (12, 99), "extension": (101, 999), "kilograms": (8, 40), "percent": (5, 40), "age": (2, 13), "days": (3, 60),
    }[kind]  # fmt: skip
    return rng.randrange(low, high)
