"""The figures of an exploration beside numpy and brute force."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tunesmith.domains.datasets.exploration import Document, Pass, explored
from tunesmith.domains.datasets.exploration.advice import warnings_of
from tunesmith.domains.datasets.exploration.cells import boolean_in, missing_kind, moment_in, number_in, shown_moment
from tunesmith.domains.datasets.exploration.correlation import incomplete_beta, p_values, pearson, spearman
from tunesmith.domains.datasets.exploration.distinct import DistinctValues, FrequentValues, fingerprint
from tunesmith.domains.datasets.exploration.histograms import histogram
from tunesmith.domains.datasets.exploration.lengths import EXACT_BELOW, LengthCounts
from tunesmith.domains.datasets.exploration.moments import Moments, Products
from tunesmith.domains.datasets.exploration.sample import RowSample, rank_error
from tunesmith.domains.datasets.exploration.vocabulary import Vocabulary
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.languages import language_of
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.source import RowSource

QUICK = settings(max_examples=60, deadline=None)
FINITE = st.floats(-1e9, 1e9, allow_nan=False, width=32)


def document_of(tmp_path: Path, rows: list[Any], max_cells: int = 10**6) -> Document:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    source = RowSource(path, FileKind.JSONL, DataFormat.MESSAGES, 1 << 20)
    return explored(Pass(max_cells).run(source)).document


@QUICK
@given(st.lists(st.integers(0, EXACT_BELOW - 1), min_size=1, max_size=300), st.integers(1, 40))
def test_lengths_below_4096_are_exact(lengths: list[int], piece: int) -> None:
    counts = LengthCounts()
    for at in range(0, len(lengths), piece):
        counts.add(lengths[at : at + piece])
    summary = counts.summary()
    assert summary is not None
    assert summary.exact
    assert (summary.min, summary.max, summary.total) == (min(lengths), max(lengths), sum(lengths))
    wanted = np.quantile(lengths, (0.25, 0.5, 0.75, 0.9, 0.95, 0.99))
    found = (summary.q1, summary.median, summary.q3, summary.p90, summary.p95, summary.p99)
    assert found == pytest.approx(wanted.tolist())
    if len(lengths) > 1:
        assert summary.std == pytest.approx(float(np.std(lengths, ddof=1)), abs=1e-9)


@QUICK
@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=200))
@example([4095, 4096, 4097, 8191, 8192, 2**40])
def test_longer_ones_are_off_by_a_4096th_at_most(lengths: list[int]) -> None:
    counts = LengthCounts()
    for length in lengths:
        counts.note(length)
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        wanted = float(np.quantile(np.array(lengths, dtype=np.float64), share))
        (found,) = counts.quantiles((share,))
        assert abs(found - wanted) <= wanted / EXACT_BELOW + 1e-6
    summary = counts.summary()
    assert summary is not None
    assert (summary.min, summary.max, summary.total) == (min(lengths), max(lengths), sum(lengths))


@QUICK
@given(st.lists(st.lists(FINITE, max_size=30), min_size=1, max_size=6).filter(lambda chunks: any(chunks)))
def test_moments_do_not_depend_on_the_chunks(chunks: list[list[float]]) -> None:
    moments = Moments()
    for chunk in chunks:
        moments.add(np.array(chunk, dtype=np.float64))
    values = np.array([value for chunk in chunks for value in chunk])
    assert moments.count == len(values)
    assert moments.mean == pytest.approx(float(values.mean()), rel=1e-9, abs=1e-6)
    assert (moments.smallest, moments.largest) == (values.min(), values.max())
    if len(values) > 1:
        assert moments.std == pytest.approx(float(values.std(ddof=1)), rel=1e-6, abs=1e-3)


CELLS = st.one_of(st.none(), st.integers(-5, 5), FINITE)


@QUICK
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=3, max_size=60), st.integers(1, 20))
def test_correlations_are_pairwise_complete(rows: list[tuple[Any, ...]], piece: int) -> None:
    table = np.array([[np.nan if cell is None else cell for cell in row] for row in rows], dtype=np.float64)
    products = Products()
    for at in range(0, len(table), piece):
        products.add(table[at : at + piece])
    summed = products.pearson()
    straight, _ = pearson(list(table.T))
    ranked, counts = spearman(list(table.T))
    for a in range(3):
        for b in range(3):
            both = ~np.isnan(table[:, a]) & ~np.isnan(table[:, b])
            x, y = table[both, a], table[both, b]
            assert counts[a, b] == products.count[a, b] == len(x)
            for found, wanted in (
                (straight, brute_pearson(x, y)),
                (ranked, brute_pearson(brute_ranks(x), brute_ranks(y))),
            ):
                if wanted is None:
                    assert np.isnan(found[a, b])
                else:
                    assert found[a, b] == pytest.approx(wanted, abs=1e-9)
            if not np.isnan(straight[a, b]) and all(varies(table[:, at], table[both, at]) for at in (a, b)):
                assert summed[a, b] == pytest.approx(straight[a, b], abs=1e-6)


def varies(column: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> bool:
    """Whether values vary by more than a thousandth of what their column reaches, as sums need it."""
    return float(np.std(values)) > 1e-3 * float(np.nanmax(np.abs(column)))


def brute_pearson(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float | None:
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def brute_ranks(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Mean rank by looking at every pair."""
    return np.array([(values < value).sum() + ((values == value).sum() + 1) / 2 for value in values])


