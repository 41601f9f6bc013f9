"""The current run of one person: the calls of `/train/…`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tunesmith.client.wire import Json

if TYPE_CHECKING:
    from tunesmith.client.api import TunesmithClient

OnEvent = Any


class TrainBench:
    """`/train/…`: configured, started, watched, kept and measured. Every method raises ApiError or Unreachable."""

    def __init__(self, client: TunesmithClient) -> None:
        self._client = client

    async def prepare(self, *, on_event: OnEvent = None, **body: Any) -> Json:
        """What would be trained, and what it would take."""
        return await self._settled("prepare", body, on_event)

    async def prepare_dataset(self, *, on_event: OnEvent = None, **body: Any) -> Json:
        """The current dataset token by token, and which tokens carry loss."""
        return await self._settled("prepare-dataset", body, on_event)

    async def config_lora(self, **body: Any) -> Json:
        """Train a LoRA adapter next."""
        return await self._post("config-lora", body)

    async def config_qlora(self, **body: Any) -> Json:
        """Train a LoRA adapter beside a model in four bits next."""
        return await self._post("config-qlora", body)

    async def config_training_args(self, **body: Any) -> Json:
        """How long, how fast and in what portions."""
        return await self._post("config-training-args", body)

    async def recommend_parameters(self, *, on_event: OnEvent = None, **body: Any) -> Json:
        """A full configuration with a reason for each value."""
        return await self._settled("recommend-parameters", body, on_event)

    async def start(self, **body: Any) -> Json:
        """Queue a run; 409 while one of yours goes on, unless ``queue=True``."""
        return await self._post("start", body)

    async def status(self) -> Json:
        """The run that was started last, as it is now."""
        answer: Json = await self._client.call("GET", "/train/status")
        return answer

    async def history(self, **query: Any) -> Json:
        """Your runs with their curves."""
        answer: Json = await self._client.call("GET", "/train/history", query=query)
        return answer

    async def save(self, *, on_event: OnEvent = None, **body: Any) -> Json:
        """Keep the adapter, or the base with it merged in."""
        return await self._settled("save", body, on_event)

    async def evaluate(self, *, on_event: OnEvent = None, **body: Any) -> Json:
        """Loss and perplexity on held-out rows, beside the base."""
        return await self._settled("evaluate", body, on_event)

    async def health(self) -> Json:
        """Whether training is possible, and what is going on."""
        answer: Json = await self._client.call("GET", "/train/health")
        return answer

    async def _post(self, path: str, body: Json, **query: Any) -> Json:
        answer: Json = await self._client.call("POST", f"/train/{path}", body=body, query=query, timeout_seconds=600)
        return answer

    async def _settled(self, path: str, body: Json, on_event: OnEvent) -> Json:
        return await self._client.settled(await self._post(path, body, wait=0), on_event)
