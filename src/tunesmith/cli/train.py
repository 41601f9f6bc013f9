"""`tunesmith train` and `tunesmith eval`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.options import FINE, INTERRUPTED, NO, CommandError
from tunesmith.cli.runner import AsJson, existing_file, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session


MEASURES = ("loss", "perplexity", "exact_match", "preference_accuracy", "preference_margin")


def train(
    ctx: typer.Context,
    recipe: Annotated[Path | None, typer.Argument(help="Recipe (YAML).")] = None,
    overrides: Annotated[list[str] | None, typer.Argument(help="Changes, as key.path=value.")] = None,
    resume: Annotated[int | None, typer.Option(help="Go on with this stopped or failed run instead.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for the end (needs --server).")] = False,
    forecast: Annotated[
        bool, typer.Option("--forecast", help="Only say what the run would take, and what is wrong with it.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Run a recipe. Ctrl-C saves a checkpoint and says how to go on. ``--forecast`` exits 1 when it would not end well."""
    from tunesmith.cli.output import print_json
    from tunesmith.cli.runs import follow_run, prepared_recipe, show_run

    if (recipe is None) == (resume is None):
        raise CommandError(
            "Name a recipe, or a run with --resume.", "For example: tunesmith train recipes/quickstart.yaml"
        )
    if detach and not ctx.obj.server:
        raise CommandError("--detach needs --server: without one this process does the work.", "Leave --detach away.")

    if forecast and recipe is None:
        raise CommandError(
            "--forecast needs a recipe.", "For example: tunesmith train recipes/quickstart.yaml --forecast"
        )
    if recipe is not None:
        existing_file(recipe)
        if forecast:
            from tunesmith.cli.forecast import forecast_run

            return forecast_run(ctx, recipe, overrides or [], as_json)

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        if recipe is not None:
            document = await prepared_recipe(session.client, recipe, overrides or [])
            run = await session.client.post("/finetuning/jobs", document)
        else:
            run = await session.client.post(f"/finetuning/jobs/{resume}/resume", {})
        if detach:
            return {"run_id": run["id"], "status": run["status"]}
        return await follow_run(session, run["id"])

    result = in_session(ctx, body)
    if as_json:
        print_json(result)
    else:
        show_run(result)
    if result["status"] == "stopped":
        return INTERRUPTED
    return NO if result["status"] == "failed" or "failed_step" in result else FINE


def evaluate(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="name@version, run:ID, a folder, a local Hub id or tunesmith/tiny.")],
    data: Annotated[
        str | None, typer.Option(help="Held-out rows or preference pairs: a file, or dataset:NAME@VERSION.")
    ] = None,
    questions: Annotated[
        str | None, typer.Option(help="Questions with exact answers: a file, or dataset:NAME@VERSION.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Model to compare with (default: the one it was tuned from).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a model beside its base: held-out loss, perplexity and exact answers, with intervals; of pairs, which answer
    is likelier.
    """
    from tunesmith.cli.output import JobProgress, print_json, print_table
    from tunesmith.cli.runs import dataset_reference

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        request: dict[str, Any] = {"model": absolute_model(model), "base": absolute_model(base) if base else None}
        for field, value in (("data", data), ("questions", questions)):
            if value is not None:
                request[field] = await dataset_reference(session.client, value, Path.cwd())
        with JobProgress(f"Evaluating {model}") as progress:
            return await session.client.answer("/evaluations", request, progress)

    report = in_session(ctx, body)
    if as_json:
        print_json(report)
        return
    sides = [(report.get("base") or {}).get("metrics", {}), report["tuned"]["metrics"], report["difference"]]
    rows = [(name, *(_with_interval(side.get(name)) for side in sides)) for name in MEASURES if name in sides[1]]
    print_table(f"Evaluation of {model} (95 %)", ("measure", "base", "tuned", "difference"), rows)


def _with_interval(metric: dict[str, Any] | None) -> str:
    from tunesmith.cli.output import number

    if metric is None:
        return "–"
    interval = f" ({number(metric['low'])} to {number(metric['high'])})" if metric.get("low") is not None else ""
    return number(metric) + interval


def absolute_model(reference: str) -> str:
    """A folder of this machine as an absolute path; every other form as it is."""
    if reference.startswith((".", "~", "/")) or os.path.isdir(reference):
        return str(Path(reference).expanduser().absolute())
    return reference
