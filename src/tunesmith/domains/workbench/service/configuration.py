"""What is configured for the next run: sections of a recipe, kept in the person's state, checked as a recipe at every change."""

from __future__ import annotations

from typing import Any

from tunesmith.domains.workbench.schemas.train import (
    LoraConfigRequest,
    QloraConfigRequest,
    TrainingArgsRequest,
    TrainingConfiguration,
)
from tunesmith.wire.recipe import LoraSection, Recipe, TrainingSection
from tunesmith.wire.recipe_text import validate_recipe

Sections = dict[str, Any]
PLACEHOLDERS = {"model": "tunesmith/tiny", "data": "dataset:none@0"}
"""Stand where no model or dataset is current yet, so that the rest can be checked; they are in no answer."""


def with_lora(sections: Sections, asked: LoraConfigRequest) -> Sections:
    """The sections with these settings of an adapter. Raises RecipeError for what this version cannot do."""
    lora = asked.model_dump(mode="json", include=set(LoraSection.model_fields), exclude_unset=True)
    if asked.bias != "none":
        lora["bias"] = asked.bias
    if asked.modules_to_save:
        lora["modules_to_save"] = asked.modules_to_save
    method: Sections = {**_objective_of(sections), "adapter": "lora", "lora": lora}
    if isinstance(asked, QloraConfigRequest):
        method["adapter"] = "qlora"
        method["quantization"] = {
            "type": asked.quantization_type,
            "double": asked.double_quantization,
            "compute_dtype": asked.compute_dtype,
        }
    if asked.objective is not None:
        method["objective"] = str(asked.objective)
    return _checked({**sections, "method": method})


def with_arguments(sections: Sections, asked: TrainingArgsRequest) -> Sections:
    """The sections with these arguments; a method that is named replaces the one that was there. Raises RecipeError."""
    changed = dict(sections)
    changed["training"] = asked.model_dump(mode="json", include=set(TrainingSection.model_fields), exclude_unset=True)
    method = dict(sections.get("method", {}))
    if asked.method is not None and str(asked.method) != method.get("adapter", "lora"):
        method = {**_objective_of(sections), "adapter": str(asked.method)}
    if asked.objective is not None:
        method["objective"] = str(asked.objective)
    changed["method"] = method
    if asked.seed is not None:
        changed["seed"] = asked.seed
    if asked.device is not None:
        changed["resources"] = {"device": asked.device}
    return _checked(changed)


def recipe_of(
    sections: Sections, *, name: str | None, base: str | None, data: dict[str, Any] | None, **more: Any
) -> Recipe:
    """The recipe that the sections stand for, with placeholders for what is missing. Raises RecipeError."""
    return validate_recipe(
        {
            **sections,
            "name": name or "workbench",
            "model": {"base": base or PLACEHOLDERS["model"]},
            "data": data or {"train": PLACEHOLDERS["data"]},
            **more,
        }
    )


def described(sections: Sections, *, base: str | None, train: str | None) -> TrainingConfiguration:
    """The configuration with all its defaults, and what is still missing for a start."""
    recipe = recipe_of(sections, name=None, base=base, data={"train": train} if train else None).to_plain()
    method: dict[str, Any] = recipe["method"]  # type: ignore[assignment]
    missing = [name for name, value in (("model", base), ("dataset", train)) if value is None]
    for name in missing:
        recipe.pop("data" if name == "dataset" else name)
    training: dict[str, Any] = recipe["training"]  # type: ignore[assignment]
    return TrainingConfiguration(
        method=method["adapter"],
        objective=method["objective"],
        lora=None if method["adapter"] == "full" else method.get("lora"),
        quantization=method.get("quantization"),
        training=training,
        recipe=recipe,
        ready=not missing,
        missing=missing,
    )


def _objective_of(sections: Sections) -> Sections:
    """The objective and its own settings, which outlast another choice of weights."""
    kept = {k: v for k, v in sections.get("method", {}).items() if k not in ("adapter", "lora", "quantization")}
    return kept


def _checked(sections: Sections) -> Sections:
    recipe_of(sections, name=None, base=None, data=None)
    return sections
