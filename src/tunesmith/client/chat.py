"""Conversations: the calls of `/chat/…`, and those of the control plane."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from tunesmith.client.errors import ApiError
from tunesmith.client.wire import Json

if TYPE_CHECKING:
    from tunesmith.client.api import TunesmithClient

CONVERSATIONS = "/conversations"
LOAD_SECONDS = 600


class ChatBench:
    """`/chat/…`: the current conversation of this person. Every method raises ApiError or Unreachable."""

    def __init__(self, client: TunesmithClient) -> None:
        self._client = client

    async def initialize(self, model: str | None = None, **fields: Any) -> Json:
        """Load a model (or a base with ``adapter=``) and begin a conversation with it."""
        body = fields | ({"model": model} if model else {})
        return await self._post("initialize", body)

    async def chat(self, message: str, **fields: Any) -> Json:
        """Say something; answers when the whole answer is there."""
        return await self._post("chat", fields | {"message": message})

    def stream(self, message: str, **fields: Any) -> AsyncIterator[Json]:
        """Say something; answers event by event."""
        return self._client.stream_events("/chat/chat", fields | {"message": message, "stream": True})

    async def generate(self, prompt: str, **fields: Any) -> Json:
        """Answer a prompt without history."""
        return await self._post("generate", fields | {"prompt": prompt})

    async def history(self, **query: Any) -> Json:
        """Turns, oldest first."""
        return await self._get("history", **query)

    async def summary(self, *, generate: bool = False) -> Json:
        """The conversation in short."""
        return await self._get("history/summary", generate=str(generate).lower())

    async def clear(self) -> Json:
        """Remove every turn."""
        return await self._post("history/clear", None)

    async def set_system_prompt(self, prompt: str | None) -> Json:
        """Change the system prompt."""
        return await self._post("system-prompt", {"system_prompt": prompt})

    async def system_prompt(self) -> Json:
        """The system prompt."""
        return await self._get("system-prompt")

    async def recommended_parameters(self, style: str = "balanced", *, apply: bool = False) -> Json:
        """Parameters of a style."""
        return await self._post("recommended-parameters", {"style": style, "apply": apply})

    async def token_statistics(self) -> Json:
        """Tokens, and how full the context is."""
        return await self._get("token-statistics")

    async def status(self) -> Json:
        """State of the conversation."""
        return await self._get("status")

    async def health(self) -> Json:
        """State of the runtime."""
        return await self._get("health")

    async def _get(self, path: str, **query: Any) -> Json:
        answer: Json = await self._client.call("GET", f"/chat/{path}", query=query, timeout_seconds=LOAD_SECONDS)
        return answer

    async def _post(self, path: str, body: Any) -> Json:
        answer: Json = await self._client.call("POST", f"/chat/{path}", body=body, timeout_seconds=LOAD_SECONDS)
        return answer


class Conversation:
    """One conversation of the control plane."""

    def __init__(self, client: TunesmithClient, conversation_id: int) -> None:
        self._client = client
        self.id = conversation_id

    @classmethod
    async def begin(cls, client: TunesmithClient, **fields: Any) -> Conversation:
        """A new one."""
        return cls(client, int((await client.post(CONVERSATIONS, fields))["id"]))

    async def answer(self, **fields: Any) -> AsyncIterator[Json]:
        """Say something (``message``), event by event; raises ApiError when the answer fails."""
        path = f"/api/v1/admin{CONVERSATIONS}/{self.id}/answers"
        async for event in self._client.stream_events(path, fields | {"stream": True}):
            if event["type"] == "error":
                raise ApiError(int(event["error"]["status"]), event["error"])
            yield event

    async def change(self, **fields: Any) -> Json:
        """Change title, system prompt, parameters or branch."""
        answer: Json = await self._client.call("PATCH", f"/api/v1/admin{CONVERSATIONS}/{self.id}", body=fields)
        return answer

    async def get(self) -> Json:
        """The conversation with its turns."""
        return await self._client.get(f"{CONVERSATIONS}/{self.id}")
