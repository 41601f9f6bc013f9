"""The example data keeps its promises: enough rows, fair held-out questions, and answers that the base never met."""

from __future__ import annotations

import json
import unicodedata
from itertools import islice
from pathlib import Path

import pytest
import yaml

import tunesmith
from tools.base_text.conversations import conversations
from tools.base_text.example_domain import facts, reserved_names, reserved_pattern
from tools.build_example_data import FOLDERS, ROOT, build
from tunesmith.text import ChatTemplate, TextTokenizer, tokenize_row

BUNDLE = Path(tunesmith.__file__).parent / "bundle"
EXAMPLE = BUNDLE / "examples" / "haedam-ferry"


def rows(name: str) -> list[list[dict[str, str]]]:
    return [json.loads(line)["messages"] for line in (EXAMPLE / name).read_text(encoding="utf-8").splitlines()]


def is_korean(text: str) -> bool:
    return any("HANGUL" in unicodedata.name(character, "") for character in text)


def grams(text: str) -> set[str]:
    text = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return {text[i : i + 5] for i in range(len(text) - 4)}


def test_the_files_are_what_the_tables_say_in_both_places() -> None:
    for name, text in build().items():
        for folder in FOLDERS:
            assert (folder / name).read_text(encoding="utf-8") == text, (
                f"run python tools/build_example_data.py ({name})"
            )


def test_enough_rows_half_korean_none_twice() -> None:
    train = rows("train.jsonl")
    questions = [m[0]["content"] for m in train]
    assert len(train) >= 400
    assert len(set(questions)) == len(questions)
    assert sum(map(is_korean, questions)) == len(questions) / 2
    tokenizer, template = TextTokenizer.from_folder(BUNDLE / "model"), ChatTemplate.from_folder(BUNDLE / "model")
    assert all(tokenize_row(m, tokenizer, template, max_length=256).end_of_turn_trained for m in train)


def test_held_out_questions_are_worded_anew() -> None:
    train = [grams(m[0]["content"]) for m in rows("train.jsonl")]
    questions = rows("questions.jsonl")
    assert len(questions) >= 60
    assert sum(is_korean(m[0]["content"]) for m in questions) == len(questions) / 2
    for message, _ in questions:
        own = grams(message["content"])
        assert max(len(own & other) / len(own | other) for other in train) < 0.6, message["content"]


def test_every_held_out_answer_can_be_learnt_from_the_training_rows() -> None:
    assert {m[-1]["content"] for m in rows("questions.jsonl")} <= {m[-1]["content"] for m in rows("train.jsonl")}


TOKENIZER_SEED, TRAINING_SEEDS = 12, [*range(112, 144), *range(100_012, 100_021)]


def refuse_example_text(seed: int, count: int) -> None:
    """Generate a part of the base text again and look for the example's answers and names in it."""
    answers = {m[-1]["content"].casefold() for name in ("train.jsonl", "questions.jsonl") for m in rows(name)}
    names = [name.casefold() for name in reserved_names()]
    for conversation in islice(conversations(seed, 4096), count):
        lines = [line.casefold() for m in conversation for line in m["content"].splitlines()]
        assert not answers & set(lines)
        assert not answers & {line.rpartition(": ")[2] for line in lines}
        assert not [name for name in names if name in "\n".join(lines)]


def test_the_base_text_holds_no_answer_and_no_name_of_the_example() -> None:
    assert all(reserved_pattern().search(m[-1]["content"]) for m in rows("train.jsonl"))
    for seed in (TOKENIZER_SEED, *TRAINING_SEEDS[::8]):
        refuse_example_text(seed, 500)


@pytest.mark.matrix
@pytest.mark.long
def test_the_whole_base_text_holds_no_answer_and_no_name_of_the_example() -> None:
    for seed in TRAINING_SEEDS:
        refuse_example_text(seed, 4096)
    pattern = reserved_pattern()
    for start in conversations(TOKENIZER_SEED, 40_000):
        assert not pattern.search("\n".join(m["content"] for m in start))


def test_the_base_text_holds_every_way_of_asking() -> None:
    met = {m["content"] for c in conversations(112, 4096) for m in c if m["role"] == "user"}
    from tools.base_text.asking import COMPANY, DESTINATION

    for key, table in (("d", DESTINATION), ("c", COMPANY)):
        for asking in (a for by_language in table.values() for a in by_language.values()):
            for wording in asking.all:
                fixed = max(wording.replace("{" + key + "으로}", "{" + key + "}").split("{" + key + "}"), key=len)
                assert any(fixed in question for question in met), wording


def test_every_listed_fault_stands_on_its_line() -> None:
    lines = (EXAMPLE / "train_with_faults.jsonl").read_text(encoding="utf-8").splitlines()
    listed = json.loads((EXAMPLE / "faults.json").read_text())
    kinds = {fault["kind"]: lines[fault["line"] - 1] for fault in listed}
    assert set(kinds) == {
        "broken-json", "unknown-role", "empty-turn", "missing-field", "no-assistant", "exact-duplicate",
        "near-duplicate", "control-character", "wrong-role-order", "pii-email", "pii-phone", "not-an-object",
    }  # fmt: skip
    assert "customer" in kinds["unknown-role"]
    assert "messages" not in kinds["missing-field"]
    assert lines.count(kinds["exact-duplicate"]) == 2
    assert "\\u0007" in kinds["control-character"]
    assert "@" in kinds["pii-email"]
    faulty = {fault["line"] for fault in listed}
    good = [json.loads(line)["messages"] for number, line in enumerate(lines, 1) if number not in faulty]
    assert good == rows("train.jsonl")[:60]


def test_the_general_questions_are_about_other_things() -> None:
    general = rows("general.jsonl")
    assert len(general) == 20
    assert not [m for m in general if reserved_pattern().search(m[0]["content"] + m[1]["content"])]


def test_facts_have_one_answer_each() -> None:
    assert len(facts()) == 66
    assert len({(attribute, names["en"]) for _, attribute, names, _ in facts()}) == 66


def test_the_recipe_is_the_same_in_both_places_and_finds_its_files() -> None:
    shown, shipped = ROOT / "recipes" / "quickstart.yaml", BUNDLE / "recipes" / "quickstart.yaml"
    assert shown.read_bytes() == shipped.read_bytes()
    assert shown.read_text().startswith("# tunesmith train recipes/quickstart.yaml\n")
    recipe = yaml.safe_load(shown.read_text())
    for path in (shown, shipped):
        for name in (recipe["data"]["train"], recipe["evaluate"]["questions"], recipe["evaluate"]["general"]):
            assert (path.parent / name).is_file()