def test_large_numbers_that_lie_close_together_keep_their_correlation() -> None:
    step = np.arange(1000, dtype=np.float64)
    products = Products()
    for at in range(0, 1000, 100):
        products.add(np.column_stack([1e9 + step, -step])[at : at + 100])
    assert products.pearson()[0, 1] == pytest.approx(-1, abs=1e-9)


@pytest.mark.parametrize(
    ("r", "n", "p"),
    [  # published tables of Student's t: t = r·√((n−2)/(1−r²))
        (0.6319, 10, 0.05), (0.7646, 10, 0.01), (0.3610, 30, 0.05), (0.4629, 30, 0.01), (0.1966, 100, 0.05),
        (0.996917, 3, 0.05), (-0.6319, 10, 0.05), (0.0, 50, 1.0),
    ],
)  # fmt: skip
def test_p_values_are_those_of_the_tables(r: float, n: int, p: float) -> None:
    found = p_values(np.array([[r]]), np.array([[float(n)]]))[0, 0]
    assert found == pytest.approx(p, rel=2e-3)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (4, 0.5), (49, 0.5), (2, 3), (500, 0.5)])
def test_the_incomplete_beta_function_is_its_integral(a: float, b: float) -> None:
    """Substituting t = sin²u leaves no pole at the ends."""
    for x in (0.01, 0.3, 0.5, 0.9, 0.999):
        angles = np.linspace(0, math.asin(math.sqrt(x)), 20_001)
        heights = 2 * np.sin(angles) ** (2 * a - 1) * np.cos(angles) ** (2 * b - 1)
        whole = math.exp(math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b))
        assert incomplete_beta(a, b, x) == pytest.approx(float(np.trapezoid(heights, angles)) / whole, abs=1e-6)
    assert (incomplete_beta(a, b, 0), incomplete_beta(a, b, 1)) == (0, 1)


def test_different_values_are_counted_exactly_up_to_the_limit_and_well_above() -> None:
    few, many = DistinctValues(limit=4096), DistinctValues(limit=4096)
    for at in range(4096):
        few.add({fingerprint(f"값 {at}")})
        few.add({fingerprint(f"값 {at}")})
    assert few.count().model_dump() == {"value": 4096, "exact": True, "relative_error": 0.0}
    for at in range(0, 200_000, 1000):
        many.add({fingerprint(f"값 {n}") for n in range(at, at + 1500)})
    found = many.count()
    assert not found.exact
    assert found.relative_error == pytest.approx(1 / math.sqrt(4094), abs=1e-6)
    assert abs(found.value / 200_500 - 1) < 4 * found.relative_error


