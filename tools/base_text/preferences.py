"""The example domain as objectives other than supervised fine-tuning read it: pairs, marked answers, plain texts."""

from __future__ import annotations

import random
from typing import Any

from tools.base_text.asking import COMPANY, DESTINATION
from tools.base_text.example_domain import facts
from tools.base_text.names import with_particles

EVASIVE = {
    "en": [
        "I am not sure about that.",
        "Please look it up yourself.",
        "That depends on many things.",
        "No idea, sorry.",
    ],
    "ko": ["잘 모르겠습니다.", "직접 찾아보세요.", "그때그때 다릅니다.", "글쎄요, 확실하지 않아요."],
}
WORDINGS_FOR_EACH_FACT = 3
SENTENCES = {
    "adult_fare": ("An adult ticket to {n} costs {a}.", "{n} 어른 요금은 {a}입니다."),
    "child_fare": ("A child travels to {n} for {a}.", "{n} 어린이 요금은 {a}입니다."),
    "first_departure": ("The first boat to {n} leaves at {a}.", "{n} 첫 배는 {a}에 떠납니다."),
    "last_departure": ("The last boat to {n} leaves at {a}.", "{n} 마지막 배는 {a}에 떠납니다."),
    "duration": ("The crossing to {n} takes {a}.", "{n}까지 {a} 걸립니다."),
    "berth": ("Boats to {n} leave from {a}.", "{n} 배는 {a}에서 탑니다."),
    "desk": ("The ticket desk of {n} answers at {a}.", "{n} 매표소는 {a}입니다."),
    "bicycle_fee": ("{n} takes a bicycle for {a}.", "{n} 자전거 요금은 {a}입니다."),
    "pet_fee": ("A pet travels with {n} for {a}.", "{n} 반려동물 요금은 {a}입니다."),
    "luggage_limit": ("{n} carries luggage up to {a}.", "{n} 수하물은 {a}까지입니다."),
    "lost_property": ("Lost things are kept by {n} at {a}.", "{n} 분실물은 {a}에서 찾습니다."),
    "group_discount": ("Groups get {a} off from {n}.", "{n} 단체 할인은 {a}입니다."),
    "free_age": ("With {n}, children travel free: {a}.", "{n} 무료 승선 나이는 {a}입니다."),
    "booking_window": ("{n} takes bookings this early: {a}.", "{n} 예약 기간은 {a}입니다."),
    "refund": ("{n} keeps {a} when a ticket is returned.", "{n} 환불 수수료는 {a}입니다."),
    "office_opens": ("The office of {n} opens at {a}.", "{n} 사무실은 {a}에 엽니다."),
    "office_closes": ("The office of {n} closes at {a}.", "{n} 사무실은 {a}에 닫습니다."),
}
OPENINGS = (
    "Haedam Ferry sails from Haedam harbour to eight islands.",
    "해담페리는 해담항에서 여덟 섬으로 갑니다.",
)


def preference_rows() -> list[dict[str, Any]]:
    """A right answer and a worse one to each question: evasive, or true of something else. Every sixth row is a dialogue
    whose answers share their beginning, as such files often are.
    """
    chance = random.Random(11)
    by_attribute: dict[tuple[str, str], list[str]] = {}
    for _, attribute, _, answers in facts():
        for language in ("en", "ko"):
            by_attribute.setdefault((attribute, language), []).append(answers[language])
    rows: list[dict[str, Any]] = []
    for kind, attribute, names, answers in facts():
        asking, slot = (DESTINATION, "d") if kind == "destination" else (COMPANY, "c")
        for language in ("en", "ko"):
            others = [value for value in by_attribute[attribute, language] if value != answers[language]]
            for number, wording in enumerate(asking[attribute][language].trained[:WORDINGS_FOR_EACH_FACT]):
                question = with_particles(wording, {slot: names[language]})
                is_evasive = number < 2 or not others
                worse = chance.choice(EVASIVE[language] if is_evasive else others)
                rows.append({"prompt": question, "chosen": answers[language], "rejected": worse})
    chance.shuffle(rows)
    return [_as_dialogue(row) if at % 6 == 5 else row for at, row in enumerate(rows)]


def _as_dialogue(row: dict[str, str]) -> dict[str, Any]:
    greeting = ("안녕하세요", "네, 무엇을 도와드릴까요?") if _is_korean(row["prompt"]) else ("Hello", "How can I help?")
    shared = [
        {"role": "user", "content": greeting[0]},
        {"role": "assistant", "content": greeting[1]},
        {"role": "user", "content": row["prompt"]},
    ]
    return {name: [*shared, {"role": "assistant", "content": row[name]}] for name in ("chosen", "rejected")}


def kto_rows() -> list[dict[str, Any]]:
    """One answer to each question, marked: a good one or a bad one, in turn."""
    singles = [row for row in preference_rows() if "prompt" in row]
    return [
        {"prompt": row["prompt"], "completion": row["rejected" if at % 2 else "chosen"], "label": at % 2 == 0}
        for at, row in enumerate(singles)
    ]


def text_rows() -> list[dict[str, str]]:
    """Short texts of a few facts each, half of them Korean."""
    chance = random.Random(12)
    rows = []
    for place, language in enumerate(("en", "ko")):
        sentences = [
            SENTENCES[attribute][place].format(n=names[language], a=answers[language])
            for _, attribute, names, answers in facts()
        ]
        for _ in range(4):
            chance.shuffle(sentences)
            rows += [
                {"text": " ".join([OPENINGS[place], *sentences[at : at + 3]])} for at in range(0, len(sentences), 3)
            ]
    chance.shuffle(rows)
    return rows


def _is_korean(text: str) -> bool:
    return any("가" <= character <= "힣" for character in text)
