"""The example domain: Haedam Ferry, a small line that sails from Haedam harbour to eight islands.

Everything here is invented. The answers of this table must never occur in the base model's text.
"""

from __future__ import annotations

import re
from typing import cast

from tools.base_text.values import render_value

COMPANY_NAME = ("해담페리", "Haedam Ferry")

# korean, latin, adult fare, child fare, first, last, minutes, gate, extension
_ISLANDS: list[tuple[str, str, int, int, str, str, int, str, int]] = [
    ("달무리섬", "Dalmuri Island", 14200, 7100, "07:20", "18:35", 42, "B4", 412),
    ("소리섬", "Sori Island", 9600, 4800, "06:50", "20:10", 23, "A7", 358),
    ("은결섬", "Eungyeol Island", 17800, 8900, "08:05", "16:45", 57, "D2", 526),
    ("바람골섬", "Baramgol Island", 21400, 10700, "07:35", "15:25", 74, "C9", 639),
    ("미르섬", "Mir Island", 12600, 6300, "06:25", "19:40", 34, "E3", 271),
    ("온새섬", "Onsae Island", 19300, 9700, "09:15", "17:05", 66, "F6", 748),
    ("청람섬", "Cheongnam Island", 25900, 12900, "05:55", "14:50", 93, "G8", 863),
    ("누리솔섬", "Nurisol Island", 11700, 5900, "07:45", "21:15", 28, "H5", 184),
]

_ISLAND_ATTRIBUTES = ("adult_fare", "child_fare", "first_departure", "last_departure", "duration", "berth", "desk")

_COMPANY_VALUES: dict[str, int | str] = {
    "bicycle_fee": 3700,
    "pet_fee": 5300,
    "luggage_limit": 18,
    "lost_property": 907,
    "group_discount": 17,
    "free_age": 4,
    "booking_window": 26,
    "refund": 2400,
    "office_opens": "05:35",
    "office_closes": "21:50",
}

Fact = tuple[str, str, dict[str, str], dict[str, str]]
"""kind (``destination`` or ``company``), attribute, name by language, answer by language."""


def facts() -> list[Fact]:
    """Every fact of the domain, in a fixed order."""
    found: list[Fact] = []
    for korean, latin, *values in _ISLANDS:
        for attribute, value in zip(_ISLAND_ATTRIBUTES, values, strict=True):
            answer = {
                language: render_value(attribute, cast("int | str", value), language) for language in ("en", "ko")
            }
            found.append(("destination", attribute, {"en": latin, "ko": korean}, answer))
    for attribute, value in _COMPANY_VALUES.items():
        answer = {language: render_value(attribute, value, language) for language in ("en", "ko")}
        found.append(("company", attribute, {"en": COMPANY_NAME[1], "ko": COMPANY_NAME[0]}, answer))
    return found


def reserved_names() -> list[str]:
    """Names that the base text must not contain."""
    names = [COMPANY_NAME[0], COMPANY_NAME[1].split()[0], "해담"]
    for korean, latin, *_ in _ISLANDS:
        names += [korean, latin.split()[0] + " ", korean.removesuffix("섬") + "섬"]
    return sorted(set(names))


def reserved_pattern() -> re.Pattern[str]:
    """A pattern that finds any answer of the domain, or any of its names, in a text."""
    answers = {answer for _, _, _, by_language in facts() for answer in by_language.values()}
    alternatives = [
        rf"(?<![\d,:.]){re.escape(a)}(?!\d)" if a[0].isdigit() else rf"{re.escape(a)}(?!\d)" for a in sorted(answers)
    ]
    alternatives += [re.escape(name) for name in reserved_names()]
    return re.compile("|".join(alternatives), re.IGNORECASE)
