"""A data folder with real worker processes, and ways to treat them badly."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.reliability.kinds import ROOT, build_services
from tunesmith.domains.jobs import JobEventView, JobState, JobView
from tunesmith.wire.run_dir import RunDirectory
from tunesmith.worker.loop import Worker

SETTINGS = {"poll_seconds": 0.05, "stop_grace_seconds": 0.6}
CALM_LEASE_SECONDS = 30.0
HASTY_LEASE_SECONDS = 1.5


class WorkerProcess:
    """A real worker."""

    def __init__(self, yard: Yard, number: int) -> None:
        self.log_path = yard.data_dir.parent / f"worker-{number}.log"
        environment = {f"TUNESMITH_JOBS__{name.upper()}": str(value) for name, value in yard.settings.items()}
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.reliability.kinds", str(yard.data_dir)],
                cwd=ROOT,
                env={**os.environ, **environment},
                stderr=log,
                start_new_session=True,
            )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait(10)

    def log(self) -> str:
        """What it has logged."""
        return self.log_path.read_text()


class Yard:
    """A data folder, its jobs and its workers."""

    def __init__(self, data_dir: Path, lease_seconds: float) -> None:
        self.data_dir = data_dir
        self.settings = SETTINGS | {"lease_seconds": lease_seconds}
        self.services = build_services(data_dir, jobs=self.settings)
        self.workers: list[WorkerProcess] = []
        self._here: tuple[Worker, asyncio.Task[None]] | None = None

    async def open(self) -> None:
        await self.services.start()
        self.owner = await self.services.owner()

    def start_worker(self) -> WorkerProcess:
        """Start one more worker."""
        self.workers.append(WorkerProcess(self, len(self.workers)))
        return self.workers[-1]

    def work_here(self) -> None:
        """Start a worker in this very process: sooner there, for tests that do not harm it."""
        worker = Worker(self.services, "here")
        self._here = worker, asyncio.create_task(worker.run(until_idle=False, parent=None))

    async def start_pair(self, job_id: int) -> tuple[WorkerProcess, WorkerProcess]:
        """Start two workers; answers the one that runs the job, and the one that stands by."""
        first, second = self.start_worker(), self.start_worker()

        def find() -> tuple[WorkerProcess, WorkerProcess] | None:
            logs = [first.log(), second.log()]
            if not all("is ready" in log for log in logs) or not any("attempt 1 started" in log for log in logs):
                return None
            return (first, second) if f"job {job_id}: attempt 1 started" in logs[0] else (second, first)

        pair: tuple[WorkerProcess, WorkerProcess] = await self.until("two workers", find)
        return pair

    async def submit(self, kind: str = "count", **spec: Any) -> int:
        """Submit a job; answers its id."""
        async with self.services.database.write(self.owner) as unit:
            return (await self.services.jobs.submit(unit, kind, spec, name=kind)).id

    async def ask(self, what: str, job_id: int) -> JobView:
        """cancel, stop, resume or retry."""
        async with self.services.database.write(self.owner) as unit:
            view: JobView = await getattr(self.services.jobs, what)(unit, job_id)
            return view

    async def job(self, job_id: int) -> JobView:
        async with self.services.database.read(self.owner) as unit:
            return await self.services.jobs.get(unit, job_id)

    async def events(self, job_id: int, type_: str | None = None) -> list[JobEventView]:
        async with self.services.database.read(self.owner) as unit:
            types = None if type_ is None else (type_,)
            return await self.services.jobs.list_events(unit, job_id, types=types, limit=10_000)

    async def log(self, job_id: int) -> str:
        return "\n".join(str(event.payload["message"]) for event in await self.events(job_id, "log"))

    def run(self, job_id: int, attempt: int) -> RunDirectory:
        return RunDirectory(self.services.settings.runs_dir / str(job_id) / "attempts" / str(attempt))

    def child(self, job_id: int, attempt: int) -> psutil.Process | None:
        """The living child of an attempt, found by its command line, not by what the worker wrote down."""
        folder = str(self.run(job_id, attempt).path)
        for process in psutil.process_iter(["cmdline", "status"]):
            if folder in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE:
                return process
        return None

    async def until(self, what: str, probe: Callable[[], Any], timeout_seconds: float = 30.0) -> Any:
        """The first true answer of `probe` (which may be async)."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            answer = probe()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(0.03)
        logs = "\n".join(worker.log() for worker in self.workers)
        pytest.fail(f"waited {timeout_seconds} s in vain for: {what}\n{logs[-6000:]}")

    async def until_state(self, job_id: int, *states: str) -> JobView:
        """The job, once it is in one of `states` (default: any final one)."""
        wanted = states or [state for state in JobState if state.is_final]

        async def probe() -> JobView | None:
            view = await self.job(job_id)
            return view if view.state in wanted else None

        view: JobView = await self.until(f"job {job_id} to be {wanted}", probe)
        return view

    async def until_step(self, job_id: int, step: int, attempt: int = 1) -> None:
        """Wait until the database knows of a step (with `attempt`: of that attempt)."""

        async def probe() -> bool:
            found = await self.events(job_id, "metric")
            return any(event.attempt == attempt and event.payload["step"] >= step for event in found)

        await self.until(f"step {step} of attempt {attempt}", probe)

    def is_writable(self) -> bool:
        """Whether nobody holds SQLite's write lock."""
        connection = sqlite3.connect(self.data_dir / "tunesmith.db", timeout=0.2, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            return True
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()

    async def freeze(self, worker: WorkerProcess) -> None:
        """SIGSTOP, outside a transaction: a frozen transaction would keep everybody out, as SQLite has it."""
        for _ in range(50):
            worker.send(signal.SIGSTOP)
            await self.until("the worker to stand still", lambda: self._is_stopped(worker))
            if self.is_writable():
                return
            worker.send(signal.SIGCONT)
            await asyncio.sleep(0.01)
        pytest.fail("the worker was always inside a transaction")

    @staticmethod
    def _is_stopped(worker: WorkerProcess) -> bool:
        return psutil.Process(worker.process.pid).status() == psutil.STATUS_STOPPED

    async def close(self) -> None:
        if self._here is not None:
            worker, task = self._here
            worker.drain()
            await task
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.send(signal.SIGCONT)
                worker.kill()
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self.data_dir) in part for part in process.info["cmdline"] or []):
                process.kill()
        await self.services.close()


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    """A yard where no lease ends by itself; every process of it is gone afterwards."""
    made = Yard(tmp_path / "data", CALM_LEASE_SECONDS)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def hasty_yard(tmp_path: Path) -> AsyncIterator[Yard]:
    """A yard where a lease that is not renewed ends soon."""
    made = Yard(tmp_path / "data", HASTY_LEASE_SECONDS)
    await made.open()
    yield made
    await made.close()
