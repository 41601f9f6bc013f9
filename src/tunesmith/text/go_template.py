"""The part of Go's ``text/template`` that Ollama's TEMPLATE texts use: rendered here as Ollama renders it.

Known: literal text with trim markers, ``if``/``else if``/``else``, ``range`` (with variables), ``with``, variables, fields, and the
functions ``eq ne and or not len slice index lt le gt ge print``. Anything else raises GoTemplateError with its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith.text.errors import GoTemplateError

_ACTION = re.compile(
    r"\{\{(?P<left>- )?\s*(?P<body>(?:\"(?:[^\"\\]|\\.)*\"|`[^`]*`|/\*.*?\*/|.)*?)\s*(?P<right> -)?\}\}", re.S
)
_WORD = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\"|`[^`]*`)|(?P<number>-?\d+)|(?P<mark>:=|=|,|\(|\)|\|)"
    r"|(?P<variable>\$\w*(?:\.\w+)*)|(?P<field>\.(?:\w+(?:\.\w+)*)?)|(?P<name>\w+))"
)
LONGEST_OUTPUT = 4_000_000


@dataclass
class _Node:
    kind: str
    words: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""
    body: list[_Node] = field(default_factory=list)
    otherwise: list[_Node] = field(default_factory=list)


class GoTemplate:
    """A parsed template; raises GoTemplateError when it has something that is not known here."""

    def __init__(self, source: str) -> None:
        self._pieces = _pieces(source)
        self._at = 0
        self._nodes = self._list(inside=False)[0]

    def render(self, data: Mapping[str, Any]) -> str:
        """The text for ``data`` (``Messages``, ``System``, ``Prompt`` … as Ollama names them)."""
        out: list[str] = []
        _run(self._nodes, data, {"$": data}, out)
        return "".join(out)

    def _list(self, *, inside: bool) -> tuple[list[_Node], list[tuple[str, str]]]:
        """Nodes up to ``end`` or ``else``; answers them and the words of what ended them."""
        nodes: list[_Node] = []
        while self._at < len(self._pieces):
            kind, text = self._pieces[self._at]
            self._at += 1
            if kind == "text":
                nodes.append(_Node("text", text=text))
                continue
            words = _words(text)
            if not words:
                continue
            head = words[0][1] if words[0][0] == "name" else ""
            if head in ("end", "else"):
                if not inside:
                    raise GoTemplateError(f"The template has {head} where nothing was opened.")
                return nodes, words
            nodes.append(self._block(head, words[1:]) if head in ("if", "range", "with") else _Node("show", words))
        if inside:
            raise GoTemplateError("The template does not close what it opens: an end is missing.")
        return nodes, []

    def _block(self, kind: str, words: list[tuple[str, str]]) -> _Node:
        node = _Node(kind, words)
        node.body, ended = self._list(inside=True)
        if ended[0][1] == "else":
            if len(ended) > 1:
                node.otherwise = [self._block(ended[1][1], ended[2:])]
            else:
                node.otherwise, ended = self._list(inside=True)
        return node


def _pieces(source: str) -> list[tuple[str, str]]:
    pieces: list[tuple[str, str]] = []
    at, trims = 0, False
    for match in _ACTION.finditer(source):
        text = source[at : match.start()]
        text = text.lstrip() if trims else text
        pieces.append(("text", text.rstrip() if match["left"] else text))
        if not match["body"].startswith("/*"):
            pieces.append(("action", match["body"]))
        at, trims = match.end(), bool(match["right"])
    rest = source[at:]
    if "{{" in rest:
        raise GoTemplateError("The template opens {{ and does not close it.")
    pieces.append(("text", rest.lstrip() if trims else rest))
    return pieces


def _words(text: str) -> list[tuple[str, str]]:
    words, at = [], 0
    while at < len(text.rstrip()):
        match = _WORD.match(text, at)
        if match is None:
            raise GoTemplateError(f"The template has {text[at : at + 20]!r}, which is not known here.")
        kind = str(match.lastgroup)
        words.append((kind, match[kind]))
        at = match.end()
    return words


def _run(nodes: Sequence[_Node], dot: Any, names: dict[str, Any], out: list[str]) -> None:
    for node in nodes:
        if node.kind == "text":
            out.append(node.text)
        elif node.kind == "show":
            _show(node.words, dot, names, out)
        elif node.kind == "range":
            _range(node, dot, names, out)
        else:
            value = _assigned(node.words, dot, names)
            holds = bool(value)
            _run(node.body if holds else node.otherwise, value if node.kind == "with" and holds else dot, names, out)
        if sum(map(len, out[-3:])) > LONGEST_OUTPUT:
            raise GoTemplateError("The template writes too much.")


def _show(words: list[tuple[str, str]], dot: Any, names: dict[str, Any], out: list[str]) -> None:
    if len(words) > 2 and words[0][0] == "variable" and words[1][1] in (":=", "="):
        names[words[0][1]] = _evaluate(words[2:], dot, names)
        return
    value = _evaluate(words, dot, names)
    out.append("" if value is None else str(value).lower() if isinstance(value, bool) else str(value))


def _assigned(words: list[tuple[str, str]], dot: Any, names: dict[str, Any]) -> Any:
    if len(words) > 2 and words[0][0] == "variable" and words[1][1] in (":=", "="):
        names[words[0][1]] = _evaluate(words[2:], dot, names)
        return names[words[0][1]]
    return _evaluate(words, dot, names)


def _range(node: _Node, dot: Any, names: dict[str, Any], out: list[str]) -> None:
    words, variables = node.words, []
    if any(word[1] == ":=" for word in words):
        at = next(i for i, word in enumerate(words) if word[1] == ":=")
        variables = [word[1] for word in words[:at] if word[0] == "variable"]
        words = words[at + 1 :]
    items = _evaluate(words, dot, names)
    if not items:
        _run(node.otherwise, dot, names, out)
        return
    for index, item in enumerate(items):
        if len(variables) == 2:
            names[variables[0]], names[variables[1]] = index, item
        elif variables:
            names[variables[0]] = item
        _run(node.body, item, names, out)


def _evaluate(words: list[tuple[str, str]], dot: Any, names: Mapping[str, Any]) -> Any:
    """A pipeline: commands joined by ``|``, each one's value the last argument of the next."""
    value: Any = None
    for number, command in enumerate(_split(words)):
        arguments, at = [], 0
        while at < len(command):
            argument, at = _operand(command, at, dot, names)
            arguments.append(argument)
        if number:
            arguments.append(value)
        value = _call(arguments)
    return value


