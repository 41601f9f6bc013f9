"""Which encoding a text has, told by decoding it and by looking at what comes out; and any of them as UTF-8.

Korean files are UTF-8, CP949 (EUC-KR with all syllables), or UTF-16. A wrong guess shows: CP949 read as Chinese, or Latin
letters read as CP949, give syllables that nobody writes. Real Korean text is made of the 2,350 syllables of KS X 1001, which lie in their
own rows of the table, and of few Chinese characters.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
MAX_BROKEN_SHARE = 0.2
"""More lines than this that cannot be decoded: the file is something else."""
MIN_READABLE = 0.9
MIN_READABLE_WITHOUT_NUL = 0.98
LOOKED_AT_BYTES = 1 << 16
MOST_HANJA = 0.35
"""Chinese characters among the Korean ones; texts in GB 2312 have more, and fewer that fall among the syllables."""
_COMMON = re.compile("[\\t\\n\\r -~\u00a0-\u00ff\u2010-\u203b\u3000-\u303f\u3131-\u318e가-힣\uff01-\uff5e]")
_PAIR = re.compile(rb"[\x81-\xfe][\x41-\x5a\x61-\x7a\x81-\xfe]")
_KEEP = "tunesmith-keep"


def encoding_of(head: bytes, *, is_whole: bool) -> str | None:
    """The encoding of a text that begins with ``head``, in Python's words; None when it is no text that we know."""
    for mark, name in BOMS:
        if head.startswith(mark) and not (name == "utf-16-le" and head.startswith(codecs.BOM_UTF32_LE)):
            return name
    has_nul = b"\x00" in head
    if not has_nul and _decodes(head, "utf-8", is_whole):
        return "utf-8"
    wide = _wide(head, has_nul)
    if wide is not None:
        return wide
    if has_nul:
        return None
    broken = broken_share(head, "utf-8")
    if _looks_korean(head) and broken_share(head, "cp949") < broken:
        return "cp949"
    return "utf-8" if broken <= MAX_BROKEN_SHARE else None


def as_utf8(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The text as UTF-8, without its byte order mark. What cannot be decoded becomes a byte that UTF-8 does not have,

    so that the reader finds it in the row where it stands.
    """
    if encoding.startswith("utf-8"):
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(encoding)(_KEEP)
    is_first = True
    for piece in pieces:
        text = decoder.decode(piece)
        if is_first and text:
            text, is_first = text.removeprefix("\ufeff"), False
        if text:
            yield text.encode("utf-8", "surrogateescape")
    if rest := decoder.decode(b"", final=True):
        yield rest.encode("utf-8", "surrogateescape")


def first_fault(head: bytes) -> int:
    """Where the bytes stop being UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        return error.start
    return len(head)


def broken_share(head: bytes, encoding: str) -> float:
    """The share of lines that do not decode."""
    lines = [line for line in head.splitlines() if line.strip()]
    return sum("\ufffd" in line.decode(encoding, errors="replace") for line in lines) / max(1, len(lines))


def _keep(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error(_KEEP, _keep)


def _decodes(head: bytes, encoding: str, is_whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head, final=is_whole)
    except UnicodeDecodeError:
        return False
    return True


def _wide(head: bytes, has_nul: bool) -> str | None:
    """UTF-16 without a mark: the byte order in which the text is readable, if there is one."""
    scores = {}
    for name in ("utf-16-le", "utf-16-be"):
        text = codecs.getincrementaldecoder(name)("replace").decode(head[: min(len(head) & ~1, LOOKED_AT_BYTES)])
        has_ascii = any(" " <= character <= "~" or character == "\n" for character in text)
        scores[name] = len(_COMMON.findall(text)) / max(1, len(text)) if has_ascii else 0.0
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= (MIN_READABLE if has_nul else MIN_READABLE_WITHOUT_NUL) else None


def _looks_korean(head: bytes) -> bool:
    """Whether the pairs of bytes are mostly the syllables that Korean is written with."""
    head = b"\n".join(line for line in head.split(b"\n") if not line.isascii())[:LOOKED_AT_BYTES]
    pairs: list[bytes] = _PAIR.findall(head)
    usual = sum(0xB0 <= first <= 0xC8 and second >= 0xA1 for first, second in pairs)
    chinese = sum(0xCA <= first <= 0xFD and second >= 0xA1 for first, second in pairs)
    return bool(pairs) and usual >= 0.6 * len(pairs) and chinese <= MOST_HANJA * len(pairs)
