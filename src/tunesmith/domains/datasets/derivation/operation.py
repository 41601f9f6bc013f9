"""What an operation is: a pure function over rows, with a report of what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tunesmith.domains.datasets.derivation.parent import ParentRow, Passed
from tunesmith.domains.datasets.derivation.report import Report
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.pii import FindPii, find_pii


class Row:
    """A row on its way from the parent to the new version. Its value is replaced, never altered in place."""

    __slots__ = ("_value", "parent", "touched")

    def __init__(self, parent: ParentRow | None, value: Any = None) -> None:
        self.parent = parent
        self.touched = parent is None
        self._value = value

    @property
    def number(self) -> int:
        """Its number in the parent; 0 for a new row."""
        return 0 if self.parent is None else self.parent.number

    @property
    def value(self) -> Any:
        """What it holds by now; None when it cannot be read."""
        return self._value if self.touched or self.parent is None else self.parent.value

    @value.setter
    def value(self, value: Any) -> None:
        self._value, self.touched = value, True

    @property
    def is_readable(self) -> bool:
        """Whether it holds something that can be looked at."""
        return self.touched or self.parent is None or self.parent.is_readable


@dataclass(frozen=True)
class Place:
    """What an operation may use beside the rows."""

    format: DataFormat
    folder: Path
    """For intermediate files; removed at the end."""
    passed: Passed
    """What the pass has met so far."""
    should_stop: Callable[[], bool]
    again: Callable[[], Iterator[Row]]
    """The rows once more, for an operation that has to know all of them first."""
    tokenizer_folder: Path | None = None
    salt: bytes = b""
    """What pseudonyms hang on; the same for all versions of a dataset, and secret."""
    find_pii: FindPii = find_pii


class Operation(Protocol):
    """One way to make a version. ``rows`` are read once, in the order of the parent; each leaves at most once."""

    @property
    def name(self) -> str:
        """As it stands in the source of the new version."""
        ...

    @property
    def model(self) -> str | None:
        """The model whose tokenizer it needs; None for none."""
        ...

    def apply(self, rows: Iterator[Row], place: Place, report: Report) -> Iterator[Row]:
        """The rows of the new version, those that are not touched with them."""
        ...

    def format_after(self, fmt: DataFormat, sample: Sequence[Any]) -> DataFormat:
        """The format of the new version, of which ``sample`` are the first rows."""
        ...

    def summary(self) -> dict[str, Any]:
        """The parameters, as they are kept with the new version."""
        ...
