"""Where an answer goes in the tree of turns: behind the last one, beside an edited question, or beside an earlier answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.domains.chat.answers import Ask
from tunesmith.domains.chat.branches import Exchange, exchanges_of, path_to
from tunesmith.domains.chat.errors import TurnNotFound, TurnRole
from tunesmith.domains.chat.tables import ConversationRow, TurnRow
from tunesmith.kit.errors import InvalidInput

TITLE_CHARACTERS = 60


@dataclass(frozen=True)
class Place:
    """Where an answer goes: the question (new or old), and what was said before it."""

    message: str
    parent_id: int | None
    question_id: int | None
    before: Sequence[Exchange]


def place_of(row: ConversationRow, turns: Sequence[TurnRow], ask: Ask) -> Place:
    """Where the answer goes. Raises ``InvalidInput``, ``TurnNotFound`` and ``TurnRole``."""
    by_id = {turn.id: turn for turn in turns}

    def named(turn_id: int, role: str | None) -> TurnRow:
        if (turn := by_id.get(turn_id)) is None:
            raise TurnNotFound(f"The conversation {row.id} has no turn {turn_id}.")
        if role is not None and turn.role != role:
            raise TurnRole(f"Turn {turn_id} is of the {turn.role}, and one of the {role} is wanted.")
        return turn

    if sum(given is not None for given in (ask.regenerate, ask.edit_of, ask.parent_id)) > 1:
        raise InvalidInput("Give one of regenerate, edit_of and parent_id at most.")
    if ask.regenerate is not None:
        if ask.message is not None:
            raise InvalidInput("An answer is asked for again without a message.", hint="Edit the question instead.")
        question = named(named(ask.regenerate, "assistant").parent_id or 0, "user")
        before = exchanges_of(path_to(turns, question.parent_id))
        return Place(question.content, question.parent_id, question.id, before)
    if ask.message is None or not ask.message.strip():
        fault = {"location": "body.message", "message": "missing or empty", "value": ask.message}
        raise InvalidInput("The message is missing.", hint="Send what is said as `message`.", errors=[fault])
    if ask.edit_of is not None:
        parent_id = named(ask.edit_of, "user").parent_id
    elif ask.parent_id is not None:
        parent_id = named(ask.parent_id, "assistant").id
    else:
        parent_id = row.current_turn_id
    return Place(ask.message, parent_id, None, exchanges_of(path_to(turns, parent_id)))


def title_of(message: str) -> str:
    """The beginning of the first question."""
    line = " ".join(message.split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1] + "…"
