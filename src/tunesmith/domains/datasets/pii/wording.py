"""What stands around a number says what it is: words for and against, in Korean and English; the nearest one wins."""

from __future__ import annotations

import re
from typing import NamedTuple

BEFORE, AFTER = 60, 20
"""Characters that are looked at on either side."""


class Words(NamedTuple):
    """Words as a pattern, for the first of them in a text and for the last."""

    first: re.Pattern[str]
    last: re.Pattern[str]

    def and_also(self, other: Words) -> Words:
        """The words of both."""
        return _compiled(f"{self.first.pattern}|{other.first.pattern}")


def words(korean: str, english: str) -> Words:
    """Any of the words: Korean ones anywhere, as particles are attached to them; English ones whole, in small letters."""
    return _compiled(rf"{korean}|(?<![a-z])(?:{english})(?![a-z])")


def _compiled(pattern: str) -> Words:
    return Words(re.compile(pattern), re.compile(f"(?s:.*)(?:{pattern})"))


GOODS = words(
    "주문(?!자)|운송장|송장|등기번호|접수번호|티켓|예약번호|시리얼|모델|제품|상품|품번|품목|부품|도면|쿠폰|바코드|재고|특허|출원"
    "|허가|신고번호|항공권번호|문서|사건|코드",
    "orders?|tracking|serial|models?|parts?|sku|isbn|issn|ean|upc|gtin|barcode|invoice|ticket|coupon|uuid|product|"
    "order_?id|build|timestamp|commit",
)
"""Words after which a number belongs to a thing."""


def leaning(text: str, start: int, end: int, wanted: Words, refused: Words = GOODS) -> int:
    """1 when the nearest word around ``text[start:end]`` is a wanted one, −1 when it is a refused one, else 0.

    What stands before counts first; what stands after only if nothing does.
    """
    if start:
        before = text[max(0, start - BEFORE) : start].lower()
        for_it, against_it = wanted.last.match(before), refused.last.match(before)
        if for_it is not None or against_it is not None:
            return 1 if against_it is None or (for_it is not None and for_it.end() > against_it.end()) else -1
    after = text[end : end + AFTER].lower()
    if wanted.first.search(after):
        return 1
    return -1 if refused.first.search(after) else 0
