"""Who works, on which devices, and what waits for them."""

from __future__ import annotations

from datetime import timedelta

from tunesmith.db import Unit
from tunesmith.domains.jobs import queue, repository
from tunesmith.domains.jobs.schemas import QueuesResponse, QueueView, WorkerView
from tunesmith.kit.clock import utc_now
from tunesmith.kit.paging import PageRequest

SHARED = "shared"


async def list_workers(unit: Unit, lease_seconds: float) -> list[WorkerView]:
    """Workers that have given a sign of life within two lease times, with the jobs that they hold."""
    rows = await repository.list_workers(unit.session, seen_after=utc_now() - timedelta(seconds=2 * lease_seconds))
    held = await queue.list_held(unit.session)
    seen = await _seen(unit, held)
    return [
        WorkerView(
            name=row.name,
            host=row.host,
            pid=row.pid,
            concurrency=int(row.capabilities.get("concurrency", 1)),
            devices=[str(device) for device in row.capabilities.get("devices", [])],
            running=[job_id for job_id, _device, owner in held if owner == row.name and job_id in seen],
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
    seen = await _seen(unit, held)

    def place(name: str, slots: int, there: list[int]) -> QueueView:
        return QueueView(name=name, slots=slots, in_use=len(there), running=[job for job in there if job in seen])

    queues = [place(device, 1, [job_id for job_id, where, _owner in held if where == device]) for device in devices]
    shared = [job_id for job_id, device, _owner in held if device is None]
    left = sum(worker.concurrency for worker in workers) - (len(held) - len(shared))
    queues.append(place(SHARED, max(left, len(shared)), shared))
    return QueuesResponse(
        queues=queues,
        ready=len(await queue.list_places(unit.session, utc_now())),
        waiting=await queue.count_waiting(unit.session),
        order=queue.ORDER,
    )


async def _seen(unit: Unit, held: list[tuple[int, str | None, str | None]]) -> set[int]:
    """Those of the running jobs that the person may see; of the others only that there are some is said."""
    ids = [job_id for job_id, _device, _owner in held]
    rows, _total = await repository.list_jobs(unit.session, unit.principal, PageRequest(1, len(ids) or 1), ids=ids)
    return {row.id for row in rows}
