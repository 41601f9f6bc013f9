"""The turns of a conversation, whoever wrote them down: roles and their other names, tools, and the one spelling we use."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Message = dict[str, Any]
Messages = list[Message]
"""``[{"role", "content", "tool_calls"?, "tool_call_id"?, "name"?, "reasoning_content"?}]`` as chat templates read them."""

ROLES = ("system", "user", "assistant", "tool")
ROLE_ALIASES = {
    "developer": "system",
    "human": "user",
    "prompter": "user",
    "customer": "user",
    "client": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "chatbot": "assistant",
    "agent": "assistant",
    "function": "tool",
    "observation": "tool",
    "function_response": "tool",
    "tool_response": "tool",
}
"""What others call the roles; sharegpt files may use these words, messages may not."""
CALLING_ROLES = frozenset({"function_call", "tool_call"})
"""Roles of sharegpt whose text is the assistant's call of a tool, as JSON ``{"name", "arguments"}``."""
TURN_FIELDS = frozenset({"role", "content", "tool_calls", "tool_call_id", "name", "reasoning_content"})
SHAREGPT_KEYS = (("from", "value"), ("role", "content"))
SHAREGPT_FIELDS = frozenset({"from", "value", "role", "content"})


def text_of(content: Any) -> str | None:
    """The text of a turn's content: a text, or a list of parts that are all texts; None when it is something else."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and content:
        texts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
        if len(texts) == len(content) and all(isinstance(text, str) for text in texts):
            return "".join(str(text) for text in texts)
    return None


def object_of(value: Any) -> dict[str, Any] | None:
    """An object, or the object that a text holds as JSON; else None."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def tools_of(value: Any) -> list[dict[str, Any]] | None:
    """The tools that a conversation may use, also as JSON text; None when there are none or they cannot be read."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    is_list = isinstance(value, list) and value and all(isinstance(tool, dict) for tool in value)
    return value if is_list else None


def plain_messages(turns: Iterable[Mapping[str, Any]]) -> Messages:
    """Checked messages in our spelling: content as one text, the arguments of calls as objects."""
    made: Messages = []
    for turn in turns:
        message: Message = {"role": turn["role"], "content": text_of(turn.get("content")) or ""}
        if turn.get("tool_calls"):
            message["tool_calls"] = [_plain_call(call) for call in turn["tool_calls"]]
        for name in ("tool_call_id", "name", "reasoning_content"):
            if isinstance(turn.get(name), str):
                message[name] = turn[name]
        made.append(message)
    return made


def sharegpt_messages(turns: Iterable[Mapping[str, Any]]) -> Messages:
    """Checked turns of sharegpt as messages."""
    made: Messages = []
    for turn in turns:
        said, text = sharegpt_turn(turn)
        role = role_of(said)
        if str(said).strip().lower() in CALLING_ROLES:
            call = object_of(text) or {}
            made.append({"role": "assistant", "content": "", "tool_calls": [_plain_call({"function": call})]})
        else:
            made.append({"role": role, "content": text_of(text) or ""})
    return made


def sharegpt_turn(turn: Mapping[str, Any]) -> tuple[Any, Any]:
    """Who says what in a turn of sharegpt, under either pair of names."""
    who, what = next((pair for pair in SHAREGPT_KEYS if pair[0] in turn), SHAREGPT_KEYS[0])
    return turn.get(who), turn.get(what, turn.get("value"))


def role_of(said: Any) -> str | None:
    """Our name of a role that sharegpt names; None when nobody knows it."""
    name = said.strip().lower() if isinstance(said, str) else ""
    if name in CALLING_ROLES:
        return "assistant"
    return name if name in ROLES else ROLE_ALIASES.get(name)


def asked_and_answered(asked: str | Messages, answered: str | Messages, system: Any = None) -> Messages:
    """A question and an answer, each a text or messages, as one conversation."""
    made: Messages = []
    if isinstance(system, str) and system.strip():
        made.append({"role": "system", "content": system})
    made += as_turns(asked, "user")
    return made + as_turns(answered, "assistant")


def as_turns(said: str | Messages, role: str) -> Messages:
    """A text as one turn of ``role``; messages as they are."""
    return [{"role": role, "content": said}] if isinstance(said, str) else plain_messages(said)


def _plain_call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function") or {}
    arguments = function.get("arguments", function.get("parameters"))
    made = {"name": function.get("name"), "arguments": object_of(arguments) or {}}
    identity = {"id": call["id"]} if isinstance(call.get("id"), str) else {}
    return {**identity, "type": "function", "function": made}
