"""Exact Jaccard of pairs of sets, and a quick test that a pair cannot reach the threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.duplicates.sets_on_disk import SetsOnDisk
from tunesmith.domains.datasets.duplicates.shingles import TOKEN_BITS, U64, TokenSets

Numbers = NDArray[np.int64]

_PAIRS_AT_ONCE = 4096
_BITMAP_BYTES = 128 << 20
_WORD_BITS = 64
_SLACK = 1e-9


def most_different(sizes: NDArray[np.float64] | NDArray[np.int64], threshold: float) -> Numbers:
    """How many tokens two sets of ``sizes`` together may not share: J ≥ t ⇔ |A Δ B| ≤ (|A| + |B|)(1 − t) ÷ (1 + t)."""
    return np.floor(sizes * ((1 - threshold) / (1 + threshold)) + _SLACK).astype(np.int64)


def jaccard(sets: SetsOnDisk, a: Numbers, b: Numbers) -> NDArray[np.float64]:
    """|A ∩ B| ÷ |A ∪ B| of each pair, from the tokens themselves."""
    answer = np.zeros(len(a), dtype=np.float64)
    for at in range(0, len(a), _PAIRS_AT_ONCE):
        some_a, some_b = a[at : at + _PAIRS_AT_ONCE], b[at : at + _PAIRS_AT_ONCE]
        numbers, where = np.unique(np.concatenate((some_a, some_b)), return_inverse=True)
        read = sets.take(numbers)
        keys_a, sizes_a = _keyed(read, where[: len(some_a)])
        keys_b, sizes_b = _keyed(read, where[len(some_a) :])
        found = np.searchsorted(keys_a, keys_b)
        shared = np.zeros(len(keys_b), dtype=bool)
        inside = found < len(keys_a)
        shared[inside] = keys_a[found[inside]] == keys_b[inside]
        pair_of = (keys_b[shared] >> U64(TOKEN_BITS)).astype(np.int64)
        both = np.bincount(pair_of, minlength=len(some_a))
        answer[at : at + _PAIRS_AT_ONCE] = both / np.maximum(1, sizes_a + sizes_b - both)
    return answer


def _keyed(read: TokenSets, which: Numbers) -> tuple[NDArray[np.uint64], Numbers]:
    """The tokens of the sets ``which``, each with the number of its pair above it: one ascending array."""
    sizes = read.sizes[which]
    before = np.cumsum(sizes) - sizes
    pair_of = np.repeat(np.arange(len(which)), sizes)
    places = np.arange(int(sizes.sum())) - before[pair_of] + read.starts[:-1][which][pair_of]
    return (pair_of.astype(np.uint64) << U64(TOKEN_BITS)) | read.tokens[places], sizes


class Bitmaps:
    """A few words a set in which each token turns one bit: bits that differ are at most as many as tokens that differ.

    So a pair with too many different bits is no near duplicate, whatever its tokens are (the bitmap filter of Sandes et al.,
    "Exact set similarity joins for large datasets in the GPGPU paradigm", 2020).
    """

    def __init__(self, sizes: Numbers, threshold: float) -> None:
        typical = float(sizes.mean()) if len(sizes) else 1.0
        wanted = 1 << max(0, int(np.ceil(np.log2(max(1.0, 2 * typical / _WORD_BITS)))))
        affordable = _BITMAP_BYTES // (8 * max(1, len(sizes)))
        self._words = max(1, min(wanted, affordable, 64))
        self._sizes = sizes
        self._threshold = threshold
        self._bits = np.zeros((len(sizes), self._words), dtype=np.uint64)

    def fill(self, first: int, block: TokenSets) -> None:
        """Take the sets from number ``first`` on."""
        places = np.repeat(np.arange(len(block.sizes)) + first, block.sizes)
        bit = (block.tokens * U64(self._words * _WORD_BITS)) >> U64(TOKEN_BITS)
        words = places * self._words + (bit // U64(_WORD_BITS)).astype(np.int64)
        np.bitwise_xor.at(self._bits.reshape(-1), words, U64(1) << (bit % U64(_WORD_BITS)))

    def possible(self, a: Numbers, b: Numbers) -> NDArray[np.bool_]:
        """Which pairs may reach the threshold."""
        limits = most_different(self._sizes[a] + self._sizes[b], self._threshold)
        kept: NDArray[np.bool_] = np.abs(self._sizes[a] - self._sizes[b]) <= limits
        at = np.flatnonzero(kept)
        different = np.bitwise_count(self._bits[a[at]] ^ self._bits[b[at]]).sum(axis=1, dtype=np.int64)
        kept[at] = different <= limits[at]
        return kept

    def possible_between(self, a: Numbers, b: Numbers) -> tuple[Numbers, Numbers]:
        """The places of pairs of all of ``a`` with all of ``b`` that may reach the threshold."""
        limits = most_different(int(self._sizes[a].max()) + self._sizes[b], self._threshold)
        different = np.zeros((len(a), len(b)), dtype=np.uint16)
        for word in range(self._words):
            different += np.bitwise_count(self._bits[a, word][:, None] ^ self._bits[b, word][None, :])
        in_a, in_b = np.nonzero(different <= np.minimum(limits, 65535).astype(np.uint16)[None, :])
        kept = self.possible(a[in_a], b[in_b])
        return in_a[kept], in_b[kept]
