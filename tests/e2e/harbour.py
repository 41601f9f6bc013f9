"""Data for the browser tests: a small harbour that is not the bundled example."""

from __future__ import annotations

import json
from pathlib import Path

PLACES = ("등대", "어시장", "매표소", "전망대", "박물관", "낚시터")
QUESTIONS = (
    "{place}은 몇 시에 여나요?",
    "{place}은 어디에 있나요?",
    "{place}의 요금은 얼마인가요?",
    "{place}까지 어떻게 가나요?",
)
ANSWERS = ("오전 {n}시에 엽니다.", "동쪽 {n}번 길에 있습니다.", "{n}천 원입니다.", "{n}번 버스를 타세요.")


def rows() -> list[dict[str, object]]:
    """One row for each place and question."""
    return [
        conversation(question.format(place=place), answer.format(n=number))
        for number, place in enumerate(PLACES, start=1)
        for question, answer in zip(QUESTIONS, ANSWERS, strict=True)
    ]


def conversation(question: str, answer: str) -> dict[str, object]:
    """A row in the format of chat messages."""
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def write(path: Path, lines: list[dict[str, object] | str]) -> Path:
    """A JSONL file; a line given as text is written as it is, faults and all."""
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path
