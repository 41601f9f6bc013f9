"""Check digits. Each takes the bare digits or letters, without separators."""

from __future__ import annotations

import datetime
from operator import mul

NEW_NUMBERS_FROM = datetime.date(2020, 10, 1)
"""Resident numbers given since this day end in six digits at random."""
LATEST_BIRTH = datetime.date(2045, 12, 31)
_CENTURIES = {"9": 1800, "0": 1800} | dict.fromkeys("1256", 1900) | dict.fromkeys("3478", 2000)
_RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_BUSINESS_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3, 5)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24,
    "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
"""Characters of an IBAN by country (ISO 13616 registry)."""


def luhn_digit(payload: str) -> int:
    """The digit that follows ``payload`` (ISO/IEC 7812-1, annex B)."""
    doubled = map(_DOUBLED.__getitem__, map(int, payload[-1::-2]))
    return -(sum(doubled) + sum(map(int, payload[-2::-2]))) % 10


def passes_luhn(digits: str) -> bool:
    """Whether the last digit of a card number is right."""
    return luhn_digit(digits[:-1]) == int(digits[-1])


def resident_digit(payload: str) -> int:
    """The last digit of a resident number for its first twelve; that of a foreigner's is 2 more."""
    total: int = sum(map(mul, map(int, payload), _RESIDENT_WEIGHTS))
    return (11 - total % 11 + (2 if payload[6] in "5678" else 0)) % 10


def passes_resident(digits: str) -> bool:
    """Whether the last digit of a resident or foreigner number is right; numbers since October 2020 have none."""
    return resident_digit(digits[:12]) == int(digits[12])


def birth_date(digits: str) -> datetime.date | None:
    """The date at the start of a resident number; the century is in the seventh digit."""
    year = _CENTURIES[digits[6]] + int(digits[:2])
    try:
        date = datetime.date(year, int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return None
    return date if date <= LATEST_BIRTH else None


def business_digit(payload: str) -> int:
    """The last digit of a business registration number for its first nine."""
    total: int = sum(map(mul, map(int, payload), _BUSINESS_WEIGHTS))
    return -(total + int(payload[8]) * 5 // 10) % 10


def passes_business(digits: str) -> bool:
    """Whether the last digit of a business registration number is right."""
    return business_digit(digits[:9]) == int(digits[9])


def iban_digits(country: str, account: str) -> int:
    """The two check digits (ISO 7064, MOD 97-10)."""
    return 98 - int("".join(str(int(c, 36)) for c in f"{account}{country}00")) % 97


def passes_iban(iban: str) -> bool:
    """Whether an IBAN, written without spaces, has the length of its country and the right check digits."""
    return len(iban) == IBAN_LENGTHS.get(iban[:2]) and iban_digits(iban[:2], iban[4:]) == int(iban[2:4])
