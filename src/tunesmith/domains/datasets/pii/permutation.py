"""A keyed permutation of the numbers of one length: format-preserving encryption, so that no two values ever meet.

A Feistel network over the decimal halves of a number, as in FF1 (NIST SP 800-38G), with BLAKE2b in place of AES. It hides who is
who in a data set; it is not meant to be decrypted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

_ROUNDS = 10
_LONGEST_WALK = 100_000


def permute(digits: str, key: bytes, tweak: str, is_allowed: Callable[[str], bool] = lambda _: True) -> str:
    """The number of the same length that stands for ``digits``; other tweaks permute otherwise.

    With ``is_allowed``, a number that is allowed becomes one that is (cycle walking: a permutation of the allowed ones).
    """
    current = digits
    for _ in range(_LONGEST_WALK):
        current = _once(current, key, tweak)
        if is_allowed(current):
            return current
    return digits  # only a condition that hardly any number meets comes here


def _once(digits: str, key: bytes, tweak: str) -> str:
    if len(digits) < 2:
        shift = _round(key, tweak, 0, "", 10)
        return str((int(digits) + shift) % 10) if digits else ""
    middle = len(digits) // 2
    left, right = digits[:middle], digits[middle:]
    for number in range(_ROUNDS):
        size = 10 ** len(left)
        mixed = (int(left) + _round(key, tweak, number, right, size)) % size
        left, right = right, f"{mixed:0{len(left)}}"
    return left + right


def _round(key: bytes, tweak: str, number: int, half: str, size: int) -> int:
    content = f"{tweak}|{number}|{half}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, key=key, digest_size=16).digest(), "big") % size
