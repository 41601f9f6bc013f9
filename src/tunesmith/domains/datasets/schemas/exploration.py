"""What exploring a dataset answers: statistics, missing values, distributions, correlations, and all of it with warnings."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field

ColumnType = Literal["number", "text", "boolean", "date", "conversation", "array", "object", "mixed", "empty"]
CorrelationMethod = Literal["pearson", "spearman"]


class View(StrEnum):
    """What is asked for; one pass over the file answers all of them."""

    STATISTICS = "statistics"
    MISSING = "missing-values"
    DISTRIBUTION = "value-distribution"
    CORRELATION = "correlation"
    SUMMARY = "summary"


class DistinctCount(BaseModel):
    """A number of different values."""

    value: int = Field(description="Different values; an estimate when not exact.")
    exact: bool = Field(description="Whether they were counted one by one.")
    relative_error: float = Field(description="Relative standard error of the estimate; 0 when exact.")


class LengthSummary(BaseModel):
    """A distribution of lengths."""

    count: int = Field(description="Lengths that were counted.")
    total: int = Field(description="Their sum.")
    mean: float = Field(description="Their mean.")
    std: float | None = Field(description="Standard deviation of a sample (n − 1); null for a single one.")
    min: int = Field(description="The smallest.")
    q1: float = Field(description="First quartile, interpolated.")
    median: float = Field(description="Median, interpolated.")
    q3: float = Field(description="Third quartile, interpolated.")
    p90: float = Field(description="90th percentile, interpolated.")
    p95: float = Field(description="95th percentile, interpolated.")
    p99: float = Field(description="99th percentile, interpolated.")
    max: int = Field(description="The largest.")
    exact: bool = Field(description="Whether the quantiles are exact; they are unless a length is 4096 or more.")
    relative_error: float = Field(description="Largest relative error of a quantile; 0 when exact.")


class NumberStatistics(BaseModel):
    """A column's numbers. All but the quartiles are exact at any size."""

    count: int = Field(description="Numbers.")
    mean: float = Field(description="Their mean.")
    std: float | None = Field(description="Standard deviation of a sample (n − 1); null for a single one.")
    min: float = Field(description="The smallest.")
    q1: float = Field(description="First quartile, interpolated.")
    median: float = Field(description="Median, interpolated.")
    q3: float = Field(description="Third quartile, interpolated.")
    max: float = Field(description="The largest.")
    zeros: int = Field(description="How many are 0.")
    negatives: int = Field(description="How many are below 0.")
    integers: bool = Field(description="Whether all are whole.")
    exact: bool = Field(
        description="Whether the quartiles come from all rows; of a very large table an even sample is kept."
    )
    rank_error: float = Field(
        description="How far the rank of a quartile may be off, as a share of the rows, at 99.9 % confidence; 0 when exact."
    )


class LanguageShare(BaseModel):
    """Texts in one language."""

    language: str = Field(description="ISO 639-1 code; `latin`: unknown in Latin letters; `none`: no letters; `other`.")
    texts: int = Field(description="Texts that are mostly in it.")
    share: float = Field(description="Their share.")


class VocabularySummary(BaseModel):
    """How rich the words are."""

    words: int = Field(description="Words, counted each time.")
    types: int = Field(description="Different words.")
    type_token_ratio: float = Field(description="Different words divided by words; falls as the texts grow.")
    hapax_share: float = Field(description="Share of the different words that occur once.")
    exact: bool = Field(description="False when different words were estimated from an even share of them.")
    note: str = Field(description="What counts as a word.")


class TextStatistics(BaseModel):
    """A column's texts."""

    characters: LengthSummary = Field(description="Characters of each text.")
    words: LengthSummary = Field(description="Words of each text: what stands between white space.")
    languages: list[LanguageShare] = Field(description="Languages, told from script and small words.")
    vocabulary: VocabularySummary | None = Field(description="Richness; null when there are no words.")


class RoleStatistics(BaseModel):
    """What one role says."""

    role: str = Field(description="Role as written in the file.")
    turns: int = Field(description="Its turns.")
    characters: LengthSummary = Field(description="Characters of each turn.")


class TurnStatistics(BaseModel):
    """What is said at one place of the conversations."""

    turn: int = Field(description="Place in the conversation, from 1.")
    and_later: bool = Field(description="Whether all later turns are counted here, too.")
    roles: dict[str, float] = Field(description="Who speaks here: share by role.")
    characters: LengthSummary = Field(description="Characters of each turn.")


