"""Answer in a conversation: fit it to the model, write the turns, let the answer grow, keep what came however it ends."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import anyio

from tunesmith.db import Access, Unit
from tunesmith.domains.chat import repository
from tunesmith.domains.chat.answers import Ask, ChatAnswer, ChatEvent, TokenUsage
from tunesmith.domains.chat.branches import exchanges_of, path_to
from tunesmith.domains.chat.errors import ChatNotInitialized, ConversationBusy
from tunesmith.domains.chat.fitting import Fitted, fit
from tunesmith.domains.chat.growing import Writing
from tunesmith.domains.chat.placing import Place, place_of, title_of
from tunesmith.domains.chat.reasoning import ReasoningSplitter
from tunesmith.domains.chat.service import ConversationService
from tunesmith.domains.chat.styles import StyleName, recommended
from tunesmith.domains.chat.summarising import summarise
from tunesmith.domains.chat.tables import ConversationRow, TurnRow
from tunesmith.domains.runtime import (
    GenerateRequest,
    ModelResolver,
    RuntimeHandle,
    RuntimeService,
    Servable,
    StreamChunk,
)
from tunesmith.domains.serving import TooManyTokens
from tunesmith.kit.clock import utc_now
from tunesmith.kit.errors import TunesmithError
from tunesmith.settings import Settings

KEEP_SECONDS = 2.0
"""How often a growing answer is written down: that much of it can be lost when the server is killed."""


@dataclass(frozen=True)
class _Planned:
    """Everything that is known before the model is asked."""

    row: ConversationRow
    model: Servable
    place: Place
    sampling: dict[str, Any]


class Answerer:
    """The way from a message to an answer, with history or without."""

    def __init__(
        self,
        *,
        settings: Settings,
        conversations: ConversationService,
        runtime: RuntimeService,
        resolver: ModelResolver,
    ) -> None:
        self._settings = settings
        self._conversations = conversations
        self._runtime = runtime
        self._resolver = resolver

    async def resolve(self, unit: Unit, model: str, adapter: str | None) -> Servable:
        """What a conversation's model and adapter name."""
        if adapter is None:
            return await self._resolver.resolve(unit, model)
        return await self._resolver.resolve_pair(unit, model, adapter)

    async def find_servable(self, unit: Unit, model: str, adapter: str | None) -> Servable | None:
        """What a conversation's model and adapter name, as far as it is still there."""
        try:
            return await self.resolve(unit, model, adapter)
        except TunesmithError:
            return None

    async def summary(self, access: Access, conversation_id: int) -> str:
        """The current branch in the model's own words."""
        async with access.read() as unit:
            row = await self._conversations.get_row(unit, conversation_id)
            if row.model is None:
                raise ChatNotInitialized(f"The conversation {conversation_id} has no model.")
            turns = await repository.list_turns(unit, conversation_id)
            model = await self.resolve(unit, row.model, row.adapter)
        async with self._runtime.session(model) as handle:
            return await summarise(handle, exchanges_of(path_to(turns, row.current_turn_id)))

    async def converse(self, access: Access, conversation_id: int, ask: Ask) -> AsyncGenerator[ChatEvent]:
        """Answer in a conversation. What is refused is refused before the first event, and leaves nothing behind.

        Closing it stops the model; what had come is kept and marked.
        """
        async with access.read() as unit:
            planned = await self._plan(unit, conversation_id, ask)
        live = self._conversations.answering
        if conversation_id in live:
            raise ConversationBusy(f"An answer is being written in the conversation {conversation_id}.")
        live.add(conversation_id)
        try:
            async with self._runtime.session(planned.model) as handle:
                fitted = await self._fit(access, handle, planned)
                question_id, turn_id = await self._begin(access, planned, fitted)
                writing = Writing(ReasoningSplitter(fitted.count.opens_reasoning))
                status, failure = "stopped", None  # unless it comes to its end
                try:
                    yield ChatEvent(
                        type="start",
                        conversation_id=conversation_id,
                        user_turn_id=question_id,
                        turn_id=turn_id,
                        model=planned.row.model,
                        context=fitted.use(),
                    )
                    async with contextlib.aclosing(self._pieces(handle, fitted, planned.sampling, writing)) as events:
                        async for event in events:
                            yield event
                            await self._keep_some(access, conversation_id, turn_id, writing)
                    status = "complete"
                except TunesmithError as error:
                    status, failure = "failed", error
                    raise
                finally:
                    with anyio.CancelScope(shield=True):  # also when the client has gone: what came is kept
                        await self._end(access, conversation_id, turn_id, writing, status, failure)
                answer = self._answer(planned, fitted, writing, (question_id, turn_id))
                live.discard(conversation_id)  # who sees the end may ask again
                yield ChatEvent(type="end", answer=answer)
        finally:
            live.discard(conversation_id)

    async def generate(
        self, model: Servable, prompt: str, *, system_prompt: str | None, sampling: dict[str, Any]
    ) -> AsyncGenerator[ChatEvent]:
        """Answer a prompt without any history."""
        async with self._runtime.session(model) as handle:
            parameters = self.parameters(sampling, handle.context_length)
            fitted = await fit(
                handle,
                system_prompt=system_prompt,
                exchanges=[],
                message=prompt,
                max_tokens=parameters["max_tokens"],
            )
            writing = Writing(ReasoningSplitter(fitted.count.opens_reasoning))
            yield ChatEvent(type="start", model=model.name, context=fitted.use())
            async with contextlib.aclosing(self._pieces(handle, fitted, sampling, writing)) as events:
                async for event in events:
                    yield event
            row = ConversationRow(model=model.name)
            planned = _Planned(row, model, Place(prompt, None, None, ()), sampling)
            yield ChatEvent(type="end", answer=self._answer(planned, fitted, writing, (None, None)))

    def parameters(self, sampling: dict[str, Any], context_length: int | None) -> dict[str, Any]:
        """Every parameter of an answer: what was said, then the style's. Raises ``TooManyTokens``."""
        style = recommended(StyleName(sampling.get("style") or StyleName.BALANCED), context_length)
        limit = self._settings.runtime.max_tokens_limit
        chosen: dict[str, Any] = {
            "temperature": style.temperature,
            "top_p": style.top_p,
            "max_tokens": min(style.max_tokens, limit),
            "seed": None,
            "stop": [],
        }
        chosen |= {name: value for name, value in sampling.items() if name != "style"}
        if chosen["max_tokens"] > limit:
            fault = {"location": "body.max_tokens", "message": f"at most {limit}", "value": chosen["max_tokens"]}
            raise TooManyTokens(
                f"{chosen['max_tokens']} tokens are asked for; at most {limit} are allowed.", errors=[fault]
            )
        return chosen

    async def _plan(self, unit: Unit, conversation_id: int, ask: Ask) -> _Planned:
        row = await self._conversations.get_row(unit, conversation_id)
        if row.model is None:
            raise ChatNotInitialized(f"The conversation {conversation_id} has no model.")
        turns = await repository.list_turns(unit, conversation_id)
        place = place_of(row, turns, ask)
        model = await self.resolve(unit, row.model, row.adapter)
        sampling = {**row.parameters, **ask.given()}
        if ask.style is not None:  # a style that is named now goes before what the conversation was given earlier
            sampling = {"seed": row.parameters.get("seed"), "stop": row.parameters.get("stop") or [], **ask.given()}
        self.parameters(sampling, None)
        return _Planned(row, model, place, sampling)

    async def _fit(self, access: Access, handle: RuntimeHandle, planned: _Planned) -> Fitted:
        row, place = planned.row, planned.place
        max_tokens = self.parameters(planned.sampling, handle.context_length)["max_tokens"]

        async def attempt(summary: str | None) -> Fitted:
            return await fit(
                handle,
                system_prompt=row.system_prompt,
                exchanges=place.before,
                message=place.message,
                max_tokens=max_tokens,
                summary=summary,
            )

        fitted = await attempt(row.summary if row.overflow == "summarise" else None)
        if row.overflow != "summarise" or not fitted.dropped:
            return fitted
        last = fitted.dropped[-1].answer.id
        if row.summary is None or (row.summary_turn_id or 0) < last:
            summary = await summarise(handle, fitted.dropped)
            async with access.write("conversation.summarise", resource=f"conversation:{row.id}") as unit:
                kept = await self._conversations.get_row(unit, row.id)
                kept.summary, kept.summary_turn_id = summary, last
            fitted = await attempt(summary)
        return fitted

    async def _begin(self, access: Access, planned: _Planned, fitted: Fitted) -> tuple[int, int]:
        async with access.write("conversation.ask", resource=f"conversation:{planned.row.id}") as unit:
            row = await self._conversations.get_row(unit, planned.row.id)
            question_id = planned.place.question_id
            if question_id is None:
                question = TurnRow(
                    conversation_id=row.id,
                    parent_id=planned.place.parent_id,
                    role="user",
                    content=planned.place.message,
                    status="complete",
                )
                unit.session.add(question)
                await unit.session.flush()
                question_id = question.id
            answer = TurnRow(
                conversation_id=row.id,
                parent_id=question_id,
                role="assistant",
                content="",
                status="answering",
                model=row.model,
                parameters=self.parameters(planned.sampling, fitted.context_length),
                prompt_tokens=fitted.count.prompt_tokens,
                context_length=fitted.context_length,
                dropped_turns=2 * len(fitted.dropped),
            )
            unit.session.add(answer)
            await unit.session.flush()
            row.current_turn_id = answer.id
            row.title = row.title or title_of(planned.place.message)
            row.updated_at = utc_now()
            return question_id, answer.id

    async def _pieces(
        self, handle: RuntimeHandle, fitted: Fitted, sampling: dict[str, Any], writing: Writing
    ) -> AsyncGenerator[ChatEvent]:
        parameters = self.parameters(sampling, fitted.context_length)
        request = GenerateRequest(
            messages=fitted.messages,
            max_new_tokens=parameters["max_tokens"],
            temperature=parameters["temperature"],
            top_p=parameters["top_p"],
            seed=parameters["seed"],
            stop=parameters["stop"],
        )
        async with contextlib.aclosing(handle.stream_chat(request)) as chunks:
            async for chunk in chunks:
                for event in writing.take(chunk):
                    yield event

    async def _keep_some(self, access: Access, conversation_id: int, turn_id: int, writing: Writing) -> None:
        if time.monotonic() - writing.kept_at < KEEP_SECONDS:
            return
        writing.kept_at = time.monotonic()
        async with access.write("conversation.answer", resource=f"conversation:{conversation_id}") as unit:
            if (turn := await repository.find_turn(unit, conversation_id, turn_id)) is not None:
                turn.content, turn.reasoning = writing.text, writing.reasoning or None

    async def _end(
        self,
        access: Access,
        conversation_id: int,
        turn_id: int,
        writing: Writing,
        status: str,
        failure: TunesmithError | None,
    ) -> None:
        if status != "complete":
            writing.take(StreamChunk(finish_reason="stop"))  # what the splitter held back is part of what came
        async with access.write("conversation.answer", resource=f"conversation:{conversation_id}") as unit:
            turn = await repository.find_turn(unit, conversation_id, turn_id)
            if turn is None:
                return
            turn.content, turn.reasoning = writing.text, writing.reasoning or None
            turn.status, turn.seconds = status, round(writing.seconds, 3)
            if status == "complete":
                turn.finish_reason = writing.last.finish_reason
                turn.completion_tokens = writing.last.completion_tokens
            if failure is not None:
                turn.error = failure.problem()

    def _answer(
        self, planned: _Planned, fitted: Fitted, writing: Writing, turns: tuple[int | None, int | None]
    ) -> ChatAnswer:
        last = writing.last
        read, wrote = last.prompt_tokens or fitted.count.prompt_tokens, last.completion_tokens
        seconds = writing.seconds
        return ChatAnswer(
            conversation_id=planned.row.id,
            user_turn_id=turns[0],
            turn_id=turns[1],
            model=planned.row.model or planned.model.name,
            response=writing.text,
            reasoning=writing.reasoning or None,
            status="complete",
            finish_reason=last.finish_reason,
            usage=TokenUsage(prompt_tokens=read, completion_tokens=wrote, total_tokens=read + wrote),
            context=fitted.use(),
            parameters=self.parameters(planned.sampling, fitted.context_length),
            seconds=round(seconds, 3),
            tokens_per_second=round(wrote / seconds, 2) if seconds > 0 else None,
        )
