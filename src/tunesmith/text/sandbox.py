"""The Jinja environment in which chat templates run: what transformers offers them, and limits that it lacks.

Chat templates come from the Hub, so they are other people's programs. The immutable sandbox keeps them from Python's
internals; this module also bounds what they compute. Every loop and macro body starts with a call to ``tick``, every
assignment and operator is measured, and every output is counted, so that a template neither runs nor writes without end.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import jinja2
import jinja2.ext
from jinja2 import nodes
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tunesmith.text.errors import ChatTemplateLimit

LONGEST_SOURCE_CHARACTERS = 512 * 1024
LARGEST_VALUE = 8_000_000
LARGEST_OUTPUT_CHARACTERS = 16_000_000
LARGEST_WORK_CHARACTERS = 64_000_000
LARGEST_WIDTH = 10_000
CPU_SECONDS = 1.0
LONGEST_STEP_SECONDS = CPU_SECONDS / 4


@dataclass
class Budget:
    """What one rendering may still use, and where its answers stood."""

    cpu_seconds_left: float = CPU_SECONDS
    characters_left: int = LARGEST_WORK_CHARACTERS
    blocks: list[str] = field(default_factory=list)
    length: int = 0
    spans: list[tuple[int, str]] = field(default_factory=list)
    # The clock of this thread's own work: a machine that is busy elsewhere stops no honest template.
    clock: float = field(default_factory=time.thread_time)

    def tick(self, characters: int) -> None:
        """Count a pass through a loop or macro that writes ``characters`` of its own, and the time since the last.

        A step counts as a quarter of a second at most: what takes longer is a garbage collection that fell into it.
        """
        self.spend(characters)
        before, self.clock = self.clock, time.thread_time()
        self.cpu_seconds_left -= min(self.clock - before, LONGEST_STEP_SECONDS)
        if self.cpu_seconds_left < 0:
            raise ChatTemplateLimit(f"The chat template was still running after {CPU_SECONDS:g} seconds.")

    def spend(self, characters: int) -> None:
        """Count output."""
        self.characters_left -= characters
        if self.characters_left < 0:
            raise ChatTemplateLimit("The chat template writes too much text.")

    def append(self, block: str) -> None:
        """Take the next piece of the output."""
        self.blocks.append(block)
        self.length += len(block)
        if self.length > LARGEST_OUTPUT_CHARACTERS:
            raise ChatTemplateLimit("The chat template writes too much text.")


_budget: ContextVar[Budget] = ContextVar("chat_template_budget")


def measured(value: Any) -> Any:
    """Return ``value``, unless it is larger than anything that a conversation needs."""
    if isinstance(value, str | list | tuple | dict):
        if len(value) > LARGEST_VALUE:
            raise ChatTemplateLimit(f"The chat template builds a value of {len(value)} elements.")
    elif isinstance(value, int) and value.bit_length() > 4096:
        raise ChatTemplateLimit("The chat template computes with a number of more than 4,096 bits.")
    return value


def _counted(value: Any) -> Any:
    budget = _budget.get(None)
    if budget is not None and isinstance(value, str):
        budget.spend(len(value))
    return measured(value)


def _tick(characters: int) -> str:
    budget = _budget.get(None)
    if budget is not None:
        budget.tick(characters)
    return ""


class GenerationMarkers(jinja2.ext.Extension):
    """``{% generation %} … {% endgeneration %}``: what the assistant wrote, as transformers understands it."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        """Turn the block into a call, so that its text passes through ``_mark``."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_mark"), [], [], body).set_lineno(line)

    def _mark(self, caller: Macro) -> str:
        text: str = caller()
        budget = _budget.get(None)
        if budget is not None:
            budget.spans.append((budget.length, text))
        return text


class _TemplateDict:
    """``dict`` for templates: only what makes new dictionaries."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)

    def fromkeys(self, *args: Any) -> dict[Any, Any]:
        """A dictionary with these keys."""
        return dict.fromkeys(*args)


def _raise_exception(message: object) -> None:
    raise jinja2.exceptions.TemplateError(str(message))


def _strftime_now(pattern: str) -> str:
    return datetime.now().strftime(pattern)


def _tojson(
    value: Any, ensure_ascii: bool = False, indent: int | None = None, separators: Any = None, sort_keys: bool = False
) -> str:
    # Jinja's own filter escapes HTML, which no chat template wants.
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same filter, refusing widths and counts that would fill the memory from a few characters."""

    def guarded(*args: Any, **kwargs: Any) -> Any:
        _refuse_wide(args[1:])
        _refuse_wide(tuple(kwargs.values()))
        return measured(function(*args, **kwargs))

    for name in ("jinja_pass_arg", "jinja_async_variant"):
        if hasattr(function, name):
            setattr(guarded, name, getattr(function, name))
    return guarded


