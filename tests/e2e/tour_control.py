"""The second half of the tour: the calls of the control plane on one dataset, through the client alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tunesmith.client import ApiError, TunesmithClient

Call = Callable[[str, Awaitable[Any]], Awaitable[Any]]
AT = "/training/datasets"
ADMIN = "/api/v1/admin"


class ControlTour:
    """Uploads a file in parts, looks at it from all sides, changes it, walks between its versions, and purges what it made."""

    def __init__(self, client: TunesmithClient, call: Call, folder: Path) -> None:
        self._client = client
        self._call = call
        self._folder = folder

    async def drive(self, path: Path) -> int:
        """All calls; answers the id of the dataset that they were tried on."""
        made = await self._upload(path)
        await self._look(made)
        await self._examine(made)
        newest = await self._change(made)
        await self._walk(made, newest)
        return made

    async def _upload(self, path: Path) -> int:
        client, call = self._client, self._call
        body = {"file_name": path.name, "size_bytes": path.stat().st_size}
        begun = await call("POST /uploads", client.post("/uploads", body))
        with path.open("rb") as file:
            sent = 0
            while part := file.read(8 << 20):
                place = f"{ADMIN}/uploads/{begun['id']}"
                await call("PUT /uploads/{id}", client.call("PUT", place, content=part, query={"offset": sent}))
                sent += len(part)
        assert (await call("GET /uploads/{id}", client.get(f"/uploads/{begun['id']}")))["received_bytes"] == sent
        await call("POST /uploads/{id}/complete", client.post(f"/uploads/{begun['id']}/complete"))
        proposed = await call("POST /mapping", client.post(f"{AT}/mapping", {"upload_id": begun["id"]}))
        assert proposed["format"] is not None
        body = {"upload_id": begun["id"], "name": f"tour of {path.stem}"}
        made = await call("POST /datasets", client.post(AT, body))
        await client.wait_for_job(made["job_id"])
        return int(made["id"])

    async def _look(self, made: int) -> None:
        client, call, at = self._client, self._call, f"{AT}/{made}"
        assert made in [row["id"] for row in (await call("GET /datasets", client.get(AT, page_size=200)))["items"]]
        shown = await call("GET /{id}", client.get(at))
        assert shown["status"] in ("ready", "invalid")
        changed = client.call("PATCH", ADMIN + at, body={"description": "seen on the tour", "tags": ["tour"]})
        assert (await call("PATCH /{id}", changed))["tags"] == ["tour"]
        stats = await call("GET /{id}/stats", client.get(f"{at}/stats"))
        assert stats["total_samples"] == shown["total_samples"]
        counted = client.answer(f"{at}/statistics", method="GET", count_tokens=True)
        figures = await call("GET /{id}/statistics", counted)
        assert figures["statistics"]["token_distribution"] is not None
        preview = await call("GET /{id}/preview", client.get(f"{at}/preview", offset=shown["total_samples"] - 1))
        assert len(preview["rows"]) == 1
        for view in ("statistics", "missing-values", "correlation", "summary"):
            assert await call(f"GET /{{id}}/eda/{view}", client.answer(f"{at}/eda/{view}", method="GET"))
        tokens = await call("POST /{id}/analyze-tokens", client.answer(f"{at}/analyze-tokens", {}))
        assert tokens["rows"] > 0
        rays = await call("POST /{id}/xray", client.answer(f"{at}/xray", {"limit": 3}))
        assert rays["counts"]["rows"] > 0

    async def _examine(self, made: int) -> None:
        client, call, at = self._client, self._call, f"{AT}/{made}"
        verdict = await call("POST /{id}/validate", client.answer(f"{at}/validate", {"similarity_threshold": 0.9}))
        findings = await call("GET /{id}/findings", client.get(f"{at}/findings"))
        assert findings["total"] == sum(verdict["counts"][level] for level in ("red", "amber", "green"))
        assert (await call("GET /{id}/quality", client.get(f"{at}/quality")))["total"] == 2
        await call("GET /{id}/duplicates", client.get(f"{at}/duplicates"))
        leaks = await call("POST /{id}/leakage", client.answer(f"{at}/leakage", {"against": [made - 1]}))
        assert leaks

    async def _change(self, made: int) -> int:
        client, call, at = self._client, self._call, f"{AT}/{made}"
        fixed = await call("POST /{id}/fixes", client.answer(f"{at}/fixes", {}))
        start = int(fixed["dataset"]["id"])
        steps = {"exact_duplicates": True, "normalise": {"whitespace": True}, "preview": True}
        assert await call("POST /{id}/clean", client.answer(f"{AT}/{start}/clean", steps))
        masked = await call(
            "POST /{id}/pii/apply", client.answer(f"{AT}/{start}/pii/apply", {"actions": {"phone": "mask"}})
        )
        assert masked["diff"]["changed"] > 0
        newest = int(masked["dataset"]["id"])
        await client.wait_for_job((await client.get(f"{AT}/{newest}"))["job_id"])
        edited = client.answer(f"{AT}/{newest}/rows", {"delete": [1]}, method="PATCH")
        last = int((await call("PATCH /{id}/rows", edited))["dataset"]["id"])
        await client.wait_for_job((await client.get(f"{AT}/{last}"))["job_id"])
        shares = {"train": 0.8, "validation": 0.1, "test": 0.1, "seed": 5}
        assert len((await call("POST /{id}/split", client.answer(f"{AT}/{last}/split", shares)))["parts"]) == 3
        asked = client.answer(f"{AT}/{last}/preprocess", {}, output_format="messages", validate="true")
        prepared = await call("POST /{id}/preprocess", asked)
        assert prepared["statistics"]["total_samples"] > 0
        target = self._folder / "tour.parquet"
        assert await call("GET /{id}/download", client.download_dataset(last, "parquet", target)) > 0
        return last

    async def _walk(self, made: int, newest: int) -> None:
        client, call = self._client, self._call
        versions = await call("GET /{id}/versions", client.get(f"{AT}/{made}/versions"))
        assert {made, newest} <= {row["id"] for row in versions["items"]}
        graph = await call("GET /{id}/lineage", client.get(f"{AT}/{newest}/lineage"))
        assert {made, newest} <= {node["id"] for node in graph["nodes"] if node["kind"] == "dataset"}
        difference = client.answer(f"{AT}/{made}/diff/{newest}", method="GET")
        assert (await call("GET /{id}/diff/{other}", difference))["counts"]["removed"] > 0
        back = await call("POST /{id}/undo", client.post(f"{AT}/{newest}/undo"))
        assert back["archived"]["id"] == newest
        await call("POST /{id}/restore", client.post(f"{AT}/{newest}/restore"))
        await call("DELETE /{id}", client.call("DELETE", f"{ADMIN}{AT}/{newest}"))
        await call("POST /{id}/purge", client.post(f"{AT}/{newest}/purge"))
        refused = None
        try:
            await client.get(f"{AT}/{newest}/preview")
        except ApiError as error:
            refused = error.code
        assert refused == "dataset-purged"
