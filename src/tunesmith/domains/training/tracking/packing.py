"""Makes a delivery of what a tracker is owed: the run, its points since last time, how it ended, and versions of it."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tunesmith.db import Unit
from tunesmith.domains.datasets import DatasetNotFoundError, DatasetService
from tunesmith.domains.jobs import JobEventView, JobService
from tunesmith.domains.registry import ModelVersionNotFound, RegistryService
from tunesmith.domains.training.schemas import FinetuningStatus
from tunesmith.domains.training.tables import FinetuningJobRow, TrackingRow
from tunesmith.domains.training.tracking import outbox
from tunesmith.domains.training.tracking.report import write_report
from tunesmith.ports.tracking import Delivery, TrackedEnd, TrackedFile, TrackedPoint, TrackedRun, TrackedVersion
from tunesmith.settings import Settings

PAGE_POINTS = 10_000
ENDS: dict[str, Any] = {
    FinetuningStatus.COMPLETED: "finished",
    FinetuningStatus.FAILED: "failed",
    FinetuningStatus.STOPPED: "stopped",
}


@dataclass(frozen=True)
class Packed:
    """A delivery, and how far the outbox is when it has been taken."""

    delivery: Delivery
    event_offset: int
    skipped_points: int
    is_due: bool
    is_last: bool
    status: str
    completed_at: datetime | None


class Packer:
    """Reads what is owed. It writes the report and the card beside the run, for trackers that keep files."""

    def __init__(
        self, *, settings: Settings, jobs: JobService, datasets: DatasetService, registry: RegistryService
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        self._datasets = datasets
        self._registry = registry

    async def pack(self, unit: Unit, entry: TrackingRow) -> Packed:
        """What ``entry`` owes now."""
        row = await outbox.get_job(unit.session, entry.job_id)
        keep = self._settings.tracking.outbox_points
        start, skipped = await self._jobs.skip_to_newest(
            unit, row.id, "metric", after_offset=entry.event_offset, keep=keep
        )
        events = await self._jobs.list_events(unit, row.id, after_offset=start, types=("metric",), limit=PAGE_POINTS)
        has_ended = row.completed_at is not None and row.status in ENDS
        is_complete = len(events) < PAGE_POINTS
        end = await self._end(unit, row) if has_ended and is_complete else None
        versions = [v for model_id in entry.model_ids if (v := await self._version(unit, row.id, model_id))]
        is_pending = row.status == FinetuningStatus.PENDING
        return Packed(
            delivery=Delivery(
                run=await self._run(unit, row, entry.run_id),
                points=[_point(event) for event in events],
                end=end,
                versions=versions,
            ),
            event_offset=events[-1].offset if events else start,
            skipped_points=skipped,
            is_due=bool(events or end or versions) or (not is_pending and entry.run_id is None),
            is_last=end is not None or is_pending,
            status=row.status,
            completed_at=row.completed_at,
        )

    async def _run(self, unit: Unit, row: FinetuningJobRow, run_id: str | None) -> TrackedRun:
        dataset_name = None
        if row.dataset_id is not None:
            try:
                dataset = await self._datasets.get(unit, row.dataset_id)
                dataset_name = f"{dataset.name}@{dataset.version}"
            except DatasetNotFoundError:
                pass
        return TrackedRun(
            key=f"{row.id}-{row.created_at.timestamp():.6f}",
            job_id=row.id,
            job_name=row.job_name,
            base_model=row.base_model,
            method=row.method,
            dataset_id=row.dataset_id,
            dataset_name=dataset_name,
            parameters=flatten(row.recipe),
            started_at=(row.started_at or row.created_at).timestamp(),
            run_id=run_id,
        )

    async def _end(self, unit: Unit, row: FinetuningJobRow) -> TrackedEnd:
        assert row.completed_at is not None
        result = (await self._jobs.get(unit, row.id)).result or {}
        adapter = (result.get("publication") or {}).get("adapter_dir")
        resolved = Path(adapter).parent / "recipe.yaml" if adapter else None
        folder = self._settings.runs_dir / str(row.id) / "tracking"
        written = await asyncio.to_thread(write_report, folder, row, resolved)
        files = [TrackedFile(path=str(path)) for path in written]
        if adapter:
            files.insert(0, TrackedFile(path=str(adapter), folder="adapter"))
        figures = {f"run.{name}": float(v) for name, v in (row.figures or {}).items() if is_number(v)}
        return TrackedEnd(
            status=ENDS[row.status],
            at=row.completed_at.timestamp(),
            error=row.error_message,
            figures=figures,
            files=files,
        )

    async def _version(self, unit: Unit, job_id: int, model_id: int) -> TrackedVersion | None:
        try:
            version = await self._registry.get(unit, model_id)
        except ModelVersionNotFound:
            return None
        text = await self._registry.card(unit, model_id)
        card = self._settings.runs_dir / str(job_id) / "tracking" / "card" / version.version / "card.md"
        await asyncio.to_thread(_write, card, text)
        return TrackedVersion(
            model_id=model_id,
            name=version.model_name,
            version=version.version,
            description=version.description,
            card=TrackedFile(path=str(card), folder=f"card/{version.version}"),
        )


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def is_number(value: object) -> bool:
    """Whether a value has a place among metrics."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def flatten(document: dict[str, Any], before: str = "") -> dict[str, str]:
    """A document as parameters: dotted names, each value as text; lists as JSON."""
    flat: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{before}{name}.")
        elif value is not None:
            flat[f"{before}{name}"] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return flat


def _point(event: JobEventView) -> TrackedPoint:
    values = {name: float(value) for name, value in event.payload.get("values", {}).items() if is_number(value)}
    return TrackedPoint(step=event.payload["step"], at=event.at.timestamp(), values=values)
