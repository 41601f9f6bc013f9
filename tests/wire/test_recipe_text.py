"""Recipes as text: faults are located, typing mistakes named, overrides applied, and writing is reading's inverse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.wire.recipe_text import RecipeError, apply_overrides, read_recipe, validate_recipe, write_recipe

GOOD = """\
name: 등대 test
model: {base: tunesmith/tiny}
data:
  train: dataset:lighthouse@1.0
training:
  learning_rate: 1e-4
  max_steps: 5
register: {name: lighthouse}
export:
  - {format: gguf}
"""


def fault(text: str) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        read_recipe(text)
    assert caught.value.status == 422
    assert caught.value.code == "configuration"
    return caught.value


def test_reads_writes_and_reads_the_same(tmp_path: Path) -> None:
    recipe = read_recipe(GOOD)
    assert recipe.training.learning_rate == 1e-4
    assert recipe.register_as
    assert recipe.export[0].method == "Q8_0"
    file = tmp_path / "recipe.yaml"
    file.write_text(write_recipe(recipe), encoding="utf-8")
    assert read_recipe(file) == recipe


@pytest.mark.parametrize(
    ("old", "new", "location", "line", "words"),
    [
        ("learning_rate", "learning_rat", "training.learning_rat", 6, "did you mean learning_rate?"),
        ("train: dataset", "trian: dataset", "data.trian", 4, "did you mean train?"),
        ("max_steps: 5", "max_steps: five", "training.max_steps", 7, "valid integer"),
        ("format: gguf", "format: pickle", "export[0].format", 10, "'merged', 'gguf'"),
        ("{base: tunesmith/tiny}", "{base: ''}", "model.base", 2, "at least 1 character"),
        ("max_steps: 5", "max_steps: 5\n  epochs: 2", "training", 5, "not both"),
        ("1e-4", ".inf", "training.learning_rate", 6, "finite"),
        ("max_steps: 5", "max_steps: 5\n  max_steps: 6", "training.max_steps", 8, "given twice"),
    ],
)
def test_faults_are_located(old: str, new: str, location: str, line: int, words: str) -> None:
    error = fault(GOOD.replace(old, new))
    first = error.errors[0]
    assert (first["location"], first["line"]) == (location, line)
    assert words in first["message"]
    assert f"line {line}" in error.message


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("", "sft does not measure eval_accuracy; take loss, eval_loss"),
        ("method: {objective: dpo}\n", "set data.validation or data.split"),
    ],
)
def test_the_best_is_by_something_that_is_measured(method: str, words: str) -> None:
    error = fault(method + GOOD.replace("max_steps: 5", "max_steps: 5\n  metric_for_best: eval_accuracy"))
    assert words in error.errors[0]["message"]


def test_every_fault_is_listed_at_once() -> None:
    error = fault(GOOD.replace("1e-4", "-1").replace("max_steps: 5", "batch_size: 0"))
    assert {e["location"] for e in error.errors} == {"training.learning_rate", "training.batch_size"}
    assert "and 1 more" in error.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "line 1"),
        ("", "empty"),
        ("- 1", "a list"),
        ("just text", "text"),
        ("\t", "YAML"),
        ("a: &x 1\nb: *x", "alias"),
        ("!!python/object/apply:os.system [ls]", "YAML"),
        ("x" * (2 << 20), "larger"),
    ],
)
def test_what_is_no_recipe_is_refused_in_words(text: str, words: str) -> None:
    assert words in fault(text).message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "recipe.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, words in ((tmp_path / "none.yaml", "No such file"), (binary, "UTF-8"), (tmp_path, "directory")):
        with pytest.raises(RecipeError, match=words):
            read_recipe(path)


def test_overrides() -> None:
    recipe = apply_overrides(read_recipe(GOOD), ["training.learning_rate=1e-3", "method.lora.r=8", "export=[]"])
    assert (recipe.training.learning_rate, recipe.method.lora.r, recipe.export) == (1e-3, 8, [])
    by_epochs = apply_overrides(recipe, ["training.epochs=2"])
    assert (by_epochs.training.epochs, by_epochs.training.max_steps) == (2, None)
    assert apply_overrides(by_epochs, ["training.max_steps=9"]).training.epochs is None
    assert apply_overrides(recipe, ["register=null"]).register_as is None
    in_tokens = apply_overrides(recipe, ["training.max_length=256", "training.batch_tokens=1024"])
    assert in_tokens.training.batch_size == 4
    assert apply_overrides(in_tokens, ["training.batch_size=2"]).training.batch_size == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("method: {adapter: full}\nregister: {name: a}\nexport: [{format: adapter}]", "no adapter"),
        ("method: {objective: grpo, grpo: {max_new_tokens: 64}}\ntraining: {max_length: 64}", "no room"),
        ("register: {name: a, tags: ['a b!!']}", "tags"),
    ],
)
def test_what_could_only_fail_later_is_refused(change: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        read_recipe(f"name: x\nmodel: {{base: tunesmith/tiny}}\ndata: {{train: a.jsonl}}\n{change}\n")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("training.learning_rates=1", "did you mean learning_rate"),
        ("training", "not an override"),
        ("training..r=1", "not an override"),
        ("training.max_steps.x=1", "is a value"),
        ("name=[", "cannot be read"),
    ],
)
def test_bad_overrides_are_named(override: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        apply_overrides(read_recipe(GOOD), [override])


@given(st.text() | st.from_regex(r"[a-z\[\]{}:,\-\s&*!|>'\"#%@`]+"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(RecipeError):
        read_recipe(text)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from(
    ["name", "model", "data", "training", "method", "lora", "register", "export", "version", "epochs"]
)


@given(st.dictionaries(keys, st.dictionaries(keys, plain, max_size=3) | plain))
def test_any_document_is_validated_or_refused(document: dict[str, Any]) -> None:
    with pytest.raises(RecipeError) as caught:
        validate_recipe(document)
    assert caught.value.errors
