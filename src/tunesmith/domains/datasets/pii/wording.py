"""What stands around a number says what it is: words for and against, in Korean and English; the nearest one wins."""

from __future__ import annotations

import re

BEFORE, AFTER = 60, 20
"""Characters that are looked at on either side."""


def words(korean: str, english: str) -> re.Pattern[str]:
    """Any of the words: Korean ones anywhere, as particles are attached to them; English ones whole, in small letters."""
    return re.compile(rf"{korean}|(?<![a-z])(?:{english})(?![a-z])")


GOODS = words(
    "주문(?!자)|운송장|송장|등기번호|접수번호|티켓|예약번호|시리얼|모델|제품|상품|품번|품목|부품|도면|쿠폰|바코드|재고|특허|출원"
    "|허가|신고번호|항공권번호|문서|사건|코드",
    "orders?|tracking|serial|models?|parts?|sku|isbn|issn|ean|upc|gtin|barcode|invoice|ticket|coupon|uuid|product|"
    "order_?id|build|timestamp|commit",
)
"""Words after which a number belongs to a thing."""


def leaning(text: str, start: int, end: int, wanted: re.Pattern[str], refused: re.Pattern[str] = GOODS) -> int:
    """1 when the nearest word around ``text[start:end]`` is a wanted one, −1 when it is a refused one, else 0.

    What stands before counts first; what stands after only if nothing does.
    """
    before = text[max(0, start - BEFORE) : start].lower()
    for_it, against_it = _last(wanted, before), _last(refused, before)
    if for_it != against_it:
        return 1 if for_it > against_it else -1
    after = text[end : end + AFTER].lower()
    if wanted.search(after):
        return 1
    return -1 if refused.search(after) else 0


def _last(pattern: re.Pattern[str], text: str) -> int:
    end = -1
    for hit in pattern.finditer(text):
        end = hit.end()
    return end
