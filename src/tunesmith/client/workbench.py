"""The current dataset of one person: the calls of `/dataset/…`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.client.parts import FORM_LIMIT_BYTES, send_in_parts
from tunesmith.client.wire import Json

if TYPE_CHECKING:
    from tunesmith.client.api import TunesmithClient

OnEvent = Any
LONGEST_UPLOAD_SECONDS = 3600
VIEWS = ("statistics", "missing-values", "value-distribution", "correlation", "summary")


class DatasetBench:
    """`/dataset/…`: what is uploaded here is the current dataset. Every method raises ApiError or Unreachable."""

    def __init__(self, client: TunesmithClient) -> None:
        self._client = client

    async def upload(self, path: Path, *, name: str | None = None, wait: float = 30, **fields: str) -> Json:
        """Upload a file and make it the current dataset; a large one goes in parts."""
        data = fields | ({"name": name} if name else {})
        if path.stat().st_size > FORM_LIMIT_BYTES:
            body = data | {"upload_id": await send_in_parts(self._client, path)}
            made: Json = await self._client.call("POST", "/dataset/upload", body=body, query={"wait": wait})
            return made
        with path.open("rb") as file:
            answer: Json = await self._client.call(
                "POST",
                "/dataset/upload",
                files={"file": (path.name, file)},
                data=data,
                query={"wait": wait},
                timeout_seconds=LONGEST_UPLOAD_SECONDS,
            )
        return answer

    async def info(self) -> Json:
        """Columns, types, rows, bytes, format, encoding."""
        return await self._get("info")

    async def preview(self, *, offset: int = 0, limit: int = 10) -> Json:
        """Rows."""
        return await self._get("preview", offset=offset, limit=limit)

    async def explore(self, view: str = "summary", *, on_event: OnEvent = None, **query: Any) -> Json:
        """One of ``VIEWS``."""
        return await self._client.settled(await self._get(f"eda/{view}", wait=0, **query), on_event)

    async def analyze_tokens(self, *, on_event: OnEvent = None, **body: Any) -> Json:
        """Tokens with the current (or a named) model's tokenizer."""
        return await self._post("analyze-tokens", body, on_event)

    async def split(self, *, on_event: OnEvent = None, **body: Any) -> Json:
        """Train, validation and test parts."""
        return await self._post("split", body, on_event)

    async def clean(self, *, on_event: OnEvent = None, **body: Any) -> Json:
        """Clean it into its next version; with ``preview=True`` only say what would be done."""
        return await self._post("clean", body, on_event)

    async def save(self, *, on_event: OnEvent = None, **body: Any) -> Json:
        """Save it as jsonl, csv, parquet or hf, to a path of the server's machine or to be downloaded."""
        return await self._post("save", body, on_event)

    async def reset(self) -> Json:
        """Back to the upload as it was."""
        answer: Json = await self._client.call("POST", "/dataset/reset")
        return answer

    async def health(self) -> Json:
        """State of the current dataset."""
        return await self._get("health")

    async def _get(self, path: str, **query: Any) -> Json:
        answer: Json = await self._client.call("GET", f"/dataset/{path}", query=query)
        return answer

    async def _post(self, path: str, body: Mapping[str, Any], on_event: OnEvent) -> Json:
        answer = await self._client.call("POST", f"/dataset/{path}", body=body, query={"wait": 0})
        return await self._client.settled(answer, on_event)
