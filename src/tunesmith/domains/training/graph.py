"""From a recipe to jobs that wait for each other: (split →) train → evaluate → register → export, by the kinds' names alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.domains.jobs import GraphNode
from tunesmith.wire.methods import CONVERSATIONS, FORMATS, PAIRS, Objective
from tunesmith.wire.recipe import Recipe

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class RunData:
    """The datasets that a recipe names, by their ids."""

    train: int
    validation: int | None = None
    test: int | None = None
    questions: int | None = None
    general: int | None = None


def compile_graph(
    recipe: Recipe, model_path: str, data: RunData, inherits: Path | None = None
) -> tuple[list[GraphNode], list[str]]:
    """The nodes of a run, and what is worth knowing about them. ``inherits`` is another run's checkpoint to go on from."""
    warnings: list[str] = []
    split = _split_node(recipe, data)
    parts = _parts_of(recipe) if split else {}
    nodes = [split] if split else []
    train = _train_node(recipe, model_path, data, parts)
    if inherits is not None:
        train.spec["inherits"] = str(inherits)
    nodes.append(train)
    evaluate = _evaluate_node(recipe, data, parts)
    if evaluate:
        nodes.append(evaluate)
    elif recipe.evaluate.enabled:
        warnings.append(_why_not_evaluated(recipe))
    if data.validation is None and "validation" not in parts:
        warnings += _without_validation(recipe)
    if recipe.register_as:
        nodes.append(_register_node(recipe, is_evaluated=evaluate is not None))
        if recipe.export:
            outputs = [{"format": item.format, "method": item.method} for item in recipe.export]
            export = GraphNode("export", "export", f"{recipe.name}: export", {"outputs": outputs})
            export.inputs = {"model_id": ("register", "model_id")}
            nodes.append(export)
    return nodes, warnings


def _parts_of(recipe: Recipe) -> dict[str, int]:
    """The parts that a split makes, by their place in its answer."""
    shares = recipe.data.split
    present = [part for part in PARTS if shares and getattr(shares, part) > 0]
    return {part: place for place, part in enumerate(present)}


def _split_node(recipe: Recipe, data: RunData) -> GraphNode | None:
    shares = recipe.data.split
    if shares is None or shares.train >= 1:
        return None
    total = shares.train + shares.validation + shares.test
    spec: dict[str, Any] = {part: getattr(shares, part) / total for part in PARTS}
    return GraphNode("split", "split", f"{recipe.name}: split", {"dataset_id": data.train, "seed": recipe.seed, **spec})


def _train_node(recipe: Recipe, model_path: str, data: RunData, parts: dict[str, int]) -> GraphNode:
    spec: dict[str, Any] = {"recipe": recipe.to_plain(), "model_path": model_path}
    node = GraphNode("train", "train", recipe.name, spec)
    if parts:
        node.inputs["dataset_id"] = ("split", f"parts.{parts['train']}.dataset_id")
    else:
        spec["dataset_id"] = data.train
    if data.validation is not None:
        spec["validation_dataset_id"] = data.validation
    elif "validation" in parts:
        node.inputs["validation_dataset_id"] = ("split", f"parts.{parts['validation']}.dataset_id")
    return node


def _evaluate_node(recipe: Recipe, data: RunData, parts: dict[str, int]) -> GraphNode | None:
    """The evaluation: on the test data if there is some, else on the validation data."""
    plan = recipe.evaluate
    if not plan.enabled or recipe.method.objective == Objective.REWARD:
        return None
    spec: dict[str, Any] = {"max_new_tokens": plan.max_new_tokens, "max_questions": plan.max_questions}
    node = GraphNode("evaluate", "evaluate", f"{recipe.name}: evaluate", spec)
    node.inputs["publication"] = ("train", "publication")
    held_out = data.test if data.test is not None else data.validation
    part = "test" if "test" in parts else "validation"
    if not _are_compared(recipe):
        pass  # marked answers and texts are measured in the run itself
    elif held_out is not None and (data.test is not None or "test" not in parts):
        spec["dataset_id"] = held_out
    elif part in parts:
        node.inputs["dataset_id"] = ("split", f"parts.{parts[part]}.dataset_id")
    if data.questions is not None:
        spec["questions_dataset_id"] = data.questions
    if data.general is not None:
        spec["general_dataset_id"] = data.general
    has_data = {"dataset_id", "questions_dataset_id"} & (set(spec) | set(node.inputs))
    return node if has_data else None


def _are_compared(recipe: Recipe) -> bool:
    return FORMATS[recipe.method.objective] in (CONVERSATIONS, PAIRS)


def _why_not_evaluated(recipe: Recipe) -> str:
    objective = recipe.method.objective
    if objective == Objective.REWARD:
        return "A reward model writes no answers; its pair accuracy on held-out pairs is in the figures of the run."
    if not _are_compared(recipe):
        return (
            f"No answers are asked for after the training: the held-out rows of {objective} are measured in the run itself. "
            "evaluate.questions names conversations to ask about."
        )
    return (
        "Nothing is evaluated after the training: the recipe names no data for it "
        "(data.validation, data.test, data.split or evaluate.questions)."
    )


def _without_validation(recipe: Recipe) -> list[str]:
    idle = [name for name in ("eval_steps", "early_stopping") if getattr(recipe.training, name) is not None]
    if not idle:
        return []
    named = " and ".join(f"training.{name}" for name in idle)
    return [f"Nothing comes of {named}: the recipe holds no rows out (data.validation or data.split)."]


def _register_node(recipe: Recipe, *, is_evaluated: bool) -> GraphNode:
    wanted = recipe.register_as
    assert wanted is not None
    spec = {"name": wanted.name, "version": wanted.version, "tags": wanted.tags}
    node = GraphNode("register", "register", f"{recipe.name}: register", spec)
    node.inputs["publication"] = ("train", "publication")
    if is_evaluated:
        node.inputs["evaluation"] = ("evaluate", "")
    return node
