"""What is asked of the removal of personal data."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunesmith.domains.datasets.pii import CERTAIN, Entity, PiiAction

BY_MODEL = (Entity.PERSON, Entity.ADDRESS)
"""Kinds that no rule finds."""


class PiiApplyRequest(BaseModel):
    """What is done with each kind of personal data; names and addresses need `datasets.names_model`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"actions": {"email": "pseudonymise", "rrn": "drop"}, "default": "mask"}]},
    )
    actions: dict[Entity, PiiAction] = Field(
        default_factory=dict,
        description="Kind → mask (k***@***.com), redact ([EMAIL]), pseudonymise (the same value always becomes the same "
        "other value, in all versions of the dataset) or drop (the row goes).",
    )
    default: PiiAction | None = Field(None, description="What is done with kinds that `actions` does not name.")
    min_confidence: float = Field(CERTAIN, ge=0, le=1, description="Finds that are less sure than this stay.")
    preview: bool = Field(False, description="Only say what would be done; no version is made.")

    @model_validator(mode="after")
    def _asks_for_something(self) -> PiiApplyRequest:
        if not self.actions and self.default is None:
            raise ValueError("nothing is to be done; give actions or default")
        return self

    def all_actions(self) -> dict[Entity, PiiAction]:
        """The action of every kind that has one."""
        given = {} if self.default is None else dict.fromkeys(Entity, self.default)
        return given | self.actions
