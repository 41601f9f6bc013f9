"""A conversation is a tree of turns; what is read is one path through it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.domains.chat.tables import TurnRow


@dataclass(frozen=True)
class Exchange:
    """A question with its answer."""

    question: TurnRow
    answer: TurnRow

    def messages(self) -> list[dict[str, str]]:
        """As the model reads them: without reasoning."""
        return [
            {"role": "user", "content": self.question.content},
            {"role": "assistant", "content": self.answer.content},
        ]


def path_to(turns: Sequence[TurnRow], turn_id: int | None) -> list[TurnRow]:
    """The turns from the first to that one."""
    by_id = {turn.id: turn for turn in turns}
    path: list[TurnRow] = []
    while turn_id is not None and (turn := by_id.get(turn_id)) is not None:
        path.append(turn)
        turn_id = turn.parent_id
    return path[::-1]


def newest_end(turns: Sequence[TurnRow], turn_id: int) -> int:
    """The end of the newest branch that goes through that turn."""
    last = {turn.parent_id: turn.id for turn in turns}  # turns come oldest first, so the newest child stays
    while (child := last.get(turn_id)) is not None:
        turn_id = child
    return turn_id


def exchanges_of(path: Sequence[TurnRow]) -> list[Exchange]:
    """Questions with their answers; a question without one is no part of what the model reads."""
    return [
        Exchange(question, answer)
        for question, answer in itertools.pairwise(path)
        if question.role == "user" and answer.role == "assistant" and answer.content.strip()
    ]


def good_paths(turns: Sequence[TurnRow]) -> list[list[TurnRow]]:
    """The paths to answers rated good, without those that only begin another, and without bad answers on the way."""
    good = [turn for turn in turns if turn.rating == "good" and turn.content.strip()]
    paths = [path_to(turns, turn.id) for turn in good]
    paths = [path for path in paths if all(turn.rating != "bad" for turn in path)]
    inner = {turn.id for path in paths for turn in path[:-1]}
    return [path for path in paths if path[-1].id not in inner]
