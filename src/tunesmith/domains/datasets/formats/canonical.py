"""Each row in the one shape that training reads: messages to imitate, a pair, a labelled answer, a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.domains.datasets.formats.fields import FIELDS, DataFormat
from tunesmith.domains.datasets.formats.pairs import label_of, pair_of
from tunesmith.domains.datasets.formats.turns import (
    Messages,
    as_turns,
    asked_and_answered,
    plain_messages,
    sharegpt_messages,
    tools_of,
)

Row = Mapping[str, Any]


def to_messages(row: Row, fmt: DataFormat) -> Messages:
    """A row without red findings, of a format in ``SUPERVISED``, as messages."""
    return _MESSAGES[fmt](row)


def to_example(row: Row, fmt: DataFormat) -> dict[str, Any]:
    """A row without red findings as TRL takes it: ``{messages}``, ``{prompt, chosen, rejected}``,

    ``{prompt, completion, label}`` or ``{text}``, with ``tools`` where the conversation has some; prompts and answers are
    lists of messages.
    """
    example = _example(row, fmt)
    tools = tools_of(row.get("tools")) if "tools" in FIELDS[fmt].optional else None
    return example | {"tools": tools} if tools else example


def _example(row: Row, fmt: DataFormat) -> dict[str, Any]:
    if fmt is DataFormat.PREFERENCE:
        pair = pair_of(row)
        assert pair is not None, "the row checker refuses pairs without a prompt"
        return {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected}
    if fmt is DataFormat.KTO:
        asked = asked_and_answered(row["prompt"], [], row.get("system"))
        return {
            "prompt": asked,
            "completion": as_turns(row["completion"], "assistant"),
            "label": label_of(row["label"]),
        }
    if fmt is DataFormat.TEXT:
        return {"text": row["text"]}
    return {"messages": to_messages(row, fmt)}


def _of_messages(row: Row) -> Messages:
    return plain_messages(row["messages"])


def _of_alpaca(row: Row) -> Messages:
    asked = f"{row['instruction']}\n\n{row['input']}" if row.get("input") else row["instruction"]
    made = asked_and_answered(asked, row["output"], row.get("system"))
    earlier: Messages = []
    for said, answered in row.get("history") or []:
        earlier += asked_and_answered(said, answered)
    at = len(made) - 2
    return made[:at] + earlier + made[at:]


def _of_prompt(row: Row) -> Messages:
    return asked_and_answered(row["prompt"], row["completion"], row.get("system"))


def _of_sharegpt(row: Row) -> Messages:
    made = sharegpt_messages(row["conversations"])
    system = row.get("system")
    has_own = made[:1] and made[0]["role"] == "system"
    return made if has_own or not (isinstance(system, str) and system.strip()) else _with_system(system, made)


def _with_system(system: str, messages: Messages) -> Messages:
    return [{"role": "system", "content": system}, *messages]


def _of_question(row: Row) -> Messages:
    asked = f"{row['context']}\n\n{row['question']}" if row.get("context") else row["question"]
    return asked_and_answered(asked, row["answer"], row.get("system"))


_MESSAGES: dict[DataFormat, Callable[[Row], Messages]] = {
    DataFormat.MESSAGES: _of_messages,
    DataFormat.ALPACA: _of_alpaca,
    DataFormat.PROMPT_COMPLETION: _of_prompt,
    DataFormat.SHAREGPT: _of_sharegpt,
    DataFormat.QA: _of_question,
}
