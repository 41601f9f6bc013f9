"""Rows as token ids; what cannot be learned from is refused by the numbers of its rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, processors

from tests.text.families import FAMILIES, turns
from tunesmith.ml.failures import RunFailure
from tunesmith.text import TextTokenizer


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


def test_a_text_begins_with_the_token_that_its_tokenizer_puts_there(tmp_path: Path) -> None:
    from tunesmith.ml.rows import tokenize_texts

    FAMILIES["gemma"].save(tmp_path)
    own = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert TextTokenizer.from_folder(tmp_path).encode_begun("배") == own.encode("배").ids
    bos = own.token_to_id("<bos>")
    own.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", bos)])
    own.save(str(tmp_path / "tokenizer.json"))
    tokenizer = TextTokenizer.from_folder(tmp_path)
    begun = own.encode("배가 떠난다").ids
    assert begun[0] == bos
    assert tokenizer.encode_begun("배가 떠난다") == tokenizer.encode_begun("<bos>배가 떠난다") == begun
    rows = tmp_path / "texts.jsonl"
    rows.write_text(json.dumps({"text": "배가 떠난다"}) + "\n")
    assert tokenize_texts(rows, tokenizer, 64).input_ids.tolist() == own.encode("배가 떠난다<eos>").ids
