"""The operation that chains the steps of a cleaning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tunesmith.domains.datasets.derivation.cleaning import steps
from tunesmith.domains.datasets.derivation.operation import Place, Row
from tunesmith.domains.datasets.derivation.report import Report
from tunesmith.domains.datasets.doctor import RowChecker
from tunesmith.domains.datasets.doctor.near_rows import conversation, percent
from tunesmith.domains.datasets.duplicates import NearDuplicates, Stopped
from tunesmith.domains.datasets.errors import MissingColumnsError
from tunesmith.domains.datasets.formats import FIELDS, DataFormat, detect
from tunesmith.domains.datasets.schemas.cleaning import CleanRequest
from tunesmith.text import TextTokenizer

MAX_COLUMNS_SEEN = 2000


class Clean:
    """Applies what a ``CleanRequest`` asks for."""

    name = "clean"

    def __init__(self, parameters: dict[str, Any]) -> None:
        self._asked = CleanRequest.model_validate(parameters)
        self._columns: dict[str, None] = {}

    @property
    def model(self) -> str | None:
        """The model that counts, where tokens are counted."""
        length = self._asked.length
        return length.model if length is not None and length.unit == "tokens" else None

    def apply(self, rows: Iterator[Row], place: Place, report: Report) -> Iterator[Row]:
        """The rows, cleaned. Raises MissingColumnsError when no row has a column that is named."""
        near = self._asked.near_duplicates
        cleaned = self._steps(self._seen(rows), place, report)
        if near is not None:
            cleaned = self._without_near(cleaned, place, near.threshold, report)
        rules = self._asked.columns
        yield from cleaned if rules is None or not rules.rename else steps.rename_columns(cleaned, rules, report)
        if not place.should_stop():
            self._check_columns()

    def format_after(self, fmt: DataFormat, sample: Sequence[Any]) -> DataFormat:
        """The same while the first rows fit it; raises MissingColumnsError when they fit none any more."""
        if self._asked.columns is None or any(_fits(value, fmt) for value in sample):
            return fmt
        return detect(sample).format

    def summary(self) -> dict[str, Any]:
        """What was asked for."""
        return self._asked.model_dump(mode="json", exclude_defaults=True, exclude={"preview"})

    def _steps(self, rows: Iterator[Row], place: Place, report: Report) -> Iterator[Row]:
        asked, checker = self._asked, RowChecker(place.format)
        if asked.columns is not None and (asked.columns.drop or asked.columns.keep):
            rows = steps.select_columns(rows, asked.columns, report)
        if asked.normalise is not None:
            rows = steps.normalise_texts(rows, asked.normalise, checker, report)
        if asked.missing:
            rows = steps.treat_missing(rows, asked.missing, FIELDS[place.format].required, report)
        if asked.length is not None:
            rows = steps.filter_length(rows, asked.length, checker, self._counter(place), report)
        if asked.exact_duplicates:
            rows = steps.drop_repeated(rows, checker, report)
        return rows

    def _counter(self, place: Place) -> steps.Counter:
        if self._asked.length is None or self._asked.length.unit == "characters":
            return steps.characters
        assert place.tokenizer_folder is not None
        return TextTokenizer.from_folder(place.tokenizer_folder).count

    def _without_near(self, rows: Iterator[Row], place: Place, threshold: float, report: Report) -> Iterator[Row]:
        """Two passes: the first finds the clusters, the second leaves out all but the first row of each."""
        tally = report.step("near-duplicates")
        checker = RowChecker(place.format)
        try:
            with NearDuplicates(place.folder) as near:
                for row in rows:
                    if row.is_readable:
                        near.add(row.number, conversation(checker.check(row.value).turns))
                clusters = near.clusters(threshold, place.should_stop)
        except Stopped:
            return
        is_first = np.diff(clusters.cluster, prepend=-1) > 0
        gone = {
            int(row): (int(like), float(similarity))
            for row, like, similarity in zip(
                clusters.text[~is_first],
                clusters.like[~is_first],
                clusters.like_similarity[~is_first],
                strict=True,
            )
        }
        for row in self._steps(place.again(), place, Report()):
            if row.number in gone:
                like, similarity = gone[row.number]
                tally.remove(row.number, row.value, f"{percent(similarity)} the same as row {like}.")
            else:
                yield row

    def _seen(self, rows: Iterable[Row]) -> Iterator[Row]:
        wanted = self._named_columns()
        for row in rows:
            if wanted and isinstance(row.value, dict) and len(self._columns) < MAX_COLUMNS_SEEN:
                self._columns.update(dict.fromkeys(row.value))
            yield row

    def _named_columns(self) -> list[str]:
        asked = self._asked
        named = [name for rule in asked.missing for name in rule.columns if rule.action == "drop"]
        named += asked.normalise.columns if asked.normalise else []
        named += [asked.length.column] if asked.length and asked.length.column else []
        if asked.columns is not None:
            named += [*asked.columns.drop, *asked.columns.keep, *asked.columns.rename]
        return named

    def _check_columns(self) -> None:
        missing = [name for name in dict.fromkeys(self._named_columns()) if name not in self._columns]
        if missing and len(self._columns) < MAX_COLUMNS_SEEN:
            shown = ", ".join(f"`{name[:60]}`" for name in list(self._columns)[:12])
            raise MissingColumnsError(
                f"No row has the column {', '.join(f'`{name[:60]}`' for name in missing)}; there are {shown}.",
                hint="Name columns as they are called now.",
                missing=missing,
                columns=[name[:60] for name in list(self._columns)[:50]],
            )


def _fits(value: Any, fmt: DataFormat) -> bool:
    return isinstance(value, dict) and all(name in value for name in FIELDS[fmt].required)
