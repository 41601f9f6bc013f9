"""What a forecast says: the figures of a rehearsal, and every problem that they show, each with what to do about it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from tunesmith.domains.datasets import Finding, Severity
from tunesmith.kit.memory import available_bytes
from tunesmith.wire.recipe import Recipe

FEW_ROWS = 20
FEW_UPDATES = 30
CLOSE_SHARE = 0.9
LONG_WITHOUT_CHECKPOINT_SECONDS = 1800.0
COSTLY_SHARE = 0.3
PADDING_SHARE = 0.4
GIB = 2**30


class ForecastResponse(BaseModel):
    """What a run will take. Figures are null where the rehearsal could not begin; ``problems`` says why."""

    peak_memory_bytes: int | None = Field(description="Most memory in use at once: of the child, or of the GPU.")
    seconds: float | None = Field(
        description="From the start of the job to its end, evaluations and checkpoints included."
    )
    seconds_per_step: float | None = Field(description="Seconds of a typical optimizer update.")
    tokens: int | None = Field(description="Tokens without padding that the run will see.")
    truncated_rows: int | None = Field(description="Rows that are cut to max_length.")
    problems: list[Finding] = Field(description="What is wrong or worth knowing; pointers name keys of the recipe.")
    steps: int | None = Field(None, description="Optimizer updates.")
    rows: int | None = Field(None, description="Rows that are trained on.")
    rows_without_target: int | None = Field(None, description="Rows without an answer to learn, which are left out.")
    longest_tokens: int | None = Field(None, description="Longest sequence, in tokens.")
    trainable_parameters: int | None = Field(None, description="Numbers that the run changes.")
    total_parameters: int | None = Field(None, description="Numbers of model and adapter.")
    trainable_share: float | None = Field(None, description="Their quotient.")
    available_memory_bytes: int | None = Field(None, description="Memory that a run may take now.")
    checkpoint_bytes: int | None = Field(None, description="Size of one checkpoint.")
    start_seconds: float | None = Field(None, description="Share of `seconds` before the first update.")
    evaluation_seconds: float | None = Field(None, description="Share of `seconds` for evaluations.")
    checkpoint_seconds: float | None = Field(None, description="Share of `seconds` for checkpoints.")
    device: str | None = Field(None, description="Device of the run.")
    precision: str | None = Field(None, description="Number format of the run.")


@dataclass(frozen=True)
class Machine:
    """What the run may take."""

    available_memory_bytes: int
    free_disk_bytes: int
    max_runtime_hours: float

    @classmethod
    def look(cls, folder: Path, max_runtime_hours: float) -> Machine:
        """This machine now, with run directories below ``folder``."""
        return cls(available_bytes(), shutil.disk_usage(folder).free, max_runtime_hours)


def forecast_of(
    figures: dict[str, Any], recipe: Recipe, machine: Machine, *, besides_seconds: float, has_validation: bool
) -> ForecastResponse:
    """The answer. ``besides_seconds``: what the worker takes around its child."""
    seconds = float(figures["seconds"]) + besides_seconds
    named = {name: figures[name] for name in ForecastResponse.model_fields if name in figures}
    without_target = figures["rows_without_target"]
    named |= {
        "seconds": round(seconds, 2),
        "seconds_per_step": round(float(figures["seconds_per_step"]), 4),
        "rows_without_target": len(without_target),
        "trainable_share": figures["trainable_parameters"] / figures["total_parameters"],
        "available_memory_bytes": figures.get("device_memory_bytes") or machine.available_memory_bytes,
    }
    problems = [
        *_processes(recipe),
        *_memory(figures, recipe, machine),
        *_disk(figures, recipe, machine),
        *_rows(figures, recipe),
        *_length(figures, recipe, machine, seconds),
        *_evaluation(figures, recipe, seconds, has_validation),
    ]
    order = list(Severity)
    return ForecastResponse(**named, problems=sorted(problems, key=lambda found: order.index(found.severity)))


def impossible(code: str, message: str, hint: str) -> ForecastResponse:
    """The answer for a run that could not even be rehearsed."""
    found = problem(code, Severity.RED, "", message, hint)
    nothing: dict[str, Any] = dict.fromkeys(ForecastResponse.model_fields)
    return ForecastResponse(**nothing | {"problems": [found]})


def problem(
    code: str,
    severity: Severity,
    pointer: str,
    message: str,
    fix: str,
    *,
    row: int = 1,
    expected: str | None = None,
    found: str | None = None,
) -> Finding:
    """A finding about a recipe; ``pointer`` is a place in it."""
    return Finding(
        code=code,
        severity=severity,
        row=row,
        line=None,
        pointer=pointer,
        expected=expected,
        found=found,
        fix=fix,
        message=message,
    )


def _memory(figures: dict[str, Any], recipe: Recipe, machine: Machine) -> list[Finding]:
    peak, limit_gib = int(figures["peak_memory_bytes"]), recipe.resources.memory_limit_gib
    allowed, what = figures.get("device_memory_bytes") or machine.available_memory_bytes, "is free"
    if (
        figures["device"] != "cuda"
        and limit_gib is not None
        and (limit := int(figures["imported_memory_bytes"]) + int(limit_gib * GIB)) < allowed
    ):
        allowed, what = limit, f"resources.memory_limit_gib: {limit_gib:g} leaves"
    if peak <= CLOSE_SHARE * allowed:
        return []
    too_much = peak > allowed
    smaller = recipe.training.batch_size > 1
    fix = (
        "Halve training.batch_size and double gradient_accumulation_steps: the result stays the same."
        if smaller
        else "Set training.gradient_checkpointing: true, lower training.max_length, or take a smaller model."
    )
    if too_much and recipe.resources.repair and (smaller or not recipe.training.gradient_checkpointing):
        fix += " Started as it is, the run repairs itself that way, which costs it a second start."
    return [
        problem(
            "memory-too-small" if too_much else "memory-tight",
            Severity.RED if too_much else Severity.AMBER,
            "/training/batch_size" if smaller else "/training/gradient_checkpointing",
            f"The run will take {_gib(peak)} of memory, and {_gib(allowed)} {what}.",
            fix,
            expected=f"at most {_gib(allowed)}",
            found=_gib(peak),
        )
    ]


def _disk(figures: dict[str, Any], recipe: Recipe, machine: Machine) -> list[Finding]:
    size, kept = int(figures["checkpoint_bytes"]), recipe.training.keep_last_n
    written = min(int(figures["checkpoints"]), kept + 1) + 2  # the best, the one being written, and the result
    needed = size * written
    if needed <= machine.free_disk_bytes:
        return []
    return [
        problem(
            "disk-too-small",
            Severity.RED,
            "/training/keep_last_n",
            f"The checkpoints will take {_gib(needed)}, and {_gib(machine.free_disk_bytes)} of the disk is free.",
            "Free some space in the data folder, or lower training.keep_last_n.",
            expected=f"{_gib(needed)} free",
            found=_gib(machine.free_disk_bytes),
        )
    ]


def _processes(recipe: Recipe) -> list[Finding]:
    world = recipe.resources.world
    if world.size == 1:
        return []
    return [
        problem(
            "one-process",
            Severity.GREEN,
            "/resources/processes",
            f"This is what one process alone would take. {world.size} share the rows of each update: on GPUs of their own they "
            "are sooner, and with strategy fsdp each of them takes less memory.",
            "Nothing has to be done; the run shows the time and memory of each process.",
            found=str(world.size),
        )
    ]


def _rows(figures: dict[str, Any], recipe: Recipe) -> list[Finding]:
    found = []
    rows, cut, empty = int(figures["rows"]), int(figures["truncated_rows"]), figures["rows_without_target"]
    if cut:
        found.append(
            problem(
                "truncated-rows",
                Severity.AMBER,
                "/training/max_length",
                f"{cut} of {rows} rows are longer than {recipe.training.max_length} tokens and are cut.",
                "Raise training.max_length, or shorten those rows: the end of their answers is not learnt.",
                found=str(cut),
            )
        )
    if empty:
        shown = ", ".join(str(row) for row in empty[:10]) + (" …" if len(empty) > 10 else "")
        found.append(
            problem(
                "rows-without-target",
                Severity.AMBER,
                "/data/train",
                f"{len(empty)} rows have no answer to learn within {recipe.training.max_length} tokens: {shown}.",
                "Give them an assistant message with text, or raise training.max_length if their prompts are long.",
                row=int(empty[0]),
                found=str(len(empty)),
            )
        )
    if rows < FEW_ROWS:
        found.append(
            problem(
                "few-rows",
                Severity.AMBER,
                "/data/train",
                f"There are only {rows} rows to learn from.",
                "Add rows: different wordings of the same questions help most.",
                expected=f"{FEW_ROWS} or more",
                found=str(rows),
            )
        )
    return found


def _length(figures: dict[str, Any], recipe: Recipe, machine: Machine, seconds: float) -> list[Finding]:
    found, steps = [], int(figures["steps"])
    own = recipe.resources.max_runtime_hours
    hours = own or machine.max_runtime_hours
    limit = "resources.max_runtime_hours" if own else "TUNESMITH_JOBS__MAX_RUNTIME_HOURS"
    if seconds > hours * 3600:
        found.append(
            problem(
                "too-long",
                Severity.RED,
                "/training/max_steps" if recipe.training.max_steps else "/training/epochs",
                f"The run will take {seconds / 3600:.1f} hours, and a job is ended after {hours:g}.",
                f"Train fewer steps, take a smaller model, or raise {limit}.",
                expected=f"at most {hours:g} h",
                found=f"{seconds / 3600:.1f} h",
            )
        )
    if steps < FEW_UPDATES:
        found.append(
            problem(
                "few-updates",
                Severity.AMBER,
                "/training/max_steps" if recipe.training.max_steps else "/training/epochs",
                f"The run makes only {steps} updates, which hardly change a model.",
                "Raise training.epochs, or lower batch_size × gradient_accumulation_steps.",
                expected=f"{FEW_UPDATES} or more",
                found=str(steps),
            )
        )
    between = float(figures["seconds_per_step"]) * min(recipe.training.save_steps, steps)
    if between > LONG_WITHOUT_CHECKPOINT_SECONDS:
        found.append(
            problem(
                "rare-checkpoints",
                Severity.AMBER,
                "/training/save_steps",
                f"There are {between / 60:.0f} minutes between two checkpoints, which a killed run has to do again.",
                "Lower training.save_steps.",
                found=f"{between / 60:.0f} min",
            )
        )
    if not recipe.training.packing and float(figures["padding_share"]) > PADDING_SHARE:
        share = round(100 * float(figures["padding_share"]))
        found.append(
            problem(
                "padding",
                Severity.GREEN,
                "/training/packing",
                f"{share} % of what is computed is padding.",
                "Set training.packing: true: the same result, sooner.",
                found=f"{share} %",
            )
        )
    return found


def _evaluation(figures: dict[str, Any], recipe: Recipe, seconds: float, has_validation: bool) -> list[Finding]:
    if not has_validation:
        return [
            problem(
                "no-evaluation",
                Severity.AMBER,
                "/data/validation",
                "The recipe holds nothing out: nobody will see when the model begins to learn by heart.",
                "Name data.validation, or let data.split hold a tenth out.",
            )
        ]
    besides = float(figures["evaluation_seconds"]) + float(figures["checkpoint_seconds"])
    if besides <= COSTLY_SHARE * seconds or besides < 60:
        return []
    return [
        problem(
            "costly-evaluation",
            Severity.AMBER,
            "/training/eval_steps" if figures["evaluation_seconds"] > besides / 2 else "/training/save_steps",
            f"Evaluations and checkpoints will take {round(100 * besides / seconds)} % of the time.",
            "Raise training.eval_steps and training.save_steps.",
            found=f"{besides:.0f} s",
        )
    ]


def _gib(size_bytes: float) -> str:
    return f"{size_bytes / GIB:.2f} GiB"
