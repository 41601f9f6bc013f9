"""Rows in the formats that other trainers read: alpaca, sharegpt, messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.domains.datasets.formats import DataFormat, Messages, to_example
from tunesmith.domains.datasets.schemas.outputs import PreprocessFormat

_SAID = {"system": "system", "user": "human", "assistant": "gpt", "tool": "tool"}
Row = Mapping[str, Any]


class NotConvertible(ValueError):
    """The row says something that the format cannot hold; the text says what."""


def converted(row: Row, fmt: DataFormat, target: PreprocessFormat) -> dict[str, Any]:
    """A row of a format in ``SUPERVISED``, without faults, in the target format; raises NotConvertible."""
    return _TARGETS[target](row, fmt)


def _as_messages(row: Row, fmt: DataFormat) -> dict[str, Any]:
    return to_example(row, fmt)


def _as_sharegpt(row: Row, fmt: DataFormat) -> dict[str, Any]:
    example = to_example(row, fmt)
    turns: list[dict[str, Any]] = []
    for message in example["messages"]:
        if message["content"] or not message.get("tool_calls"):
            turns.append({"from": _SAID[message["role"]], "value": message["content"]})
        for call in message.get("tool_calls") or ():
            turns.append({"from": "function_call", "value": json.dumps(call["function"], ensure_ascii=False)})
    made: dict[str, Any] = {"conversations": turns}
    if example.get("tools"):
        made["tools"] = json.dumps(example["tools"], ensure_ascii=False)
    return made


def _as_alpaca(row: Row, fmt: DataFormat) -> dict[str, Any]:
    if fmt is DataFormat.ALPACA:
        made = {"instruction": row["instruction"], "input": row.get("input") or "", "output": row["output"]}
        return made | {name: row[name] for name in ("system", "history") if row.get(name)}
    messages: Messages = to_example(row, fmt)["messages"]
    if any(message["role"] == "tool" or message.get("tool_calls") for message in messages):
        raise NotConvertible("The conversation calls tools, which alpaca cannot hold.")
    system = messages[0]["content"] if messages and messages[0]["role"] == "system" else ""
    said = [message["content"] for message in messages if message["role"] != "system"]
    if len(said) < 2 or len(said) % 2:
        raise NotConvertible("The conversation is not made of questions with their answers.")
    made = {"instruction": said[-2], "input": "", "output": said[-1]}
    made |= {"system": system} if system else {}
    history = [[said[at], said[at + 1]] for at in range(0, len(said) - 2, 2)]
    return made | ({"history": history} if history else {})


_TARGETS: dict[PreprocessFormat, Callable[[Row, DataFormat], dict[str, Any]]] = {
    PreprocessFormat.MESSAGES: _as_messages,
    PreprocessFormat.SHAREGPT: _as_sharegpt,
    PreprocessFormat.ALPACA: _as_alpaca,
}
