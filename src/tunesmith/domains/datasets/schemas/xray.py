"""The mask X-ray: what is asked, and rows token by token."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.datasets.doctor.learning import DEFAULT_MAX_LENGTH
from tunesmith.domains.datasets.lessons_file import LessonCounts
from tunesmith.domains.models import BUNDLED

LONGEST = 1 << 20


class XrayFilter(StrEnum):
    """Rows that deserve a look."""

    UNTRAINED = "untrained"
    TRUNCATED = "truncated"
    NO_END = "no-end"


class DatasetXrayRequest(BaseModel):
    """Which rows, as which model reads them."""

    model_config = ConfigDict(extra="forbid")
    model: str = Field(
        BUNDLED,
        min_length=1,
        max_length=1024,
        description="Whose tokenizer and chat template: any model reference.",
    )
    max_length: int = Field(DEFAULT_MAX_LENGTH, ge=8, le=LONGEST, description="Tokens of a row that are read.")
    offset: int = Field(0, ge=0, le=2**31 - 1, description="Rows to pass over; of those that `only` leaves.")
    limit: int = Field(20, ge=1, le=50, description="Rows to show.")
    only: XrayFilter | None = Field(
        None, description="`untrained`: no token carries loss; `truncated`: an answer is cut; `no-end`: no trained end."
    )
    token_offset: int = Field(0, ge=0, le=LONGEST, description="Tokens of each row to pass over.")
    token_limit: int = Field(2048, ge=1, le=8192, description="Tokens of each row to show.")


class XrayToken(BaseModel):
    """One token."""

    id: int = Field(description="Number of the token in the vocabulary.")
    text: str = Field(description="What it writes; empty where a character of several tokens has been shown already.")
    start: int = Field(description="First character in the rendered row.")
    end: int = Field(description="Character after the last.")
    trained: bool = Field(description="Whether it carries loss.")


class XrayRow(BaseModel):
    """One row as the trainer sees it."""

    row: int = Field(description="Row number, from 1.")
    line: int | None = Field(description="First physical line of the row in the file; null where it has none.")
    text: str = Field(description="The text of the tokens shown.")
    tokens: list[XrayToken] = Field(description="Tokens from `token_offset` on; empty when the row cannot be read.")
    trained_tokens: int = Field(description="Tokens that carry loss, of those that are read.")
    total_tokens: int = Field(description="Tokens before anything is cut off.")
    read_tokens: int = Field(description="Tokens that are read: at most `max_length`.")
    truncated: bool = Field(description="Whether something is cut off.")
    answer_cut: bool = Field(description="Whether a part of an answer is cut off.")
    end_of_turn_trained: bool = Field(description="Whether every answer ends in a special token that carries loss.")
    error: str | None = Field(description="Why the row has no tokens.")


class DatasetXrayResponse(BaseModel):
    """Rows token by token, and the sums over all rows."""

    dataset_id: int = Field(description="Dataset that was looked at.")
    tokenizer: str = Field(description="Model whose tokenizer and template were used.")
    template_sha256: str = Field(description="SHA-256 of the chat template.")
    max_length: int = Field(description="Tokens of a row that are read.")
    total: int = Field(description="Rows that `only` leaves; before they have been counted, those known to exist.")
    offset: int = Field(description="Rows passed over.")
    limit: int = Field(description="Rows that were asked for.")
    rows: list[XrayRow] = Field(description="The rows.")
    counts: LessonCounts | None = Field(description="Sums over all rows; null while the job goes on that counts them.")
    job_id: int | None = Field(description="Job that counts; null once it has.")
