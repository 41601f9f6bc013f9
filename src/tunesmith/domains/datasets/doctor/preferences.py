"""Rows that compare or judge answers: is there a prompt, do the answers differ, is the label a yes or a no?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.domains.datasets.doctor.checked import CheckedRow, Turn, shape, with_article
from tunesmith.domains.datasets.doctor.conversations import check_messages
from tunesmith.domains.datasets.formats import Pair, label_of, pair_of
from tunesmith.domains.datasets.readers import Fault

_NO_PROMPT = "The two answers begin with no turn in common, and the row has no `prompt`."
_PROMPT_EXPECTED = "a `prompt`, or turns that both answers begin with"


def check_pair(row: Mapping[str, Any], checked: CheckedRow) -> None:
    """Check a comparison; its turns are the prompt's, then the two answers."""
    before = len(checked.faults)
    kinds = {
        name: check_said(row, name, checked, "assistant") for name in ("prompt", "chosen", "rejected") if name in row
    }
    if kinds.get("chosen") != kinds.get("rejected") and None not in (kinds.get("chosen"), kinds.get("rejected")):
        message = f"`chosen` is {kinds['chosen']} and `rejected` is {kinds['rejected']}; both have to be of one kind."
        checked.faults.append(Fault("wrong-type", message, str(kinds["chosen"]), str(kinds["rejected"]), "/rejected"))
    checked.turns.clear()
    if len(checked.faults) > before or "chosen" not in row or "rejected" not in row:
        return
    if row["chosen"] == row["rejected"]:
        message = "`chosen` and `rejected` are the same, so that the row teaches no preference."
        checked.faults.append(
            Fault("chosen-equals-rejected", message, "two answers that differ", "the same answer twice", "/rejected")
        )
    pair = pair_of(row)
    if pair is None:
        checked.faults.append(Fault("no-shared-prompt", _NO_PROMPT, _PROMPT_EXPECTED, "none", "/chosen"))
        return
    for name, answer in (("chosen", pair.chosen), ("rejected", pair.rejected)):
        if answer[-1]["role"] != "assistant":
            found = answer[-1]["role"]
            message = f"`{name}` ends with the {found}'s turn; the answer has to be the last one."
            checked.faults.append(Fault("no-assistant", message, "an assistant turn", found, f"/{name}"))
    checked.turns.extend(_turns_of(pair, row))


def _turns_of(pair: Pair, row: Mapping[str, Any]) -> Iterator[Turn]:
    """The turns of the prompt, then each answer as one turn, with the places where they stand."""
    is_own = isinstance(row["chosen"], str) or row["chosen"][0]["role"] == "assistant"
    source = "prompt" if row.get("prompt") and is_own else "chosen"
    system = 1 if pair.prompt[0]["role"] == "system" and row.get("system") == pair.prompt[0]["content"] else 0
    for at, turn in enumerate(pair.prompt):
        place = "/system" if at < system else _place(row, source, at - system)
        yield Turn(turn["role"], turn["content"], place)
    for name, answer in (("chosen", pair.chosen), ("rejected", pair.rejected)):
        place = _place(row, name, len(row[name]) - 1) if len(answer) == 1 else f"/{name}"
        yield Turn("assistant", "\n\n".join(turn["content"] for turn in answer), place)


def _place(row: Mapping[str, Any], name: str, at: int) -> str:
    return f"/{name}/{at}/content" if isinstance(row[name], list) else f"/{name}"


def check_label(row: Mapping[str, Any], checked: CheckedRow) -> None:
    """Check whether the label of an answer is a yes or a no."""
    if "label" in row and label_of(row["label"]) is None:
        message = f"`label` is {with_article(row['label'])}; it has to say whether the answer is good: true or false."
        checked.faults.append(Fault("bad-label", message, "true or false", shape(row["label"]), "/label"))


def check_said(row: Mapping[str, Any], name: str, checked: CheckedRow, role: str) -> str | None:
    """Check a field that is a text or a list of messages; answers which, or None when it is neither."""
    value, pointer = row[name], f"/{name}"
    if isinstance(value, list):
        roles = check_messages(value, pointer, checked, ends=False)
        if roles is not None and not roles:
            checked.faults.append(Fault("empty-turn", f"The field `{name}` is empty.", "turns", "no turns", pointer))
        return "a list of messages"
    if value is None and name == "prompt":
        return None
    if not isinstance(value, str):
        message = f"The field `{name}` is {with_article(value)}; it has to be a text or an array of messages."
        checked.faults.append(Fault("wrong-type", message, "string or array", shape(value), pointer))
        return None
    if not value.strip() and name != "prompt":
        checked.faults.append(Fault("empty-turn", f"The field `{name}` is empty.", "a text", repr(value[:20]), pointer))
    checked.turns.append(Turn(role, value, pointer))
    return "a text"
