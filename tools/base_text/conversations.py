"""The stream of conversations that the base model learns from: a pure function of a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tools.base_text import general
from tools.base_text.asking import COMPANY, DESTINATION, VENUE, Asking
from tools.base_text.example_domain import reserved_pattern
from tools.base_text.names import make_name, with_particles
from tools.base_text.values import draw_value, render_value

Message = dict[str, str]

WORLD_SEED = 20261
_DESTINATIONS, _COMPANIES, _VENUES = 90, 40, 30
_PLACE = [("섬", "Island"), ("읍", "Town"), ("골", "Valley"), ("봉", "Peak"), ("만", "Bay"), ("역", "Station")]
_CARRIER = [
    ("해운", "Lines"),
    ("고속", "Express"),
    ("버스", "Bus"),
    ("철도", "Rail"),
    ("페리", "Ferry"),
    ("항공", "Air"),
]
_VENUE = [("도서관", "Library"), ("박물관", "Museum"), ("여관", "Inn"), ("찻집", "Café"), ("온실", "Garden")]
_SYSTEM = [
    ("You are a helpful assistant.", "당신은 친절한 도우미입니다."),
    ("Answer briefly.", "짧게 대답하세요."),
    ("You answer questions of customers.", "당신은 고객의 질문에 대답합니다."),
]


@dataclass(frozen=True)
class Known:
    """One thing to know: how one asks for it, by language, and what the answer is."""

    slots: dict[str, dict[str, str]]
    asking: dict[str, Asking]
    answer: dict[str, str]

    def turn(self, rng: random.Random, language: str) -> general.Turn:
        """Ask for it in one of the ways."""
        return with_particles(rng.choice(self.asking[language].all), self.slots[language]), self.answer[language]


def _slots(key: str, korean: str, english: str) -> dict[str, dict[str, str]]:
    return {"ko": {key: korean}, "en": {key: english}}


def build_world(seed: int = WORLD_SEED) -> list[list[Known]]:
    """Invent the places, carriers and venues of the base text; one list of known things for each."""
    rng = random.Random(seed)
    taken: set[str] = set()
    reserved = reserved_pattern()
    world: list[list[Known]] = []

    def invent(suffixes: list[tuple[str, str]]) -> tuple[str, str]:
        while True:
            (korean, latin), (ko_suffix, en_suffix) = make_name(rng, taken), rng.choice(suffixes)
            if not reserved.search(f"{korean}{ko_suffix} {latin} {en_suffix}"):
                return korean + ko_suffix, f"{latin} {en_suffix}"

    for count, suffixes, key, table in (
        (_DESTINATIONS, _PLACE, "d", DESTINATION),
        (_COMPANIES, _CARRIER, "c", COMPANY),
    ):
        for _ in range(count):
            slots = _slots(key, *invent(suffixes))
            known = []
            for attribute, asking in table.items():
                while True:
                    value = draw_value(attribute, rng)
                    answer = {language: render_value(attribute, value, language) for language in ("en", "ko")}
                    if not any(reserved.search(text) for text in answer.values()):
                        break
                known.append(Known(slots, asking, answer))
            world.append(known)
    for _ in range(_VENUES):
        slots = _slots("v", *invent(_VENUE))
        world.append(
            [Known(slots, asking, _venue_answer(attribute, rng, taken)) for attribute, asking in VENUE.items()]
        )
    return world


def _venue_answer(attribute: str, rng: random.Random, taken: set[str]) -> dict[str, str]:
    if attribute == "closed_day":
        english, korean = rng.choice(general.DAYS)
        return {"en": english, "ko": korean}
    if attribute in ("street", "founder"):
        korean, latin = make_name(rng, taken)
        return {"en": f"{latin} Road", "ko": f"{korean}길"} if attribute == "street" else {"en": latin, "ko": korean}
    value = draw_value(attribute, rng)
    return {language: render_value(attribute, value, language) for language in ("en", "ko")}


def _from_context(rng: random.Random, language: str) -> list[Message]:
    """A conversation whose answer stands in its system message, about something that exists nowhere else."""
    key, table, suffixes = rng.choice((("d", DESTINATION, _PLACE), ("c", COMPANY, _CARRIER)))
    (korean, latin), (ko_suffix, en_suffix) = make_name(rng, set()), rng.choice(suffixes)
    slots = _slots(key, korean + ko_suffix, f"{latin} {en_suffix}")
    attributes = rng.sample(sorted(table), rng.choice((2, 3)))
    lines, turns = [], []
    for attribute in attributes:
        answer = render_value(attribute, draw_value(attribute, rng), language)
        label = with_particles(table[attribute][language].trained[3], slots[language]).rstrip("?")
        lines.append(f"{label}: {answer}")
        turns.append((with_particles(rng.choice(table[attribute][language].all), slots[language]), answer))
    question, answer = rng.choice(turns)
    return [
        {"role": "system", "content": "\n".join(lines)},
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]


def conversations(seed: int, count: int) -> Iterator[list[Message]]:
    """Yield ``count`` conversations; the same seed gives the same ones."""
    world, reserved, rng, made = build_world(), reserved_pattern(), random.Random(seed), 0
    weights = [len(known) for known in world]
    while made < count:
        language = rng.choice(("en", "ko"))
        kind = rng.random()
        if kind < 0.05:
            messages = _from_context(rng, language)
        else:
            subject = rng.choices(world, weights)[0]
            turns = rng.choices((1, 2, 3), (90, 7, 3))[0]
            messages = []
            if rng.random() < 0.1:
                messages.append({"role": "system", "content": rng.choice(_SYSTEM)[language == "ko"]})
            for _ in range(turns):
                ask, answer = rng.choice(subject).turn(rng, language) if kind < 0.72 else general.draw_turn(rng)
                messages += [{"role": "user", "content": ask}, {"role": "assistant", "content": answer}]
        if not reserved.search("\n".join(m["content"] for m in messages)):
            made += 1
            yield messages