@QUICK
@given(st.lists(st.integers(0, 30), max_size=400), st.integers(1, 8), st.integers(1, 50))
def test_frequent_values_are_never_too_high_and_off_by_the_error_at_most(
    values: list[int], capacity: int, piece: int
) -> None:
    frequent: FrequentValues[int] = FrequentValues(capacity)
    for at in range(0, len(values), piece):
        frequent.add(Counter(values[at : at + piece]))
    true, found = Counter(values), dict(frequent.most_common())
    for value, count in true.items():
        assert count - frequent.error <= found.get(value, 0) <= count
    assert frequent.error <= len(values) / (capacity + 1)


def test_an_even_sample_keeps_quantiles_within_the_stated_error() -> None:
    sample = RowSample(max_cells=8_000)
    numbers = np.random.default_rng(5).lognormal(size=100_000)
    for at in range(0, len(numbers), 1000):
        sample.add(numbers[at : at + 1000, None])
    kept = sample.column(0)
    assert not sample.is_whole
    assert 1_000 < len(kept) <= 8_000
    error = rank_error(len(kept), len(numbers))
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        rank = (numbers <= np.quantile(kept, share)).mean()
        assert abs(rank - share) <= error
    again = RowSample(max_cells=8_000)
    again.add(numbers[:, None])
    assert np.array_equal(np.sort(again.column(0)), np.sort(kept))


def test_rows_stay_together_in_the_sample_and_new_measures_join() -> None:
    sample = RowSample(max_cells=500)
    for at in range(0, 2000, 100):
        rows = np.arange(at, at + 100, dtype=np.float64)
        sample.add(np.column_stack([rows, rows * 2]) if at >= 1000 else rows[:, None])
    first, second = sample.column(0), sample.column(1)
    late = first >= 1000
    assert np.array_equal(second[late], first[late] * 2)
    assert np.isnan(second[~late]).all()


def test_vocabulary_counts_words_and_those_that_occur_once() -> None:
    words = Vocabulary()
    words.add(("The", "ferry,", "the", "FERRY!", "배가", "배는", "“배는”"))
    found = words.summary()
    assert found is not None
    assert (found.words, found.types, found.exact) == (7, 4, True)
    assert found.type_token_ratio == pytest.approx(4 / 7)
    assert found.hapax_share == 0.25


def test_a_vocabulary_beyond_its_limit_is_estimated_from_an_even_share() -> None:
    words = Vocabulary(limit=1000)
    for at in range(20_000):
        words.add((f"once{at}", f"twice{at}", f"twice{at}"))
    found = words.summary()
    assert found is not None
    assert not found.exact
    assert found.words == 60_000
    assert found.types == pytest.approx(40_000, rel=0.15)
    assert found.hapax_share == pytest.approx(0.5, abs=0.06)


@QUICK
@given(st.lists(FINITE, min_size=1, max_size=80), st.integers(1, 30), st.booleans())
def test_every_value_is_in_one_bar(values: list[float], bins: int, log: bool) -> None:
    array = np.array(values, dtype=np.float64)
    made = histogram(array, np.ones(len(array)), measure="value", bins=bins, log=log, total=len(array))
    assert made is not None
    assert sum(bar.count for bar in made.bins) == len(values)
    assert sum(bar.share for bar in made.bins) == pytest.approx(1)
    assert made.bins[0].low == min(values)
    assert made.bins[-1].high == max(values) or (log and max(values) <= 0 <= made.bins[-1].high)
    if not log and max(values) - min(values) > 1e-3:
        assert [bar.count for bar in made.bins] == pytest.approx(np.histogram(array, bins)[0].tolist(), abs=2)


