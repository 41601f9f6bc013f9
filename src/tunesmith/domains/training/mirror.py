"""Keeps the fine-tuning tables in step with the job, in the same transaction: states in the API's words, checkpoints, curves."""

from __future__ import annotations

import posixpath
from datetime import UTC, datetime
from typing import Any

from tunesmith.db import Unit
from tunesmith.domains.jobs import JobState, JobView
from tunesmith.domains.training import repository
from tunesmith.domains.training.schemas import FinetuningStatus, RunFigures
from tunesmith.domains.training.short_form import hyperparameters_of, method_of
from tunesmith.domains.training.tables import FinetuningJobRow, TrainingCheckpointRow, TrainingPointRow
from tunesmith.wire.events import CheckpointSaved, Event, Finished, Metric

STATUS: dict[JobState, FinetuningStatus] = {
    JobState.WAITING: FinetuningStatus.PENDING,
    JobState.QUEUED: FinetuningStatus.PENDING,
    JobState.RUNNING: FinetuningStatus.RUNNING,
    JobState.SUCCEEDED: FinetuningStatus.COMPLETED,
    JobState.FAILED: FinetuningStatus.FAILED,
    JobState.STOPPING: FinetuningStatus.STOPPED,
    JobState.STOPPED: FinetuningStatus.STOPPED,
    JobState.CANCELLED: FinetuningStatus.STOPPED,
}
"""The job table's words and the API's: mapped here and only here."""

CURVES = ("loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_gb")


async def follow_job(unit: Unit, job: JobView) -> None:
    """Write a change of the job into its fine-tuning row; the first one makes the row."""
    row = await unit.session.get(FinetuningJobRow, job.id)
    if row is None:
        row = FinetuningJobRow(id=job.id, project_id=job.project_id, created_by=job.created_by, **_of_recipe(job.spec))
        unit.session.add(row)
    if job.state is JobState.QUEUED:
        row.archived_at = None  # run again from the list of jobs after it was deleted: it is there again
    row.dataset_id = job.spec.get("dataset_id") or row.dataset_id
    row.status = STATUS[job.state].value
    row.progress, row.current_step, row.total_steps = job.progress, job.step, job.total_steps
    row.eta_seconds, row.message = job.eta_seconds, job.message
    if job.state is JobState.CANCELLED:
        row.resume_from = None  # what was cancelled is discarded, a chosen checkpoint too
    row.resumed = job.resumed or row.resume_from is not None
    row.started_at, row.completed_at = job.started_at, job.finished_at
    error = job.error
    row.error_type, row.error_code = (str(error.error_type), error.code) if error else (None, None)
    row.error_message, row.error_hint = (error.message, error.hint) if error else (None, None)
    if job.result is not None:
        row.figures = RunFigures.model_validate(job.result).model_dump(mode="json")
    await unit.session.flush()


async def follow_event(unit: Unit, job: JobView, _offset: int, event: Event) -> None:
    """Keep checkpoints and points as they are told."""
    if isinstance(event, Metric):
        await _keep_point(unit, job, event)
    elif isinstance(event, CheckpointSaved):
        await _keep_checkpoint(unit, job, event)
    elif isinstance(event, Finished) and event.stopped:
        row = await unit.session.get(FinetuningJobRow, job.id)
        if row is not None:
            row.figures = RunFigures.model_validate(event.result).model_dump(mode="json")


def _of_recipe(spec: dict[str, Any]) -> dict[str, Any]:
    recipe = spec["recipe"]
    return {
        "job_name": recipe["name"],
        "base_model": recipe["model"]["base"],
        "method": method_of(recipe),
        "hyperparameters": hyperparameters_of(recipe),
        "recipe": recipe,
    }


async def _keep_point(unit: Unit, job: JobView, event: Metric) -> None:
    row = await repository.find_point(unit.session, job.id, event.step)
    if row is None:
        row = TrainingPointRow(job_id=job.id, step=event.step, attempt=job.attempt)
        unit.session.add(row)
    elif row.attempt < job.attempt:  # a step that a resumed run does again
        row.attempt = job.attempt
        row.figures = {}
        for name in CURVES:
            setattr(row, name, None)
    row.epoch, row.at = event.epoch, datetime.fromtimestamp(event.at, UTC)
    for name in CURVES:
        if name in event.values:
            setattr(row, name, event.values[name])
    others = {name: value for name, value in event.values.items() if name not in CURVES}
    if others:
        row.figures = {**(row.figures or {}), **others}


async def _keep_checkpoint(unit: Unit, job: JobView, event: CheckpointSaved) -> None:
    session = unit.session
    if event.is_best:
        await repository.forget_best(session, job.id)
    path = _from_job_folder(job.attempt, event.path)
    row = await repository.find_checkpoint_at(session, job.id, path)
    if row is None:
        row = TrainingCheckpointRow(job_id=job.id, attempt=job.attempt, path=path)
        session.add(row)
    row.step, row.epoch, row.metrics = event.step, event.epoch, event.metrics
    row.size_bytes, row.is_best = event.size_bytes, event.is_best
    row.created_at = datetime.fromtimestamp(event.at, UTC)
    for removed in event.removed:
        old = await repository.find_checkpoint_at(session, job.id, _from_job_folder(job.attempt, removed))
        if old is not None:
            await session.delete(old)
    await session.flush()


def _from_job_folder(attempt: int, path: str) -> str:
    """A path that a child told, which begins at its attempt's folder."""
    return posixpath.normpath(f"attempts/{attempt}/{path}")
