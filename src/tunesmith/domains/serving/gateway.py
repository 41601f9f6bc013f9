"""The inference surface: programs that speak OpenAI's API talk to any model here, base or tuned, by its name."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message, Receive

from tunesmith.db import Access, Unit
from tunesmith.domains.runtime import (
    GenerateRequest,
    ModelResolver,
    RuntimeService,
    Servable,
    StreamChunk,
    TokenLogprob,
)
from tunesmith.domains.serving.errors import FieldUnsupported, RequestTooLarge, TooManyTokens
from tunesmith.domains.serving.logprobs import chat_logprobs, text_logprobs
from tunesmith.domains.serving.schemas import (
    AnswerMessage,
    ChatCompletion,
    ChatCompletionRequest,
    Choice,
    ChoiceLogprobs,
    ModelEntries,
    ModelEntry,
    OpenAIError,
    Usage,
)
from tunesmith.domains.serving.text_schemas import (
    DEFAULT_TOKENS,
    Completion,
    CompletionRequest,
    TextChoice,
    TextLogprobs,
)
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import EventStream, allow, provide, reading
from tunesmith.settings import Settings

LARGEST_BODY_BYTES = 16 * 2**20


class LimitedRoute(APIRoute):
    """Reads no body beyond the limit, whatever its length header says."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The handler, behind the limit."""
        handle = super().get_route_handler()

        async def limited(request: Request) -> Response:
            length = request.headers.get("content-length", "0")
            if length.isdigit() and int(length) > LARGEST_BODY_BYTES:
                raise RequestTooLarge(f"The body has {length} bytes; at most {LARGEST_BODY_BYTES} are read.")
            return await handle(Request(request.scope, _counting(request.receive)))

        return limited


def _counting(receive: Receive) -> Receive:
    seen = 0

    async def next_message() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > LARGEST_BODY_BYTES:
            raise RequestTooLarge(f"The body has more than {LARGEST_BODY_BYTES} bytes.")
        return message

    return next_message


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": OpenAIError, "description": "Error in OpenAI's shape"} for status in statuses}


router = APIRouter(
    prefix="/v1",
    tags=["inference"],
    route_class=LimitedRoute,
    responses=_errors(400, 403, 404, 409, 413, 422, 500, 503),
)
Models = Annotated[ModelResolver, provide(ModelResolver)]
Runtime = Annotated[RuntimeService, provide(RuntimeService)]
Limits = Annotated[Settings, provide(Settings)]


@router.get("/models", name="list_served_models")
async def list_served_models(unit: Annotated[Unit, reading(Permission.READ)], models: Models) -> ModelEntries:
    """Every model that answers: the bundled one, local ones, registered versions, finished runs."""
    return ModelEntries(data=[ModelEntry(id=name) for name in await models.list_names(unit)])


@router.post(
    "/chat/completions",
    response_model=ChatCompletion,
    responses={
        200: {
            "content": {"text/event-stream": {}},
            "description": "The answer, whole or (`stream: true`) as it grows.",
        },
    },
)
async def create_chat_completion(
    request: Request,
    body: ChatCompletionRequest,
    access: Annotated[Access, allow(Permission.INFER)],
    models: Models,
    runtime: Runtime,
    settings: Limits,
) -> Any:
    """Continue a conversation with the model of that name."""
    body.refuse_unsupported()
    asked = _generation(body, settings.runtime.max_tokens_limit)
    async with access.read() as unit:
        servable = await models.resolve(unit, body.model)
    head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": body.model}
    chunks = _chunks(runtime, servable, asked)
    if not body.stream:
        return await _whole(request, chunks, head, bool(body.logprobs))
    first = await anext(chunks)  # a model that cannot be loaded is refused with a status, not inside a stream
    with_usage = bool(body.stream_options and body.stream_options.include_usage)
    return EventStream(_events(first, chunks, head, with_usage), chunks)


@router.post(
    "/completions",
    response_model=Completion,
    responses={
        200: {
            "content": {"text/event-stream": {}},
            "description": "The continuation, whole or (`stream: true`) as it grows.",
        },
    },
)
async def create_completion(
    request: Request,
    body: CompletionRequest,
    access: Annotated[Access, allow(Permission.INFER)],
    models: Models,
    runtime: Runtime,
    settings: Limits,
) -> Any:
    """Continue a text with the model of that name, without its chat template."""
    body.refuse_unsupported()
    if body.stream and len(body.prompts) > 1:
        fault = {"location": "prompt", "message": "one text, when it is streamed", "value": None}
        raise FieldUnsupported("A stream continues one text.", hint="Send one request for each.", errors=[fault])
    limit = _allowed(body.max_tokens or DEFAULT_TOKENS, settings.runtime.max_tokens_limit)
    asked = [
        GenerateRequest(
            prompt=prompt,
            max_new_tokens=limit,
            temperature=1.0 if body.temperature is None else body.temperature,
            top_p=1.0 if body.top_p is None else body.top_p,
            seed=body.seed,
            stop=body.stops,
            logprobs=body.logprobs,
        )
        for prompt in body.prompts
    ]
    async with access.read() as unit:
        servable = await models.resolve(unit, body.model)
    head = {"id": f"cmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": body.model}
    if body.stream:
        chunks = _chunks(runtime, servable, asked[0])
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        return EventStream(_text_events(await anext(chunks), chunks, head, with_usage), chunks)
    choices, ends = [], []
    for index, one in enumerate(asked):
        made = await _read(request, _chunks(runtime, servable, one))
        if made is None:
            return Response(status_code=499)
        text, told, last = made
        logprobs = None if body.logprobs is None else TextLogprobs.model_validate(text_logprobs(told))
        reason = last.finish_reason or "length"
        choices.append(TextChoice(index=index, text=text, finish_reason=reason, logprobs=logprobs))
        ends.append(last)
    return Completion(**head, choices=choices, usage=_usage(ends))


