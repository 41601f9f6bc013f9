"""Paths of conversations."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from tunesmith.db import Access, Unit
from tunesmith.domains.chat.answering import Answerer
from tunesmith.domains.chat.answers import ChatAnswer, ChatEvent
from tunesmith.domains.chat.exporting import ExportFormat, exported
from tunesmith.domains.chat.schemas import (
    ConversationAnswerRequest,
    ConversationCreate,
    ConversationDatasetRequest,
    ConversationDetail,
    ConversationListResponse,
    ConversationResponse,
    ConversationUpdate,
    Turn,
    TurnRatingRequest,
)
from tunesmith.domains.chat.service import ConversationService
from tunesmith.domains.chat.wire import answer_in, events_of
from tunesmith.domains.datasets import DatasetResponse
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import ID_MAX, allow, answer_or_stream, paging, problem_responses, provide, reading, writing

router = APIRouter(prefix="/api/v1/admin/conversations", tags=["chat"])

Reads = Annotated[Unit, reading(Permission.READ)]
Writes = Annotated[Unit, writing(Permission.INFER)]
Asks = Annotated[Access, allow(Permission.INFER)]
Conversations = Annotated[ConversationService, provide(ConversationService)]
Answers = Annotated[Answerer, provide(Answerer)]
ConversationId = Annotated[int, Path(ge=1, le=ID_MAX, description="Id of the conversation.")]
TurnId = Annotated[int, Path(ge=1, le=ID_MAX, description="Id of the turn.")]
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {}},
        "description": "The answer, whole or (`stream: true`) as it grows: `start`, `delta` and `reasoning`, then `end` or `error`.",
    }
}


@router.post("", status_code=201, responses=problem_responses(403, 422))
async def create_conversation(
    body: ConversationCreate, unit: Writes, conversations: Conversations
) -> ConversationResponse:
    """Begin a conversation."""
    return await conversations.create(unit, body)


@router.get("", responses=problem_responses(422))
async def list_conversations(
    unit: Reads,
    conversations: Conversations,
    page: Annotated[PageRequest, paging()],
    search: Annotated[
        str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="Text in the title or in a turn.")
    ] = None,
    model: Annotated[
        str | None, Query(max_length=1000, pattern=r"^[^\x00]*$", description="Only conversations with this model.")
    ] = None,
) -> ConversationListResponse:
    """A page of your conversations, the last used first."""
    return await conversations.list_conversations(unit, page, search=search, model=model)


@router.post("/dataset", status_code=201, responses=problem_responses(403, 404, 409, 422, 507))
async def make_dataset_of_conversations(
    body: ConversationDatasetRequest,
    access: Annotated[Access, allow(Permission.DATA_WRITE)],
    conversations: Conversations,
) -> DatasetResponse:
    """Make a dataset (format `messages`) of your conversations; it is validated at once, in a job."""
    return await conversations.make_dataset(access, body)


@router.get("/{conversation_id}", responses=problem_responses(404, 422))
async def get_conversation(
    conversation_id: ConversationId, unit: Reads, conversations: Conversations
) -> ConversationDetail:
    """A conversation with every turn of every branch."""
    return await conversations.get(unit, conversation_id)


@router.patch("/{conversation_id}", responses=problem_responses(403, 404, 422))
async def update_conversation(
    conversation_id: ConversationId, body: ConversationUpdate, unit: Writes, conversations: Conversations
) -> ConversationDetail:
    """Rename it, change its model, system prompt or parameters, or read another branch."""
    return await conversations.update(unit, conversation_id, body)


@router.delete("/{conversation_id}", status_code=204, responses=problem_responses(403, 404, 409, 422))
async def delete_conversation(conversation_id: ConversationId, unit: Writes, conversations: Conversations) -> None:
    """Remove a conversation with all its turns."""
    await conversations.delete(unit, conversation_id)


@router.post(
    "/{conversation_id}/answers",
    response_model=ChatAnswer,
    responses={**STREAMED, **problem_responses(403, 404, 409, 413, 422, 500, 503)},
)
async def answer_in_conversation(
    request: Request,
    conversation_id: ConversationId,
    body: ConversationAnswerRequest,
    access: Asks,
    answers: Answers,
) -> Any:
    """Say something and get an answer, edit an earlier question, or have an answer written again as another branch."""
    events: AsyncGenerator[ChatEvent] = answers.converse(access, conversation_id, body)
    return await answer_or_stream(request, events, stream=body.stream, lines=events_of, answer=answer_in)


@router.put("/{conversation_id}/turns/{turn_id}/rating", responses=problem_responses(403, 404, 422))
async def rate_turn(
    conversation_id: ConversationId,
    turn_id: TurnId,
    body: TurnRatingRequest,
    unit: Writes,
    conversations: Conversations,
) -> Turn:
    """Note whether an answer is good or bad; good ones can become training data."""
    return await conversations.rate(unit, conversation_id, turn_id, body.rating)


@router.get(
    "/{conversation_id}/export",
    response_class=Response,
    responses={
        200: {
            "content": {"application/json": {}, "text/markdown": {}, "application/jsonl": {}},
            "description": "The file.",
        },
        **problem_responses(404, 422),
    },
)
async def export_conversation(
    conversation_id: ConversationId,
    unit: Reads,
    conversations: Conversations,
    format: Annotated[
        ExportFormat,
        Query(description="`json`: all branches; `markdown`: the current one to read; `messages`: a training row."),
    ] = "json",
) -> Response:
    """A conversation as a file."""
    made = exported(await conversations.get(unit, conversation_id), format)
    headers = {"content-disposition": f'attachment; filename="{made.file_name}"'}
    return Response(made.text, media_type=made.media_type, headers=headers)