def _refuse_wide(args: tuple[Any, ...]) -> None:
    for value in args:
        if isinstance(value, int) and abs(value) > LARGEST_WIDTH:
            raise ChatTemplateLimit(f"The chat template asks for a width or count of {value}.")


_WIDTH_METHODS = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs"})
_WIDE_FORMAT = re.compile(r"\d{5,}|\*|:[^}]*\{")


class ChatEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox with limits. Const folding cannot run the intercepted operators while the template compiles."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_counted,
            extensions=[GenerationMarkers, jinja2.ext.loopcontrols],
        )
        for name in ("center", "indent", "batch", "slice", "wordwrap", "truncate", "round"):
            self.filters[name] = _bounded(self.filters[name])
        for name in ("replace", "join"):
            self.filters[name] = _bounded(self.filters[name])
        self.filters["tojson"] = _bounded(_tojson)
        self.filters["format"] = lambda value, *args, **kwargs: self.call_binop(None, "%", value, kwargs or args)
        self.globals.pop("lipsum")
        self.globals.update(raise_exception=_raise_exception, strftime_now=_strftime_now, dict=_TemplateDict())
        self.chat_tick = _tick
        self.chat_measured = measured

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in list(tree.find_all((nodes.For, nodes.Macro, nodes.CallBlock))):
            written = sum(len(text.data) for text in node.find_all(nodes.TemplateData))
            node.body.insert(0, _statement("chat_tick", nodes.Const(written), node.lineno))  # type: ignore[attr-defined]
        for assign in list(tree.find_all(nodes.Assign)):
            assign.node = _call("chat_measured", cast(nodes.Expr, assign.node), assign.lineno)
        tree.set_environment(self)
        return tree

    def call_binop(self, context: Context | None, operator: str, left: Any, right: Any) -> Any:
        """Run ``+ * ** %`` when the outcome is of a size that a conversation can need."""
        if operator == "*":
            for sequence, times in ((left, right), (right, left)):
                if (
                    isinstance(sequence, str | list | tuple)
                    and isinstance(times, int)
                    and len(sequence) * times > LARGEST_VALUE
                ):
                    raise ChatTemplateLimit("The chat template repeats a value too often.")
        elif operator == "**":
            if isinstance(right, int) and abs(right) > 64:
                raise ChatTemplateLimit("The chat template computes too large a power.")
        elif operator == "%" and isinstance(left, str) and _WIDE_FORMAT.search(left):
            raise ChatTemplateLimit("The chat template formats with too large a width.")
        return measured(self.binop_table[operator](left, right))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Let ``str.format`` run in the sandbox's way, with widths that a conversation can need."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None and _WIDE_FORMAT.search(value.__self__):
            raise ChatTemplateLimit("The chat template formats with too large a width.")
        return wrapped

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call what the sandbox allows; measure what comes back."""
        name = getattr(__obj, "__name__", "")
        if name in _WIDTH_METHODS and isinstance(getattr(__obj, "__self__", None), str):
            _refuse_wide(args)
            _refuse_wide(tuple(kwargs.values()))
        return measured(super().call(__context, __obj, *args, **kwargs))


def _call(name: str, argument: nodes.Expr, line: int) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute(name), [argument], [], None, None, lineno=line)


def _statement(name: str, argument: nodes.Expr, line: int) -> nodes.ExprStmt:
    return nodes.ExprStmt(_call(name, argument, line), lineno=line)


def run(template: jinja2.Template, variables: dict[str, Any], budget: Budget) -> str:
    """Render within ``budget``, which also learns where the answers stand."""
    token = _budget.set(budget)
    try:
        for block in template.generate(**variables):
            budget.append(block)
    finally:
        _budget.reset(token)
    return "".join(budget.blocks)
