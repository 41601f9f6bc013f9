"""What saved recipes look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tunesmith.kit.paging import Page

EXAMPLE: dict[str, JsonValue] = {
    "name": "ferry",
    "model": {"base": "tunesmith/tiny"},
    "data": {"train": "dataset:ferry@1.0"},
}


class RecipeCreate(BaseModel):
    """A recipe to keep: its values, or its text."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"recipe": EXAMPLE}]})
    name: str | None = Field(None, min_length=1, max_length=200, description="Name; default is the recipe's own.")
    description: str = Field("", max_length=2000, description="What it is for.")
    recipe: dict[str, Any] | None = Field(None, description="The recipe as values.")
    yaml: str | None = Field(None, max_length=1 << 20, description="The recipe as YAML or JSON text.")


class RecipeUpdate(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"description": "For the harbour"}]})
    name: str | None = Field(None, min_length=1, max_length=200, description="Name.")
    description: str | None = Field(None, max_length=2000, description="What it is for.")
    recipe: dict[str, Any] | None = Field(None, description="The recipe as values.")
    yaml: str | None = Field(None, max_length=1 << 20, description="The recipe as YAML or JSON text.")


class RecipeResponse(BaseModel):
    """A saved recipe."""

    id: int = Field(description="Id of the recipe.")
    name: str = Field(description="Name that people see.")
    description: str = Field(description="What it is for.")
    recipe: dict[str, Any] = Field(description="The recipe with its defaults.")
    yaml: str = Field(description="The same as YAML.")
    created_by: int = Field(description="Person who saved it.")
    created_at: datetime = Field(description="When it was saved.")
    updated_at: datetime = Field(description="When it last changed.")


class RecipeListResponse(Page[RecipeResponse]):
    """A page of saved recipes, newest first."""


class RecipeRunRequest(BaseModel):
    """What is different this time."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"overrides": ["training.epochs=5"]}]})
    overrides: list[str] = Field(default_factory=list, max_length=100, description="Changes as `key.path=value`.")


class RecipeChange(BaseModel):
    """One key in which two recipes differ."""

    key: str = Field(description="Dotted path of the key.", examples=["training.learning_rate"])
    before: Any = Field(None, description="Value in the first; null where it has none.")
    after: Any = Field(None, description="Value in the second; null where it has none.")


class RecipeDiffResponse(BaseModel):
    """Where two recipes differ."""

    changes: list[RecipeChange] = Field(description="Every key in which they differ, by key.")
    same: int = Field(description="Keys in which they do not.")
