"""What follows from a move: the event, the kind's mirror, and the jobs that depend on it. All in the caller's transaction."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from tunesmith.db import Unit
from tunesmith.domains.jobs import repository
from tunesmith.domains.jobs.failure import ErrorType, JobFailure
from tunesmith.domains.jobs.kinds import Kinds, spec_sha256
from tunesmith.domains.jobs.schemas import InputReference, JobState, JobView
from tunesmith.domains.jobs.state import Move, advance, can_move
from tunesmith.domains.jobs.tables import EventRow, JobRow
from tunesmith.kit.clock import utc_now
from tunesmith.kit.errors import TunesmithError

DEPENDENCY_FAILED = "dependency-failed"
DEPENDENCY_CANCELLED = "dependency-cancelled"
PROPAGATED = {DEPENDENCY_FAILED, DEPENDENCY_CANCELLED}


def to_view(row: JobRow, after: list[int]) -> JobView:
    """The row as the rest of the program sees it."""
    values = {name: getattr(row, name) for name in JobView.model_fields if name not in ("after", "inputs", "position")}
    inputs = {name: InputReference.model_validate(value) for name, value in (row.inputs or {}).items()}
    return JobView.model_validate({**values, "after": after, "inputs": inputs})


async def view_of(unit: Unit, row: JobRow) -> JobView:
    """The view of one row, with what it waits for."""
    return to_view(row, (await repository.list_dependencies(unit.session, [row.id])).get(row.id, []))


def add_event(unit: Unit, row: JobRow, type_: str, payload: dict[str, Any]) -> None:
    """Something that the server itself says about a job."""
    unit.session.add(EventRow(job_id=row.id, attempt=row.attempt, type=type_, payload=payload))


class Lifecycle:
    """Moves jobs through their states."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds

    async def move(
        self,
        unit: Unit,
        row: JobRow,
        move: Move,
        *,
        result: dict[str, Any] | None = None,
        failure: JobFailure | None = None,
    ) -> JobView:
        """Change the state of ``row`` and do all that follows. Raises JobStateConflict."""
        before, after = advance(row, move)
        now = utc_now()
        if after is JobState.QUEUED:
            row.queued_at = now
        if after.is_final:
            row.finished_at, row.eta_seconds, row.lease_expires_at, row.lease_owner = now, None, None, None
        if after is JobState.SUCCEEDED:
            row.result, row.progress = result or {}, 1.0
        if failure is not None:
            row.error = failure.model_dump()
        return await self.announce(unit, row, before, after)

    async def announce(self, unit: Unit, row: JobRow, before: JobState, after: JobState) -> JobView:
        """Tell the streams, the kind's mirror and the dependents that ``row`` has moved."""
        if before is not after:
            payload = {"state": after.value, "previous": before.value}
            add_event(unit, row, "state", payload | ({"error": row.error} if row.error else {}))
        await unit.session.flush()
        view = await self.tell_kind(unit, row)
        if before is not after and after.is_final:
            await self._propagate(unit, row, after)
        return view

    async def tell_kind(self, unit: Unit, row: JobRow) -> JobView:
        """Call the kind's ``on_change``."""
        view = await view_of(unit, row)
        kind = self._kinds.find(row.kind)
        if kind is not None and kind.on_change is not None:
            await kind.on_change(unit, view)
        return view

    async def enqueue(self, unit: Unit, row: JobRow, move: Move) -> JobView:
        """Put ``row`` in the queue by ``move``, or answer it from an equal job that has succeeded when its kind allows that."""
        kind = self._kinds.find(row.kind)
        row.spec_sha256 = spec_sha256(row.spec)
        if kind is not None and kind.cacheable and can_move(JobState(row.state), Move.REUSE):
            equal = await repository.find_equal_success(unit.session, row)
            if equal is not None:
                row.message = f"Reused the result of job {equal.id}."
                return await self.move(unit, row, Move.REUSE, result=equal.result)
        return await self.move(unit, row, move)

    async def _propagate(self, unit: Unit, row: JobRow, after: JobState) -> None:
        for dependent in await repository.list_dependents(unit.session, row.id):
            if JobState(dependent.state) is not JobState.WAITING:
                continue
            if after is JobState.SUCCEEDED:
                await self.release_if_ready(unit, dependent)
            elif after is JobState.FAILED:
                await self.move(unit, dependent, Move.FAIL, failure=_because_of(row, DEPENDENCY_FAILED, "failed"))
            elif after is JobState.CANCELLED:
                failure = _because_of(row, DEPENDENCY_CANCELLED, "was cancelled")
                await self.move(unit, dependent, Move.CANCEL, failure=failure)

    async def release_if_ready(self, unit: Unit, row: JobRow) -> None:
        """Fill the inputs of a waiting job and queue it, when all that it waits for has succeeded."""
        predecessors = await repository.list_predecessors(unit.session, row.id)
        if any(JobState(job.state) is not JobState.SUCCEEDED for job in predecessors):
            return
        try:
            row.spec = self._filled(row, {job.id: job for job in predecessors})
        except TunesmithError as error:
            failure = JobFailure(
                code="input-missing", error_type=ErrorType.CONFIGURATION, message=error.message, hint=error.hint
            )
            await self.move(unit, row, Move.FAIL, failure=failure)
            return
        await self.enqueue(unit, row, Move.RELEASE)

    def _filled(self, row: JobRow, predecessors: dict[int, JobRow]) -> dict[str, Any]:
        spec = dict(row.spec)
        for name, value in (row.inputs or {}).items():
            reference = InputReference.model_validate(value)
            spec[name] = pick(predecessors[reference.job_id], reference.path)
        return dump_spec(self._kinds.get(row.kind).parse(spec))


def dump_spec(spec: BaseModel) -> dict[str, Any]:
    """A spec as the plain JSON that is stored."""
    return spec.model_dump(mode="json", by_alias=True)


def pick(job: JobRow, path: str) -> Any:
    """The value at a dotted path in a job's result; raises TunesmithError that says how far the path leads."""
    value: Any = job.result or {}
    walked: list[str] = []
    for part in path.split(".") if path else []:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise TunesmithError(
                f"The result of job {job.id} ({job.kind}) has no {path!r}: "
                f"there is no {part!r} in {'.'.join(walked) or 'it'}.",
                hint="The two kinds of jobs do not fit together; report this with both job ids.",
            )
        walked.append(part)
    return value


def _because_of(row: JobRow, code: str, what: str) -> JobFailure:
    return JobFailure(
        code=code,
        error_type=str(row.error["error_type"]) if row.error else ErrorType.UNKNOWN,
        message=f"Job {row.id} ({row.name}), which this one waits for, {what}.",
        hint=f"Retry job {row.id}; this one follows by itself.",
    )
