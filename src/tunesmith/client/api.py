"""The calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from tunesmith.client.chat import ChatBench
from tunesmith.client.errors import ApiError, Unreachable
from tunesmith.client.live import watch_job
from tunesmith.client.parts import FORM_LIMIT_BYTES, send_in_parts
from tunesmith.client.training import TrainBench
from tunesmith.client.wire import Json, decoded, saved, server_sent
from tunesmith.client.workbench import DatasetBench
from tunesmith.kit.paths import atomic_file

ADMIN = "/api/v1/admin"
FINAL_STATES = frozenset({"succeeded", "failed", "cancelled", "stopped"})
ACCEPTED = {"job_id", "status", "links"}
DOWNLOAD_TRIES = 5
OnEvent = Callable[[str, Json], None]


class TunesmithClient:
    """One server, reached through ``http``. Every method raises ApiError or Unreachable."""

    def __init__(self, http: httpx.AsyncClient, address: str) -> None:
        self._http = http
        self.address = address

    @classmethod
    def connect(cls, address: str) -> Self:
        """A client of the server at ``address``."""
        return cls(httpx.AsyncClient(base_url=address, timeout=httpx.Timeout(120, connect=5)), address)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        files: Any = None,
        data: Mapping[str, Any] | None = None,
        content: Any = None,
        timeout_seconds: float = 120,
    ) -> Any:
        """One call; answers the decoded JSON."""
        params = {k: v for k, v in (query or {}).items() if v is not None}
        try:
            response = await self._http.request(
                method,
                path,
                json=body,
                params=params,
                files=files,
                data=data,
                content=content,
                timeout=timeout_seconds,
            )
        except httpx.TransportError as error:
            raise Unreachable(self.address, str(error) or type(error).__name__) from error
        return decoded(response)

    async def get(self, path: str, **query: Any) -> Json:
        """GET below the control plane's prefix."""
        answer: Json = await self.call("GET", ADMIN + path, query=query)
        return answer

    async def post(self, path: str, body: Any = None, **query: Any) -> Json:
        """POST below the control plane's prefix."""
        answer: Json = await self.call("POST", ADMIN + path, body=body, query=query, timeout_seconds=600)
        return answer

    # datasets

    async def upload_dataset(
        self,
        path: Path,
        *,
        name: str,
        version: str | None = None,
        format: str | None = None,
        column_mapping: Mapping[str, str] | None = None,
        on_event: OnEvent | None = None,
    ) -> Json:
        """Upload a file as a new dataset version; its validation runs as a job (``job_id``).

        A large file goes in parts, which survive a break of the connection and a restart of the server.
        """
        fields: Json = {"name": name}
        fields |= {key: value for key, value in (("version", version), ("format", format)) if value}
        if path.stat().st_size > FORM_LIMIT_BYTES:
            return await self._upload_in_parts(path, fields, column_mapping, on_event)
        form = fields | ({"column_mapping": json.dumps(column_mapping)} if column_mapping else {})
        try:
            with path.open("rb") as file:
                files = {"file": (path.name, file)}
                answer: Json = await self.call(
                    "POST", f"{ADMIN}/training/datasets", files=files, data=form, timeout_seconds=3600
                )
            return answer
        except ApiError as error:
            if error.status != 413:
                raise
        return await self._upload_in_parts(path, fields, column_mapping, on_event)

    async def _upload_in_parts(
        self, path: Path, fields: Json, column_mapping: Mapping[str, str] | None, on_event: OnEvent | None
    ) -> Json:
        upload_id = await send_in_parts(self, path, on_event)
        body = fields | {"upload_id": upload_id} | ({"column_mapping": column_mapping} if column_mapping else {})
        return await self.post("/training/datasets", body)

    async def download_dataset(
        self, dataset_id: int, format: str, target: Path, on_event: OnEvent | None = None
    ) -> int:
        """Write the dataset to ``target``, whole or not at all; answers how many bytes. A job may have to make the file first."""
        path, params = f"{ADMIN}/training/datasets/{dataset_id}/download", {"format": format, "wait": "0"}
        while True:
            try:
                async with self._http.stream("GET", path, params=params, timeout=None) as response:
                    if response.status_code == 200:
                        return await saved(response, target)
                    await response.aread()
                    accepted: Json = decoded(response)
            except httpx.TransportError as error:
                raise Unreachable(self.address, str(error) or type(error).__name__) from error
            job_result(await self.wait_for_job(int(accepted["job_id"]), on_event))

    async def list_findings(self, dataset_id: int) -> list[Json]:
        """All of the doctor's findings."""
        return await self.all_pages(f"/training/datasets/{dataset_id}/findings")

    async def explore(
        self, dataset_id: int, view: str = "summary", *, on_event: OnEvent | None = None, **query: Any
    ) -> Json:
        """Statistics, missing-values, value-distribution, correlation, or the summary of all with warnings."""
        answer = await self.get(f"/training/datasets/{dataset_id}/eda/{view}", wait=0, **query)
        return await self.settled(answer, on_event)

    async def analyze_tokens(self, dataset_id: int, *, on_event: OnEvent | None = None, **body: Any) -> Json:
        """Tokens with a model's tokenizer: percentiles, truncation, packing, steps and cost."""
        return await self.answer(f"/training/datasets/{dataset_id}/analyze-tokens", body, on_event)

    @property
    def dataset(self) -> DatasetBench:
        """The current dataset of this person."""
        return DatasetBench(self)

    @property
    def train(self) -> TrainBench:
        """The current run of this person."""
        return TrainBench(self)

    async def all_pages(self, path: str, **query: Any) -> list[Json]:
        """Every row of a list."""
        rows: list[Json] = []
        page = 1
        while True:
            answer = await self.get(path, page=page, page_size=200, **query)
            rows += answer["items"]
            if len(rows) >= answer["total"] or not answer["items"]:
                return rows
            page += 1

    async def download_export(self, export_id: int, target: Path, *, file: str | None = None) -> int:
        """Write an export (or one file of it) to ``target``, whole or not at all; a broken connection is taken up again."""
        path, got = f"{ADMIN}/exports/{export_id}/download", 0
        params = {"file": file} if file else {}
        with atomic_file(target) as out:
            for left in range(DOWNLOAD_TRIES, 0, -1):
                headers = {"range": f"bytes={got}-"} if got else {}
                try:
                    async with self._http.stream("GET", path, params=params, headers=headers, timeout=120) as response:
                        if response.status_code not in (200, 206):
                            await response.aread()
                            decoded(response)
                        async for piece in response.aiter_raw():
                            got += out.write(piece)
                    return got
                except httpx.TransportError as error:
                    if left == 1:
                        raise Unreachable(self.address, str(error) or type(error).__name__) from error
                    await self.wait_until_back(error)
        return got

    # registry

    async def find_version(self, reference: str) -> Json:
        """The version ``name@x.y.z`` (``name`` alone: its newest), or the one with that id."""
        if reference.isdigit():
            return await self.get(f"/models/{reference}")
        name, _, number = reference.partition("@")
        for row in await self.all_pages("/models", search=name):
            if row["model_name"] == name and (not number or row["version"] == number):
                return row
        problem = {
            "code": "model-not-found",
            "detail": f"The registry has no version {reference!r}.",
            "hint": "List what is there: tunesmith registry list",
        }
        raise ApiError(404, problem)

    # jobs

    async def answer(
        self, path: str, body: Any = None, on_event: OnEvent | None = None, *, method: str = "POST", **query: Any
    ) -> Json:
        """Ask for something that answers X, or 202 with a job whose result is X; waits for it."""
        query |= {"wait": 0}
        answer: Json = await self.call(method, ADMIN + path, body=body, query=query, timeout_seconds=600)
        return await self.settled(answer, on_event)

    async def settled(self, answer: Json, on_event: OnEvent | None = None) -> Json:
        """``answer`` itself, or the result of the job that it names; raises ApiError with the job's error."""
        if set(answer) != ACCEPTED:
            return answer
        return job_result(await self.wait_for_job(int(answer["job_id"]), on_event))

    async def job_events(self, job_id: int, *, after: int = 0) -> AsyncIterator[tuple[int, str, Json]]:
        """Events of a job as (offset, type, payload) until it has ended; reconnects when the stream breaks."""
        while True:
            try:
                headers = {"last-event-id": str(after)}
                path = f"{ADMIN}/jobs/{job_id}/events"
                async with self._http.stream("GET", path, headers=headers, timeout=None) as response:
                    if response.status_code != 200:
                        await response.aread()
                        decoded(response)
                    async for offset, kind, payload in server_sent(response):
                        after = max(after, offset)
                        yield offset, kind, payload
            except httpx.TransportError as error:
                await self.wait_until_back(error)
            if (await self.get(f"/jobs/{job_id}"))["state"] in FINAL_STATES:
                return
            await asyncio.sleep(0.2)

    async def wait_for_job(self, job_id: int, on_event: OnEvent | None = None) -> Json:
        """Wait until a job has ended; answers the job. ``on_event`` sees each event on the way."""
        async for _, kind, payload in self.job_events(job_id):
            if on_event is not None:
                on_event(kind, payload)
        return await self.get(f"/jobs/{job_id}")

    def watch_job(self, job_id: int, *, after: int = 0) -> AsyncIterator[Json]:
        """The same over a WebSocket."""
        return watch_job(self.address, job_id, after=after)

    async def follow_logs(self, run_id: int, *, tail: int = 200) -> AsyncIterator[Json]:
        """Lines of a run's log as (offset, level, message …), from the last ``tail`` on, until the run has ended."""
        after: int | None = None
        while True:
            try:
                query = {"follow": "true", "tail": str(tail)}
                headers = {} if after is None else {"last-event-id": str(after)}
                path = f"{ADMIN}/finetuning/jobs/{run_id}/logs"
                async with self._http.stream("GET", path, params=query, headers=headers, timeout=None) as response:
                    if response.status_code != 200:
                        await response.aread()
                        decoded(response)
                    async for offset, _kind, payload in server_sent(response):
                        after = offset
                        yield payload
                return
            except httpx.TransportError as error:
                await self.wait_until_back(error)

    # inference

    async def list_models(self) -> list[Json]:
        """Models that can be asked."""
        answer = await self.call("GET", "/v1/models")
        return list(answer["data"])

    async def chat(self, body: Json) -> Json:
        """One answer of a model."""
        answer: Json = await self.call("POST", "/v1/chat/completions", body=body, timeout_seconds=900)
        return answer

    async def stream_chat(self, body: Json) -> AsyncIterator[Json]:
        """An answer in pieces."""
        request = body | {"stream": True}
        try:
            async with self._http.stream("POST", "/v1/chat/completions", json=request, timeout=None) as response:
                if response.status_code != 200:
                    await response.aread()
                    decoded(response)
                async for line in response.aiter_lines():
                    text = line.removeprefix("data:").strip()
                    if line.startswith("data:") and text != "[DONE]":
                        yield json.loads(text)
        except httpx.TransportError as error:
            raise Unreachable(self.address, str(error) or type(error).__name__) from error

    @property
    def chatting(self) -> ChatBench:
        """The current conversation of this person."""
        return ChatBench(self)

    async def stream_events(self, path: str, body: Json) -> AsyncIterator[Json]:
        """A POST that answers with events, as they come."""
        try:
            async with self._http.stream("POST", path, json=body, timeout=None) as response:
                if response.status_code != 200:
                    await response.aread()
                    decoded(response)
                async for _, _, event in server_sent(response):
                    yield event
        except httpx.TransportError as error:
            raise Unreachable(self.address, str(error) or type(error).__name__) from error

    async def wait_until_back(self, error: Exception, seconds: float = 10) -> None:
        """A restarted server is given some time; raises Unreachable after it."""
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            try:
                if (await self._http.get("/health", timeout=5)).status_code == 200:
                    return
            except httpx.TransportError as still:
                error = still
            await asyncio.sleep(0.3)
        raise Unreachable(self.address, str(error) or type(error).__name__) from error


def job_result(job: Json) -> Json:
    """The result of a job that ended well; raises ApiError (status 0) with the job's error when it did not."""
    if job["state"] == "succeeded":
        return dict(job.get("result") or {})
    error = job.get("error") or {}
    problem = {
        "code": error.get("code") or job["state"],
        "detail": error.get("message") or f"Job {job['id']} ({job['kind']}) ended as {job['state']}.",
        "hint": error.get("hint") or f"See its log: tunesmith jobs logs {job['id']}",
        "job_id": job["id"],
    }
    raise ApiError(0, problem)
