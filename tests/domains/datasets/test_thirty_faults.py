"""Thirty different faults in one file, as JSONL, JSON and CSV: thirty findings at their rows and lines, and none besides."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx
import pytest

from tests.domains.datasets.conftest import PATH, Upload, Work
from tests.domains.datasets.test_findings import CALL, turn, words
from tunesmith.domains.datasets import CODES

Seed = tuple[str, Any]


def good(number: int) -> dict[str, str]:
    return {
        "prompt": f"Where is {words(number, 4)}?",
        "completion": f"It is behind {words(number + 500, 9)}, as you see.",
    }


def asked(completion: str, prompt: str = "") -> dict[str, str]:
    return {"prompt": prompt or f"Say {words(sum(completion.encode()), 4)}?", "completion": completion}


def told(text: str) -> dict[str, str]:
    return asked(f"Please note this: {text} and keep it.")


def chat(*turns: dict[str, Any]) -> dict[str, Any]:
    return {"messages": list(turns)}


FIRST = asked("It leaves at noon from pier four.", "When does the ferry leave?")
LIKE = words(77, 40)
COMMON: list[Seed] = [
    ("empty-turn", asked("  ")),
    ("control-character", asked("A bell \x07 rings.")),
    ("mojibake", asked("You donâ€™t have to.")),
    ("exact-duplicate", FIRST),
    ("contradictory-answers", FIRST | {"completion": "It never leaves at all."}),
    ("near-duplicate", asked(LIKE + "!", "Like?")),
    ("prompt-too-long", asked("An answer nobody reads.", words(78, 1500))),
    ("truncated-answer", asked(words(79, 1500))),
    ("answer-language", asked("The ferry to the island leaves at noon.", "제주도 가는 배는 몇 시에 떠나나요?")),
    ("boilerplate", asked("As an AI language model, I cannot say.")),
    ("says-nothing", asked("N/A")),
    ("repetition", asked("yes it is " * 20)),
    ("markup-leftover", asked("From 9&nbsp;to 5.")),
    ("pii-email", told("minji.kim@example.co.kr")),
    ("pii-phone", told("010-1234-5678")),
    ("pii-rrn", told("주민등록번호 900101-1234568")),
    ("pii-frn", told("외국인등록번호 900101-5234561")),
    ("pii-brn", told("사업자등록번호 220-81-62517")),
    ("pii-passport", told("여권번호 M12345678")),
    ("pii-driver-licence", told("운전면허번호 11-15-123456-78")),
    ("pii-bank-account", told("국민은행 계좌번호 123456-04-123456")),
    ("pii-card", told("카드 4539-1488-0343-6467")),
    ("pii-iban", told("IBAN DE89 3704 0044 0532 0130 00")),
    ("pii-ip", told("the server 203.0.112.77")),
    ("pii-key", told("api_key=sk-proj-9fK2mQ7xTz4LpW8vRb3NcY6d")),
]
IN_CSV: list[Seed] = [
    ("column-count", "a,b,c,d\n"),
    ("blank-line", "\n"),
    ("unclosed-quote", '"open,and more\n'),
]
IN_JSON: list[Seed] = [
    ("not-an-object", ["user", "assistant"]),
    ("missing-field", {"mesages": []}),
    ("wrong-type", {"messages": "How many?"}),
    ("unknown-role", chat(turn("narrator", "q"), turn("assistant", "An answer to that."))),
    ("wrong-role-order", chat(turn("user", "First"), turn("user", "again"), turn("assistant", "An answer."))),
    ("no-assistant", chat(turn("user", "Only a question"))),
    (
        "tool-call-mismatch",
        chat(
            turn("user", "Time?"),
            turn("assistant", "Let me look.", tool_calls=[CALL]),
            turn("tool", "12:00", tool_call_id="c9"),
            turn("assistant", "It is noon."),
        ),
    ),
    ("last-turn-not-assistant", chat(turn("user", "Hm"), turn("assistant", "An answer to hm."), turn("user", "And?"))),
    ("extra-field", asked("An answer with a number.") | {"id": 1}),
    ("type-drift", asked("Another answer with a word.") | {"id": "two"}),
]
DOUBLE = json.dumps(chat(turn("user", "Twice or once?"), turn("assistant", "Once is enough for it.")))
IN_JSONL: list[Seed] = [
    ("broken-json", b'{"messages": ['),
    ("invalid-encoding", b'{"messages": "\xb0"}'),
    ("blank-line", b""),
    ("duplicate-key", b'{"messages": [], ' + DOUBLE[1:].encode()),
]


def seeded(kind: str) -> list[Seed]:
    seeds = {"csv": IN_CSV + COMMON, "json": IN_JSON + COMMON, "jsonl": IN_JSONL + IN_JSON + COMMON}[kind]
    return seeds[: 30 - (2 if kind == "csv" else 0)]  # a CSV file gets two more by its head


def written(kind: str) -> tuple[bytes, list[tuple[str, int, int]]]:
    """The file: a good row before each faulty one; and the faults with their rows and lines."""
    rows: list[tuple[str | None, Any]] = [(None, FIRST), (None, asked(LIKE, "Like!"))]
    for number, seed in enumerate(seeded(kind)):
        rows += [seed, (None, good(number))]
    row, line = 0, 1
    places: list[tuple[str, int, int]] = []
    pieces: list[bytes] = []
    if kind == "csv":
        pieces.append("\ufeffprompt,completion,note\n".encode())
        places += [("encoding-bom", 1, 1), ("extra-field", 1, 2)]
        line = 2
    elif kind == "json":
        pieces.append(b"[\n")
        line = 2
    for at, (code, value) in enumerate(rows):
        piece = encoded(kind, value, at == len(rows) - 1)
        is_row = code != "blank-line"
        row += is_row
        if code is not None:
            places.append((code, row, line))
        pieces.append(piece)
        line += piece.count(b"\n")
    if kind == "json":
        pieces.append(b"]\n")
    return b"".join(pieces), places


def encoded(kind: str, value: Any, is_last: bool) -> bytes:
    if kind != "csv" and isinstance(value, dict) and "prompt" in value:
        turns = chat(turn("user", value["prompt"]), turn("assistant", value["completion"]))
        value = turns | {name: value[name] for name in value if name not in ("prompt", "completion")}
    if kind == "jsonl":
        return (value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()) + b"\n"
    if kind == "json":
        return json.dumps(value, ensure_ascii=False, indent=1).encode() + (b"\n" if is_last else b",\n")
    if isinstance(value, str):
        return value.encode()
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerow(
        [value["prompt"], value["completion"], "plain" if value["completion"].endswith("as you see.") else "two\nlines"]
    )
    return table.getvalue().encode()


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv"])
async def test_thirty_faults_are_thirty_findings(
    upload: Upload, work: Work, client: httpx.AsyncClient, kind: str
) -> None:
    content, places = written(kind)
    assert len(places) == len({code for code, *_ in places}) == 30
    made = (await upload(f"faults.{kind}", content)).json()
    await work()
    found = (await client.get(f"{PATH}/{made['id']}/findings", params={"page_size": 200})).json()
    assert sorted((f["code"], f["row"], f["line"]) for f in found["items"]) == sorted(places)
    assert found["total"] == 30
    assert [(f["row"], f["line"]) for f in found["items"]] == sorted((f["row"], f["line"]) for f in found["items"])
    assert found["counts"]["red"] == sum(CODES[code].severity == "red" for code, *_ in places)
