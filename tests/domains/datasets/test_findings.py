"""Each code of the doctor on a file that has that fault alone: found once, at its row and line. Together they prove the reference."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.text.families import FAMILIES
from tunesmith.domains.datasets.doctor import CODES, Limits
from tunesmith.domains.datasets.doctor.examine import detect_format
from tunesmith.domains.datasets.doctor.learning import Learner
from tunesmith.domains.datasets.examination import Examination
from tunesmith.domains.datasets.findings_file import FINDINGS
from tunesmith.domains.datasets.leakage import EvaluationSet
from tunesmith.domains.datasets.pii import Entity, PiiHit, find_pii
from tunesmith.domains.datasets.readers import Fault, FileKind, open_data_file
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.models import BUNDLED, bundled_folder

Place = tuple[str, int, int]


def chat(*turns: Any, **fields: Any) -> str:
    messages = [
        turn if isinstance(turn, dict) else {"role": ("user", "assistant")[at % 2], "content": turn}
        for at, turn in enumerate(turns)
    ]
    return json.dumps({"messages": messages, **fields}, ensure_ascii=False)


def pair(prompt: str, completion: str) -> str:
    return json.dumps({"prompt": prompt, "completion": completion}, ensure_ascii=False)


GOOD = chat("When does the ferry leave?", "It leaves at noon from pier four.")
FINE = chat("Where are tickets sold?", "At the counter beside the café.")


def between(row: str | bytes) -> bytes:
    """A row between two good ones."""
    return b"\n".join([GOOD.encode(), row.encode() if isinstance(row, str) else row, FINE.encode()]) + b"\n"


def words(seed: int, count: int) -> str:
    """Words that look like words, and of which two texts share next to none."""
    numbers = random.Random(seed)
    syllables = [c + v for c in "bdfgklmnprst" for v in "aeiou"]
    return " ".join("".join(numbers.choices(syllables, k=numbers.randint(2, 4))) for _ in range(count))


def many(*odd: tuple[int, str], opening: str = "") -> str:
    """120 rows that are all different, of which some are replaced."""
    rows = [pair(f"What is {words(n, 5)}?", f"{opening}{words(n + 1000, 12)}, and that is it.") for n in range(120)]
    for at, row in odd:
        rows[at - 1] = row
    return "\n".join(rows) + "\n"


def turn(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def told(text: str) -> bytes:
    return between(chat("What should I write down?", f"Please note this: {text} and keep it."))


CALL = {"id": "c1", "type": "function", "function": {"name": "time", "arguments": "{}"}}
SPREAD = {"chosen": "It leaves at noon.", "rejected": "I would not know."}
FIXTURES: dict[str, tuple[str, str | bytes]] = {
    "empty-file": ("a.jsonl", b"\n"),
    "broken-json": ("a.jsonl", between('{"messages": [')),
    "not-an-object": ("a.jsonl", between('["user", "assistant"]')),
    "missing-field": ("a.jsonl", between('{"note": [], "messages_": []}')),
    "wrong-type": ("a.jsonl", between('{"messages": "hi"}')),
    "unknown-role": ("a.jsonl", between(chat(turn("narrator", "q"), "An answer to that."))),
    "wrong-role-order": ("a.jsonl", between(chat("First", turn("user", "again"), turn("assistant", "An answer.")))),
    "bad-tool-call": (
        "a.jsonl",
        between(chat("Time?", turn("assistant", "Let me look.", tool_calls=[{"id": "c1", "function": {"name": 7}}]))),
    ),
    "chosen-equals-rejected": (
        "a.jsonl",
        "\n".join(
            json.dumps(
                {"prompt": f"Question {n}", "chosen": f"Yes, {n}.", "rejected": f"{'Yes' if n == 2 else 'No'}, {n}."}
            )
            for n in (1, 2, 3)
        ),
    ),
    "no-shared-prompt": (
        "a.jsonl",
        "\n".join(
            json.dumps(
                SPREAD | ({} if n == 2 else {"prompt": f"Question {n}", "chosen": f"At {n}.", "rejected": f"Not {n}."})
            )
            for n in (1, 2, 3)
        ),
    ),
    "bad-label": (
        "a.jsonl",
        "\n".join(
            json.dumps({"prompt": f"Question {n}", "completion": f"Answer {n}.", "label": "maybe" if n == 2 else True})
            for n in (1, 2, 3)
        ),
    ),
    "no-assistant": ("a.jsonl", between(chat("Only a question"))),
    "empty-turn": ("a.jsonl", between(chat("A question", "  "))),
    "invalid-encoding": ("a.jsonl", between(b'{"messages": "\xb0"}')),
    "row-too-large": ("a.jsonl", between(chat("A question", "long " * 5000))),
    "column-count": ("a.csv", "prompt,completion\nWhen?,At noon.\na,b,c\nWhere?,At the pier.\n"),
    "unpacking-stopped": ("a.jsonl", f"{GOOD}\n{FINE}\n"),
    "unclosed-quote": ("a.csv", 'prompt,completion\nWhen?,At noon.\n"open,and more\nWhere?,At the pier.\n'),
    "last-turn-not-assistant": ("a.jsonl", between(chat("First", "An answer to it.", "And now?"))),
    "tool-call-mismatch": (
        "a.jsonl",
        between(
            chat(
                "Time?",
                turn("assistant", "Let me look.", tool_calls=[CALL]),
                turn("tool", "12:00", tool_call_id="c9"),
                turn("assistant", "It is noon."),
            )
        ),
    ),
    "control-character": ("a.jsonl", between(chat("A question", "A bell \x07 rings."))),
    "mojibake": ("a.jsonl", between(chat("A question", "You donâ€™t have to."))),
    "exact-duplicate": ("a.jsonl", f"{GOOD}\n{GOOD}\n{FINE}\n"),
    "near-duplicate": (
        "a.jsonl",
        "\n".join([chat("Ferry?", words(1, 30)), chat("Ferry!", words(1, 30)), FINE]),
    ),
    "leaks-into-evaluation": ("a.jsonl", between(chat("What leaks?", "This row does leak."))),
    "contradictory-answers": ("a.jsonl", f"{GOOD}\n{chat('When does the ferry leave?', 'Never.')}\n{FINE}\n"),
    "type-drift": (
        "a.jsonl",
        "\n".join(
            [chat("First", "An answer.", id=1), chat("Second", "Another answer.", id="x"), chat("Third", "Fine.", id=2)]
        ),
    ),
    "duplicate-key": ("a.jsonl", between('{"messages": [], ' + chat("A question", "Its answer.")[1:])),
    "extra-field": ("a.jsonl", between(chat("A question", "Its answer.", id=7))),
    "mapped-columns": ("a.csv", "질문,답\nWhen?,At noon.\nWhere?,At the pier.\n"),
    "blank-line": ("a.jsonl", between(b"")),
    "encoding-bom": ("a.jsonl", b"\xef\xbb\xbf" + between(chat("A question", "Its answer."))),
    "no-trained-tokens": ("a.jsonl", between(chat("A question", "HIDDEN"))),
    "prompt-too-long": ("a.jsonl", between(chat(words(1, 200), "An answer nobody reads."))),
    "template-refuses": (
        "a.jsonl",
        between(chat(turn("system", "Be brief."), turn("user", "q"), turn("assistant", "An a."))),
    ),
    "padding-ends-turn": ("a.jsonl", GOOD + "\n"),
    "end-of-turn-untrained": ("a.jsonl", GOOD + "\n"),
    "truncated-answer": ("a.jsonl", between(chat("A question", words(1, 200)))),
    "too-long": ("a.jsonl", between(chat("A question", "Its answer.", words(1, 200)))),
    "answer-language": (
        "a.jsonl",
        between(chat("제주도 가는 배는 몇 시에 떠나나요?", "The ferry to the island leaves at noon.")),
    ),
    "boilerplate": ("a.jsonl", between(chat("May I smoke?", "As an AI language model, I cannot say."))),
    "says-nothing": ("a.jsonl", between(chat("How much is it?", "N/A"))),
    "repetition": ("a.jsonl", between(chat("Is it open?", "yes it is " * 20))),
    "markup-leftover": ("a.jsonl", between(chat("When is it open?", "From 9&nbsp;to 5."))),
    "length-outlier": ("a.jsonl", many((50, pair("Long one", words(1, 900))))),
    "language-mix": (
        "a.jsonl",
        many((50, pair("Паром?", "Паром отправляется в полдень от четвёртого причала."))),
    ),
    "same-opening": ("a.jsonl", many(opening="Thank you for your kind question. ")),
    "label-imbalance": (
        "a.jsonl",
        "\n".join(pair(f"Is {words(n, 9)} fine?", "negative" if n % 30 == 29 else "positive") for n in range(120)),
    ),
    "pii-email": ("a.jsonl", told("minji.kim@example.co.kr")),
    "pii-phone": ("a.jsonl", told("010-1234-5678")),
    "pii-rrn": ("a.jsonl", told("주민등록번호 900101-1234568")),
    "pii-frn": ("a.jsonl", told("외국인등록번호 900101-5234561")),
    "pii-brn": ("a.jsonl", told("사업자등록번호 220-81-62517")),
    "pii-passport": ("a.jsonl", told("여권번호 M12345678")),
    "pii-driver-licence": ("a.jsonl", told("운전면허번호 11-15-123456-78")),
    "pii-bank-account": ("a.jsonl", told("국민은행 계좌번호 123456-04-123456")),
    "pii-card": ("a.jsonl", told("카드 4539-1488-0343-6467")),
    "pii-iban": ("a.jsonl", told("IBAN DE89 3704 0044 0532 0130 00")),
    "pii-ip": ("a.jsonl", told("the server 203.0.112.77")),
    "pii-key": ("a.jsonl", told("api_key=sk-proj-9fK2mQ7xTz4LpW8vRb3NcY6d")),
    "pii-person": ("a.jsonl", told("담당자는 김민지입니다")),
    "pii-address": ("a.jsonl", told("서울시 강남구 테헤란로 12")),
    "pii-uncertain": ("a.jsonl", told("카드번호 4539-1488-0343-6468")),
}
PLACES: dict[str, list[tuple[int, int]]] = {
    "empty-file": [(1, 1)],
    "blank-line": [(1, 2)],
    "encoding-bom": [(1, 1)],
    "mapped-columns": [(1, 1)],
    "padding-ends-turn": [(1, 1)],
    "end-of-turn-untrained": [(1, 1)],
    "column-count": [(2, 3)],
    "unclosed-quote": [(2, 3)],
    "length-outlier": [(50, 50)],
    "language-mix": [(50, 50)],
    "same-opening": [(1, 1)],
    "label-imbalance": [(1, 1)],
}
"""Where the fault is, if not in row 2, line 2."""
BESIDE: dict[str, list[Place]] = {
    "empty-file": [("blank-line", 1, 1)],
    "type-drift": [("extra-field", 1, 1)],
    "too-long": [("last-turn-not-assistant", 2, 2)],
}
"""What cannot but be found beside it."""


def learner_for(code: str, folder: Path) -> Learner:
    """The bundled model, or one that has the fault."""
    if code == "template-refuses":
        return Learner.from_folder(FAMILIES["gemma"].save(folder / "gemma"), "gemma", 256)
    if code == "padding-ends-turn":
        return Learner.from_folder(FAMILIES["mistral"].save(folder / "mistral", pad="</s>"), "mistral", 256)
    bundled = Learner.from_folder(bundled_folder(), BUNDLED, 8192 if code == "length-outlier" else 256)
    if code == "end-of-turn-untrained":
        bare = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        return replace(bundled, template=replace(bundled.template, source=bare))
    if code == "no-trained-tokens":
        hiding = bundled.template.source.replace(
            "{%- if message['role'] == 'assistant' %}",
            "{%- if message['role'] == 'assistant' and message['content'] != 'HIDDEN' %}",
        )
        assert hiding != bundled.template.source
        return replace(bundled, template=replace(bundled.template, source=hiding))
    return bundled


def find_named(text: str, field: str = "") -> list[PiiHit]:
    """As a language model would, which is not installed here (see test_pii_named)."""
    known = ((Entity.PERSON, "김민지"), (Entity.ADDRESS, "서울시 강남구 테헤란로 12"))
    named = [PiiHit(kind, text.index(v), text.index(v) + len(v), 0.9) for kind, v in known if v in text]
    return [*find_pii(text, field), *named]


def examined(folder: Path, code: str, name: str, content: str | bytes) -> list[Place]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    mapping = {"질문": "prompt", "답": "completion"} if code == "mapped-columns" else {}
    kind = FileKind(path.suffix[1:])
    ending = None
    if code == "unpacking-stopped":  # a validation is told so by the copy that it reads (see test_layouts)
        ending = Fault(code, "The rows end here: the gzip file is damaged.", "the whole file", "a part of it")
    source = RowSource(path, kind, detect_format_of(path, kind, mapping), 1 << 14, mapping, ending=ending)
    judges = []
    if code == "leaks-into-evaluation":
        held_out = folder / "test.jsonl"
        held_out.write_text(chat("What leaks?", "This row does leak.") + "\n")
        judges = [EvaluationSet(9, "the test part", replace(source, path=held_out))]
    limits = Limits(check_quality=True, learner=learner_for(code, folder), find_pii=find_named)
    work = Examination(source, limits, judges)
    work.run(folder / "out")
    found = [json.loads(line) for line in (folder / "out" / FINDINGS).read_text().splitlines()]
    assert all(finding["fix"] and finding["message"] for finding in found)
    return [(finding["code"], finding["row"], finding["line"]) for finding in found]


def detect_format_of(path: Path, kind: FileKind, mapping: dict[str, str]) -> Any:
    with open_data_file(path, kind, mapping=mapping) as data:
        return detect_format(data)


def test_every_code_has_a_fixture() -> None:
    assert set(FIXTURES) == set(CODES)
    assert all(code.title and code.example and code.fix for code in CODES.values())


@pytest.mark.parametrize("code", CODES)
def test_a_fault_is_found_alone_where_it_is(tmp_path: Path, code: str) -> None:
    name, content = FIXTURES[code]
    expected = [*((code, row, line) for row, line in PLACES.get(code, [(2, 2)])), *BESIDE.get(code, [])]
    assert sorted(examined(tmp_path, code, name, content)) == sorted(expected)


@pytest.mark.parametrize("answer", ["네" * 30, "ㅋ" * 20 + " 열려요", "Open" + "!" * 20])
def test_an_answer_that_is_stuck_on_one_character_repeats_itself(tmp_path: Path, answer: str) -> None:
    content = between(chat("지금 열려 있나요?", answer))
    assert examined(tmp_path, "repetition", "a.jsonl", content) == [("repetition", 2, 2)]
