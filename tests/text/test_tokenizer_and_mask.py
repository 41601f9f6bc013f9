"""Ids are transformers' ids, and exactly the assistant's tokens carry loss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from tests.text.samples import BUNDLED, CHATML, CONVERSATIONS, LLAMA_3, MISTRAL
from tunesmith.text import IGNORED, ChatTemplate, RowNotTokenizable, TextTokenizer, TokenizerError, tokenize_row

TOKENIZER = TextTokenizer.from_folder(BUNDLED)
TEMPLATE = ChatTemplate.from_folder(BUNDLED)
REFERENCE = AutoTokenizer.from_pretrained(BUNDLED)
KOREAN_AND_EMOJI = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("가힣각 달무리섬🎉👩‍👧\u0301<|im_end|>")
)


@settings(max_examples=100, deadline=None)
@given(KOREAN_AND_EMOJI)
def test_any_text_survives_the_round_trip_with_transformers_ids(text: str) -> None:
    encoded = TOKENIZER.encode(text)
    assert encoded.ids == REFERENCE(text, add_special_tokens=False)["input_ids"]
    assert TOKENIZER.decode(encoded.ids, skip_special_tokens=False) == text
    assert len(encoded.offsets) == len(encoded.ids)
    assert TOKENIZER.count([text, text]) == [len(encoded.ids)] * 2
    assert TOKENIZER.encode_batch([text]) == [encoded]


def test_special_tokens_have_names_and_ids() -> None:
    assert (TOKENIZER.eos_id, TOKENIZER.pad_id, TOKENIZER.bos_id) == (2, 0, None)
    assert TOKENIZER.token_id("<|im_start|>") == 1
    assert TOKENIZER.token_id("no such token") is None
    assert TOKENIZER.vocab_size == len(REFERENCE)
    assert TOKENIZER.special_ids == {0, 1, 2}
    assert TOKENIZER.encode("a<|im_end|>").ids[-1] == TOKENIZER.eos_id
    assert TOKENIZER.decode([2]) == ""


def test_half_surrogates_are_replaced_not_fatal() -> None:
    text = json.loads('"a\\ud83d가"')
    assert TOKENIZER.decode(TOKENIZER.encode(text).ids) == "a\N{REPLACEMENT CHARACTER}가"


@pytest.mark.parametrize("content", [None, "{", '{"model": 3}', "\xff"])
def test_a_missing_or_broken_tokenizer_is_a_typed_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content, encoding="latin-1")
    with pytest.raises(TokenizerError) as caught:
        TextTokenizer.from_folder(tmp_path)
    assert caught.value.status == 422


@pytest.mark.parametrize("messages", CONVERSATIONS)
def test_labels_are_transformers_assistant_mask(messages: list[dict[str, Any]]) -> None:
    row = tokenize_row(messages, TOKENIZER, TEMPLATE)
    expected = REFERENCE.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    assert row.input_ids == expected["input_ids"]
    assert [label != IGNORED for label in row.labels] == [bool(m) for m in expected["assistant_masks"]]
    assert row.trained_tokens == sum(expected["assistant_masks"])
    assert row.end_of_turn_trained
    assert not row.truncated


@pytest.mark.parametrize("source", [TEMPLATE.source, CHATML, LLAMA_3, MISTRAL])
@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.text("ab 가나🎉\n", max_size=8), st.text("ab 가나🎉", min_size=1, max_size=8)),
        min_size=1,
        max_size=3,
    )
)
def test_trained_tokens_spell_the_answers(source: str, turns: list[tuple[str, str]]) -> None:
    messages = [
        {"role": role, "content": text}
        for user, answer in turns
        for role, text in (("user", user), ("assistant", "=" + answer + "="))
    ]
    row = tokenize_row(messages, TOKENIZER, ChatTemplate(source, {"bos_token": "", "eos_token": "<|im_end|>"}))
    assert [label for label in row.labels if label != IGNORED] == [
        token for token, label in zip(row.input_ids, row.labels, strict=True) if label != IGNORED
    ]
    spelled = TOKENIZER.decode([label for label in row.labels if label != IGNORED], skip_special_tokens=False)
    end = {LLAMA_3: "<|eot_id|>", CHATML: "<|im_end|>\n"}.get(source, "<|im_end|>")
    lead = " " if source is MISTRAL else ""
    assert spelled == "".join(f"{lead}={answer}={end}" for _, answer in turns)


def test_truncation_cuts_the_right_end_and_says_so() -> None:
    whole = tokenize_row(CONVERSATIONS[0], TOKENIZER, TEMPLATE)
    cut = tokenize_row(CONVERSATIONS[0], TOKENIZER, TEMPLATE, max_length=whole.total_tokens - 2)
    assert cut.truncated
    assert cut.input_ids == whole.input_ids[:-2]
    assert cut.labels == whole.labels[:-2]
    assert (cut.total_tokens, len(cut.offsets)) == (whole.total_tokens, len(cut.input_ids))
    assert not cut.end_of_turn_trained
    exact = tokenize_row(CONVERSATIONS[0], TOKENIZER, TEMPLATE, max_length=whole.total_tokens)
    assert exact == whole


def test_a_row_without_an_answer_carries_no_loss() -> None:
    row = tokenize_row([{"role": "user", "content": "Hi"}], TOKENIZER, TEMPLATE)
    assert row.trained_tokens == 0
    assert set(row.labels) == {IGNORED}
    assert not row.end_of_turn_trained


def test_a_template_without_end_of_turn_is_noticed() -> None:
    bare = ChatTemplate("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
    row = tokenize_row(CONVERSATIONS[0], TOKENIZER, bare)
    assert row.trained_tokens > 0
    assert not row.end_of_turn_trained


def test_prompt_and_completion_as_texts_and_as_messages() -> None:
    row = tokenize_row({"prompt": "2+2=", "completion": "4"}, TOKENIZER, None)
    assert row.text == "2+2=4<|im_end|>"
    assert TOKENIZER.decode([x for x in row.labels if x != IGNORED], skip_special_tokens=False) == "4<|im_end|>"
    messages = CONVERSATIONS[0]
    split = {"prompt": messages[:1], "completion": messages[1:]}
    assert tokenize_row(split, TOKENIZER, TEMPLATE) == tokenize_row(messages, TOKENIZER, TEMPLATE)
    assert tokenize_row({"messages": messages}, TOKENIZER, TEMPLATE) == tokenize_row(messages, TOKENIZER, TEMPLATE)


@pytest.mark.parametrize("row", [[], {}, {"prompt": "x"}, {"messages": []}, {"messages": "x"}, "text"])
def test_what_is_no_row_is_refused(row: Any) -> None:
    with pytest.raises(RowNotTokenizable):
        tokenize_row(row, TOKENIZER, TEMPLATE)


def test_a_conversation_needs_a_template() -> None:
    with pytest.raises(RowNotTokenizable, match="chat template"):
        tokenize_row(CONVERSATIONS[0], TOKENIZER, None)
