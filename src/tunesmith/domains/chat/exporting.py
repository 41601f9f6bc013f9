"""A conversation as a file that people keep."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from tunesmith.domains.chat.schemas import ConversationDetail, Turn
from tunesmith.kit.ids import slugify

ExportFormat = Literal["json", "markdown", "messages"]


@dataclass(frozen=True)
class ExportedConversation:
    """The text of the file, its kind and its name."""

    text: str
    media_type: str
    file_name: str


def exported(conversation: ConversationDetail, fmt: ExportFormat) -> ExportedConversation:
    """`json`: everything, all branches; `markdown`: the current branch to read; `messages`: one training row of it."""
    stem = slugify(conversation.title, fallback="conversation") + f"-{conversation.id}"
    by_id = {turn.id: turn for turn in conversation.turns}
    path = [by_id[turn_id] for turn_id in conversation.path]
    if fmt == "json":
        return ExportedConversation(conversation.model_dump_json(indent=2), "application/json", f"{stem}.json")
    if fmt == "markdown":
        return ExportedConversation(_markdown(conversation, path), "text/markdown; charset=utf-8", f"{stem}.md")
    system = conversation.system_prompt
    start = [{"role": "system", "content": system}] if system else []
    row = {"messages": start + [{"role": turn.role, "content": turn.content} for turn in path]}
    return ExportedConversation(json.dumps(row, ensure_ascii=False) + "\n", "application/jsonl", f"{stem}.jsonl")


def _markdown(conversation: ConversationDetail, path: list[Turn]) -> str:
    parts = [f"# {conversation.title or f'Conversation {conversation.id}'}"]
    facts = [f"- Model: {conversation.model or '-'}"]
    if conversation.adapter:
        facts.append(f"- Adapter: {conversation.adapter}")
    parts.append("\n".join([*facts, f"- Begun: {conversation.created_at.isoformat(timespec='seconds')}"]))
    if conversation.system_prompt:
        parts.append("## System\n\n" + conversation.system_prompt)
    for turn in path:
        parts.append(f"## {'User' if turn.role == 'user' else 'Assistant'}")
        if turn.reasoning:
            parts.append("\n".join(f"> {line}".rstrip() for line in turn.reasoning.splitlines()))
        if turn.content:
            parts.append(turn.content)
        if turn.status != "complete":
            parts.append(f"*({turn.status})*")
    return "\n\n".join(parts) + "\n"
