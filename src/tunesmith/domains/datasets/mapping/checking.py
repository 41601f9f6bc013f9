"""A mapping that somebody gives: does it name columns of the file and fields of the format, and all that these need?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping

from tunesmith.domains.datasets.errors import ColumnMappingError
from tunesmith.domains.datasets.formats import FIELDS, DataFormat

ANY_FIELD = frozenset(name for fields in FIELDS.values() for name in fields.known)


def columns_digest(columns: Iterable[str]) -> str:
    """A digest of the names of columns, whatever their order."""
    return hashlib.sha256(json.dumps(sorted(set(columns)), ensure_ascii=False).encode(errors="replace")).hexdigest()


def check_mapping(mapping: Mapping[str, str], columns: Collection[str], wanted: DataFormat | None) -> dict[str, str]:
    """``mapping`` without entries that change nothing; raises ColumnMappingError."""
    absent = [column for column in mapping if column not in columns]
    if absent:
        shown = ", ".join(f"`{name[:60]}`" for name in list(columns)[:12])
        raise ColumnMappingError(
            f"The mapping names {_listed(absent)}, which the file does not have; its columns are {shown}.",
            columns=[name[:60] for name in list(columns)[:50]],
        )
    known = FIELDS[wanted].known if wanted is not None else ANY_FIELD
    unknown = sorted({name for name in mapping.values() if name not in known})
    if unknown:
        of_format = f"the format {wanted.value}" if wanted is not None else "any format"
        raise ColumnMappingError(
            f"{_listed(unknown)} is no field of {of_format}.", hint=f"The fields are: {', '.join(sorted(known))}."
        )
    return {column: name for column, name in mapping.items() if column != name}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name[:60]}`" for name in names)
