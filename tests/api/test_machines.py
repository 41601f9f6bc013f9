"""What the machines have and do: workers, queues, devices, disk, versions, the last hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from tunesmith.domains.jobs.resources import keep
from tunesmith.kit.clock import utc_now
from tunesmith.kit.machine import Usage, list_devices, measure, parse_gpus
from tunesmith.worker import run_worker

SYSTEM = "/api/v1/admin/system"


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(f"{SYSTEM}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_everything_about_this_machine(client: httpx.AsyncClient, app: FastAPI) -> None:
    info, versions = await get(client, "info"), await get(client, "versions")
    assert (info["version"], info["packages"]) == (versions["version"], versions["packages"])
    devices = await get(client, "devices")
    assert devices["devices"][0]["memory_total_bytes"] > 0
    assert 0 <= devices["now"]["cpu"] <= 1
    (app.state.services.settings.data_dir / "runs" / "note").write_bytes(b"x" * 1234)
    disk = await get(client, "disk")
    assert {"name": "runs", "size_bytes": 1234} in disk["folders"]
    assert 0 < disk["free_bytes"] <= disk["total_bytes"]
    assert (await get(client, "workers"))["items"] == []
    queues = await get(client, "queues")
    assert [(queue["name"], queue["slots"]) for queue in queues["queues"]] == [("shared", 0)]
    assert (queues["ready"], queues["waiting"]) == (0, 0)


async def test_a_worker_writes_what_its_machine_uses(client: httpx.AsyncClient, app: FastAPI) -> None:
    assert (await get(client, "resources"))["samples"] == []
    await run_worker(app.state.services, until_idle=True)
    history = await get(client, "resources")
    assert [sample["host"] for sample in history["samples"]] == history["hosts"] == [history["host"]]
    assert history["samples"][0]["usage"]["memory_total_bytes"] > 0


async def test_the_history_is_thinned_and_forgets(client: httpx.AsyncClient, app: FastAPI) -> None:
    services, now = app.state.services, utc_now()
    usage = measure(services.settings.data_dir)
    async with services.database.write(await services.owner()) as unit:
        for minutes in range(60 * 26, 0, -10):
            await keep(unit.session, "box", usage, now - timedelta(minutes=minutes))
        await keep(unit.session, "box", usage, now)
        await keep(unit.session, "box", usage, now + timedelta(seconds=1))
    day = (await get(client, "resources", host="box", hours=24, max_points=2000))["samples"]
    assert 143 <= len(day) <= 145, "older ones are gone, and two workers of one machine write one sample"
    few = (await get(client, "resources", hours=24, max_points=10))["samples"]
    assert len(few) <= 10
    assert few[-1] == day[-1]
    assert len((await get(client, "resources", hours=1))["samples"]) in (6, 7)
    assert (await get(client, "resources", host="nowhere"))["samples"] == []
    assert (await client.get(f"{SYSTEM}/resources", params={"hours": 25})).status_code == 422


def test_gpus_are_read_from_what_the_driver_prints() -> None:
    text = "0, NVIDIA H100 80GB HBM3, 81559, 1024, 37, 41\n1, NVIDIA A2, 15356, 0, [N/A], [N/A]\n"
    first, second = parse_gpus(text)
    assert (first.index, first.name, first.memory_total_bytes) == (0, "NVIDIA H100 80GB HBM3", 81559 * 2**20)
    assert (first.utilization, first.temperature_celsius) == (0.37, 41)
    assert (second.memory_used_bytes, second.utilization, second.temperature_celsius) == (0, None, None)
    assert list_devices("cpu")[0].name == "cpu"
    assert Usage.model_validate_json(
        Usage(
            cpu=0.5,
            memory_used_bytes=1,
            memory_total_bytes=2,
            disk_free_bytes=3,
            disk_total_bytes=4,
            gpus=[first, second],
        ).model_dump_json()
    ).gpus == [first, second]
