"""Small files of the formats that objectives learn from, in both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.ml.training_runs import WORDS


def pairs(count: int = 24) -> list[dict[str, Any]]:
    """Pairs in which the better answer is the short one; every third has an earlier turn."""
    made = []
    for number in range(count):
        word = WORDS[number % len(WORDS)]
        prompt = [{"role": "user", "content": f"Say {word} {number % 7}"}]
        if number % 3 == 0:
            prompt = [*prompt, {"role": "assistant", "content": "what?"}, {"role": "user", "content": f"{word}!"}]
        made.append(
            {
                "prompt": prompt,
                "chosen": [{"role": "assistant", "content": f"{word} yes"}],
                "rejected": [{"role": "assistant", "content": f"no no {word}"}],
            }
        )
    return made


def labelled(count: int = 24) -> list[dict[str, Any]]:
    """The same as answers that are marked."""
    return [
        {"prompt": row["prompt"], "completion": row["chosen" if number % 2 else "rejected"], "label": bool(number % 2)}
        for number, row in enumerate(pairs(count))
    ]


def texts(count: int = 16) -> list[dict[str, Any]]:
    """Plain texts, some of them longer than a sequence of 128 tokens."""
    return [{"text": f"등대 {number} stands at the sea. " * (1 + number % 9)} for number in range(count)]


def write(file: Path, rows: list[dict[str, Any]]) -> Path:
    """JSON Lines."""
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    return file


def write_pairs(file: Path, count: int = 24) -> Path:
    """A file of pairs."""
    return write(file, pairs(count))