async def _text_events(
    first: StreamChunk, chunks: AsyncGenerator[StreamChunk], head: dict[str, Any], with_usage: bool
) -> AsyncGenerator[bytes]:
    frame = {**head, "object": "text_completion"} | ({"usage": None} if with_usage else {})
    offset = 0

    def piece(chunk: StreamChunk) -> bytes:
        logprobs = text_logprobs(chunk.logprobs, offset) if chunk.logprobs else None
        choice = {"index": 0, "text": chunk.delta, "finish_reason": chunk.finish_reason, "logprobs": logprobs}
        return _event({**frame, "choices": [choice]})

    async with contextlib.aclosing(chunks):
        if first.delta or first.logprobs:
            yield piece(first)
            offset += len(first.delta)
        last = first
        try:
            async for chunk in chunks:
                last = chunk
                yield piece(chunk)
                offset += len(chunk.delta)
        except TunesmithError as error:
            yield _event({"error": _failed(error)})
            return
    if with_usage:
        yield _event({**frame, "choices": [], "usage": _usage([last]).model_dump()})
    yield b"data: [DONE]\n\n"


def _allowed(asked: int, limit: int) -> int:
    if asked > limit:
        fault = {"location": "max_tokens", "message": f"at most {limit}", "value": asked}
        raise TooManyTokens(f"{asked} tokens are asked for; at most {limit} are allowed.", errors=[fault])
    return asked


def _generation(body: ChatCompletionRequest, limit: int) -> GenerateRequest:
    asked = _allowed(body.max_completion_tokens or body.max_tokens or limit, limit)
    return GenerateRequest(
        messages=[message.plain() for message in body.messages],
        max_new_tokens=asked,
        temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        seed=body.seed,
        stop=body.stops,
        logprobs=(body.top_logprobs or 0) if body.logprobs else None,
    )


async def _chunks(runtime: RuntimeService, model: Servable, asked: GenerateRequest) -> AsyncGenerator[StreamChunk]:
    async with (
        runtime.session(model) as handle,
        contextlib.aclosing(handle.stream_chat(asked)) as stream,
    ):
        async for chunk in stream:
            yield chunk


async def _whole(
    request: Request, chunks: AsyncGenerator[StreamChunk], head: dict[str, Any], with_logprobs: bool
) -> Any:
    made = await _read(request, chunks)
    if made is None:
        return Response(status_code=499)
    text, told, last = made
    logprobs = ChoiceLogprobs.model_validate(chat_logprobs(told)) if with_logprobs else None
    choice = Choice(
        message=AnswerMessage(content=text), finish_reason=last.finish_reason or "length", logprobs=logprobs
    )
    return ChatCompletion(**head, choices=[choice], usage=_usage([last]))


async def _read(
    request: Request, chunks: AsyncGenerator[StreamChunk]
) -> tuple[str, list[TokenLogprob], StreamChunk] | None:
    """All of an answer: text, what is told of its tokens, and the last chunk; None when the client has gone."""
    text: list[str] = []
    told: list[TokenLogprob] = []
    last = StreamChunk()
    async with contextlib.aclosing(chunks):
        async for chunk in chunks:
            if await request.is_disconnected():
                return None
            text.append(chunk.delta)
            told += chunk.logprobs
            last = chunk
    return "".join(text), told, last


def _usage(ends: Sequence[StreamChunk]) -> Usage:
    read, wrote = sum(end.prompt_tokens for end in ends), sum(end.completion_tokens for end in ends)
    return Usage(prompt_tokens=read, completion_tokens=wrote, total_tokens=read + wrote)


async def _events(
    first: StreamChunk, chunks: AsyncGenerator[StreamChunk], head: dict[str, Any], with_usage: bool
) -> AsyncGenerator[bytes]:
    frame = {**head, "object": "chat.completion.chunk"}
    if with_usage:
        frame["usage"] = None
    yield _event({**frame, "choices": [_delta({"role": "assistant", "content": first.delta}, told=first.logprobs)]})
    last = first
    async with contextlib.aclosing(chunks):
        try:
            async for chunk in chunks:
                last = chunk
                if chunk.delta or chunk.logprobs:
                    yield _event({**frame, "choices": [_delta({"content": chunk.delta}, told=chunk.logprobs)]})
        except TunesmithError as error:
            yield _event({"error": _failed(error)})
            return
    yield _event({**frame, "choices": [_delta({}, last.finish_reason)]})
    if with_usage:
        yield _event({**frame, "choices": [], "usage": _usage([last]).model_dump()})
    yield b"data: [DONE]\n\n"


def _delta(
    delta: dict[str, Any], finish_reason: str | None = None, told: Sequence[TokenLogprob] = ()
) -> dict[str, Any]:
    logprobs = chat_logprobs(told) if told else None
    return {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": logprobs}


def _failed(error: TunesmithError) -> dict[str, Any]:
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    return {"message": f"{error.message} {error.hint}", "type": kind, "code": error.code, "param": None}


def _event(document: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"
