"""What all parts of the recipe have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the recipe: unknown keys are errors, values keep their declared type."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True, validate_default=True, allow_inf_nan=False)
