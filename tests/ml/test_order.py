"""The order of rows that are not packed: every row once, like lengths together, the same updates however they are portioned."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.ml.order import LengthOrder


@given(st.lists(st.integers(1, 500), min_size=1, max_size=300), st.integers(1, 16), st.integers(0, 5))
def test_every_row_once_in_every_epoch(lengths: list[int], update: int, epoch: int) -> None:
    order = list(LengthOrder(lengths, update, 7, lambda: epoch))
    assert sorted(order) == list(range(len(lengths)))
    assert order == list(LengthOrder(lengths, update, 7, lambda: epoch))
    for at in range(0, len(order), update):
        portion = [lengths[row] for row in order[at : at + update]]
        assert portion == sorted(portion, reverse=True)


def test_less_padding_and_another_order_in_each_epoch() -> None:
    chance = random.Random(3)
    lengths = [int(chance.lognormvariate(4, 1)) + 1 for _ in range(1000)]

    def padded(order: list[int]) -> int:
        parts = (order[at : at + 8] for at in range(0, len(order), 8))
        return sum(len(part) * max(lengths[row] for row in part) for part in parts)

    first, second = (list(LengthOrder(lengths, 8, 7, lambda e=epoch: e)) for epoch in (0, 1))
    shuffled = list(range(1000))
    chance.shuffle(shuffled)
    assert first != second
    assert padded(first) < 0.6 * padded(shuffled)
    assert padded(first) < 1.25 * sum(lengths)
    longest = [max(lengths[row] for row in first[at : at + 8]) for at in range(0, 1000, 8)]
    assert longest != sorted(longest, reverse=True), "updates themselves come in no order of length"
