"""The text that the trainer reads is transformers' text, byte for byte, and strange templates are stopped."""

from __future__ import annotations

import contextlib
import json
import time
from itertools import accumulate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from tests.text.samples import BUNDLED, CHATML, CONVERSATIONS, LLAMA_3, MISTRAL
from tunesmith.text import ChatTemplate, ChatTemplateError, ChatTemplateLimit, ChatTemplateMissing, sandbox

TOKENS = {"bos_token": "<|begin_of_text|>", "eos_token": "<|im_end|>"}
FLAT = [{"role": "user", "content": "안녕?"}, {"role": "assistant", "content": "반가워요 🎉"}]


def reference(source: str) -> PreTrainedTokenizerFast:
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(BUNDLED / "tokenizer.json"), **TOKENS)
    tokenizer.chat_template = source
    return tokenizer


@pytest.mark.parametrize("prompt", [False, True])
@pytest.mark.parametrize("messages", CONVERSATIONS)
@pytest.mark.parametrize("source", [(BUNDLED / "chat_template.jinja").read_text(), CHATML, LLAMA_3, MISTRAL])
def test_renders_what_transformers_renders(source: str, messages: list[dict[str, Any]], prompt: bool) -> None:
    if source is MISTRAL and messages[0]["role"] == "system":
        with pytest.raises(ChatTemplateError, match="system role"):
            ChatTemplate(source, TOKENS).render(messages)
        return
    expected = reference(source).apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
    assert ChatTemplate(source, TOKENS).render(messages, add_generation_prompt=prompt) == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=5))
def test_renders_any_text_as_transformers_does(texts: list[str]) -> None:
    messages = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts)]
    assert ChatTemplate(CHATML, TOKENS).render(messages) == REFERENCE.apply_chat_template(messages, tokenize=False)


REFERENCE = reference(CHATML)


def test_variables_reach_the_template() -> None:
    source = "{{ tools | tojson }} {{ name }} {{ strftime_now('%Y')|length }}"
    rendered = ChatTemplate(source).render(FLAT, name="가", tools=[{"name": "<f>", "n": 1}])
    assert rendered == '[{"name": "<f>", "n": 1}] 가 4'


@pytest.mark.parametrize("source", [CHATML, LLAMA_3])
def test_spans_without_markers_are_the_answers_with_their_end_of_turn(source: str) -> None:
    for messages in CONVERSATIONS:
        rendered = ChatTemplate(source, TOKENS).render_with_spans(messages)
        end = "<|im_end|>\n" if source is CHATML else "<|eot_id|>"
        answers = [m["content"] + end for m in messages if m["role"] == "assistant"]
        if source is LLAMA_3:  # trims each message
            answers = [m["content"].strip() + end for m in messages if m["role"] == "assistant"]
        assert [rendered.text[a:b] for a, b in rendered.trained_spans] == answers


def test_spans_when_a_template_rewrites_earlier_turns() -> None:
    # As reasoning models do: what the prefix shows is not what the whole conversation shows.
    source = (
        "{% for m in messages %}{{ m.role }}{% if not loop.last %}*{% endif %}:{{ m.content }}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}assistant:<think>{% endif %}"
    )
    messages = [*FLAT, {"role": "user", "content": "반가워요 🎉"}, {"role": "assistant", "content": "네"}]
    rendered = ChatTemplate(source).render_with_spans(messages)
    assert [rendered.text[a:b] for a, b in rendered.trained_spans] == ["반가워요 🎉<|im_end|>", "네<|im_end|>"]
    assert rendered.trained_spans[1][0] > rendered.text.rindex("user")


def test_an_answer_that_the_template_hides_is_an_error() -> None:
    with pytest.raises(ChatTemplateError, match="message 2"):
        ChatTemplate("{% for m in messages %}{{ m.role }}{% endfor %}").render_with_spans(FLAT)


def test_markers_inside_a_macro_are_found() -> None:
    source = (
        "{% macro say(m) %}[{{ m.role }}]{% if m.role == 'assistant' %}{% generation %}{{ m.content }}!{% endgeneration %}"
        "{% else %}{{ m.content }}{% endif %}{% endmacro %}{% for m in messages %}{{ say(m) }}{% endfor %}"
    )
    template = ChatTemplate(source)
    rendered = template.render_with_spans(FLAT)
    assert template.has_generation_markers
    assert [rendered.text[a:b] for a, b in rendered.trained_spans] == ["반가워요 🎉!"]


