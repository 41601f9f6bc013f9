"""What trackers are owed, and its delivery. Nothing here stops a run: a tracker that fails is told about, and tried again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from datetime import timedelta

from tunesmith.db import Database, Unit
from tunesmith.domains.datasets import DatasetService
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.registry import ModelResponse, RegistryService
from tunesmith.domains.training.schemas import RunTracking, TrackingState
from tunesmith.domains.training.tables import TrackingRow
from tunesmith.domains.training.tracking import outbox
from tunesmith.domains.training.tracking.packing import Packed, Packer
from tunesmith.kit.clock import utc_now
from tunesmith.kit.principal import Principal
from tunesmith.ports.tracking import Receipt, Tracker, TrackerAway, TrackerRefused
from tunesmith.settings import Settings

logger = logging.getLogger(__name__)

SYSTEM = Principal(0, "system", "admin", 0)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 120.0
MAX_REFUSALS = 5
ASK_AGAIN_SECONDS = 5.0
LAST_DELIVERY_SECONDS = 20.0


class Mirrors:
    """The outbox and its delivery to every configured tracker."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        jobs: JobService,
        datasets: DatasetService,
        registry: RegistryService,
        trackers: list[Tracker],
    ) -> None:
        self.trackers = trackers
        self._settings = settings.tracking
        self._database = database
        self._registry = registry
        self._packer = Packer(settings=settings, jobs=jobs, datasets=datasets, registry=registry)
        self._asked: dict[str, tuple[float, str | None]] = {}
        self._courier: asyncio.Task[None] | None = None
        self._is_leaving = asyncio.Event()
        self._pauses: dict[str, tuple[float, float]] = {}  # tracker: (not before, seconds of the last pause)

    # --- What is owed, written in the transaction that makes it so.

    async def note_job(self, unit: Unit, job: JobView) -> None:
        """A run began, changed its state or started again."""
        for tracker in self.trackers:
            entry = await self._entry(unit, job.id, tracker)
            entry.is_open = True

    async def note_version(self, unit: Unit, version: ModelResponse) -> None:
        """A version was registered of what a run made."""
        if version.job_id is None:
            return
        for tracker in self.trackers:
            entry = await outbox.find_entry(unit.session, version.job_id, tracker.name)
            if entry is not None and version.id not in entry.model_ids:
                entry.model_ids = [*entry.model_ids, version.id]
                entry.is_open = True
        await unit.session.flush()

    async def warnings(self) -> list[str]:
        """What a person should know who starts a run now."""
        found = []
        for tracker in self.trackers:
            asked_at, obstacle = self._asked.get(tracker.name, (-ASK_AGAIN_SECONDS, None))
            if time.monotonic() - asked_at >= ASK_AGAIN_SECONDS:  # many runs started at once ask once
                obstacle = await tracker.find_obstacle()
                self._asked[tracker.name] = (time.monotonic(), obstacle)
            if obstacle:
                found.append(
                    f"{tracker.title} ({tracker.target}) cannot be reached now: {obstacle}. "
                    "The run goes on, and is mirrored there when it can be."
                )
        return found

    async def _entry(self, unit: Unit, job_id: int, tracker: Tracker) -> TrackingRow:
        entry = await outbox.find_entry(unit.session, job_id, tracker.name)
        if entry is None:
            entry = TrackingRow(job_id=job_id, tracker=tracker.name)
            unit.session.add(entry)
            await unit.session.flush()
        return entry

    # --- What is told about it.

    async def views(self, unit: Unit, job_ids: list[int]) -> dict[int, list[RunTracking]]:
        """How far some runs are mirrored."""
        rows = await outbox.list_of_jobs(unit.session, job_ids)
        return {job_id: [_view(row) for row in entries] for job_id, entries in rows.items()}

    async def waiting(self, unit: Unit, tracker: str) -> tuple[int, str | None]:
        """How many runs wait for a tracker, and what stands in their way."""
        return await outbox.count_open(unit.session, tracker), await outbox.find_problem(unit.session, tracker)

    # --- Delivery, by the workers.

    def start(self) -> None:
        """Begin to deliver, beside the worker's other work."""
        if self.trackers and self._courier is None:
            self._is_leaving.clear()
            self._courier = asyncio.create_task(self._keep_delivering())

    async def finish(self, *, deliver: bool) -> None:
        """End the delivery; with ``deliver`` what is owed now is handed over first, where that works."""
        courier, self._courier = self._courier, None
        if courier is None:
            return
        self._is_leaving.set()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(LAST_DELIVERY_SECONDS if deliver else 1.0):
                await courier
                if deliver:
                    await self._deliver_or_warn()
        await self.close()

    async def close(self) -> None:
        """Let the trackers go."""
        for tracker in self.trackers:
            with contextlib.suppress(Exception):
                await tracker.close()

    async def _keep_delivering(self) -> None:
        while not self._is_leaving.is_set():
            await self._deliver_or_warn()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_leaving.wait(), self._settings.interval_seconds)

    async def _deliver_or_warn(self) -> None:
        try:
            await self.deliver()
        except Exception as error:  # the database is away, or something nobody thought of: runs go on
            logger.warning("trackers are told later: %s: %s", type(error).__name__, error)

    async def retry_now(self) -> int:
        """Deliver what waits, without regard to pauses; how many deliveries were taken."""
        self._pauses.clear()
        async with self._database.write(SYSTEM) as unit:
            await outbox.make_due(unit.session, utc_now())
        return await self.deliver()

    async def deliver(self) -> int:
        """Hand over everything that is due; how many deliveries were taken."""
        deliveries = [self._deliver_to(tracker) for tracker in self.trackers]  # one that hangs holds up no other
        taken = await asyncio.gather(*deliveries, return_exceptions=True)
        for failure in taken:
            if isinstance(failure, BaseException):
                raise failure
        return sum(count for count in taken if isinstance(count, int))

    async def _deliver_to(self, tracker: Tracker) -> int:
        taken = 0
        began = utc_now()  # each entry once in this pass
        while time.monotonic() >= self._pauses.get(tracker.name, (0.0, 0.0))[0]:
            async with self._database.write(SYSTEM) as unit:
                lease_until = utc_now() + timedelta(seconds=2 * self._settings.timeout_seconds)
                entry = await outbox.claim_due(unit.session, tracker.name, began, lease_until)
            if entry is None:
                break
            taken += await self._deliver_entry(tracker, entry)
        return taken

    async def _deliver_entry(self, tracker: Tracker, entry: TrackingRow) -> int:
        async with self._database.read(SYSTEM) as unit:
            packed = await self._packer.pack(unit, entry)
        if not packed.is_due:
            await self._record(entry.id, packed, None, None)
            return 0
        try:
            receipt = await tracker.deliver(packed.delivery)
        except TrackerAway as reason:
            self._pause(tracker, str(reason))
            await self._record(entry.id, packed, None, f"{tracker.title} cannot be reached: {reason}")
            return 0
        except TrackerRefused as reason:
            logger.warning("%s did not take run %d: %s", tracker.title, entry.job_id, reason)
            await self._record(entry.id, packed, None, f"{tracker.title} refused: {reason}", is_refusal=True)
            return 0
        self._pauses.pop(tracker.name, None)
        await self._record(entry.id, packed, receipt, None)
        return 1

    def _pause(self, tracker: Tracker, reason: str) -> None:
        seconds = min(LONGEST_PAUSE_SECONDS, 2 * self._pauses.get(tracker.name, (0.0, FIRST_PAUSE_SECONDS / 2))[1])
        self._pauses[tracker.name] = (time.monotonic() + seconds, seconds)
        logger.warning(
            "%s cannot be reached (%s); runs wait for it, next try in %.0f s", tracker.title, reason, seconds
        )

    async def _record(
        self, entry_id: int, packed: Packed, receipt: Receipt | None, problem: str | None, *, is_refusal: bool = False
    ) -> None:
        """Write down how a delivery went, and give the entry free."""
        async with self._database.write(SYSTEM) as unit:
            entry = await unit.session.get(TrackingRow, entry_id, with_for_update=True)
            if entry is None:
                return  # the run was deleted meanwhile
            entry.lease_until, entry.message, entry.try_at = None, problem, utc_now()
            if is_refusal:
                entry.refusals += 1
                entry.try_at += timedelta(seconds=FIRST_PAUSE_SECONDS * 4**entry.refusals)
                if entry.refusals >= MAX_REFUSALS:
                    entry.is_open = False
                    await self._warn(
                        unit, entry, f"{problem} It was tried {entry.refusals} times; the rest is only here."
                    )
            if problem is not None:
                return
            if receipt is not None:
                await self._book(unit, entry, packed, receipt)
            row = await outbox.get_job(unit.session, entry.job_id)
            is_same_end = row.status == packed.status and row.completed_at == packed.completed_at
            entry.is_open = not (packed.is_last and is_same_end and not entry.model_ids)

    async def _book(self, unit: Unit, entry: TrackingRow, packed: Packed, receipt: Receipt) -> None:
        entry.event_offset = max(entry.event_offset, packed.event_offset)
        entry.points += len(packed.delivery.points)
        entry.refusals = 0
        entry.run_id, entry.url, entry.delivered_at = receipt.run_id, receipt.url, utc_now()
        told = {version.model_id for version in packed.delivery.versions}
        entry.model_ids = [model_id for model_id in entry.model_ids if model_id not in told]
        if packed.skipped_points:
            entry.skipped_points += packed.skipped_points
            await self._warn(
                unit,
                entry,
                f"{packed.skipped_points} points were not mirrored to {entry.tracker}: more than "
                f"{self._settings.outbox_points} waited for it. All of them are in the metrics of this run.",
            )
        if entry.tracker == "mlflow":
            (await outbox.get_job(unit.session, entry.job_id)).mlflow_run_id = receipt.run_id
            for model_id, uri in receipt.model_uris.items():
                await self._registry.note_tracker_uri(unit, model_id, uri)

    async def _warn(self, unit: Unit, entry: TrackingRow, words: str) -> None:
        row = await outbox.get_job(unit.session, entry.job_id)
        row.warnings = [*row.warnings, words]
        logger.warning("run %d: %s", entry.job_id, words)


def _view(row: TrackingRow) -> RunTracking:
    if row.message is not None:
        state = TrackingState.AWAY if row.is_open else TrackingState.GIVEN_UP
    else:
        state = TrackingState.WAITING if row.is_open else TrackingState.MIRRORED
    return RunTracking(
        tracker=row.tracker,
        state=state,
        run_id=row.run_id,
        url=row.url,
        points=row.points,
        skipped_points=row.skipped_points,
        message=row.message,
        delivered_at=row.delivered_at,
    )
