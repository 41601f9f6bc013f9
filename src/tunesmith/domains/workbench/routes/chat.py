"""`/chat/…`: the current conversation of one person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from tunesmith.db import Access, Unit
from tunesmith.domains.chat import ChatAnswer, answer_in, events_of
from tunesmith.domains.workbench.schemas.chat import (
    ChatClearResponse,
    ChatGenerateRequest,
    ChatHealthResponse,
    ChatHistoryResponse,
    ChatInitializeRequest,
    ChatInitializeResponse,
    ChatRequest,
    ChatStatusResponse,
    ChatSummaryResponse,
    ParametersRequest,
    ParametersResponse,
    SystemPromptRequest,
    SystemPromptResponse,
    TokenStatisticsResponse,
)
from tunesmith.domains.workbench.service.chat import ChatBench
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import allow, answer_or_stream, paging, problem_responses, provide, reading, writing

router = APIRouter(prefix="/chat", tags=["workbench: chat"])
Bench = Annotated[ChatBench, provide(ChatBench)]
Asks = Annotated[Access, allow(Permission.INFER)]
Reads = Annotated[Unit, reading(Permission.READ)]
Writes = Annotated[Unit, writing(Permission.INFER)]
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {}},
        "description": "The answer, whole or (`stream: true`) as it grows: `start`, `delta` and `reasoning`, then `end` or `error`.",
    }
}


@router.post("/initialize", responses=problem_responses(403, 404, 409, 422, 503))
async def initialize_chat(body: ChatInitializeRequest, access: Asks, bench: Bench) -> ChatInitializeResponse:
    """Load a model, or a base with an adapter, and begin a conversation with it."""
    return await bench.initialize(access, body)


@router.post(
    "/chat",
    response_model=ChatAnswer,
    responses={**STREAMED, **problem_responses(403, 404, 409, 422, 500, 503)},
)
async def chat(request: Request, body: ChatRequest, access: Asks, bench: Bench) -> Any:
    """Say something in the current conversation; what was said before is part of it.

    When the context is full the oldest turns are left out, whole, and the answer says so; the system prompt never is.
    """
    events = bench.chat(access, body)
    return await answer_or_stream(request, events, stream=body.stream, lines=events_of, answer=answer_in)


@router.post(
    "/generate",
    response_model=ChatAnswer,
    responses={**STREAMED, **problem_responses(403, 404, 409, 422, 500, 503)},
)
async def generate(request: Request, body: ChatGenerateRequest, access: Asks, bench: Bench) -> Any:
    """Answer a prompt without history; nothing is kept."""
    events = bench.generate(access, body)
    return await answer_or_stream(request, events, stream=body.stream, lines=events_of, answer=answer_in)


@router.get("/history", responses=problem_responses(403, 422))
async def get_chat_history(unit: Reads, bench: Bench, page: Annotated[PageRequest, paging()]) -> ChatHistoryResponse:
    """The turns of the current conversation, oldest first."""
    return await bench.history(unit, page)


@router.get("/history/summary", responses=problem_responses(403, 404, 409, 422, 500, 503))
async def get_chat_summary(
    access: Annotated[Access, allow(Permission.INFER)],
    bench: Bench,
    generate: Annotated[bool, Query(description="Have the model summarise the conversation, too.")] = False,
) -> ChatSummaryResponse:
    """The current conversation in short: counts, its beginning and end."""
    return await bench.summary(access, generate=generate)


@router.post("/history/clear", responses=problem_responses(403, 409))
async def clear_chat_history(unit: Writes, bench: Bench) -> ChatClearResponse:
    """Remove every turn of the current conversation; model, system prompt and parameters stay."""
    return await bench.clear(unit)


@router.post("/system-prompt", responses=problem_responses(403, 422))
async def set_system_prompt(body: SystemPromptRequest, unit: Writes, bench: Bench) -> SystemPromptResponse:
    """Change what the model is told before the first question."""
    return await bench.set_system_prompt(unit, body.system_prompt)


@router.get("/system-prompt", responses=problem_responses(403))
async def get_system_prompt(unit: Reads, bench: Bench) -> SystemPromptResponse:
    """What the model is told before the first question."""
    return await bench.system_prompt(unit)


@router.post("/recommended-parameters", responses=problem_responses(403, 422))
async def recommend_chat_parameters(body: ParametersRequest, access: Asks, bench: Bench) -> ParametersResponse:
    """Parameters of a style (precise, balanced, creative, code), with the reason; applied to the conversation on demand."""
    return await bench.parameters(access, body)


@router.get("/token-statistics", responses=problem_responses(403))
async def get_token_statistics(unit: Reads, bench: Bench) -> TokenStatisticsResponse:
    """Tokens that were read and written, and how full the context is."""
    return await bench.token_statistics(unit)


@router.get("/status", responses=problem_responses(403))
async def get_chat_status(unit: Reads, bench: Bench) -> ChatStatusResponse:
    """Whether there is a conversation, with what, and whether its model is loaded."""
    return await bench.status(unit)


@router.get("/health", responses=problem_responses(403))
async def get_chat_health(_access: Annotated[Access, allow(Permission.READ)], bench: Bench) -> ChatHealthResponse:
    """State of the runtime behind the chat."""
    return await bench.health()
