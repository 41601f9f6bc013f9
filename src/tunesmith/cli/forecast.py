"""`tunesmith train --forecast`: what a run would take, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tunesmith.cli.options import FINE, NO
from tunesmith.cli.output import JobProgress, out, print_json, print_table
from tunesmith.cli.runner import in_session
from tunesmith.cli.runs import prepared_recipe

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

COLOURS = {"red": "bold red", "amber": "yellow", "green": "green"}


def forecast_run(ctx: typer.Context, recipe: Path, overrides: list[str], as_json: bool) -> int:
    """Rehearse the run of a recipe; answers 1 when a problem is red."""

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        document = await prepared_recipe(session.client, recipe, overrides)
        with JobProgress("Rehearsing the run") as progress:
            return await session.client.answer("/finetuning/jobs/preflight", document, progress)

    forecast = in_session(ctx, body)
    if as_json:
        print_json(forecast)
    else:
        show_forecast(recipe.name, forecast)
    return NO if any(problem["severity"] == "red" for problem in forecast["problems"]) else FINE


def show_forecast(name: str, forecast: dict[str, Any]) -> None:
    """A forecast for people."""
    from rich.markup import escape

    if forecast["seconds"] is not None:
        rows = [
            ("memory at most", _gib(forecast["peak_memory_bytes"])),
            ("memory free now", _gib(forecast["available_memory_bytes"])),
            ("time", _duration(forecast["seconds"])),
            ("  until it begins", _duration(forecast["start_seconds"])),
            ("  evaluations", _duration(forecast["evaluation_seconds"])),
            ("  checkpoints", _duration(forecast["checkpoint_seconds"])),
            ("updates", f"{forecast['steps']} of {forecast['seconds_per_step']:.3f} s"),
            ("tokens", f"{forecast['tokens']:,}"),
            ("rows", f"{forecast['rows']} ({forecast['truncated_rows']} cut)"),
            ("trained parameters", f"{forecast['trainable_parameters']:,} of {forecast['total_parameters']:,}"),
            ("device", f"{forecast['device']}, {forecast['precision']}"),
        ]
        print_table(f"Forecast for {name}", ("", ""), rows)
    for problem in forecast["problems"]:
        colour = COLOURS[problem["severity"]]
        out.print(f"[{colour}]{problem['severity']}[/] {problem['code']}: {escape(problem['message'])}")
        out.print(f"      [dim]{escape(problem['fix'])}[/]")


def _gib(size_bytes: float) -> str:
    return f"{size_bytes / 2**30:.2f} GiB"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
