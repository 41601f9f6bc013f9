"""What a list of models is narrowed by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from tunesmith.domains.models.hub.schemas import BaseModelSummary, ModelSort
from tunesmith.ports.hub import Sort

LOCAL_SORTS = (ModelSort.LAST_USED, ModelSort.NAME, ModelSort.SIZE)


@dataclass(frozen=True)
class ModelFilters:
    """Filters of a list; None lets everything through."""

    search: str | None = None
    author: str | None = None
    task: str | None = None
    tag: str | None = None
    license: str | None = None
    architecture: str | None = None
    min_parameters: int | None = None
    max_parameters: int | None = None
    fits: str | None = None
    """``inference``, ``lora``, ``qlora`` or ``full``: what must fit into the free memory."""
    sort: ModelSort | None = None

    @property
    def narrow_after(self) -> bool:
        """Whether something is asked for that the Hub itself cannot filter by."""
        return any(v is not None for v in (self.architecture, self.min_parameters, self.max_parameters, self.fits))

    def hub_tags(self) -> tuple[str, ...]:
        """Tags that the Hub filters by."""
        tags = [self.tag] if self.tag else []
        return tuple([*tags, f"license:{self.license}"] if self.license else tags)

    def hub_sort(self) -> Sort:
        """The order in the Hub's words; orders of the local store mean the Hub's default."""
        is_hubs = self.sort is not None and self.sort not in LOCAL_SORTS
        return cast(Sort, self.sort.value) if is_hubs and self.sort else "downloads"

    def matches(self, item: BaseModelSummary) -> bool:
        """Whether a model passes; one whose size or architecture is not known passes no filter on it."""
        if self.architecture and self.architecture.lower() not in (item.architecture or "").lower():
            return False
        size = item.num_parameters
        if self.min_parameters is not None and (size is None or size < self.min_parameters):
            return False
        if self.max_parameters is not None and (size is None or size > self.max_parameters):
            return False
        return self.fits is None or (item.fits_here is not None and getattr(item.fits_here, self.fits).fits)

    def names(self, item: BaseModelSummary) -> bool:
        """Whether a model of the local store bears the words, the owner, the label and the licence asked for."""
        text = f"{item.model_id} {item.title or ''} {item.architecture or ''} {' '.join(item.labels)}".lower()
        return (
            all(word in text for word in (self.search or "").lower().split())
            and (not self.author or item.model_id.lower().startswith(f"{self.author.lower()}/"))
            and (not self.tag or self.tag in item.labels)
            and (not self.license or (item.license or "") == self.license)
        )
