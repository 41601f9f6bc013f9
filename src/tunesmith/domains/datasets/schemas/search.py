"""What a search in the rows of a dataset answers."""

from __future__ import annotations

from pydantic import BaseModel, Field


class DatasetSearchResponse(BaseModel):
    """The next row that holds a text, or how far the search has come."""

    dataset_id: int = Field(description="Dataset that was searched.")
    row: int | None = Field(description="Row number, from 1; null when no row that was looked at holds the text.")
    scanned_to: int = Field(description="The last row that was looked at; `after` takes it to go on.")
    complete: bool = Field(description="Whether the end of the file was reached without finding it.")
