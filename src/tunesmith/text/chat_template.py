"""Turn a conversation into the text that the model reads, and say which characters of it the assistant wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2

from tunesmith.text import sandbox
from tunesmith.text.answers import AnswerFinder
from tunesmith.text.errors import ChatTemplateError, ChatTemplateLimit, ChatTemplateMissing
from tunesmith.text.folder import read_json, special_tokens

Message = Mapping[str, Any]
"""``{"role": "system" | "user" | "assistant" | "tool", "content": str}``"""


@dataclass(frozen=True)
class Rendered:
    """``text`` as the model reads it; ``trained_spans`` are half-open character ranges that the assistant wrote."""

    text: str
    trained_spans: list[tuple[int, int]]


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template with the special tokens that it may name. Renders exactly what transformers renders."""

    source: str
    special_tokens: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_folder(cls, folder: Path | str) -> ChatTemplate:
        """Read ``chat_template.jinja``, else the template in ``tokenizer_config.json``."""
        folder = Path(folder)
        try:
            source = _find_source(folder)
            tokens = special_tokens(folder)
        except (OSError, ValueError) as error:
            raise ChatTemplateError(f"The chat template in {folder.name} cannot be read: {error}") from error
        if source is None:
            raise ChatTemplateMissing(
                f"{folder.name} has no chat_template.jinja, and its tokenizer_config.json names no chat template."
            )
        return cls(source, tokens)

    @property
    def has_generation_markers(self) -> bool:
        """Whether the template itself marks what the assistant wrote."""
        return _compile(self.source)[1]

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool = False, **variables: Any) -> str:
        """Write the conversation as the model reads it; with the prompt for an answer if asked."""
        return self._run(messages, add_generation_prompt, variables, sandbox.Budget())

    def render_with_spans(self, messages: Sequence[Message], **variables: Any) -> Rendered:
        """Write the conversation and find what the assistant wrote, end of turn included.

        The template's ``{% generation %}`` markers say it; without them it is the prefix difference (see ``answers``).
        Raises ChatTemplateError when the place of an answer cannot be told.
        """
        budget = sandbox.Budget()
        text = self._run(messages, False, variables, budget)
        if self.has_generation_markers:
            return Rendered(text, _place_marked(text, budget.spans))

        def render(part: Sequence[Message], prompt: bool) -> str:
            return self._run(part, prompt, variables, sandbox.Budget())

        return Rendered(text, AnswerFinder(render, messages, text, self._end_tokens()).spans())

    def _run(
        self,
        messages: Sequence[Message],
        add_generation_prompt: bool,
        variables: Mapping[str, Any],
        budget: sandbox.Budget,
    ) -> str:
        template, _ = _compile(self.source)
        values: dict[str, Any] = {
            **self.special_tokens,
            "messages": _plain(messages),
            "tools": None,
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
            **{name: _plain(value) for name, value in variables.items()},
        }
        try:
            return sandbox.run(template, values, budget)
        except ChatTemplateLimit:
            raise
        except jinja2.exceptions.SecurityError as error:
            raise ChatTemplateError(f"The chat template does something that the sandbox forbids: {error}") from error
        except jinja2.exceptions.TemplateError as error:
            raise ChatTemplateError(f"The chat template refuses this conversation: {error}") from error
        except (RecursionError, MemoryError, OverflowError) as error:
            raise ChatTemplateLimit(f"The chat template asks for too much: {error}") from error
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
            raise ChatTemplateError(f"The chat template fails on this conversation: {error}") from error

    def _end_tokens(self) -> list[str]:
        named = [token for name, token in self.special_tokens.items() if name != "bos_token" and token]
        known = [token for token in _KNOWN_TURN_ENDS if token in self.source]
        return list(dict.fromkeys(named + known))


_KNOWN_TURN_ENDS = (
    "<|im_end|>",
    "<|eot_id|>",
    "<end_of_turn>",
    "<|end|>",
    "</s>",
    "<|endoftext|>",
    "<|END_OF_TURN_TOKEN|>",
)


def _find_source(folder: Path) -> str | None:
    path = folder / "chat_template.jinja"
    if path.is_file():
        return path.read_bytes()[: 4 * sandbox.LONGEST_SOURCE_CHARACTERS + 4].decode("utf-8")
    found = read_json(folder / "tokenizer_config.json").get("chat_template")
    if isinstance(found, list):
        named = {entry.get("name"): entry.get("template") for entry in found if isinstance(entry, dict)}
        found = named.get("default") or next(iter(named.values()), None)
    return found if isinstance(found, str) else None


@lru_cache(maxsize=64)
def _compile(source: str) -> tuple[jinja2.Template, bool]:
    """Compile once per source; also say whether it has generation markers."""
    if len(source) > sandbox.LONGEST_SOURCE_CHARACTERS:
        raise ChatTemplateLimit(f"The chat template is longer than {sandbox.LONGEST_SOURCE_CHARACTERS} characters.")
    environment = sandbox.ChatEnvironment()
    try:
        marked = any(kind == "name" and value == "endgeneration" for _, kind, value in environment.lex(source))
        return environment.from_string(source), marked
    except jinja2.exceptions.TemplateSyntaxError as error:
        raise ChatTemplateError(f"The chat template has a fault in line {error.lineno}: {error.message}") from error
    except (RecursionError, MemoryError, OverflowError) as error:
        raise ChatTemplateLimit("The chat template is nested too deeply.") from error


def _place_marked(text: str, marked: list[tuple[int, str]]) -> list[tuple[int, int]]:
    """Turn marks into ranges. A mark inside a macro or ``set`` block knows no position, so its text is looked up."""
    spans: list[tuple[int, int]] = []
    after = 0
    for start, piece in marked:
        if not piece:
            continue
        if not (start >= after and text.startswith(piece, start)):
            start = text.find(piece, after)
        if start < 0:
            raise ChatTemplateError("The chat template marks text as the assistant's that it does not show.")
        after = start + len(piece)
        spans.append((start, after))
    return spans


def _plain(value: Any) -> Any:
    """Rebuild ``value`` from JSON types alone: the sandbox knows no other object's methods."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(item) for item in value]
    return None