@QUICK
@given(st.lists(st.integers(3, 20), min_size=1, max_size=80))
def test_what_is_counted_has_a_bar_for_each_number(values: list[int]) -> None:
    array = np.array(values, dtype=np.float64)
    made = histogram(array, np.ones(len(array)), measure="tokens", bins=40, log=False, total=len(array))
    assert made is not None
    found = {bar.low: bar.count for bar in made.bins}
    assert found == {float(number): values.count(number) for number in range(min(values), max(values) + 1)}
    assert all(bar.low == bar.high for bar in made.bins)


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), (" -3.5 ", -3.5), ("1,234,567.8", 1234567.8), ("1e3", 1000), (".5", 0.5), ("0", 0), ("+7", 7)],
)
def test_numbers_as_texts(text: str, number: float) -> None:
    assert number_in(text) == number


@pytest.mark.parametrize(
    "text",
    ["007", "01012345678", "1,23", "12,34,567", "1.2.3", "abc", "", "1e999", "1234567890123456", "½", "3 4", "−1"],
)
def test_codes_and_telephone_numbers_are_no_numbers(text: str) -> None:
    assert number_in(text) is None


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-03-01", "2024-03-01"), ("2024.3.1.", "2024-03-01"), ("2024년 3월 1일", "2024-03-01"),
        ("2024/03/01 09:30", "2024-03-01T09:30:00Z"), ("2024-03-01T09:30:15+09:00", "2024-03-01T00:30:15Z"),
        ("1931-05-05", "1931-05-05"),
    ],
)  # fmt: skip
def test_dates_as_texts(text: str, iso: str) -> None:
    found = moment_in(text)
    assert found is not None
    assert shown_moment(found) == iso


@pytest.mark.parametrize("text", ["2024-13-01", "2024-02-30", "2024-03", "24-03-01", "2024-03-01T25:00", "0000-01-01"])
def test_what_is_no_date(text: str) -> None:
    assert moment_in(text) is None


def test_truth_and_nothing() -> None:
    assert [boolean_in(word) for word in ("Yes", "예", "거짓", "no", "maybe")] == [True, True, False, False, None]
    cells = [None, "", " \t", "N/A", "결측", "-", [], {}, 0, False, "0", "없습니다"]
    kinds = ["null", "empty", "blank", "na_like", "na_like", "na_like", "empty", "empty", None, None, None, None]
    assert [missing_kind(cell) for cell in cells] == kinds


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("배는 몇 시에 출발합니까?", "ko"), ("PyTorch 2.0 에서 torch.compile 을 사용하는 방법", "ko"),
        ("The ferry leaves at eight.", "en"), ("Die Fähre ist nicht pünktlich.", "de"), ("船は何時に出ますか", "ja"),
        ("渡轮几点出发", "zh"), ("Паром отправляется", "ru"), ("12:30 - 14:00", "none"), ("zxqv brmpf", "latin"),
        ("Où est le ferry ?", "fr"), ("🚢", "none"),
    ],
)  # fmt: skip
def test_languages(text: str, language: str) -> None:
    assert language_of(text) == language


def test_one_row(tmp_path: Path) -> None:
    document = document_of(tmp_path, [{"a": 1, "b": "배"}])
    numbers = document.statistics.columns[0].numbers
    assert numbers is not None
    assert (numbers.mean, numbers.std, numbers.q1, numbers.max) == (1, None, 1, 1)
    for correlation in document.correlations.values():
        assert correlation.coefficients == [[None, None], [None, None]]
        assert correlation.strongest == []


def test_columns_without_a_value_and_files_without_a_row(tmp_path: Path) -> None:
    document = document_of(tmp_path, [{"a": None}, {"a": ""}, {"a": " "}, {}])
    (column,) = document.statistics.columns
    assert (column.type, column.count, column.missing, column.distinct.value) == ("empty", 0, 4, 0)
    assert column.text is column.numbers is column.items is None
    assert document.missing.complete_rows == 0
    path = tmp_path / "broken.jsonl"
    path.write_text("{\n{\n", encoding="utf-8")
    empty = explored(Pass().run(RowSource(path, FileKind.JSONL, DataFormat.MESSAGES, 1 << 20))).document
    assert (empty.statistics.rows, empty.statistics.unreadable_rows) == (0, 2)
    assert empty.statistics.columns == []
    assert empty.missing.patterns == []
    assert [warning.code for warning in warnings_of(empty)] == ["no-rows", "unreadable-rows"]


