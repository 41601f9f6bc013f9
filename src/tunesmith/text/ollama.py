"""A chat template in Ollama's language, found by asking it: what does it put around each role's messages?

Ollama runs no Jinja, and reads TEMPLATE in Go's language. A template that puts a fixed text before and after each message can be
said in both; the translation is tried on conversations of every shape before it is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.text.chat_template import ChatTemplate
from tunesmith.text.errors import ChatTemplateError, GoTemplateError, TemplateNotTranslatable
from tunesmith.text.go_template import GoTemplate
from tunesmith.text.modelfile import Modelfile

Messages = list[dict[str, Any]]
Render = Callable[[Messages, bool], str]
_MARKS = tuple(f"qZ{number}Zq" for number in range(7))


@dataclass(frozen=True)
class Translated:
    """TEMPLATE and SYSTEM of a Modelfile; ``trims`` when the source trims what people say."""

    template: str
    system: str = ""
    trims: bool = False


@dataclass(frozen=True)
class _Around:
    """What stands before and after each role's messages, at the beginning, and before an answer."""

    begin: str
    system: tuple[str, str] | None
    user: tuple[str, str]
    assistant: tuple[str, str]
    prompt: str
    default_system: str = ""


def translate(template: ChatTemplate, *, leave_out: str = "") -> Translated:
    """The Ollama form of ``template``; raises TemplateNotTranslatable.

    ``leave_out`` is a text at the beginning (the beginning-of-text token) that the tokenizer of the GGUF file adds by itself.
    """

    def render(messages: Messages, prompt: bool) -> str:
        return template.render(messages, add_generation_prompt=prompt)

    try:
        around = _find(render, template.special_tokens.get("bos_token", ""))
        trims = render(_talk("  x  "), True) == render(_talk("x"), True)
    except (ChatTemplateError, ValueError) as error:
        raise TemplateNotTranslatable(f"It does not put a fixed text around each message ({error}).") from error
    if leave_out and not around.begin.startswith(leave_out):
        raise TemplateNotTranslatable(f"The tokenizer adds {leave_out!r}, and the template does not begin with it.")
    translated = Translated(_go(around, around.begin[len(leave_out) :]), around.default_system, trims)
    _prove(translated, render, leave_out, around.system is not None)
    return translated


def _talk(*contents: str, system: str | None = None) -> Messages:
    first = [{"role": "system", "content": system}] if system is not None else []
    return [*first, *({"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(contents))]


def _parts(text: str, marks: Sequence[str]) -> list[str]:
    """What stands around the marks; raises ValueError when one is missing, doubled or out of order."""
    parts = []
    for mark in marks:
        before, found, text = text.partition(mark)
        if not found or mark in text:
            raise ValueError("a message is left out, repeated or moved")
        parts.append(before)
    return [*parts, text]


def _cut(text: str, *, start: str = "", end: str = "") -> str:
    """``text`` without its known beginning or end."""
    if not text.startswith(start) or not text.endswith(end):
        raise ValueError("what follows a message depends on more than its role")
    return text[len(start) : len(text) - len(end) if end else None]


def _find(render: Render, bos: str) -> _Around:
    u1, a1, u2, a2, u3, s, _ = _MARKS
    before, after_user, after_answer, again, last, rest = _parts(
        render(_talk(u1, a1, u2, a2, u3), True), (u1, a1, u2, a2, u3)
    )
    if again != after_user or last != after_answer:
        raise ValueError("later turns are written differently")
    post_user = _parts(render(_talk(u1), False), (u1,))[1]
    prompt = _cut(rest, start=post_user)
    post_answer = _parts(render(_talk(u1, a1), False), (u1, a1))[2]
    pre_answer = _cut(after_user, start=post_user)
    pre_user = _cut(after_answer, start=post_answer)
    begin = _cut(before, end=pre_user)
    user, assistant = (pre_user, post_user), (pre_answer, post_answer)
    try:
        first, after_system, *_ = _parts(render(_talk(u1, system=s), True), (s, u1))
        post_system = _cut(after_system, end=pre_user)
    except (ChatTemplateError, ValueError):
        return _Around(begin, None, user, assistant, prompt)
    if first.startswith(begin):
        return _Around(begin, (first[len(begin) :], post_system), user, assistant, prompt)
    default = _cut(begin, start=first, end=post_system)
    bos = bos if bos and first.startswith(bos) else ""
    return _Around(bos, (first[len(bos) :], post_system), user, assistant, prompt, default)


def _go(around: _Around, begin: str) -> str:
    roles = [("user", around.user), ("assistant", around.assistant)]
    if around.system is not None:
        roles.insert(0, ("system", around.system))
    cases = " else ".join(
        f'if eq .Role "{role}" }}}}{_literal(before)}{{{{ .Content }}}}{_literal(after)}{{{{'
        for role, (before, after) in roles
    )
    return f"{_literal(begin)}{{{{ range .Messages }}}}{{{{ {cases} end }}}}{{{{ end }}}}{_literal(around.prompt)}"


def _literal(text: str) -> str:
    if '"""' in text:
        raise TemplateNotTranslatable('It writes """, which ends a TEMPLATE.')
    return text.replace("{{", '{{ "{{" }}')


def _prove(translated: Translated, render: Render, leave_out: str, has_system: bool) -> None:
    talks = [
        _talk("Hi"),
        _talk("안녕하세요? 🙂", "네.\n", "line one\n\n\tline two"),
        _talk("1", "2", "3", "4", "{{ .x }}"),
    ]
    talks += [_talk("Hi", system="Be brief."), _talk("a", "b", "c", system="한국어로.")] if has_system else []
    file = Modelfile("x", translated.template, translated.system, trims=translated.trims)
    try:
        GoTemplate(translated.template)
        for talk in talks:
            if leave_out + file.render(talk) != render(talk, True):
                raise TemplateNotTranslatable("Its Ollama form writes a conversation differently.")
    except (GoTemplateError, ChatTemplateError) as error:
        raise TemplateNotTranslatable(f"Its Ollama form fails: {error.message}") from error
