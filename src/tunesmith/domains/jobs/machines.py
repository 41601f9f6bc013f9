"""Who works, on which devices, and what waits for them."""

from __future__ import annotations

from datetime import timedelta

from tunesmith.db import Unit
from tunesmith.domains.jobs import queue, repository
from tunesmith.domains.jobs.schemas import QueuesResponse, QueueView, WorkerView
from tunesmith.kit.clock import utc_now

SHARED = "shared"


async def list_workers(unit: Unit, lease_seconds: float) -> list[WorkerView]:
    """Workers that have given a sign of life within two lease times, with the jobs that they hold."""
    rows = await repository.list_workers(unit.session, seen_after=utc_now() - timedelta(seconds=2 * lease_seconds))
    held = await queue.list_held(unit.session)
    return [
        WorkerView(
            name=row.name,
            host=row.host,
            pid=row.pid,
            concurrency=int(row.capabilities.get("concurrency", 1)),
            devices=[str(device) for device in row.capabilities.get("devices", [])],
            running=[job_id for job_id, _device, owner in held if owner == row.name],
            started_at=row.started_at,
            seen_at=row.seen_at,
        )
        for row in rows
    ]


async def list_queues(unit: Unit, lease_seconds: float) -> QueuesResponse:
    """Every device of the workers that are there, with what it runs; the rest runs where the devices' jobs leave room."""
    workers = await list_workers(unit, lease_seconds)
    held = await queue.list_held(unit.session)
    devices = sorted({f"{worker.host}/{device}" for worker in workers for device in worker.devices})
    devices += sorted({device for _id, device, _owner in held if device} - set(devices))
    queues = [
        QueueView(name=device, slots=1, running=[job_id for job_id, where, _owner in held if where == device])
        for device in devices
    ]
    shared = [job_id for job_id, device, _owner in held if device is None]
    left = sum(worker.concurrency for worker in workers) - (len(held) - len(shared))
    queues.append(QueueView(name=SHARED, slots=max(left, len(shared)), running=shared))
    return QueuesResponse(
        queues=queues,
        ready=len(await queue.list_places(unit.session, utc_now())),
        waiting=await queue.count_waiting(unit.session),
        order=queue.ORDER,
    )
