"""Rows tokenised once: found again by content, never stale, bounded, and no worse when damaged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.ml import training_runs as runs
from tunesmith.ml.rows import TokenRows, tokenize_file
from tunesmith.ml.token_cache import TokenCache
from tunesmith.text import ChatTemplate, TextTokenizer


def reader(model: Path, file: Path, max_length: int = 128) -> Callable[[], TokenRows]:
    tokenizer, template = TextTokenizer.from_folder(model), ChatTemplate.from_folder(model)
    return lambda: tokenize_file(file, tokenizer, template, max_length)


def same(left: TokenRows, right: TokenRows) -> bool:
    arrays = all(np.array_equal(getattr(left, n), getattr(right, n)) for n in ("input_ids", "trained", "starts"))
    return arrays and (left.cut, left.without_target) == (right.cut, right.without_target)


def test_found_again_and_never_stale(tmp_path: Path, model: Path) -> None:
    file = runs.write_rows(tmp_path / "rows.jsonl")
    with file.open("a") as rows:
        rows.write('{"messages": [{"role": "user", "content": "no answer"}]}\n')
    cache, wanted = TokenCache(tmp_path / "cache"), reader(model, file, 24)()
    assert wanted.cut
    assert 25 in wanted.without_target
    for was_there in (False, True):
        found, told = cache.rows(file, model, "messages", 24, reader(model, file, 24))
        assert told == was_there
        assert same(found, wanted)
    other = shutil.copytree(model, tmp_path / "other")
    (other / "chat_template.jinja").write_text((model / "chat_template.jinja").read_text().replace("\\n", "\\n\\n"))
    longer = runs.write_rows(tmp_path / "longer.jsonl", 25)
    for what in ((file, model, "messages", 25), (file, model, "texts", 24), (file, other, "messages", 24)):
        assert not cache.rows(*what, reader(what[1], file, what[3]))[1]
    assert not cache.rows(longer, model, "messages", 24, reader(model, longer, 24))[1]
    assert cache.rows(file, model, "messages", 24, reader(model, file, 24))[1]


def test_a_damaged_file_is_written_again(tmp_path: Path, model: Path) -> None:
    file = runs.write_rows(tmp_path / "rows.jsonl")
    cache, wanted = TokenCache(tmp_path / "cache"), reader(model, file)()

    def ask() -> bool:
        rows, was_there = cache.rows(file, model, "messages", 128, reader(model, file))
        assert same(rows, wanted)
        return was_there

    assert not ask()
    (stored,) = (tmp_path / "cache").iterdir()
    whole = stored.read_bytes()
    flipped = bytearray(whole)
    flipped[-5] ^= 1
    for damaged in (whole[:100], whole[:-7], bytes(flipped), b"", b"\xff" * 64):
        stored.write_bytes(damaged)
        assert not ask(), "a damaged file is not used"
        assert ask()


def test_the_folder_is_bounded_and_the_oldest_goes_first(tmp_path: Path, model: Path) -> None:
    file = runs.write_rows(tmp_path / "rows.jsonl")
    folder = tmp_path / "cache"
    TokenCache(folder).rows(file, model, "messages", 100, reader(model, file))
    (first,) = folder.iterdir()
    size = first.stat().st_size
    cache = TokenCache(folder, limit_bytes=int(2.5 * size))
    names: list[Path] = [first]
    for number, length in enumerate((101, 102), 1):
        cache.rows(file, model, "messages", length, reader(model, file, length))
        (new,) = set(folder.iterdir()) - set(names)
        names.append(new)
        os.utime(new, (number, number))
        if number == 1:
            os.utime(first, (9, 9))  # used again since
    assert not names[1].exists()
    assert {first, names[2]} == set(folder.iterdir())


def test_a_cache_that_cannot_be_written_costs_nothing_else(tmp_path: Path, model: Path) -> None:
    file = runs.write_rows(tmp_path / "rows.jsonl")
    (tmp_path / "cache").write_text("a file stands where the folder should be")
    rows, was_there = TokenCache(tmp_path / "cache").rows(file, model, "messages", 128, reader(model, file))
    assert not was_there
    assert same(rows, reader(model, file)())


def test_a_run_that_goes_on_does_not_tokenise_again(tmp_path: Path, model: Path) -> None:
    rows = runs.write_rows(tmp_path / "rows.jsonl", 8)
    plan = runs.recipe(model, max_steps=2, save_steps=1, packing=False)
    told: list[bool] = []
    ends: list[Any] = []
    resume: dict[str, Any] = {}
    for number in (1, 2):
        run = runs.new_attempt(tmp_path, number, model, plan, rows, cache_path=tmp_path / "cache", **resume)
        ends.append(runs.train(run).result["weights_sha256"])
        told.append(any("tokenised before" in e.message for e in runs.events(run) if e.type == "log"))
        resume = {"resume_from": run.checkpoints / "step-000001"}
    assert told == [False, True]
    assert ends[0] == ends[1]
