"""What is asked of a cleaning: any of its steps, in their fixed order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunesmith.domains.datasets.duplicates import DEFAULT_THRESHOLD, LOWEST_THRESHOLD
from tunesmith.domains.datasets.schemas.derivation import PlainText

Column = Annotated[PlainText, Field(min_length=1, max_length=500)]
Columns = Annotated[list[Column], Field(max_length=1000)]


class MissingRule(BaseModel):
    """What becomes of rows without a value: absent, null, an empty text or list, or nothing but white space."""

    model_config = ConfigDict(extra="forbid")
    columns: Columns = Field(
        default_factory=list, description="Columns to look at; empty: those that the format needs."
    )
    action: Literal["drop", "fill"] = Field(description="drop: the row goes; fill: the value is written.")
    value: Annotated[PlainText, Field(max_length=10_000)] | None = Field(None, description="What to fill in.")

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> MissingRule:
        if self.action == "fill" and (not self.columns or not (self.value or "").strip()):
            raise ValueError("fill needs columns and a value that is not empty")
        return self


class TextRules(BaseModel):
    """How texts are normalised; each rule by itself."""

    model_config = ConfigDict(extra="forbid")
    columns: Columns = Field(
        default_factory=list, description="Only texts in these columns; empty: all texts of the row."
    )
    unicode: bool = Field(False, description="Unicode NFC: 가 as one character, not as its parts.")
    whitespace: bool = Field(
        False,
        description="One space between words, none at the end of a line, at most one blank line, \\n as line end; "
        "indentation stays.",
    )
    control_characters: bool = Field(False, description="Invisible control and zero-width characters go.")
    html: bool = Field(False, description="HTML tags and comments go, entities become characters; other <…> stay.")
    repeated_punctuation: bool = Field(False, description="!!! becomes !, ..... becomes ...")


class LengthRule(BaseModel):
    """Which rows are too short or too long."""

    model_config = ConfigDict(extra="forbid")
    unit: Literal["characters", "tokens"] = Field("characters", description="What is counted.")
    minimum: int | None = Field(None, ge=0, le=2**31 - 1, description="Shorter rows go.")
    maximum: int | None = Field(None, ge=0, le=2**31 - 1, description="Longer rows go.")
    column: Column | None = Field(None, description="Count this column only; left out: all texts that training reads.")
    model: Annotated[PlainText, Field(max_length=1000)] = Field(
        "tunesmith/tiny", description="Model whose tokenizer counts, when tokens are counted."
    )

    @model_validator(mode="after")
    def _is_a_range(self) -> LengthRule:
        if self.minimum is None and self.maximum is None:
            raise ValueError("give minimum, maximum or both")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is larger than maximum, so that no row would be left")
        return self


class NearDuplicateRule(BaseModel):
    """Which rows are too much alike; the first of a cluster stays."""

    model_config = ConfigDict(extra="forbid")
    threshold: float = Field(
        DEFAULT_THRESHOLD, ge=LOWEST_THRESHOLD, le=1, description="Token Jaccard from which rows are near duplicates."
    )


class ColumnRules(BaseModel):
    """Which columns stay, and what they are called."""

    model_config = ConfigDict(extra="forbid")
    drop: Columns = Field(default_factory=list, description="Columns that go.")
    keep: Columns = Field(default_factory=list, description="Columns that stay; all others go.")
    rename: dict[Column, Column] = Field(default_factory=dict, max_length=1000, description="Old name → new name.")

    @model_validator(mode="after")
    def _do_not_contradict(self) -> ColumnRules:
        if self.drop and self.keep:
            raise ValueError("give drop or keep, not both")
        if len(set(self.rename.values())) < len(self.rename):
            raise ValueError("two columns would get the same name")
        return self


class CleanRequest(BaseModel):
    """Steps of a cleaning. They work in this order: columns dropped, texts normalised, missing values, length, exact

    duplicates, near duplicates, columns renamed; so columns are named as they were before.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"normalise": {"unicode": True, "whitespace": True}, "exact_duplicates": True, "preview": True},
                {"missing": [{"action": "drop"}], "length": {"minimum": 10, "maximum": 8000}},
            ]
        },
    )
    missing: list[MissingRule] = Field(default_factory=list, max_length=100, description="Missing values.")
    normalise: TextRules | None = Field(None, description="Text normalisation.")
    length: LengthRule | None = Field(None, description="Length filter.")
    exact_duplicates: bool = Field(False, description="Rows that repeat an earlier one go.")
    near_duplicates: NearDuplicateRule | None = Field(None, description="Rows that are nearly an earlier one go.")
    columns: ColumnRules | None = Field(None, description="Columns dropped, kept, renamed.")
    preview: bool = Field(False, description="Only say what would be done; no version is made.")

    @model_validator(mode="after")
    def _does_something(self) -> CleanRequest:
        if not (self.model_fields_set - {"preview"}):
            raise ValueError("no step is asked for; give missing, normalise, length, exact_duplicates … or columns")
        return self
