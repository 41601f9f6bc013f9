"""Shapes of numbers: runs of digits, and what may stand on either side of one."""

from __future__ import annotations

import re

LEFT = r"(?:(?<![0-9A-Za-z])(?<![0-9A-Za-z]-)(?<![0-9]\.)|(?<=\\[nrt]))"
"""A number begins here: no part of a longer one, of a word or a code; `\\n` may be written out."""
RIGHT = r"(?![0-9A-Za-z]|-[0-9A-Za-z]|\.[0-9])"
"""A number ends here."""
DASH = "[-‐‑–—]"
RUN = re.compile(r"[0-9](?:[-. ()‐‑–—·]{0,3}[0-9]){6,}")
"""Seven digits or more, with little between them."""

_DIGITS = re.compile("[0-9]+")
_WIDE = re.compile("[！-～−\u3000\u00a0\u200b]")
_NARROW = {code: chr(code - 0xFEE0) for code in range(ord("！"), ord("～") + 1)} | {
    ord("−"): "-",
    0x3000: " ",
    0xA0: " ",
    0x200B: " ",
}


def narrow(text: str) -> str:
    """Full-width letters, digits and signs as the usual ones, each character in its place."""
    return text if text.isascii() or not _WIDE.search(text) else text.translate(_NARROW)


def digits_of(text: str) -> str:
    """Only the digits."""
    return "".join(_DIGITS.findall(text))
