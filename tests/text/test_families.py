"""Masks of real chat templates that mark nothing: by prefix difference, and where that is not to be had, exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.text.families import FAMILIES, MULTIPLE, SINGLE, SIX, Family, turns
from tunesmith.text import (
    IGNORED,
    ChatTemplate,
    ChatTemplateError,
    TextTokenizer,
    TokenizedRow,
    tokenize_row,
    tokenize_rows,
)

THINKING = [
    *turns("1+1?", "<think>\none and one\n</think>\n\nTwo"),
    *turns("2+2?", "<think>\n\n</think>\n\nFour", "3+3?", "<think>\nthree twice\n</think>\n\nSix"),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("families")
    return {name: family.save(root / name) for name, family in FAMILIES.items()}


def trained_texts(row: TokenizedRow, tokenizer: TextTokenizer) -> list[str]:
    """The runs of tokens with loss, as text."""
    runs: list[list[int]] = []
    for before, label in zip([IGNORED, *row.labels], row.labels, strict=False):
        if label != IGNORED:
            if before == IGNORED:
                runs.append([])
            runs[-1].append(label)
    return [tokenizer.decode(run, skip_special_tokens=False) for run in runs]


def expected_answers(family: Family, messages: list[dict[str, Any]]) -> list[str]:
    """What each answer is in this family's words; the last one is what the prefix difference leaves."""
    trims = family.name in ("llama3", "gemma")
    answers = [m["content"].strip() if trims else m["content"] for m in messages if m["role"] == "assistant"]
    closed = [answer + family.turn_end for answer in answers]
    if family.name == "phi3":
        closed[-1] += family.eos
    if family.name == "qwen3":
        closed[-1] = "<think>\n\n</think>\n\n" + closed[-1]
    return closed


@pytest.mark.parametrize("name", [*SIX, "qwen2_5"])
@pytest.mark.parametrize("system", [None, "짧게 답하세요."])
def test_exactly_the_answers_carry_loss(name: str, system: str | None, folders: dict[str, Path]) -> None:
    family = FAMILIES[name]
    tokenizer, template = family.load(folders[name])
    for texts in (*SINGLE, *MULTIPLE):
        messages = turns(*(m["content"] for m in texts), system=system)
        if system and not family.takes_system:
            with pytest.raises(ChatTemplateError):
                tokenize_row(messages, tokenizer, template)
            continue
        row = tokenize_row(messages, tokenizer, template)
        assert trained_texts(row, tokenizer) == expected_answers(family, messages)
        assert row.end_of_turn_trained
        assert not row.stops_in_padding


def test_thoughts_that_a_template_drops_from_earlier_turns(folders: dict[str, Path]) -> None:
    """Qwen 3 shows the thoughts of the last answer only; what it shows of each answer carries loss, and nothing else."""
    tokenizer, template = FAMILIES["qwen3"].load(folders["qwen3"])
    row = tokenize_row(THINKING, tokenizer, template)
    assert trained_texts(row, tokenizer) == [
        "Two<|im_end|>\n",
        "Four<|im_end|>\n",
        "<think>\nthree twice\n</think>\n\nSix<|im_end|>\n",
    ]


@pytest.mark.parametrize("name", SIX)
@settings(max_examples=25, deadline=None)
@given(st.lists(st.text("ab가🎉 \n<|>[/]user", min_size=1, max_size=9), min_size=2, max_size=6))
def test_the_mask_is_the_prefix_difference_where_the_prefix_is_kept(name: str, texts: list[str]) -> None:
    family = FAMILIES[name]
    template = ChatTemplate(family.source, {"bos_token": family.bos, "eos_token": family.eos})
    messages = turns(*(f"={text}=" for text in texts[: len(texts) // 2 * 2]))
    rendered = template.render_with_spans(messages)
    at = 0
    for index in range(1, len(messages), 2):
        before = template.render(messages[:index], add_generation_prompt=True)
        through = template.render(messages[: index + 1])
        start, end = rendered.trained_spans[at]
        at += 1
        assert rendered.text.startswith(before)
        assert start == len(before)
        if rendered.text.startswith(through):
            assert end == len(through)
        assert messages[index]["content"] in rendered.text[start:end]
    assert at == len(rendered.trained_spans)


def test_padding_that_is_the_end_of_turn_is_told(tmp_path: Path) -> None:
    mistral, phi = FAMILIES["mistral"], FAMILIES["phi3"]
    tokenizer, template = mistral.load(mistral.save(tmp_path / "mistral", pad="</s>"))
    assert tokenize_row(SINGLE[0], tokenizer, template).stops_in_padding
    tokenizer, template = phi.load(phi.save(tmp_path / "phi", pad="<|endoftext|>"))
    assert not tokenize_row(SINGLE[0], tokenizer, template).stops_in_padding  # <|end|> stops it, too


def test_an_answer_whose_place_cannot_be_told_is_refused_by_its_number() -> None:
    source = "{% for m in messages %}{{ m.content }}{{ m.content }}{{ loop.revindex }};{% endfor %}"
    with pytest.raises(ChatTemplateError, match="message 2"):
        ChatTemplate(source).render_with_spans(MULTIPLE[0])


def test_many_rows_at_once_are_each_row_alone(folders: dict[str, Path]) -> None:
    tokenizer, template = FAMILIES["gemma"].load(folders["gemma"])
    rows = [SINGLE[0], turns("q", "a", system="no"), *MULTIPLE, SINGLE[1]]
    several = tokenize_rows(rows, tokenizer, template, 12)
    assert isinstance(several[1], ChatTemplateError)
    for row, made in zip(rows, several, strict=True):
        if isinstance(made, TokenizedRow):
            assert made == tokenize_row(row, tokenizer, template, 12)


def test_an_answer_that_is_cut_is_told_from_a_cut_behind_it(folders: dict[str, Path]) -> None:
    tokenizer, template = FAMILIES["chatml"].load(folders["chatml"])
    messages = [*turns("q", "a"), {"role": "user", "content": "and a long last question"}]
    whole = tokenize_row(messages, tokenizer, template)
    cut = tokenize_row(messages, tokenizer, template, whole.total_tokens - 3)
    assert (cut.truncated, cut.is_answer_cut) == (True, False)
    assert tokenize_row(SINGLE[0], tokenizer, template, 8).is_answer_cut
