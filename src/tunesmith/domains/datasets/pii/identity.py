"""Numbers that the state gives: to residents, foreigners, companies, travellers and drivers (all Korean)."""

from __future__ import annotations

import re

from tunesmith.domains.datasets.pii.checksums import NEW_NUMBERS_FROM, birth_date, passes_business, passes_resident
from tunesmith.domains.datasets.pii.shapes import DASH, LEFT, RIGHT, digits_of
from tunesmith.domains.datasets.pii.wording import leaning, words

RESIDENT = re.compile(rf"{LEFT}[0-9]{{6}}(?: {{0,2}}{DASH} {{0,2}}| {{1,2}})?[0-9]{{7}}{RIGHT}")
BUSINESS = re.compile(rf"{LEFT}[0-9]{{3}}({DASH}| ?)[0-9]{{2}}\1[0-9]{{5}}{RIGHT}")
PASSPORT = re.compile(r"(?<![A-Za-z0-9])[MSRODGmsrodg](?:[0-9]{8}|[0-9]{3}[A-Za-z][0-9]{4})" + RIGHT)
LICENCE = re.compile(rf"{LEFT}(?:1[1-9]|2[0-8])({DASH}| ?)[0-9]{{2}}\1[0-9]{{6}}\1[0-9]{{2}}{RIGHT}")
OLD_LICENCE = re.compile(
    r"(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주)[ -]?"
    rf"[0-9]{{2}}{DASH}[0-9]{{6}}{DASH}[0-9]{{2}}{RIGHT}"
)
_HYPHEN = re.compile(DASH)
_RESIDENT_WORDS = words(
    "주민|실명|외국인|거소|등록번호|등록증|생년월일|본인|체류|비자|국적",
    "rrn|resident|jumin(?:_no)?|arc(?:_no)?|alien|foreigner|registration",
)
_COMPANY_WORDS = words("법인(?:등록)?번호|법인등록|법인 등록", r"corporate|corporation|crn")
_BUSINESS_WORDS = words(
    "사업자|등록번호|세금|업체|상호|공급|거래처", "brn|business|biz(?:_?no)?|tax|vat|company|registration"
)
_PASSPORT_WORDS = words("여권", r"passports?|passport_?(?:no|number)")
_LICENCE_WORDS = words("면허|운전|기사", r"licen[sc]es?|licen[sc]e_?(?:no|number)|drivers?|driving")


def resident_confidence(text: str, hit: re.Match[str]) -> float:
    """By its shape with a hyphen always; without one only what is a date and has a reason more.

    The registration numbers of companies have the same shape and are public.
    """
    digits = digits_of(hit.group())
    if len(set(digits)) == 1 or leaning(text, hit.start(), hit.end(), _RESIDENT_WORDS, _COMPANY_WORDS) < 0:
        return 0.0
    born = birth_date(digits)
    is_checked = born is not None and (passes_resident(digits) or born >= NEW_NUMBERS_FROM)
    has_hyphen = _HYPHEN.search(hit.group()) is not None
    if has_hyphen and is_checked:
        return 0.95
    says = leaning(text, hit.start(), hit.end(), _RESIDENT_WORDS)
    if has_hyphen:
        return 0.4 if says < 0 else 0.5 if born is None else 0.85
    if born is None:
        return 0.4 if says > 0 else 0.0
    if says > 0:
        return 0.9 if is_checked else 0.6
    if says < 0 or not passes_resident(digits):
        return 0.0
    return 0.3 if _is_barcode(digits) else 0.55


def is_foreigners(number: str) -> bool:
    """The seventh digit tells residents from foreigners."""
    return digits_of(number)[6] in "5678"


def _is_barcode(digits: str) -> bool:
    """An EAN-13: the start of one can be read as a birth date."""
    total = sum(int(digit) * (1 + place % 2 * 2) for place, digit in enumerate(digits))
    return total % 10 == 0


def business_confidence(text: str, hit: re.Match[str]) -> float:
    """The check digit decides, and words where the separators are missing."""
    digits, separator = digits_of(hit.group()), hit.group(1)
    says = leaning(text, hit.start(), hit.end(), _BUSINESS_WORDS)
    if not passes_business(digits):
        return 0.5 if says > 0 else 0.3 if says == 0 and separator.strip() else 0.0
    if separator.strip():
        return 0.9 if says >= 0 else 0.4
    return 0.85 if says > 0 else 0.0


def passport_confidence(text: str, hit: re.Match[str]) -> float:
    """A letter and eight digits are a passport only where a word says so."""
    says = leaning(text, hit.start(), hit.end(), _PASSPORT_WORDS)
    if says:
        return 0.9 if says > 0 else 0.0
    return 0.3 if hit.group()[0] in "MS" else 0.0


def licence_confidence(text: str, hit: re.Match[str]) -> float:
    """Region, year, serial number and check, as 11-22-333333-44; without hyphens only where a word says so."""
    says = leaning(text, hit.start(), hit.end(), _LICENCE_WORDS)
    if says > 0:
        return 0.95
    if not _HYPHEN.search(hit.group()):
        return 0.0
    return 0.75 if says == 0 else 0.4
