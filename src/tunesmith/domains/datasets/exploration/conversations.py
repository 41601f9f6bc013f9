"""What a column of conversations is like: how many turns, how long those of each role and at each place are."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tunesmith.domains.datasets.exploration.lengths import LengthCounts
from tunesmith.domains.datasets.exploration.texts import TextProfile
from tunesmith.domains.datasets.schemas.exploration import ConversationStatistics, RoleStatistics, TurnStatistics

PLACES = 20
"""Turns that are looked at one by one; later ones together."""
MAX_ROLES = 12
OTHER_ROLES = "(other)"
_ROLE_KEYS = ("role", "from")
_TEXT_KEYS = ("content", "value")


def is_conversation(value: object) -> bool:
    """Whether a value is a list of turns, each with a role and what was said."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and any(key in turn for key in _ROLE_KEYS) for turn in value)
    )


def turns_of(value: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Role and text of each turn; a turn that only calls a tool has an empty text."""
    return [(str(_first(turn, _ROLE_KEYS)), _text(_first(turn, _TEXT_KEYS))) for turn in value]


class ConversationProfile:
    """Looks at conversations one by one."""

    def __init__(self) -> None:
        self.texts = TextProfile()
        self.turns = LengthCounts()
        self.characters = LengthCounts()
        self._roles: dict[str, LengthCounts] = {}
        self._places = [LengthCounts() for _ in range(PLACES + 1)]
        self._roles_at: list[Counter[str]] = [Counter() for _ in range(PLACES + 1)]

    def add(self, value: list[dict[str, Any]]) -> int:
        """Look at one conversation; answers its characters."""
        total = 0
        turns = turns_of(value)
        for at, (role, text) in enumerate(turns):
            if role not in self._roles:
                role = role if len(self._roles) < MAX_ROLES else OTHER_ROLES
                self._roles.setdefault(role, LengthCounts())
            place = min(at, PLACES)
            self._roles[role].note(len(text))
            self._places[place].note(len(text))
            self._roles_at[place][role] += 1
            self.texts.add(text)
            total += len(text)
        self.turns.note(len(turns))
        self.characters.note(total)
        return total

    def statistics(self) -> ConversationStatistics | None:
        """The figures; None when there were no conversations."""
        turns, texts = self.turns.summary(), self.texts.statistics()
        if turns is None or texts is None:
            return None
        roles, places = [], []
        for role, counts in self._roles.items():
            if summary := counts.summary():
                roles.append(RoleStatistics(role=role[:60], turns=summary.count, characters=summary))
        for at, counts in enumerate(self._places):
            if summary := counts.summary():
                shares = {role[:60]: n / summary.count for role, n in self._roles_at[at].most_common()}
                place = TurnStatistics(turn=at + 1, and_later=at == PLACES, roles=shares, characters=summary)
                places.append(place)
        return ConversationStatistics(turns=turns, roles=roles, by_turn=places, text=texts)


def _first(turn: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((turn[key] for key in keys if key in turn), None)


def _text(content: Any) -> str:
    """What a turn says; of content in parts the texts alone."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""
