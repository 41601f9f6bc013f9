"""The line of versions that one came from."""

from __future__ import annotations

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.tables import DatasetRow

MAX_ANCESTORS = 10_000


async def ancestors_of(unit: Unit, row: DatasetRow) -> list[DatasetRow]:
    """``row``, its parent, and so on to the first that is visible."""
    line = [row]
    seen = {row.id}
    while (parent_id := line[-1].parent_id) is not None and parent_id not in seen and len(line) < MAX_ANCESTORS:
        parent = await repository.find_dataset(unit.session, unit.principal, parent_id)
        if parent is None:
            break
        seen.add(parent.id)
        line.append(parent)
    return line
