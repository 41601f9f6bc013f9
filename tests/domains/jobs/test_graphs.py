"""Jobs that wait for each other: inputs, failures, cancellations and retries travel along the arrows."""

from __future__ import annotations

import pytest

from tests.domains.jobs.conftest import Desk
from tunesmith.domains.jobs import GraphNode, JobGraphInvalid, JobKindUnknown, JobStateConflict
from tunesmith.kit.errors import InvalidInput


def add(key: str, first: int | None = None, after: list[str] | None = None, **inputs: tuple[str, str]) -> GraphNode:
    return GraphNode(key, "add", key, {} if first is None else {"a": first}, after=after or [], inputs=inputs)


async def states(desk: Desk, views: dict[str, object]) -> dict[str, str]:
    return {key: (await desk.get(view.id)).state.value for key, view in views.items()}  # type: ignore[attr-defined]


async def test_results_fill_inputs_along_a_dotted_path(any_desk: Desk) -> None:
    # given in the wrong order on purpose
    jobs = await any_desk.graph(
        add("third", None, a=("second", "sum"), b=("first", "details.terms.0")),
        add("second", None, a=("first", "sum")),
        add("first", 4),
    )
    assert await states(any_desk, jobs) == {"first": "queued", "second": "waiting", "third": "waiting"}
    assert {view.graph_id for view in jobs.values()} == {jobs["first"].id}
    assert jobs["third"].after == sorted([jobs["first"].id, jobs["second"].id])
    await any_desk.work()
    third = await any_desk.get(jobs["third"].id)
    assert third.spec == {"a": 4, "b": 4, "text": ""}
    assert third.result == {"sum": 8, "details": {"terms": [4, 4]}}


async def test_a_missing_path_is_a_clear_failure(desk: Desk) -> None:
    jobs = await desk.graph(add("first", 1), add("second", None, a=("first", "details.nothing.here")))
    await desk.work()
    second = await desk.get(jobs["second"].id)
    assert second.state == "failed"
    assert second.error is not None
    assert second.error.code == "input-missing"
    assert "'nothing' in details" in second.error.message


async def test_an_input_of_the_wrong_type_is_a_clear_failure(desk: Desk) -> None:
    jobs = await desk.graph(add("first", 1), add("second", None, a=("first", "details")))
    await desk.work()
    second = await desk.get(jobs["second"].id)
    assert second.error is not None
    assert "a: Input should be a valid integer" in second.error.message


async def test_failure_propagates_and_a_retry_revives_the_rest(any_desk: Desk) -> None:
    jobs = await any_desk.graph(
        add("first", -1), add("second", 2, after=["first"]), add("third", 3, after=["second"]), add("other", 5)
    )
    await any_desk.work()
    assert await states(any_desk, jobs) == {
        "first": "failed", "second": "failed", "third": "failed", "other": "succeeded"
    }  # fmt: skip
    third = await any_desk.get(jobs["third"].id)
    assert third.error is not None
    assert third.error.code == "dependency-failed"
    with pytest.raises(JobStateConflict, match=f"waits for job {jobs['first'].id}"):
        await any_desk.do("retry", jobs["second"].id)
    await any_desk.do("retry", jobs["first"].id)
    assert await states(any_desk, jobs) == {
        "first": "queued", "second": "waiting", "third": "waiting", "other": "succeeded"
    }  # fmt: skip
    assert (await any_desk.get(jobs["third"].id)).error is None


async def test_cancel_propagates_and_stop_does_not(desk: Desk) -> None:
    jobs = await desk.graph(
        GraphNode("count", "count", "count", {}), GraphNode("after", "add", "after", {"a": 1}, after=["count"])
    )
    assert (await desk.do("stop", jobs["count"].id)).state == "stopped"
    assert (await desk.get(jobs["after"].id)).state == "waiting"
    await desk.do("cancel", jobs["count"].id)
    after = await desk.get(jobs["after"].id)
    assert after.state == "cancelled"
    assert after.error is not None
    assert after.error.code == "dependency-cancelled"
    await desk.do("retry", jobs["count"].id)
    assert (await desk.get(jobs["after"].id)).state == "waiting"


async def test_graphs_that_cannot_be_are_refused_whole(desk: Desk) -> None:
    with pytest.raises(JobGraphInvalid, match="circle"):
        await desk.graph(add("a", 1, ["b"]), add("b", 1, ["a"]))
    with pytest.raises(JobGraphInvalid, match="'c', which is not in the graph"):
        await desk.graph(add("a", 1, ["c"]))
    with pytest.raises(JobGraphInvalid, match="no field wrong to fill"):
        await desk.graph(add("a", 1), add("b", 1, wrong=("a", "sum")))
    with pytest.raises(JobGraphInvalid, match="same key"):
        await desk.graph(add("a", 1), add("a", 1))
    with pytest.raises(JobKindUnknown, match="'paint'"):
        await desk.graph(add("a", 1), GraphNode("b", "paint", "b", {}))
    with pytest.raises(InvalidInput, match="a: Field required"):
        await desk.graph(add("a", None))
    async with desk.services.database.read(desk.owner) as unit:
        from tunesmith.kit.paging import PageRequest

        assert (await desk.jobs.list_jobs(unit, PageRequest())).total == 0


async def test_a_cacheable_kind_answers_equal_work_at_once(desk: Desk) -> None:
    first = await desk.submit("add-cached", a=1, b=2)
    await desk.work()
    again = await desk.submit("add-cached", b=2, a=1)
    assert again.state == "succeeded"
    assert again.result == {"sum": 3, "details": {"terms": [1, 2]}}
    assert again.message == f"Reused the result of job {first.id}."
    assert (await desk.submit("add-cached", a=1, b=3)).state == "queued"
    assert (await desk.submit("add", a=1, b=2)).state == "queued", "only kinds that say so"
    graph = await desk.graph(
        add("one", 1), GraphNode("two", "add-cached", "two", {"b": 2}, inputs={"a": ("one", "sum")})
    )
    await desk.work()
    assert "Reused" in str((await desk.get(graph["two"].id)).message)
