"""The inference surface: programs that speak OpenAI's API talk to any model here, base or tuned, by its name."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.types import Message, Receive

from tunesmith.db import Access, Unit
from tunesmith.domains.models import ModelNotFound
from tunesmith.domains.runtime import (
    Answered,
    GenerateRequest,
    ModelResolver,
    RuntimeService,
    Servable,
    StreamChunk,
)
from tunesmith.domains.serving.embedding_schemas import Embedding, EmbeddingList, EmbeddingRequest, EmbeddingUsage
from tunesmith.domains.serving.errors import FieldUnsupported, RequestTooLarge, TooManyTokens
from tunesmith.domains.serving.events import Head, chat_events, text_events, usage_of
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
)
from tunesmith.domains.serving.text_schemas import (
    DEFAULT_TOKENS,
    Completion,
    CompletionRequest,
    TextChoice,
    TextLogprobs,
)
from tunesmith.kit.principal import Permission
from tunesmith.kit.side_by_side import side_by_side
from tunesmith.kit.web import EventStream, allow, provide, reading, while_connected
from tunesmith.settings import Settings

LARGEST_BODY_BYTES = 16 * 2**20
AT_ONCE = 16
"""Prompts of one request that are answered side by side: a model's queue is for everybody."""


class LimitedRoute(APIRoute):
    """Reads no body beyond the limit, whatever its length header says."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The handler, behind the limit."""
        handle = super().get_route_handler()

        async def limited(request: Request) -> Response:
            length = request.headers.get("content-length", "0")
            if length.isdigit() and int(length) > LARGEST_BODY_BYTES:
                raise RequestTooLarge(f"The body has {length} bytes; at most {LARGEST_BODY_BYTES} are read.")
            body = _Counted(request.receive)
            try:
                return await handle(Request(request.scope, body.receive))
            except Exception as error:
                if body.is_too_large:  # whoever was reading has made another error of it
                    raise body.error() from error
                raise

        return limited


class _Counted:
    """A body that ends with an error where it becomes too large."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._seen = 0

    @property
    def is_too_large(self) -> bool:
        """Whether more came than is read."""
        return self._seen > LARGEST_BODY_BYTES

    def error(self) -> RequestTooLarge:
        """What is wrong then."""
        return RequestTooLarge(f"The body has more than {LARGEST_BODY_BYTES} bytes.")

    async def receive(self) -> Message:
        """The next message."""
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self.is_too_large:
            raise self.error()
        return message


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


@router.get("/models/{name:path}", name="get_served_model")
async def get_served_model(name: str, unit: Annotated[Unit, reading(Permission.READ)], models: Models) -> ModelEntry:
    """One of them."""
    if name not in await models.list_names(unit):
        raise ModelNotFound(f"No model is called {name[:200]!r}.", hint="GET /v1/models lists what answers.")
    return ModelEntry(id=name)


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
    servable = await _servable(access, models, body.model)
    head = Head(f"chatcmpl-{secrets.token_hex(12)}", int(time.time()), body.model)
    if body.stream:
        batches = _batches(runtime, servable, asked)
        first = await anext(batches)  # a model that cannot be loaded is refused with a status, not inside a stream
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        return EventStream(chat_events(first, batches, head, with_usage), batches)
    many = body.n or 1
    answering = (
        _answered(runtime, servable, asked) if many == 1 else _answered_all(runtime, servable, _varied(asked, many))
    )
    made = await while_connected(request, answering)
    if made is None:
        return Response(status_code=499)
    choices = [
        Choice(
            index=index,
            message=AnswerMessage(content=one.text),
            finish_reason=one.finish_reason,
            logprobs=ChoiceLogprobs.model_validate(chat_logprobs(one.logprobs)) if body.logprobs else None,
        )
        for index, one in enumerate(made)
    ]
    return _json(ChatCompletion(**head.fields, choices=choices, usage=usage_of(made, many)))


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
            is_whole=True,
            max_new_tokens=limit,
            temperature=1.0 if body.temperature is None else body.temperature,
            top_p=1.0 if body.top_p is None else body.top_p,
            seed=body.seed,
            stop=body.stops,
            logprobs=body.logprobs,
        )
        for prompt in body.prompts
    ]
    servable = await _servable(access, models, body.model)
    head = Head(f"cmpl-{secrets.token_hex(12)}", int(time.time()), body.model)
    if body.stream:
        batches = _batches(runtime, servable, asked[0])
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        return EventStream(text_events(await anext(batches), batches, head, with_usage), batches)
    asked = [one for prompt in asked for one in _varied(prompt, body.n or 1)]
    made = await while_connected(request, _answered_all(runtime, servable, asked))
    if made is None:
        return Response(status_code=499)
    choices = [
        TextChoice(index=index, text=one.text, finish_reason=one.finish_reason, logprobs=_told(one, body.logprobs))
        for index, one in enumerate(made)
    ]
    return _json(Completion(**head.fields, choices=choices, usage=usage_of(made, body.n or 1)))


def _told(made: Answered, asked: int | None) -> TextLogprobs | None:
    return None if asked is None else TextLogprobs.model_validate(text_logprobs(made.logprobs))


@router.post("/embeddings", response_model=EmbeddingList)
async def create_embeddings(
    request: Request,
    body: EmbeddingRequest,
    access: Annotated[Access, allow(Permission.INFER)],
    models: Models,
    runtime: Runtime,
) -> Any:
    """Texts as vectors of length one: pooled as the model's folder says, else the mean of its last hidden states."""
    body.refuse_unsupported()
    servable = await _servable(access, models, body.model)
    made = await while_connected(request, _embedded(runtime, servable, body.inputs))
    if made is None:
        return Response(status_code=499)
    vectors, tokens = made
    data = [Embedding.of(index, vector, body.encoding_format) for index, vector in enumerate(vectors)]
    usage = EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens)
    return _json(EmbeddingList(data=data, model=body.model, usage=usage))


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


async def _servable(access: Access, models: ModelResolver, name: str) -> Servable:
    if (elsewhere := models.find_elsewhere(name)) is not None:
        return elsewhere
    async with access.read() as unit:
        return await models.resolve(unit, name)


def _varied(asked: GenerateRequest, many: int) -> list[GenerateRequest]:
    """The same question ``many`` times; a seed is counted on, so that the answers differ and are the same every time."""
    if asked.seed is None:
        return [asked] * many
    return [asked.model_copy(update={"seed": asked.seed + at}) for at in range(many)]


async def _answered(runtime: RuntimeService, model: Servable, asked: GenerateRequest) -> list[Answered]:
    async with runtime.session(model) as handle:
        return [await handle.answer(asked)]


async def _answered_all(runtime: RuntimeService, model: Servable, asked: list[GenerateRequest]) -> list[Answered]:
    async with runtime.session(model) as handle:
        return await side_by_side(handle.answer, asked, AT_ONCE)


async def _embedded(runtime: RuntimeService, model: Servable, inputs: list[str | list[int]]) -> tuple[Any, int]:
    async with runtime.session(model) as handle:
        return await handle.embed(inputs)


async def _batches(
    runtime: RuntimeService, model: Servable, asked: GenerateRequest
) -> AsyncGenerator[list[StreamChunk]]:
    async with (
        runtime.session(model) as handle,
        contextlib.aclosing(handle.stream_batches(asked)) as batches,
    ):
        async for batch in batches:
            yield batch


def _json(answer: BaseModel) -> Response:
    """What FastAPI would make of ``answer``, without validating once more what has just been built."""
    return Response(answer.model_dump_json(), media_type="application/json")
