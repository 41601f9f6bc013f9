"""Telephone numbers: Korean ones by their numbering plan, those of other countries by a country code or a word beside them."""

from __future__ import annotations

import re

from tunesmith.domains.datasets.pii.shapes import DASH, LEFT, RIGHT, digits_of
from tunesmith.domains.datasets.pii.wording import leaning, words

_GAP = r"(?: ?(?:[-.)·]|[‐‑–—]) ?| )?"
_AREA = r"(?:1[016789]|2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|80|30[0-9]|50[0-9]?)"
KOREAN = re.compile(
    rf"{LEFT}(?:(?:\((?:\+|00)82\)|(?:\+|00)82){_GAP}(?:\(0\)|0)?{_AREA}|\(0{_AREA}\)|0{_AREA})"
    rf"{_GAP}[0-9]{{3,4}}{_GAP}[0-9]{{4}}{RIGHT}"
    rf"|{LEFT}82{_GAP}0?10{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}{RIGHT}"
)
_EXTENSION = "(?:x[0-9]{1,6})?"
ABROAD = re.compile(rf"{LEFT}\+(?!82)[1-9](?:[-. ()‐–]{{0,2}}[0-9]){{7,14}}{_EXTENSION}{RIGHT}")
AMERICAN = re.compile(
    rf"{LEFT}(?:(?:001|1)[-. ])?(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[-. ])[2-9][0-9]{{2}}[-. ][0-9]{{4}}{_EXTENSION}{RIGHT}"
    rf"|{LEFT}[2-9][0-9]{{2}}[2-9][0-9]{{6}}{_EXTENSION}{RIGHT}"
)
LETTERED = re.compile(rf"0{_AREA}{_GAP}[0-9]{{3,4}}{_GAP}[0-9]{{4}}{RIGHT}")
_LETTERS = re.compile("(?<![a-z])(?:tel|phone|mobile|cell|hp|fax|[tmf])$", re.IGNORECASE)
JAPANESE = re.compile(rf"{LEFT}0[789]0{DASH}[0-9]{{4}}{DASH}[0-9]{{4}}{RIGHT}")
LOCAL = re.compile(
    rf"{LEFT}(?:\(0[0-9]{{1,5}}\)|0[0-9])(?:[-. /]{{0,1}}[0-9]){{5,11}}{RIGHT}|{LEFT}00[1-9][0-9 ]{{9,16}}[0-9]{RIGHT}"
)
SERVICE = re.compile(
    rf"{LEFT}1(?:5(?:22|33|44|66|77|88|99)|6(?:00|44|6[0168]|70|88)|8(?:00|11|33|55|66|77|99)){DASH}[0-9]{{4}}{RIGHT}"
)
_PHONE = words(
    "전화|연락|휴대폰|핸드폰|폰|번호|문자|팩스|고객센터|대표|상담|문의|안심|수신|내선|☎|✆|℡|걸어|통화|카톡|인증",
    r"t|m|f|tel|telephone|phones?|mobile|cell|hp|fax|call|calls|dial|text|sms|whatsapp|reach|ring|contact|hotline|desk|office",
)
_CALLED = words(
    "전화|연락처|휴대폰|핸드폰|팩스|☎|電話",
    r"tel|telephone|phones?|mobile|cell|fax|call|dial|text|sms|whatsapp|reach|ring|my number",
)


def korean_confidence(text: str, hit: re.Match[str]) -> float:
    """Sure with separators or as a mobile number; a bare land line may be another number."""
    number = hit.group()
    digits = digits_of(number)
    if number.isdigit() and digits.startswith("010") and len(digits) != 11:
        return 0.0  # 010 is followed by eight digits
    if _is_form(digits):
        return 0.0
    if not number.isdigit() or digits.startswith("01"):
        return 0.95
    says = leaning(text, hit.start(), hit.end(), _PHONE)
    if len(digits) == 9:  # a bank's routing number has as many
        return 0.6 if says > 0 else 0.0 if digits[2] in "01" else 0.3
    return {1: 0.85, 0: 0.55, -1: 0.3}[says]


def _is_form(digits: str) -> bool:
    """010-0000-0000 shows how a number is written."""
    return not digits[-7:].strip("0")


def abroad_confidence(text: str, hit: re.Match[str]) -> float:
    """A plus and 8 to 15 digits (E.164)."""
    has_gaps = not hit.group()[1:].isdigit()
    return 0.9 if has_gaps or leaning(text, hit.start(), hit.end(), _PHONE) > 0 else 0.6


def american_confidence(text: str, hit: re.Match[str]) -> float:
    """Three, three and four digits of the North American plan."""
    if hit.group()[:10].isdigit():
        return 0.55 if leaning(text, hit.start(), hit.end(), _CALLED) > 0 else 0.0
    says = leaning(text, hit.start(), hit.end(), _PHONE)
    if says:
        return 0.85 if says > 0 else 0.0
    return 0.7 if "(" in hit.group() else 0.5 if " " not in hit.group() else 0.3


def japanese_confidence(text: str, hit: re.Match[str]) -> float:
    """A Japanese mobile number, as it is dialled in Japan."""
    return 0.85 if leaning(text, hit.start(), hit.end(), _PHONE) > 0 else 0.6


def lettered_confidence(text: str, hit: re.Match[str]) -> float:
    """TEL010-…, with nothing between."""
    return 0.9 if _LETTERS.search(text, max(0, hit.start() - 8), hit.start()) else 0.0


def local_confidence(text: str, hit: re.Match[str]) -> float:
    """A number of another country without its code: only where a word says so."""
    digits = digits_of(hit.group())
    is_one = 9 <= len(digits) <= 14 and digits not in "01234567890123" and not _is_form(digits)
    return 0.55 if is_one and leaning(text, hit.start(), hit.end(), _CALLED) > 0 else 0.0


def service_confidence(text: str, hit: re.Match[str]) -> float:
    """1588-…: the number of a company, and the shape of a span of years."""
    return 0.3 if leaning(text, hit.start(), hit.end(), _PHONE) > 0 else 0.0
