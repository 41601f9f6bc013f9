"""Any order of what people and workers do leaves a job in a state from which there is a way out."""

from __future__ import annotations

import ast
import asyncio
import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.domains.jobs.conftest import Desk
from tests.reliability.kinds import build_services
from tunesmith.domains.jobs import GraphNode, JobState, JobStateConflict, JobView
from tunesmith.domains.jobs import state as state_module
from tunesmith.domains.jobs.state import TRANSITIONS, Move
from tunesmith.worker import run_worker

FINAL = {state for state in JobState if state.is_final}


class JobLife(RuleBasedStateMachine):
    """Two jobs in a row, of which the first may fail; the model is what a person would expect."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.desk = Desk(build_services(Path(self.folder.name), jobs={"lease_seconds": 30.0, "poll_seconds": 0.01}))
        self.go(self.desk.open())
        self.fails = False
        jobs = self.go(
            self.desk.graph(
                GraphNode("a", "add", "a", {"a": 1}),
                GraphNode("b", "add", "b", {}, inputs={"a": ("a", "sum")}),
            )
        )
        self.ids = {key: view.id for key, view in jobs.items()}

    def go(self, coroutine: object) -> object:
        return self.loop.run_until_complete(coroutine)  # type: ignore[arg-type]

    def view(self, key: str) -> JobView:
        return self.go(self.desk.get(self.ids[key]))  # type: ignore[return-value]

    def ask(self, what: str, move: Move, key: str) -> None:
        """Allowed exactly when the table says so (a retry also needs its predecessors)."""
        before = self.view(key)
        first = self.view("a").state
        allowed = before.state in TRANSITIONS[move]
        if move is Move.RETRY and key == "b" and first in (JobState.FAILED, JobState.CANCELLED):
            allowed = False
        try:
            after: JobView = self.go(self.desk.do(what, self.ids[key]))  # type: ignore[assignment]
        except JobStateConflict:
            assert not allowed, f"{what} was refused in {before.state}"
            assert self.view(key) == before, "a refusal changes nothing"
        else:
            assert allowed, f"{what} was allowed in {before.state}"
            assert after.state != before.state

    @rule()
    def cancel_first(self) -> None:
        self.ask("cancel", Move.CANCEL, "a")

    @rule()
    def cancel_second(self) -> None:
        self.ask("cancel", Move.CANCEL, "b")

    @rule()
    def retry_first(self) -> None:
        self.ask("retry", Move.RETRY, "a")

    @rule()
    def retry_second(self) -> None:
        self.ask("retry", Move.RETRY, "b")

    @precondition(lambda self: self.view("a").state in (JobState.QUEUED, JobState.SUCCEEDED))
    @rule()
    def work(self) -> None:
        self.go(run_worker(self.desk.services, until_idle=True))
        assert self.view("a").state is JobState.SUCCEEDED

    @invariant()
    def results_and_ends_fit_the_state(self) -> None:
        for key in ("a", "b"):
            view = self.view(key)
            assert (view.result is not None) == (view.state is JobState.SUCCEEDED)
            assert (view.finished_at is not None) == (view.state in FINAL)

    @invariant()
    def the_second_never_runs_ahead(self) -> None:
        first, second = self.view("a"), self.view("b")
        if second.state in (JobState.QUEUED, JobState.SUCCEEDED):
            assert first.state is JobState.SUCCEEDED
        if first.state is JobState.CANCELLED:
            assert second.state is JobState.CANCELLED

    @invariant()
    def the_events_tell_the_whole_story(self) -> None:
        async def told() -> list[str]:
            async with self.desk.services.database.read(self.desk.owner) as unit:
                events = await self.desk.jobs.list_events(unit, self.ids["a"], types=("state",))
            for one, other in itertools.pairwise(events):
                assert one.payload["state"] == other.payload["previous"]
            return [event.payload["state"] for event in events]

        story: list[str] = self.go(told())  # type: ignore[assignment]
        assert story[-1] == self.view("a").state

    def teardown(self) -> None:
        self.go(self.desk.services.close())
        self.loop.close()
        self.folder.cleanup()


TestJobLife = JobLife.TestCase
TestJobLife.settings = settings(
    max_examples=8, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_has_a_way_out_but_success(state: JobState) -> None:
    ways = [move for move, table in TRANSITIONS.items() if table.get(state, state) is not state]
    assert bool(ways) == (state is not JobState.SUCCEEDED)


def test_nobody_else_writes_the_state() -> None:
    """Outside `state.py` no attribute `state` is set, and no UPDATE names it but with what `state.py` says."""
    folder = Path(state_module.__file__).parent
    for source in folder.glob("*.py"):
        if source.name == "state.py":
            continue
        for node in ast.walk(ast.parse(source.read_text())):
            targets = node.targets if isinstance(node, ast.Assign) else []
            assert not any(isinstance(t, ast.Attribute) and t.attr == "state" for t in targets), source
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "values":
                for keyword in node.keywords:
                    if keyword.arg == "state":
                        assert "state_after_claim" in ast.dump(keyword.value), source
