"""What cannot be learned from is refused by the numbers of its rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.text.families import FAMILIES, turns
from tunesmith.ml.failures import RunFailure


def write(path: Path, rows: list[list[dict[str, str]]]) -> Path:
    path.write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    return path


def test_rows_that_are_all_masked_are_refused_by_number(tmp_path: Path) -> None:
    from tunesmith.ml.rows import tokenize_file

    tokenizer, template = FAMILIES["chatml"].load(FAMILIES["chatml"].save(tmp_path / "model"))
    rows = write(tmp_path / "rows.jsonl", [turns("a long question " * 9, "a"), turns("another one " * 9, "b")])
    with pytest.raises(RunFailure, match=r"rows 1, 2"):
        tokenize_file(rows, tokenizer, template, 16)


def test_padding_that_is_the_end_of_turn_is_refused_by_rows(tmp_path: Path) -> None:
    from tunesmith.ml.rows import tokenize_file

    rows = write(tmp_path / "rows.jsonl", [turns("q", "a"), turns("q", "b", "q", "c")])
    mistral = FAMILIES["mistral"]
    with pytest.raises(RunFailure, match=r"padding token .* rows 1, 2"):
        tokenize_file(rows, *mistral.load(mistral.save(tmp_path / "same", pad="</s>")), 64)
    assert len(tokenize_file(rows, *mistral.load(mistral.save(tmp_path / "own")), 64)) == 2
