"""Carries the keys of a foreign recipe over: each is mapped to a place in ours, or left out with the reason."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import BaseModel, Field

EMPTY = "it is empty"
NO_COUNTERPART = "Tunesmith has no such setting"


class Carried(BaseModel):
    """A key that was carried over."""

    key: str = Field(description="Key in the file.")
    path: str = Field(description="Where it stands in the recipe.", examples=["training.learning_rate"])
    value: Any = Field(description="Value in the recipe.")


class LeftOut(BaseModel):
    """A key that was not."""

    key: str = Field(description="Key in the file.")
    value: Any = Field(description="Value in the file.")
    reason: str = Field(description="Why it is not carried over.")
    nearest: str | None = Field(None, description="The key that was probably meant, when there is no such key.")


class Imported(BaseModel):
    """A foreign recipe in our words."""

    recipe: dict[str, Any] = Field(description="The recipe as plain values; not validated yet.")
    carried: list[Carried] = Field(description="Keys that were carried over.")
    left_out: list[LeftOut] = Field(description="Keys that were not, each with the reason.")


class Refusal(ValueError):
    """Why a value cannot be carried over."""


class Carrier:
    """One foreign document on its way."""

    def __init__(self, document: Mapping[str, Any], known: Collection[str], program: str) -> None:
        self._document = {str(key): plain(value) for key, value in document.items()}
        self._known = known
        self._program = program
        self._seen: set[str] = set()
        self._carried: list[Carried] = []
        self._left_out: list[LeftOut] = []
        self.recipe: dict[str, Any] = {}

    def peek(self, key: str) -> Any:
        """The value of a key; None when it is not there or empty."""
        return self._document.get(key)

    def take(self, key: str, path: str, convert: Callable[[Any], Any] = lambda value: value) -> None:
        """Carry a key over. ``convert`` may raise Refusal with the reason why not; an empty value says nothing."""
        if key not in self._document or key in self._seen:
            return
        self._seen.add(key)
        value = self._document[key]
        if value is None or value == "":
            self._left_out.append(LeftOut(key=key, value=value, reason=EMPTY))
            return
        try:
            self.put(key, path, convert(value))
        except Refusal as reason:
            self._left_out.append(LeftOut(key=key, value=value, reason=str(reason)))

    def put(self, key: str, path: str, value: Any) -> None:
        """Note that ``key`` became ``value`` at ``path``."""
        self._seen.add(key)
        *sections, name = path.split(".")
        section = self.recipe
        for part in sections:
            section = section.setdefault(part, {})
        section[name] = value
        self._carried.append(Carried(key=key, path=path, value=value))

    def assume(self, key: str, path: str, value: Any) -> None:
        """Write down a default of the other program where ours is another one, so that the run stays the same."""
        *sections, name = path.split(".")
        section = self.recipe
        for part in sections:
            section = section.setdefault(part, {})
        if name not in section:
            section[name] = value
            self._carried.append(Carried(key=f"{key} (its default)", path=path, value=value))

    def leave(self, key: str, reason: str) -> None:
        """Leave a key out; one that is empty says nothing."""
        if key in self._document and key not in self._seen:
            self._seen.add(key)
            value = self._document[key]
            self._left_out.append(LeftOut(key=key, value=value, reason=EMPTY if value is None else reason))

    def left_out(self, key: str, value: Any, reason: str) -> None:
        """Leave out something below a key."""
        self._left_out.append(LeftOut(key=key, value=value, reason=reason))

    def done(self, reasons: Mapping[str, str]) -> Imported:
        """Leave out what nobody took: by ``reasons`` (a key, or the beginning of keys), or because there is no such key."""
        for key, value in self._document.items():
            if key in self._seen:
                continue
            nearest = None
            if key in self._known and value is None:
                reason = EMPTY
            elif key in self._known:
                reason = next(
                    (why for start, why in reasons.items() if key == start or key.startswith(start)), NO_COUNTERPART
                )
            else:
                nearest = nearest_of(key, self._known)
                meant = f"; did you mean {nearest}?" if nearest else ""
                reason = f"{self._program} has no such key{meant}"
            self._left_out.append(LeftOut(key=str(key), value=value, reason=reason, nearest=nearest))
        return Imported(recipe=self.recipe, carried=self._carried, left_out=self._left_out)


def nearest_of(key: str, known: Collection[str]) -> str | None:
    """The key that was probably meant: one that begins with the same word goes before one that only looks alike."""
    family = [name for name in known if name.split("_")[0] == key.split("_")[0]]
    near = [
        found for names in (family, known) for found in difflib.get_close_matches(key, sorted(names), n=1, cutoff=0.6)
    ]
    return near[0] if near else None


def plain(value: Any) -> Any:
    """A value of YAML as JSON has it: dates, bytes and what is no number become text."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def one_of(choices: Mapping[str, Any], what: str) -> Callable[[Any], Any]:
    """A conversion by a table; another word is refused."""

    def convert(value: Any) -> Any:
        found = choices.get(str(value).lower())
        if found is None:
            raise Refusal(
                f"there is no {what} {value!r} here; there are {', '.join(sorted(set(map(str, choices.values()))))}"
            )
        return found

    return convert


def whole(value: Any) -> int:
    """A whole number of at least 1."""
    found = number(value)
    if found < 1 or found != int(found):
        raise Refusal("only whole numbers from 1 on are taken here (no share of the run)")
    return int(found)


def number(value: Any) -> float:
    """A number; YAML reads ``2e-4`` as text."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise Refusal("it is no number")
    return int(value) if isinstance(value, int) else found


def is_true(value: Any) -> bool:
    """Whether a value says yes."""
    return value is True or str(value).lower() in ("true", "yes", "on", "1")
