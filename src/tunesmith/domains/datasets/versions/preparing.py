"""Finding out how two versions are to be compared: by the maps up to a common ancestor, or by content."""

from __future__ import annotations

from pathlib import Path

from tunesmith.db import Unit
from tunesmith.domains.datasets.ancestry import ancestors_of
from tunesmith.domains.datasets.derivation.service import reference_to
from tunesmith.domains.datasets.row_index import ROW_INDEX
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.domains.datasets.versions.comparison import Comparison, Side
from tunesmith.domains.datasets.versions.digests import DIGESTS
from tunesmith.domains.datasets.versions.service import VersionService, refuse_purged


async def comparison_of(versions: VersionService, unit: Unit, before_id: int, after_id: int) -> Comparison:
    """What is needed to compare two versions. Raises DatasetNotFoundError and DatasetPurgedError."""
    before, after = [await versions.datasets.get_row(unit, number) for number in (before_id, after_id)]
    refuse_purged(before)
    refuse_purged(after)
    lines = [_mapped(await ancestors_of(unit, row)) for row in (before, after)]
    ids = {row.id for row in lines[1]}
    ancestor = next((row.id for row in lines[0] if row.id in ids), None)
    sides = [await _side_of(versions, row, line, ancestor) for row, line in zip((before, after), lines, strict=True)]
    return Comparison(sides[0], sides[1], is_related=ancestor is not None)


def _mapped(line: list[DatasetRow]) -> list[DatasetRow]:
    """The part of a line of ancestors that is held together by row maps."""
    end = next((at for at, row in enumerate(line) if row.row_map is None), len(line))
    return line[: end + 1]


async def _side_of(versions: VersionService, row: DatasetRow, line: list[DatasetRow], ancestor: int | None) -> Side:
    files = versions.datasets.files
    row_maps: list[Path] = []
    for version in line if ancestor is not None else ():
        if version.id == ancestor:
            break
        assert version.row_map is not None
        row_maps.append(await files.path_of(version.row_map))
    return Side(
        reference=reference_to(row),
        source=await versions.datasets.source_of(row),
        row_index=await files.path_of(f"{row.examination}/{ROW_INDEX}") if row.examination else None,
        digests=await versions.results.find(row, DIGESTS),
        row_maps=row_maps,
    )
