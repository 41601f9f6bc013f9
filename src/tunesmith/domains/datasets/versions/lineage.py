"""The graph around a version: what it came from, what came of it, and the runs that used any of that."""

from __future__ import annotations

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.ancestry import ancestors_of
from tunesmith.domains.datasets.schemas.versions import LineageEdge, LineageNode, LineageResponse
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.domains.datasets.versions.service import SPEC_FIELDS, VersionService, diff_of, operation_of
from tunesmith.domains.jobs import JobView

MAX_VERSIONS = 500
MAX_JOBS = 200


async def lineage_of(versions: VersionService, unit: Unit, dataset_id: int) -> LineageResponse:
    """Ancestors and descendants of a dataset (parts of splits among them), and its trainings and evaluations."""
    start = await versions.datasets.get_row(unit, dataset_id)
    rows = {row.id: row for row in await ancestors_of(unit, start)}
    level = list(rows)
    while level and len(rows) < MAX_VERSIONS:
        children = await repository.list_children(unit.session, unit.principal, level, MAX_VERSIONS - len(rows) + 1)
        level = [child.id for child in children if child.id not in rows]
        rows |= {child.id: child for child in children}
    truncated = bool(level)
    jobs = await versions.runs_of(unit, sorted(rows), MAX_JOBS)
    nodes = [_node_of(row) for row in sorted(rows.values(), key=lambda row: row.id)]
    edges = [
        LineageEdge(
            source=f"dataset:{row.parent_id}",
            target=f"dataset:{row.id}",
            operation=operation_of(row),
            diff=diff_of(row),
        )
        for row in rows.values()
        if row.parent_id in rows
    ]
    for job in jobs:
        nodes.append(_node_of_job(job))
        edges += [
            LineageEdge(source=f"dataset:{used}", target=f"job:{job.id}", operation=job.kind)
            for used in sorted({job.spec[field] for field in SPEC_FIELDS if job.spec.get(field) in rows})
        ]
    return LineageResponse(dataset_id=start.id, nodes=nodes, edges=edges, truncated=truncated or len(jobs) == MAX_JOBS)


def _node_of(row: DatasetRow) -> LineageNode:
    return LineageNode(
        key=f"dataset:{row.id}",
        kind="dataset",
        id=row.id,
        name=row.name,
        version=row.version,
        status=row.status,
        operation=operation_of(row),
        rows=row.total_samples,
        created_at=row.created_at,
        purged=row.purged_at is not None,
    )


def _node_of_job(job: JobView) -> LineageNode:
    return LineageNode(
        key=f"job:{job.id}",
        kind="job",
        id=job.id,
        name=job.name,
        status=job.state.value,
        operation=job.kind,
        created_at=job.created_at,
    )
