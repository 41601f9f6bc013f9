"""Whose turn it is: priority, then turns between people, then age; one job at a time on each device."""

from __future__ import annotations

import socket
from dataclasses import replace

from tests.domains.jobs.conftest import Desk
from tunesmith.domains.accounts.tables import UserRow
from tunesmith.domains.jobs import Claims, JobState, JobView, list_queues, list_workers
from tunesmith.domains.jobs.kinds import JobKind


async def second_person(desk: Desk) -> Desk:
    """Another person of the same project."""
    other = Desk(desk.services)
    async with desk.services.database.write(desk.owner) as unit:
        unit.session.add(UserRow(id=2, name="second", role="admin"))
    other.owner = replace(desk.owner, user_id=2, name="second")
    return other


async def places(desk: Desk, *jobs: JobView) -> list[int | None]:
    return [(await desk.get(job.id)).position for job in jobs]


async def test_people_take_turns_and_each_job_knows_its_place(any_desk: Desk) -> None:
    other = await second_person(any_desk)
    first, second, third = [await any_desk.submit(a=number) for number in range(3)]
    late = await other.submit(a=9)
    assert await places(any_desk, first, late, second, third) == [1, 2, 3, 4]
    claims = Claims(any_desk.jobs, "me")
    execution = await claims.claim()
    assert execution is not None
    assert execution.job_id == first.id
    assert await places(any_desk, first, late, second, third) == [None, 1, 2, 3], (
        "the first one's person had their turn"
    )


async def test_priority_can_be_changed_until_the_start(desk: Desk) -> None:
    first, second = await desk.submit(a=1), await desk.submit(a=2)
    moved = await desk.do("set_priority", second.id, 7)
    assert (moved.priority, moved.position) == (7, 1)
    execution = await Claims(desk.jobs, "me").claim()
    assert execution is not None
    assert execution.job_id == second.id
    assert await places(desk, first) == [1]


async def test_a_device_runs_one_job_at_a_time(any_desk: Desk) -> None:
    add = any_desk.jobs.kinds.get("add")
    any_desk.jobs.register(JobKind("heavy", add.spec, add.result, add.run, needs_device=True))
    heavy = [await any_desk.submit("heavy", a=number) for number in range(3)]
    light = await any_desk.submit("add", a=9)
    one, two = [Claims(any_desk.jobs, name, devices=["cuda:0", "cuda:1"]) for name in ("one", "two")]
    taken = [await claims.claim() for claims in (one, two, one, two)]
    assert [execution.job_id if execution else None for execution in taken] == [
        heavy[0].id,
        heavy[1].id,
        light.id,
        None,
    ]
    host = socket.gethostname()
    assert [(await any_desk.get(job.id)).device for job in heavy[:2]] == [f"{host}/cuda:0", f"{host}/cuda:1"]
    assert (await any_desk.get(light.id)).device is None
    assert (await any_desk.get(heavy[2].id)).position == 1
    elsewhere = Claims(any_desk.jobs, "three", devices=["cpu"])
    execution = await elsewhere.claim()
    assert execution is not None, "another device is free"
    assert execution.job_id == heavy[2].id

    await one.arrive(host, 1, {"concurrency": 2, "devices": ["cuda:0", "cuda:1"]})
    async with any_desk.services.database.read(any_desk.owner) as unit:
        queues = {queue.name: queue for queue in (await list_queues(unit, 30)).queues}
        workers = await list_workers(unit, 30)
    assert queues[f"{host}/cuda:1"].running == [heavy[1].id]
    assert (queues["shared"].running, queues["shared"].slots) == ([light.id], 1)
    assert [(worker.name, worker.running) for worker in workers] == [("one", [heavy[0].id, light.id])]


async def test_a_device_is_free_again_when_its_job_has_ended(desk: Desk) -> None:
    add = desk.jobs.kinds.get("add")
    desk.jobs.register(JobKind("heavy", add.spec, add.result, add.run, needs_device=True))
    jobs = [await desk.submit("heavy", a=number, b=1) for number in range(2)]
    await desk.work()
    assert [(await desk.get(job.id)).state for job in jobs] == [JobState.SUCCEEDED] * 2