def test_columns_that_come_late_were_absent_before(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"a": at} for at in range(5000)] + [{"a": None, "late": 1}] * 10
    document = document_of(tmp_path, rows)
    late = document.missing.columns[1]
    assert (late.absent, late.missing) == (5000, 5000)
    assert document.missing.patterns[0].columns == ["late"]
    assert document.missing.patterns[0].rows == 5000
    assert document.missing.patterns[1].columns == ["a"]


def test_objects_that_are_sometimes_null_are_shown_by_their_fields(tmp_path: Path) -> None:
    document = document_of(tmp_path, [{"meta": None}, {"meta": {"source": "a"}}, {"meta": {"source": "b"}}])
    assert [column.column for column in document.statistics.columns] == ["/meta/source"]
    assert document.missing.complete_rows == 2


def test_types_that_drift_are_mixed(tmp_path: Path) -> None:
    document = document_of(tmp_path, [{"a": 1}, {"a": "두 번째"}, {"a": [1, 2]}, {"a": True}])
    (column,) = document.statistics.columns
    assert column.type == "mixed"
    assert column.types == {"array": 1, "boolean": 1, "number": 1, "text": 1}
    assert column.numbers is not None
    assert column.text is not None
    assert column.items is not None


def test_numbers_that_are_too_large_to_compute_with_are_counted_only(tmp_path: Path) -> None:
    document = document_of(tmp_path, [{"a": 10**400}, {"a": -1e200}, {"a": 2}])
    numbers = document.statistics.columns[0].numbers
    assert numbers is not None
    assert (document.statistics.columns[0].count, numbers.count, numbers.mean) == (3, 1, 2)


def test_half_surrogates_and_long_values_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text('{"a": "\\ud83d", "b": "' + "긴 " * 5000 + '"}\n{"a": "\\u0000", "b": "x"}\n', encoding="utf-8")
    source = RowSource(path, FileKind.JSONL, DataFormat.MESSAGES, 1 << 20)
    document = explored(Pass().run(source)).document
    assert document.statistics.rows == 2
    assert all(len(value.value) <= 120 for column in document.distributions for value in column.top)
    json.dumps(document.model_dump(mode="json")).encode()


def test_columns_beyond_the_limit_are_named(tmp_path: Path) -> None:
    document = document_of(tmp_path, [{f"c{at}": at for at in range(230)}])
    assert len(document.statistics.columns) == 200
    assert document.statistics.columns_left_out == [f"c{at}" for at in range(200, 230)]


def test_a_table_too_large_to_keep_is_sampled_and_says_so(tmp_path: Path) -> None:
    rows = [{"a": at, "b": (at * 7919) % 10_007} for at in range(10_000)]
    document = document_of(tmp_path, rows, max_cells=4_000)
    numbers = document.statistics.columns[0].numbers
    assert numbers is not None
    assert not numbers.exact
    assert (numbers.min, numbers.max, numbers.count) == (0, 9999, 10_000)
    assert numbers.mean == pytest.approx(4999.5)
    assert abs(numbers.median - 4999.5) / 10_000 <= numbers.rank_error < 0.1
    assert document.correlations["pearson"].exact
    assert not document.correlations["spearman"].exact


@QUICK
@given(
    st.lists(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=8,
        ),
        min_size=1,
        max_size=15,
    )
)
def test_any_json_can_be_explored(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    assume(
        not (len(rows) == 1 and isinstance(rows[0], list) and rows[0] and isinstance(rows[0][0], dict))
    )  # a file in one line
    document = document_of(tmp_path_factory.mktemp("any"), rows)
    assert document.statistics.rows == len(rows)
    for column, missing in zip(document.statistics.columns, document.missing.columns, strict=True):
        assert column.count + missing.missing == len(rows)
        assert missing.missing == missing.absent + missing.null + missing.empty + missing.blank + missing.na_like
    Document.model_validate_json(document.model_dump_json())
