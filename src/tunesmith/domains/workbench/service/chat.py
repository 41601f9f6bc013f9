"""The current conversation of one person."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import anyio

from tunesmith.db import Access, Unit
from tunesmith.domains.chat import (
    STYLES,
    Answerer,
    Ask,
    ChatEvent,
    ChatNotInitialized,
    ConversationCreate,
    ConversationDetail,
    ConversationNotFound,
    ConversationService,
    ConversationUpdate,
    Sampling,
    Turn,
    recommended,
)
from tunesmith.domains.models import ModelStore
from tunesmith.domains.runtime import RuntimeService, Servable
from tunesmith.domains.workbench import repository
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
    SystemPromptResponse,
    TokenStatisticsResponse,
)
from tunesmith.kit.errors import InvalidInput
from tunesmith.kit.paging import PageRequest
from tunesmith.settings import Settings

SHOWN_CHARACTERS = 200


class ChatBench:
    """The current conversation: which one it is stands in the database, so it survives a restart."""

    def __init__(
        self,
        *,
        settings: Settings,
        conversations: ConversationService,
        answers: Answerer,
        runtime: RuntimeService,
        models: ModelStore,
    ) -> None:
        self._limits = settings.runtime
        self._conversations = conversations
        self._answers = answers
        self._runtime = runtime
        self._models = models

    async def initialize(self, access: Access, body: ChatInitializeRequest) -> ChatInitializeResponse:
        """Load the model and begin a conversation with it. Raises what the resolver and the runtime raise."""
        async with access.read() as unit:
            reference = body.model or await self._current_model(unit)
            if reference is None:
                raise ChatNotInitialized("No model was named, and no model is loaded.")
            model = await self._answers.resolve(unit, reference, body.adapter)
        cached = self._runtime.find_loaded(model) is not None
        loaded = await self._runtime.load(model)
        begun = ConversationCreate(
            model=reference,
            adapter=body.adapter,
            system_prompt=body.system_prompt,
            parameters=body.parameters,
            overflow=body.overflow,
        )
        async with access.write("chat.initialize", resource=f"model:{reference}") as unit:
            made = await self._conversations.create(unit, begun)
            row = await repository.get_or_add_state(unit)
            row.conversation_id = made.id
        return ChatInitializeResponse(
            conversation_id=made.id,
            model=reference,
            adapter=body.adapter,
            system_prompt=made.system_prompt,
            cached=cached,
            runtime=loaded,
        )

    async def chat(self, access: Access, body: ChatRequest) -> AsyncGenerator[ChatEvent]:
        """Answer in the current conversation."""
        async with access.write("chat.ask") as unit:
            conversation_id = await self._ready(unit, body.conversation_id)
        ask = Ask.model_validate(body.given() | {"message": body.message})
        async for event in self._answers.converse(access, conversation_id, ask):
            yield event

    async def generate(self, access: Access, body: ChatGenerateRequest) -> AsyncGenerator[ChatEvent]:
        """Answer a prompt with the conversation's model, and without its history."""
        if not body.prompt.strip():
            fault = {"location": "body.prompt", "message": "empty", "value": body.prompt[:20]}
            raise InvalidInput("The prompt is empty.", errors=[fault])
        async with access.read() as unit:
            found = await self._find(unit)
            reference = (found.model if found else None) or await self._current_model(unit)
            if reference is None:
                raise ChatNotInitialized("No model has been chosen.")
            model = await self._answers.resolve(unit, reference, found.adapter if found else None)
        kept = found.system_prompt if found else None
        system = kept if body.system_prompt is None else body.system_prompt or None
        async for event in self._answers.generate(model, body.prompt, system_prompt=system, sampling=body.given()):
            yield event

    async def history(self, unit: Unit, page: PageRequest) -> ChatHistoryResponse:
        """A page of the current branch, oldest first."""
        found = await self._find(unit)
        turns = _path(found)
        return ChatHistoryResponse(
            items=turns[page.offset : page.offset + page.page_size],
            total=len(turns),
            page=page.page,
            page_size=page.page_size,
            conversation_id=found.id if found else None,
            model=found.model if found else None,
            system_prompt=found.system_prompt if found else None,
        )

    async def summary(self, access: Access, *, generate: bool) -> ChatSummaryResponse:
        """The current conversation in short; in the model's own words when that is asked for."""
        async with access.read() as unit:
            found = await self._find(unit)
        turns = _path(found)
        told = None
        if generate and found is not None and any(turn.role == "assistant" and turn.content for turn in turns):
            told = await self._answers.summary(access, found.id)
        asked = [turn for turn in turns if turn.role == "user"]
        return ChatSummaryResponse(
            conversation_id=found.id if found else None,
            model=found.model if found else None,
            turns=len(turns),
            user_turns=len(asked),
            assistant_turns=len(turns) - len(asked),
            characters=sum(len(turn.content) for turn in turns),
            total_tokens=sum(turn.completion_tokens or 0 for turn in turns),
            first_message=asked[0].content[:SHOWN_CHARACTERS] if asked else None,
            last_message=turns[-1].content[:SHOWN_CHARACTERS] if turns else None,
            started_at=turns[0].created_at if turns else None,
            last_at=turns[-1].created_at if turns else None,
            summary=told,
        )

    async def clear(self, unit: Unit) -> ChatClearResponse:
        """Remove every turn of the current conversation; model, system prompt and parameters stay."""
        found = await self._find(unit)
        removed = await self._conversations.clear(unit, found.id) if found else 0
        said = f"{removed} turns were removed." if removed else "There was nothing to remove."
        return ChatClearResponse(
            cleared=removed > 0, removed_turns=removed, conversation_id=found.id if found else None, message=said
        )

    async def set_system_prompt(self, unit: Unit, prompt: str | None) -> SystemPromptResponse:
        """Change it for what is asked from now on; a conversation is begun if there is none."""
        conversation_id = await self._current_id(unit, begin=True)
        changed = await self._conversations.update(
            unit, conversation_id or 0, ConversationUpdate(system_prompt=prompt or None)
        )
        return SystemPromptResponse(system_prompt=changed.system_prompt, conversation_id=changed.id)

    async def system_prompt(self, unit: Unit) -> SystemPromptResponse:
        """What the model is told before the first question."""
        found = await self._find(unit)
        return SystemPromptResponse(
            system_prompt=found.system_prompt if found else None, conversation_id=found.id if found else None
        )

    async def parameters(self, access: Access, body: ParametersRequest) -> ParametersResponse:
        """Parameters of a style, for the context of the current model."""
        async with access.read() as unit:
            found = await self._find(unit)
            context = await self._context(unit, found)
        chosen = recommended(body.style, context)
        values = {"temperature": chosen.temperature, "top_p": chosen.top_p, "max_tokens": chosen.max_tokens}
        if body.apply:
            async with access.write("chat.parameters") as unit:
                conversation_id = await self._current_id(unit, begin=True)
                change = ConversationUpdate(parameters=Sampling(style=body.style, **values))
                await self._conversations.update(unit, conversation_id or 0, change)
        return ParametersResponse(
            style=body.style,
            parameters=values,
            reason=chosen.reason,
            context_length=context,
            applied=body.apply,
            alternatives=[recommended(style, context) for style in STYLES if style is not body.style],
        )

    async def token_statistics(self, unit: Unit) -> TokenStatisticsResponse:
        """Tokens that the current branch read, wrote, and takes of the context."""
        found = await self._find(unit)
        turns = _path(found)
        counted = [turn for turn in turns if turn.completion_tokens is not None]
        read = sum(turn.prompt_tokens or 0 for turn in counted)
        wrote = sum(turn.completion_tokens or 0 for turn in counted)
        seconds = sum(turn.seconds or 0.0 for turn in counted)
        last = counted[-1] if counted else None
        context = await self._context(unit, found)
        used = (last.prompt_tokens or 0) + (last.completion_tokens or 0) if last else 0
        return TokenStatisticsResponse(
            conversation_id=found.id if found else None,
            turns=len(turns),
            answers=len(counted),
            prompt_tokens=read,
            completion_tokens=wrote,
            total_tokens=read + wrote,
            average_completion_tokens=round(wrote / len(counted), 2) if counted else None,
            tokens_per_second=round(wrote / seconds, 2) if seconds else None,
            context_length=context,
            context_used=used,
            context_remaining=max(0, context - used) if context else None,
            context_share=round(min(1.0, used / context), 4) if context else None,
            dropped_turns=(last.dropped_turns or 0) if last else 0,
        )

    async def status(self, unit: Unit) -> ChatStatusResponse:
        """Whether there is a conversation, with what, and whether its model is loaded."""
        found = await self._find(unit)
        model = await self._servable(unit, found)
        loaded = self._runtime.find_loaded(model) if model else None
        answering = found is not None and found.id in self._conversations.answering
        chosen = found is not None and found.model is not None
        return ChatStatusResponse(
            initialized=chosen,
            status="answering" if answering else "ready" if loaded else "unloaded" if chosen else "not-initialized",
            conversation_id=found.id if found else None,
            model=found.model if found else None,
            adapter=found.adapter if found else None,
            model_loaded=loaded is not None,
            turns=len(_path(found)),
            has_system_prompt=bool(found and found.system_prompt),
            parameters=found.parameters if found else {},
            overflow=found.overflow if found else None,
            runtime=loaded,
        )

    async def health(self) -> ChatHealthResponse:
        """State of the runtime."""
        loaded = self._runtime.list_loaded()
        return ChatHealthResponse(
            status="ready" if loaded else "idle",
            device=await anyio.to_thread.run_sync(self._models.device),
            loaded=loaded,
            active_requests=sum(model.active_requests for model in loaded),
            max_loaded_models=self._limits.max_loaded_models,
            idle_unload_seconds=self._limits.idle_unload_seconds,
        )

    async def _find(self, unit: Unit) -> ConversationDetail | None:
        conversation_id = await self._current_id(unit)
        return None if conversation_id is None else await self._conversations.get(unit, conversation_id)

    async def _current_id(self, unit: Unit, *, begin: bool = False) -> int | None:
        """The current conversation, begun now when that is wanted."""
        row = await repository.get_or_add_state(unit) if begin else await repository.find_state(unit)
        if row is not None and row.conversation_id is not None:
            try:
                return (await self._conversations.get_row(unit, row.conversation_id)).id
            except ConversationNotFound:
                row.conversation_id = None
        if not begin or row is None:
            return None
        made = await self._conversations.create(unit, ConversationCreate(model=await self._current_model(unit)))
        row.conversation_id = made.id
        return made.id

    async def _ready(self, unit: Unit, wanted: int | None) -> int:
        """The conversation to answer in; the current model answers when none was chosen."""
        if wanted is not None:
            row = await self._conversations.get_row(unit, wanted)
            state = await repository.get_or_add_state(unit)
            state.conversation_id = row.id
        else:
            found = await self._current_id(unit, begin=await self._current_model(unit) is not None)
            if found is None:
                raise ChatNotInitialized("No model has been chosen.")
            row = await self._conversations.get_row(unit, found)
        if row.model is None:
            row.model = await self._current_model(unit)
        if row.model is None:
            raise ChatNotInitialized("No model has been chosen.")
        return row.id

    async def _current_model(self, unit: Unit) -> str | None:
        row = await repository.find_state(unit)
        return row.model_id if row else None

    async def _servable(self, unit: Unit, found: ConversationDetail | None) -> Servable | None:
        if found is None or found.model is None:
            return None
        return await self._answers.find_servable(unit, found.model, found.adapter)

    async def _context(self, unit: Unit, found: ConversationDetail | None) -> int | None:
        """The context of the current model: of the loaded one, or as the last answer saw it."""
        model = await self._servable(unit, found)
        if model and (loaded := self._runtime.find_loaded(model)):
            return loaded.context_length
        return next((turn.context_length for turn in reversed(_path(found)) if turn.context_length), None)


def _path(found: ConversationDetail | None) -> list[Turn]:
    if found is None:
        return []
    by_id = {turn.id: turn for turn in found.turns}
    return [by_id[turn_id] for turn_id in found.path]
