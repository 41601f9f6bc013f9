"""Mappings that somebody made, kept for the next file with the same columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.mapping.checking import columns_digest
from tunesmith.domains.datasets.mapping.proposing import Proposal
from tunesmith.domains.datasets.tables import ColumnMappingRow


async def saved_mapping(unit: Unit, columns: Iterable[str]) -> Proposal | None:
    """What was last said of these columns in the current project."""
    row = await repository.find_mapping(unit.session, unit.principal, columns_digest(columns))
    if row is None:
        return None
    mapping = {str(column): str(name) for column, name in row.mapping.items()}
    return Proposal(DataFormat(row.format), mapping, 1.0, ["Files with these columns were mapped like this before."])


async def save_mapping(unit: Unit, columns: Iterable[str], fmt: DataFormat, mapping: Mapping[str, str]) -> None:
    """Keep what was said of these columns; it replaces what was said before."""
    digest = columns_digest(columns)
    await repository.forget_mappings(unit.session, unit.principal, digest)
    row = ColumnMappingRow(columns_sha256=digest, format=fmt.value, mapping=dict(mapping))
    row.project_id, row.created_by = unit.principal.project_id, unit.principal.user_id
    unit.session.add(row)
    await unit.session.flush()
