"""Pages of lists: ``{items, total, page, page_size}``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")


@dataclass(frozen=True)
class PageRequest:
    """Which page is asked for; ``page`` counts from 1."""

    page: int = 1
    page_size: int = 50

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.page - 1) * self.page_size


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T] = Field(description="The rows of this page.")
    total: int = Field(description="How many rows match in all.")
    page: int = Field(description="The page number, from 1.")
    page_size: int = Field(description="Rows per page, at most 200.")
