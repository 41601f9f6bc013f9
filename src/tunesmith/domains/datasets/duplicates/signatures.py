"""Numbers that near duplicates have in common, so that not all pairs need to be compared.

**Pigeonholes** (no pair is lost). Two sets with J ≥ t differ in at most H tokens, where H follows
from their sizes. Cut the hash space into H + 1 + e parts: at least e + 1 parts of both sets are equal to the token. The signature
of a part is a sum over its tokens. H depends on the sizes, so sizes are put into classes some 6 % wide: a set signs once for its
own class, and once for each larger class in which a near duplicate of it can lie. Empty parts are equal for nothing; as there
are at most e of them that count, a set with no more than e of them leaves them out. (Arasu et al., "Efficient exact set-similarity
joins", 2006; Deng et al., "An efficient partition based method for exact set similarity joins", 2016.)

**MinHash with bands** (a pair exactly at the threshold is found with a probability of at least ``RECALL``). The smallest of
the hashed tokens is the same in two sets with probability J; b bands of r such minima agree somewhere with 1 − (1 − Jʳ)ᵇ.
(Broder, "On the resemblance and containment of documents", 1997.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.duplicates.likeness import most_different
from tunesmith.domains.datasets.duplicates.shingles import TOKEN_BITS, U64, TokenSets, mixed

RECALL = 0.995
_CLASS_GROWTH = 1.06
_MOST_MINIMA = 192
_SEED = 20_240_601

Signed = Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]
"""Signatures, and the places in the block of the sets that have them."""
Sign = Callable[[TokenSets], Signed]


class Pigeonholes:
    """Signatures that every pair at or above the threshold has at least one of in common."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._classes: list[tuple[int, int]] = []

    def sign(self, block: TokenSets) -> Signed:
        """The signatures of some sets."""
        sizes = block.sizes
        if not len(sizes):
            return
        sums = np.zeros(len(block.tokens) + 1, dtype=np.uint64)
        np.cumsum(mixed(block.tokens ^ U64(_SEED)), out=sums[1:])
        reach = np.floor(sizes / self._threshold + 1e-9).astype(np.int64)
        for number, (low, high) in enumerate(self._classes_up_to(int(sizes.max() / self._threshold) + 1)):
            which = np.flatnonzero((sizes <= high) & (reach >= low))
            differing = int(most_different(np.array([2 * high]), self._threshold)[0])
            if len(which) and differing:
                yield from _sign_class(block, sums, which, number, differing)

    def _classes_up_to(self, size: int) -> list[tuple[int, int]]:
        while not self._classes or self._classes[-1][1] < size:
            low = self._classes[-1][1] + 1 if self._classes else 1
            self._classes.append((low, max(low, int(low * _CLASS_GROWTH))))
        return self._classes


def _sign_class(
    block: TokenSets, sums: NDArray[np.uint64], which: NDArray[np.int64], number: int, differing: int
) -> Signed:
    spare = max(1, differing // 4)
    parts = differing + 1 + spare
    # Tokens ascend within a set and parts are ranges of tokens: the borders of the parts are found, nothing is sorted.
    borders = (np.arange(1, parts, dtype=np.uint64) << U64(TOKEN_BITS)) // U64(parts)
    cuts = _cuts(block, which, borders)
    with np.errstate(over="ignore"):
        content = sums[cuts[:, 1:]] - sums[cuts[:, :-1]]
        is_empty = cuts[:, 1:] == cuts[:, :-1]
        place = mixed(np.arange(parts, dtype=np.uint64) + U64((number + 1) << 32))
        signatures = mixed(content + place[None, :])
    kept = ~is_empty | (is_empty.sum(axis=1) > spare)[:, None]
    at, _part = np.nonzero(kept)
    yield signatures[kept], which[at]


def _cuts(block: TokenSets, which: NDArray[np.int64], borders: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where each part of each set begins and ends among the tokens of the block."""
    lengths = block.sizes[which]
    begins = block.starts[:-1][which]
    places = np.arange(int(lengths.sum())) + np.repeat(begins - (np.cumsum(lengths) - lengths), lengths)
    row = np.repeat(np.arange(len(which)), lengths)
    keys = (row.astype(np.uint64) << U64(TOKEN_BITS)) | block.tokens[places]
    wanted = (np.arange(len(which), dtype=np.uint64) << U64(TOKEN_BITS))[:, None] | borders[None, :]
    found = np.searchsorted(keys, wanted.reshape(-1)).reshape(wanted.shape)
    inner = found - (np.cumsum(lengths) - lengths)[:, None] + begins[:, None]
    return np.concatenate((begins[:, None], inner, (begins + lengths)[:, None]), axis=1)


@dataclass(frozen=True)
class MinHashes:
    """Bands of smallest hashes."""

    bands: int
    rows: int

    @classmethod
    def for_threshold(cls, threshold: float) -> MinHashes:
        """The longest bands, which let the fewest other pairs pass, whose number is affordable at ``RECALL``."""
        best = cls(1, 1)
        for rows in range(1, 17):
            bands = math.ceil(math.log(1 - RECALL) / math.log(1 - threshold**rows)) if threshold < 1 else 1
            if bands * rows <= _MOST_MINIMA:
                best = cls(bands, rows)
        return best

    def sign(self, block: TokenSets) -> Signed:
        """The signature of each band of some sets."""
        which = np.flatnonzero(block.sizes)
        if not len(which):
            return
        begins = block.starts[:-1][which]
        factors = mixed(np.arange(2 * self.bands * self.rows, dtype=np.uint64) + U64(_SEED)).reshape(-1, 2)
        for band in range(self.bands):
            signature = np.full(len(which), mixed(np.array([band], dtype=np.uint64))[0])
            for factor, shift in factors[band * self.rows : (band + 1) * self.rows]:
                with np.errstate(over="ignore"):
                    hashed = (block.tokens * (factor | U64(1)) + shift) >> U64(24)
                    smallest = np.minimum.reduceat(hashed, begins)
                    signature = mixed(signature * U64(31) + smallest)
            yield signature, which