HOSTILE = [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{{ range(99999)|list|length }}{% endfor %}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ range(1000000000) }}",
    "{{ 'a' * 10000000000 }}",
    "{{ [0] * 10000000000 }}",
    "{{ 10 ** 100000000 }}",
    "{% set ns = namespace(s='aa') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    "{% set ns = namespace(s='aa') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    "{% set ns = namespace(n=3) %}{% for i in range(100) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
    "{{ 'a'|center(1000000000) }}",
    "{{ 'a'.rjust(1000000000) }}",
    "{{ 'a'|indent(1000000000) }}",
    "{{ [1]|tojson(indent=1000000000) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ '{:>{}}'.format(1, 1000000000) }}",
    "{{ [1]|slice(1000000000)|list }}",
    "{% generation %}{% for i in range(99999) %}{{ 'a' * 1000000 }}{% endfor %}{% endgeneration %}",
    "{% for i in range(99999) %}{% for i in range(99999) %}xxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}{% endfor %}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "a" * 1_000_000,
]


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_a_template_that_wants_too_much_is_stopped(source: str) -> None:
    started = time.thread_time()
    with pytest.raises(ChatTemplateLimit):
        ChatTemplate(source).render(FLAT)
    assert time.thread_time() - started < 3


@pytest.mark.parametrize(("seconds", "stops"), [([0.0, 9.0, *[0.0] * 10], False), ([0.3] * 12, True)])
def test_one_pause_stops_no_template_and_many_slow_steps_do(
    monkeypatch: pytest.MonkeyPatch, seconds: list[float], stops: bool
) -> None:
    """A garbage collection of seconds may fall into a step; a template that takes as long at every step goes on too long."""
    clock = accumulate(seconds, initial=time.thread_time())
    monkeypatch.setattr(sandbox, "time", SimpleNamespace(thread_time=lambda: next(clock)))
    template = ChatTemplate("{% for number in range(8) %}{{ number }}{% endfor %}")
    if not stops:
        assert template.render(FLAT) == "01234567"
        return
    with pytest.raises(ChatTemplateLimit, match="still running"):
        template.render(FLAT)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ messages.__class__ }}",
        "{{ raise_exception.__globals__ }}",
        "{{ dict.__call__.__globals__ }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__.__mro__}'.format(1) }}",
        "{% set ns = namespace() %}{{ ns.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{% include '/etc/passwd' %}",
        "{{ lipsum(n=1000) }}",
    ],
)
def test_no_way_out_of_the_sandbox(source: str) -> None:
    # What is out of reach is refused, or undefined and prints as nothing.
    with contextlib.suppress(ChatTemplateError):
        assert ChatTemplate(source).render(FLAT) == ""


def test_a_template_cannot_change_the_conversation() -> None:
    messages = [{"role": "user", "content": "Hi"}]
    with pytest.raises(ChatTemplateError):
        ChatTemplate("{{ messages[0].update({'content': 'x'}) }}").render(messages)
    assert messages == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{% if %}", "line 1"),
        ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
        ("{{ messages[7].content }}", "refuses"),
        ("{{ 1 / 0 }}", "fails"),
        ("{{ messages + 1 }}", "fails"),
    ],
)
def test_a_broken_template_says_what_is_wrong(source: str, says: str) -> None:
    with pytest.raises(ChatTemplateError, match=says) as caught:
        ChatTemplate(source).render(FLAT)
    assert caught.value.status == 422
    assert caught.value.hint


def test_templates_are_found_where_models_keep_them(tmp_path: Path) -> None:
    with pytest.raises(ChatTemplateMissing):
        ChatTemplate.from_folder(tmp_path)
    config = tmp_path / "tokenizer_config.json"
    config.write_text(json.dumps({"chat_template": "one", "eos_token": {"content": "<e>"}}))
    assert ChatTemplate.from_folder(tmp_path) == ChatTemplate("one", {"eos_token": "<e>"})
    named = [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "two"}]
    config.write_text(json.dumps({"chat_template": named}))
    assert ChatTemplate.from_folder(tmp_path).source == "two"
    (tmp_path / "chat_template.jinja").write_text("three")
    assert ChatTemplate.from_folder(tmp_path).source == "three"
    (tmp_path / "chat_template.jinja").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ChatTemplateError, match="cannot be read"):
        ChatTemplate.from_folder(tmp_path)
    (tmp_path / "chat_template.jinja").unlink()
    for broken in ("{", "[1]", "[" * 100_000):
        config.write_text(broken)
        with pytest.raises(ChatTemplateError, match=r"tokenizer_config\.json"):
            ChatTemplate.from_folder(tmp_path)
