"""Cards, bank accounts and IBANs."""

from __future__ import annotations

import re

from tunesmith.domains.datasets.pii.checksums import IBAN_LENGTHS, passes_iban, passes_luhn
from tunesmith.domains.datasets.pii.shapes import DASH, LEFT, RIGHT, digits_of
from tunesmith.domains.datasets.pii.wording import GOODS, leaning, words

_SPACE = rf"(?: ?(?:{DASH}|\.) ?| )"
CARD = re.compile(
    rf"{LEFT}(?:[0-9]{{4}}({_SPACE})[0-9]{{4}}\1[0-9]{{4}}\1[0-9]{{4}}(?:\1[0-9]{{1,3}})?"
    rf"|3[0-9]{{3}}({_SPACE})[0-9]{{6}}\2[0-9]{{4,5}}|[0-9]{{13,19}}){RIGHT}"
)
ACCOUNT = re.compile(rf"{LEFT}[0-9]{{2,6}}(?:{DASH}[0-9]{{1,7}}){{1,3}}{RIGHT}|{LEFT}[0-9]{{8,14}}(?!원){RIGHT}")
IBAN_HEAD = re.compile(r"(?:(?<![A-Za-z0-9])|(?<=IBAN))[A-Z]{2}[0-9]{2}(?= ?[A-Z0-9])")
_IIN = re.compile(r"4|5[0-8]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720|131)|1800|3[4-8]|30[0-59]|6|9[0-9]{3}")
_LENGTHS = {"1": (15,), "4": (16, 19), "5": (16,), "2": (15, 16), "3": (14, 15, 16), "6": (16, 17, 18, 19), "9": (16,)}
_CARD_WORDS = words(
    "카드|결제|비자|마스터|유니온페이",
    r"cards?|card_?(?:no|number)|credit|debit|visa|mastercard|master|amex|jcb|unionpay|diners|pan|charge",
)
_BANK = "국민|신한|우리|하나|농협|기업|수협|신협|새마을금고|우체국|카카오|카뱅|케이|토스|씨티|제일|산업|부산|대구|경남|광주|전북|제주"
_ACCOUNT_WORDS = words(
    "계좌|은행|뱅크|입금|송금|이체|예금|통장|카뱅|농협|새마을금고|우체국|신협|수협",
    r"bank|accounts?|account_?(?:no|number)|acct|a/c|iban|wire|deposit|checking|savings|chase|barclays|routing",
)
_NO_ACCOUNT = GOODS.and_also(words("사업자|면허|여권|주민|카드", "aws|account_?id|points?|routing|sort code|swift|bic"))
_BANK_BEFORE = re.compile(
    rf"(?:{_BANK}|ibk|sc|kb|nh)[가-힣]{{0,4}} ?$|(?<![a-z])(?:shinhan|woori|hana|kookmin|kakaobank|toss) ?$"
)
_BANK_BEHIND = re.compile(rf" ?\(?(?:{_BANK})(?:은행)?(?:\)| )|.{{0,3}}예금주")
_NUMBER_OF_ACCOUNT = re.compile(
    r"(?:계좌(?:번호)?[^0-9\n]{0,12}|(?<![a-z])(?:account[_ ](?:number|no)|a/c(?: no)?|acct(?: no)?)[^0-9a-z]{0,6}"
    rf"|(?:{_BANK})(?:은행)? ?)$"
)


def card_confidence(text: str, hit: re.Match[str]) -> float:
    """Luhn, the start of the number and words; four groups of four are found without Luhn, with low confidence."""
    digits = digits_of(hit.group())
    if len(set(digits)) == 1:
        return 0.0
    is_grouped = not hit.group().isdigit()
    is_right = passes_luhn(digits)
    is_known = _IIN.match(digits) is not None and len(digits) in _LENGTHS.get(digits[0], ())
    if is_grouped and (is_known or not is_right):
        return 0.95 if is_right else 0.3
    says = leaning(text, hit.start(), hit.end(), _CARD_WORDS)
    if not is_right:
        return 0.3 if says > 0 else 0.0
    if says > 0:
        return 0.95
    if is_grouped:
        return 0.7
    return 0.75 if is_known and says == 0 else 0.3


def account_confidence(text: str, hit: re.Match[str]) -> float:
    """Only where a bank is spoken of: beside a number with hyphens, right before one without."""
    digits = digits_of(hit.group())
    start, end = hit.span()
    before = text[max(0, start - 30) : start].lower()
    if hit.group().isdigit():
        least = 7 if re.search(r"(?<![a-z])(?:account|a/c|acct)[^0-9]*$", before) else 10
        is_named = len(digits) >= least and _NUMBER_OF_ACCOUNT.search(before) is not None
        return 0.8 if is_named and leaning(text, start, end, _ACCOUNT_WORDS, _NO_ACCOUNT) >= 0 else 0.0
    if not 10 <= len(digits) <= 16:
        return 0.0
    if _BANK_BEFORE.search(before):
        return 0.85
    says = leaning(text, start, end, _ACCOUNT_WORDS, _NO_ACCOUNT)
    if says < 0:
        return 0.0
    return 0.8 if says > 0 or _BANK_BEHIND.match(text, end) else 0.0


def iban_end(text: str, start: int) -> int | None:
    """Where the IBAN ends that begins at ``start``: as many letters and digits as its country has, in groups or not."""
    wanted = IBAN_LENGTHS.get(text[start : start + 2])
    if wanted is None:
        return None
    seen, at = 0, start
    while seen < wanted and at < len(text):
        if text[at].isascii() and text[at].isalnum():
            seen += 1
        elif text[at] != " " or text[at - 1] == " ":
            return None
        at += 1
    following = text[at : at + 1]
    is_whole = seen == wanted and not (following.isascii() and following.isalnum())
    return at if is_whole else None


def iban_confidence(text: str, start: int, end: int) -> float:
    """The check digits decide."""
    compact = text[start:end].replace(" ", "")
    if compact.isupper() and len(set(compact[4:])) > 2 and passes_iban(compact):
        return 0.97
    return 0.4 if "iban" in text[max(0, start - 20) : start].lower() and len(set(compact[4:])) > 2 else 0.0
