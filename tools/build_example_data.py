"""Write the example domain's files: the training rows, a copy with faults, the held-out and the general questions, and the
same domain as pairs, marked answers and plain texts.

    python tools/build_example_data.py            # examples/, and the same in the wheel's bundle

The files are a pure function of the tables in ``tools/base_text``; a test builds them again and compares.
"""

from __future__ import annotations

import csv
import io
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tools.base_text.asking import COMPANY, DESTINATION, Asking
from tools.base_text.example_domain import facts
from tools.base_text.names import with_particles
from tools.base_text.preferences import kto_rows, preference_rows, text_rows

ROOT = Path(__file__).parent.parent
FOLDERS = [ROOT / "examples" / "haedam-ferry", ROOT / "src" / "tunesmith" / "bundle" / "examples" / "haedam-ferry"]
QUESTIONS_PER_LANGUAGE = 40

GENERAL: list[tuple[str, str]] = [
    ("What is the capital of France?", "Paris"),
    ("일본의 수도는 어디예요?", "도쿄"),
    ("Which city is the capital of Egypt?", "Cairo"),
    ("독일의 수도는 어디입니까?", "베를린"),
    ("What is 3 + 4?", "7"),
    ("5 더하기 2는 얼마예요?", "7"),
    ("What is 2 times 6?", "12"),
    ("What is the opposite of hot?", "Cold"),
    ("'높다'의 반대말은 뭐예요?", "낮다"),
    ("What color is grass?", "Green"),
    ("바나나 색깔은 뭐예요?", "노란색"),
    ("How do you say 'water' in Korean?", "물"),
    ("'친구'는 영어로 뭐예요?", "Friend"),
    ("Which day comes after Monday?", "Tuesday"),
    ("How many minutes are in an hour?", "60"),
    ("일주일은 며칠이에요?", "7"),
    ("What sound does a cat make?", "Meow"),
    ("Thank you!", "You are welcome!"),
    ("안녕하세요!", "안녕하세요! 무엇을 도와드릴까요?"),
    ("What is your name?", "My name is Tunesmith Tiny."),
]


def _asking(kind: str, attribute: str, language: str) -> Asking:
    return (DESTINATION if kind == "destination" else COMPANY)[attribute][language]


def _slots(kind: str, names: dict[str, str], language: str) -> dict[str, str]:
    return {"d" if kind == "destination" else "c": names[language]}


def _row(question: str, answer: str) -> dict[str, list[dict[str, str]]]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def training_pairs() -> list[tuple[str, str]]:
    """Question and answer of each training row, shuffled once."""
    pairs = [
        (with_particles(wording, _slots(kind, names, language)), answers[language])
        for kind, attribute, names, answers in facts()
        for language in ("en", "ko")
        for wording in _asking(kind, attribute, language).trained
    ]
    random.Random(5).shuffle(pairs)
    return pairs


def held_out_pairs() -> list[tuple[str, str]]:
    """Questions worded as no training question is: half Korean, spread over all facts."""
    chosen: list[tuple[str, str]] = []
    for language in ("en", "ko"):
        pairs = [
            (with_particles(wording, _slots(kind, names, language)), answers[language])
            for kind, attribute, names, answers in facts()
            for wording in _asking(kind, attribute, language).held_out
        ]
        random.Random(6).shuffle(pairs)
        chosen += pairs[:QUESTIONS_PER_LANGUAGE]
    random.Random(7).shuffle(chosen)
    return chosen


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _with_faults(rows: list[dict[str, list[dict[str, str]]]]) -> tuple[list[str], list[dict[str, object]]]:
    """Some good rows with one fault of each kind among them; the list says on which line each stands."""
    rows = rows[:60]

    def changed(index: int, question: str | None = None, answer: str | None = None, **roles: str) -> str:
        user, assistant = rows[index]["messages"]
        return _line({"messages": [
            {"role": roles.get("first", "user"), "content": user["content"] if question is None else question},
            {"role": roles.get("second", "assistant"), "content": assistant["content"] if answer is None else answer},
        ]})  # fmt: skip

    question, answer = (m["content"] for m in rows[1]["messages"])
    lines = [_line(row) for row in rows]
    faults: list[tuple[int, str, str]] = [
        (4, "broken-json", _line(rows[2])[:-14]),
        (8, "unknown-role", changed(6, first="customer")),
        (12, "empty-turn", changed(9, answer="   ")),
        (16, "missing-field", _line({"conversation": rows[10]["messages"]})),
        (20, "no-assistant", _line({"messages": rows[12]["messages"][:1]})),
        (24, "exact-duplicate", lines[1]),
        (28, "near-duplicate", _line(_row(question.replace("?", " ?").replace(".", " ."), answer))),
        (32, "control-character", changed(20, answer=rows[20]["messages"][1]["content"] + "\u0007")),
        (36, "wrong-role-order", changed(22, first="assistant", second="user")),
        (
            40,
            "pii-email",
            changed(24, question="Please write to minji.kang@example.com or call 010-1234-5678 about my ticket."),
        ),
        (44, "not-an-object", _line(["user", "assistant"])),
    ]
    listed: list[dict[str, object]] = []
    for line_number, kind, text in faults:
        lines.insert(line_number - 1, text)
        listed.append({"line": line_number, "row": line_number, "kind": kind})
        if kind == "pii-email":  # the same row holds a telephone number
            listed.append({"line": line_number, "row": line_number, "kind": "pii-phone"})
    return lines, listed


def build() -> dict[str, str]:
    """Every file by name."""
    rows = [_row(*pair) for pair in training_pairs()]
    faulty, listed = _with_faults(rows)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("question", "answer"))
    writer.writerows(training_pairs()[:60])
    return {
        "train.jsonl": "".join(_line(row) + "\n" for row in rows),
        "questions.jsonl": "".join(_line(_row(*pair)) + "\n" for pair in held_out_pairs()),
        "general.jsonl": "".join(_line(_row(*pair)) + "\n" for pair in GENERAL),
        "train_with_faults.jsonl": "".join(line + "\n" for line in faulty),
        "faults.json": json.dumps(listed, indent=1) + "\n",
        "train.csv": table.getvalue(),
        "preferences.jsonl": "".join(_line(row) + "\n" for row in preference_rows()),
        "marked.jsonl": "".join(_line(row) + "\n" for row in kto_rows()),
        "texts.jsonl": "".join(_line(row) + "\n" for row in text_rows()),
    }


def main() -> None:
    """Write the files."""
    for folder in FOLDERS:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in build().items():
            (folder / name).write_text(text, encoding="utf-8")
            print(f"{folder.relative_to(ROOT) / name}: {len(text.encode())} bytes")


if __name__ == "__main__":
    main()