def _split(words: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    commands: list[list[tuple[str, str]]] = [[]]
    depth = 0
    for word in words:
        depth += (word == ("mark", "(")) - (word == ("mark", ")"))
        if word == ("mark", "|") and depth == 0:
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def _operand(words: list[tuple[str, str]], at: int, dot: Any, names: Mapping[str, Any]) -> tuple[Any, int]:
    kind, text = words[at]
    if text == "(" and kind == "mark":
        depth, end = 1, at + 1
        while end < len(words) and depth:
            depth += (words[end] == ("mark", "(")) - (words[end] == ("mark", ")"))
            end += 1
        return _evaluate(words[at + 1 : end - 1], dot, names), end
    if kind == "string":
        return text[1:-1] if text[0] == "`" else re.sub(r"\\(.)", _escape, text[1:-1]), at + 1
    if kind == "number":
        return int(text), at + 1
    if kind == "field":
        return _field(dot, text.strip(".").split(".") if text != "." else []), at + 1
    if kind == "variable":
        first, *rest = text.split(".")
        if first not in names:
            raise GoTemplateError(f"The template uses {first} before it is set.")
        return _field(names[first], rest), at + 1
    if kind == "name":
        if text in ("true", "false", "nil"):
            return {"true": True, "false": False, "nil": None}[text], at + 1
        if text in _FUNCTIONS:
            return _FUNCTIONS[text], at + 1
    raise GoTemplateError(f"The template uses {text!r}, which is not known here.")


def _escape(match: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t", "r": "\r"}.get(match[1], match[1])


def _field(value: Any, path: list[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _call(arguments: list[Any]) -> Any:
    if not arguments:
        return None
    if callable(arguments[0]):
        try:
            return arguments[0](*arguments[1:])
        except (TypeError, IndexError, KeyError) as error:
            raise GoTemplateError(f"The template calls a function with the wrong values ({error}).") from error
    if len(arguments) > 1:
        raise GoTemplateError(f"The template calls {arguments[0]!r}, which is no function.")
    return arguments[0]


def _and(*values: Any) -> Any:
    return next((value for value in values if not value), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if value), values[-1])


def _slice(value: Any, *bounds: int) -> Any:
    return (value or [])[slice(*bounds) if len(bounds) > 1 else slice(bounds[0] if bounds else 0, None)]


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "eq": lambda first, *others: any(first == other for other in others),
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "and": _and,
    "or": _or,
    "not": lambda value: not value,
    "len": lambda value: len(value or ()),
    "slice": _slice,
    "index": lambda value, at: value[at],
    "print": lambda *values: "".join(str(value) for value in values),
}