class ConversationStatistics(BaseModel):
    """A column's conversations."""

    turns: LengthSummary = Field(description="Turns of each conversation.")
    roles: list[RoleStatistics] = Field(description="By role.")
    by_turn: list[TurnStatistics] = Field(description="By place.")
    text: TextStatistics = Field(description="Over all turns.")


class DateStatistics(BaseModel):
    """A column's dates or times; without an offset they are taken for UTC."""

    count: int = Field(description="Dates.")
    min: str = Field(description="The first.")
    median: str = Field(description="The middle one.")
    max: str = Field(description="The last.")


class ColumnStatistics(BaseModel):
    """One column, or one field inside an object (its name is then a JSON pointer)."""

    column: str = Field(description="Name; a JSON pointer for a field inside an object.")
    type: ColumnType = Field(description="What all values that are not missing are; `mixed` when they differ.")
    types: dict[str, int] = Field(description="Values by type as written in the file.")
    count: int = Field(description="Values that are not missing.")
    missing: int = Field(description="Rows without a value; `missing-values` has them by kind.")
    missing_share: float = Field(description="Their share of the rows.")
    distinct: DistinctCount = Field(description="Different values.")
    as_text: bool = Field(description="Whether numbers, dates or truth values are written as texts (always so in CSV).")
    numbers: NumberStatistics | None = Field(description="Figures of its numbers; null when there are none.")
    text: TextStatistics | None = Field(description="Figures of its texts; null for columns of another type.")
    booleans: dict[str, int] | None = Field(description="`true` and `false`; null for columns of another type.")
    dates: DateStatistics | None = Field(description="Figures of its dates; null for columns of another type.")
    conversation: ConversationStatistics | None = Field(description="Figures of its conversations; null when none.")
    items: LengthSummary | None = Field(description="Items of each array, or fields of each object; null when none.")


class ColumnBrief(BaseModel):
    """A column, short."""

    column: str = Field(description="Name; a JSON pointer for a field inside an object.")
    type: ColumnType = Field(description="What its values are.")
    types: dict[str, int] = Field(description="Values by type as written in the file.")
    missing: int = Field(description="Rows without a value.")
    rows_looked_at: int = Field(
        description="Rows that this is told from: the first 1,000 until the dataset is explored."
    )


class Explored(BaseModel):
    """What every view says about the pass that it comes from."""

    dataset_id: int = Field(description="Dataset that was explored.")
    rows: int = Field(description="Rows that could be read.")
    unreadable_rows: int = Field(description="Rows that could not be read, and so are counted nowhere else.")


class EdaStatistics(Explored):
    """Statistics of every column."""

    view: Literal[View.STATISTICS] = View.STATISTICS
    columns: list[ColumnStatistics] = Field(description="Columns in the order of the file.")
    columns_left_out: list[str] = Field(description="Columns beyond the first 200, by name (at most 200 of them).")


class MissingColumn(BaseModel):
    """Missing values of one column, by kind."""

    column: str = Field(description="Name of the column.")
    missing: int = Field(description="Rows without a value: the sum of the kinds.")
    share: float = Field(description="Their share of the rows.")
    absent: int = Field(description="The row does not have the field.")
    null: int = Field(description="The value is null.")
    empty: int = Field(description="An empty text, array or object.")
    blank: int = Field(description="A text of white space alone.")
    na_like: int = Field(description="A word for nothing: `NA`, `null`, `-`, `결측` and the like.")


class MissingPattern(BaseModel):
    """Rows that miss exactly these columns."""

    columns: list[str] = Field(description="The columns; none for complete rows.")
    rows: int = Field(description="How many rows.")
    share: float = Field(description="Their share.")


class MissingPair(BaseModel):
    """Two columns that are missing together."""

    a: str = Field(description="One column.")
    b: str = Field(description="The other.")
    both: int = Field(description="Rows that miss both.")
    overlap: float = Field(description="Rows that miss both, as a share of those that miss either.")


class EdaMissing(Explored):
    """Missing values."""

    view: Literal[View.MISSING] = View.MISSING
    complete_rows: int = Field(description="Rows that miss nothing.")
    columns: list[MissingColumn] = Field(description="Columns in the order of the file.")
    patterns: list[MissingPattern] = Field(
        description="The 20 most frequent sets of columns that are missing together."
    )
    pairs: list[MissingPair] = Field(description="The 20 pairs that are missing together most often.")
    patterns_exact: bool = Field(description="False when there were so many patterns that rare ones were forgotten.")


