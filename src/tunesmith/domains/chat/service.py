"""Conversations: begun, listed, changed, cleared, exported, turned into data."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio

from tunesmith.db import Access, Unit
from tunesmith.domains.chat import repository
from tunesmith.domains.chat.branches import good_paths, newest_end, path_to
from tunesmith.domains.chat.errors import (
    ConversationBusy,
    ConversationNotFound,
    NothingToKeep,
    TurnNotFound,
    TurnRole,
)
from tunesmith.domains.chat.schemas import (
    ConversationCreate,
    ConversationDatasetRequest,
    ConversationDetail,
    ConversationListResponse,
    ConversationResponse,
    ConversationUpdate,
    Rating,
    Turn,
)
from tunesmith.domains.chat.tables import ConversationRow, TurnRow
from tunesmith.domains.datasets import DataFormat, DatasetResponse, DatasetService
from tunesmith.kit.clock import utc_now
from tunesmith.kit.paging import PageRequest
from tunesmith.settings import Settings

UNTITLED = ""


class ConversationService:
    """Conversations of one person, with every branch that was tried."""

    def __init__(self, *, settings: Settings, datasets: DatasetService) -> None:
        self._settings = settings
        self._datasets = datasets
        self.answering: set[int] = set()
        """Conversations in which an answer is being written by this process."""

    async def create(self, unit: Unit, body: ConversationCreate) -> ConversationResponse:
        """Begin a conversation."""
        row = ConversationRow(
            project_id=unit.principal.project_id,
            created_by=unit.principal.user_id,
            title=body.title or UNTITLED,
            model=body.model,
            adapter=body.adapter,
            system_prompt=body.system_prompt or None,
            parameters=body.parameters.given(),
            overflow=body.overflow,
        )
        unit.session.add(row)
        await unit.session.flush()
        return _view(row)

    async def list_conversations(
        self, unit: Unit, page: PageRequest, *, search: str | None = None, model: str | None = None
    ) -> ConversationListResponse:
        """A page of conversations, the last used first."""
        rows, total = await repository.list_conversations(unit, page, search, model)
        items = [_view(row) for row in rows]
        return ConversationListResponse(items=items, total=total, page=page.page, page_size=page.page_size)

    async def get_row(self, unit: Unit, conversation_id: int) -> ConversationRow:
        """Its row, for this slice; raises ConversationNotFound."""
        row = await repository.find_conversation(unit, conversation_id)
        if row is None:
            raise ConversationNotFound(f"You have no conversation {conversation_id}.")
        return row

    async def get(self, unit: Unit, conversation_id: int) -> ConversationDetail:
        """The conversation with all its turns; raises ConversationNotFound."""
        row = await self.get_row(unit, conversation_id)
        turns = await repository.list_turns(unit, conversation_id)
        path = path_to(turns, row.current_turn_id)
        return ConversationDetail(
            **_view(row).model_dump(), turns=[self._turn(turn) for turn in turns], path=[turn.id for turn in path]
        )

    async def list_path(self, unit: Unit, conversation_id: int) -> list[Turn]:
        """The turns of the current branch."""
        row = await self.get_row(unit, conversation_id)
        turns = await repository.list_turns(unit, conversation_id)
        return [self._turn(turn) for turn in path_to(turns, row.current_turn_id)]

    async def update(self, unit: Unit, conversation_id: int, body: ConversationUpdate) -> ConversationDetail:
        """Change what was sent; raises TurnNotFound for a branch that is not there."""
        row = await self.get_row(unit, conversation_id)
        sent = body.model_fields_set
        for name in sent & {"title", "overflow"}:
            if (value := getattr(body, name)) is not None:
                setattr(row, name, value)
        for name in sent & {"model", "adapter", "system_prompt"}:
            setattr(row, name, getattr(body, name) or None)
        if body.parameters is not None:
            row.parameters = body.parameters.given()
        if body.current_turn_id is not None:
            turns = await repository.list_turns(unit, conversation_id)
            if body.current_turn_id not in {turn.id for turn in turns}:
                raise TurnNotFound(f"The conversation {conversation_id} has no turn {body.current_turn_id}.")
            row.current_turn_id = newest_end(turns, body.current_turn_id)
        row.updated_at = utc_now()
        await unit.session.flush()
        return await self.get(unit, conversation_id)

    async def delete(self, unit: Unit, conversation_id: int) -> None:
        """Remove the conversation and every turn; raises ConversationBusy while it is answered."""
        row = await self._idle_row(unit, conversation_id)
        await repository.delete_turns(unit, row.id)
        await unit.session.delete(row)
        await unit.session.flush()

    async def clear(self, unit: Unit, conversation_id: int) -> int:
        """Remove every turn; model, system prompt and parameters stay. Answers how many there were."""
        row = await self._idle_row(unit, conversation_id)
        turns = await repository.list_turns(unit, conversation_id)
        await repository.delete_turns(unit, conversation_id)
        row.current_turn_id = row.summary_turn_id = row.summary = None
        await unit.session.flush()
        return len(turns)

    async def rate(self, unit: Unit, conversation_id: int, turn_id: int, rating: Rating | None) -> Turn:
        """Note what the person thinks of an answer."""
        await self.get_row(unit, conversation_id)
        turn = await repository.find_turn(unit, conversation_id, turn_id)
        if turn is None:
            raise TurnNotFound(f"The conversation {conversation_id} has no turn {turn_id}.")
        if turn.role != "assistant":
            raise TurnRole(f"Turn {turn_id} is a question; only answers are rated.")
        turn.rating = rating
        await unit.session.flush()
        return self._turn(turn)

    async def make_dataset(self, access: Access, body: ConversationDatasetRequest) -> DatasetResponse:
        """A dataset of conversations, through the door that every import takes. Raises NothingToKeep."""
        async with access.read() as unit:
            rows = await self._training_rows(unit, body)
        if not rows:
            raise NothingToKeep(
                "No answer in these conversations is rated good."
                if body.selection == "good"
                else "These conversations have no answers."
            )
        folder = self._settings.data_dir / "cache"
        await anyio.to_thread.run_sync(lambda: folder.mkdir(parents=True, exist_ok=True))
        with tempfile.TemporaryDirectory(dir=folder, prefix="chat-") as place:
            path = Path(place) / "conversations.jsonl"
            await anyio.to_thread.run_sync(_write, path, rows)
            async with access.write("conversation.make-dataset") as unit:
                return await self._datasets.import_file(
                    unit,
                    path,
                    name=body.name,
                    version=body.version,
                    fmt=DataFormat.MESSAGES,
                    description=f"{len(rows)} conversations from the chat page.",
                )

    async def _training_rows(self, unit: Unit, body: ConversationDatasetRequest) -> list[dict[str, Any]]:
        chosen = await repository.list_chosen(unit, body.conversation_ids)
        if body.conversation_ids is not None and (missing := set(body.conversation_ids) - {row.id for row in chosen}):
            raise ConversationNotFound(f"You have no conversation {min(missing)}.")
        made: list[dict[str, Any]] = []
        for row in chosen:
            turns = await repository.list_turns(unit, row.id)
            paths = good_paths(turns) if body.selection == "good" else [path_to(turns, row.current_turn_id)]
            told = row.system_prompt if body.include_system_prompt else None
            start = [{"role": "system", "content": told}] if told else []
            for path in paths:
                spoken = _spoken(path)
                if spoken:
                    made.append({"messages": [*start, *spoken]})
        return made

    async def _idle_row(self, unit: Unit, conversation_id: int) -> ConversationRow:
        row = await self.get_row(unit, conversation_id)
        if conversation_id in self.answering:
            raise ConversationBusy(f"An answer is being written in the conversation {conversation_id}.")
        return row

    def _turn(self, row: TurnRow) -> Turn:
        turn = Turn.model_validate(row, from_attributes=True)
        if turn.status == "answering" and row.conversation_id not in self.answering:
            turn.status = "interrupted"  # the process that wrote it is gone
        return turn


def _view(row: ConversationRow) -> ConversationResponse:
    return ConversationResponse.model_validate(row, from_attributes=True)


def _spoken(path: Sequence[TurnRow]) -> list[dict[str, str]]:
    """The path as a training row: it ends with an answer, and leaves out questions that got none."""
    said: list[dict[str, str]] = []
    for turn in path:
        if turn.role == "assistant" and not turn.content.strip():
            said = said[:-1]
        else:
            said.append({"role": turn.role, "content": turn.content})
    return said[:-1] if said and said[-1]["role"] == "user" else said


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
