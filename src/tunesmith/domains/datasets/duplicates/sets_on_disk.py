"""The token sets of many texts: tokens in a file, one number of each kind a text in memory (16 bytes a text)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.duplicates.shingles import MAX_BATCH_TEXTS, U64, TokenSets, mixed, token_sets

_BATCH_CHARACTERS = 1 << 18
_BLOCK_TOKENS = 1 << 18
_BYTES = 8


class SetsOnDisk:
    """Takes texts, in order; gives their sets, all in order or some by number (from 0)."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._path = path
        self._waiting: list[str] = []
        self._characters = 0
        self._sizes = array("q")
        self._digests = array("Q")
        self._starts: NDArray[np.int64] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._sizes) + len(self._waiting)

    def add(self, text: str) -> None:
        """Take the next text."""
        self._waiting.append(text)
        self._characters += len(text)
        if self._characters >= _BATCH_CHARACTERS or len(self._waiting) == MAX_BATCH_TEXTS:
            self._write()

    def _write(self) -> None:
        sets = token_sets(self._waiting)
        self._file.write(sets.tokens.tobytes())
        self._sizes.frombytes(sets.sizes.tobytes())
        self._digests.frombytes(_set_digests(sets).tobytes())
        self._waiting.clear()
        self._characters = 0

    def complete(self) -> None:
        """No text will follow."""
        if self._waiting:
            self._write()
        self._starts = np.concatenate(([0], np.cumsum(self.sizes)))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Tokens of each text."""
        return np.frombuffer(self._sizes, dtype=np.int64) if self._sizes else np.zeros(0, dtype=np.int64)

    @property
    def digests(self) -> NDArray[np.uint64]:
        """A digest of each text's set: equal for equal sets."""
        return np.frombuffer(self._digests, dtype=np.uint64) if self._digests else np.zeros(0, dtype=np.uint64)

    def blocks(self) -> Iterator[tuple[int, TokenSets]]:
        """All sets in order, some at a time, with the number of the first."""
        starts = self._placed()
        first = 0
        while first < len(starts) - 1:
            last = int(np.searchsorted(starts, starts[first] + _BLOCK_TOKENS, side="right")) - 1
            last = min(max(last, first + 1), first + MAX_BATCH_TEXTS, len(starts) - 1)
            yield first, TokenSets(self._read(first, last), starts[first : last + 1] - starts[first])
            first = last

    def take(self, numbers: NDArray[np.int64]) -> TokenSets:
        """The sets of some texts; quickest when ``numbers`` ascend."""
        starts = self._placed()
        parts = [self._read(int(number), int(number) + 1) for number in numbers]
        sizes = starts[numbers + 1] - starts[numbers]
        tokens = np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)
        return TokenSets(tokens, np.concatenate(([0], np.cumsum(sizes))))

    def _placed(self) -> NDArray[np.int64]:
        assert self._starts is not None, "complete() comes first"
        return self._starts

    def _read(self, first: int, last: int) -> NDArray[np.uint64]:
        starts = self._placed()
        self._file.seek(int(starts[first]) * _BYTES)
        wanted = int(starts[last] - starts[first]) * _BYTES
        raw = self._file.read(wanted)
        while len(raw) < wanted:
            raw += self._file.read(wanted - len(raw))
        return np.frombuffer(raw, dtype=np.uint64)


def _set_digests(sets: TokenSets) -> NDArray[np.uint64]:
    """The sum of the mixed tokens, which does not depend on their order, mixed with their number."""
    sums = np.zeros(len(sets.tokens) + 1, dtype=np.uint64)
    np.cumsum(mixed(sets.tokens), out=sums[1:])
    with np.errstate(over="ignore"):
        return mixed(sums[sets.starts[1:]] - sums[sets.starts[:-1]] + sets.sizes.astype(U64))