class HistogramBin(BaseModel):
    """One bar: from ``low`` on, below ``high``; the last one includes it."""

    low: float = Field(description="Lower edge.")
    high: float = Field(description="Upper edge.")
    count: float = Field(description="Values in it; scaled up from the sample when the histogram is not exact.")
    share: float = Field(description="Their share.")


class Histogram(BaseModel):
    """A distribution in bars."""

    measure: Literal["value", "characters", "turns", "items", "date", "tokens"] = Field(description="What is measured.")
    log: bool = Field(description="Whether the bars grow by a constant factor; values up to 0 have a bar of their own.")
    bins: list[HistogramBin] = Field(description="The bars from left to right.")
    exact: bool = Field(description="Whether all values are counted; else an even sample, scaled up.")


class TopValue(BaseModel):
    """A frequent value."""

    value: str = Field(description="The value; personal data masked, shortened to 120 characters.")
    count: int = Field(description="How often it occurs.")
    share: float = Field(description="Share of the values that are not missing.")


class ColumnDistribution(BaseModel):
    """How the values of one column are distributed."""

    column: str = Field(description="Name of the column.")
    type: ColumnType = Field(description="Type of the column.")
    count: int = Field(description="Values that are not missing.")
    distinct: DistinctCount = Field(description="Different values.")
    histogram: Histogram | None = Field(
        description="Numbers, dates, or lengths of texts and conversations; null for none."
    )
    top: list[TopValue] = Field(description="The most frequent values.")
    top_error: int = Field(description="Counts in `top` are at most this much too low; 0 when exact.")


class EdaDistribution(Explored):
    """Value distributions."""

    view: Literal[View.DISTRIBUTION] = View.DISTRIBUTION
    columns: list[ColumnDistribution] = Field(description="The column that was asked for, or all of them.")


class Measure(BaseModel):
    """A number that each row has."""

    name: str = Field(description="`column`, or `column (characters)`.")
    column: str = Field(description="Column that it is taken from.")
    measure: Literal["value", "characters"] = Field(description="The number itself, or the length of a text.")


class CorrelationPair(BaseModel):
    """Two measures that go together."""

    a: str = Field(description="One measure.")
    b: str = Field(description="The other.")
    coefficient: float = Field(description="−1 to 1.")
    n: int = Field(description="Rows that have both.")
    p_value: float | None = Field(description="Two-sided; null below three rows.")


class EdaCorrelation(Explored):
    """Correlation of every pair of measures, over the rows that have both."""

    view: Literal[View.CORRELATION] = View.CORRELATION
    method: CorrelationMethod = Field(
        description="`pearson`: straight lines; `spearman`: ranks, ties share their mean rank."
    )
    measures: list[Measure] = Field(description="What stands in the rows and columns of the matrices.")
    coefficients: list[list[float | None]] = Field(description="Matrix; null where a measure does not vary.")
    n: list[list[int]] = Field(description="Matrix of rows that have both.")
    p_values: list[list[float | None]] = Field(description="Matrix of two-sided p-values by Student's t.")
    strongest: list[CorrelationPair] = Field(description="The 20 strongest pairs.")
    exact: bool = Field(description="Whether all rows count; ranks of a very large table are those of an even sample.")
    measures_left_out: list[str] = Field(description="Measures beyond the first 60.")


class ExplorationWarning(BaseModel):
    """Something that a person should look at."""

    code: str = Field(description="Stable code.")
    severity: Literal["red", "amber", "green"] = Field(description="red: act; amber: look; green: know.")
    column: str | None = Field(description="Column that it is about; null for the whole dataset.")
    message: str = Field(description="What was seen, in a sentence.")
    hint: str = Field(description="What to do about it.")
    values: dict[str, float | int | str] = Field(description="The figures in the sentence.")


class EdaSummary(Explored):
    """Everything in one, with warnings."""

    view: Literal[View.SUMMARY] = View.SUMMARY
    warnings: list[ExplorationWarning] = Field(description="What to look at, the most severe first.")
    statistics: EdaStatistics = Field(description="As `statistics` answers.")
    missing_values: EdaMissing = Field(description="As `missing-values` answers.")
    value_distribution: EdaDistribution = Field(description="As `value-distribution` answers with its defaults.")
    correlation: EdaCorrelation = Field(description="As `correlation` answers with `pearson`.")
