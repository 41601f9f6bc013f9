"""Reasoning is told apart from the answer wherever the stream is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.domains.chat.reasoning import ReasoningSplitter

CASES = [
    ("<think>하나 둘</think>\n\n셋", False, "하나 둘", "셋"),
    ("\n<think>\nhm</think>ok", False, "hm", "ok"),
    ("<thinking>a</thinking>b", False, "a", "b"),
    ("생각 중</think>답", True, "생각 중", "답"),
    ("<think>never closed", False, "never closed", ""),
    ("no block <think>x</think>", False, "", "no block <think>x</think>"),
    ("\n  indented", False, "", "\n  indented"),
    ("<thin air", False, "", "<thin air"),
    ("<think></think>plain", False, "", "plain"),
    ("a</b</think>c", True, "a</b", "c"),
    ("", False, "", ""),
    ("<", False, "", "<"),
]


def split(pieces: list[str], begins_inside: bool) -> tuple[str, str]:
    splitter = ReasoningSplitter(begins_inside)
    made = [out for piece in pieces for out in splitter.push(piece)] + splitter.finish()
    return "".join(p.text for p in made if p.is_reasoning), "".join(p.text for p in made if not p.is_reasoning)


@pytest.mark.parametrize(("text", "inside", "reasoning", "answer"), CASES)
def test_a_block_is_found_letter_by_letter_and_whole(text: str, inside: bool, reasoning: str, answer: str) -> None:
    assert split([text], inside) == (reasoning, answer)
    assert split(list(text), inside) == (reasoning, answer)


@given(st.text(alphabet="<>/think a\n", max_size=40), st.lists(st.integers(0, 40), max_size=6), st.booleans())
def test_the_cut_of_the_stream_changes_nothing(text: str, cuts: list[int], inside: bool) -> None:
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[a:b] for a, b in pairwise(edges)]
    assert split(pieces, inside) == split([text], inside)
