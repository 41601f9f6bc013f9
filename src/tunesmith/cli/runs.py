"""Runs on the command line: a recipe's files are brought to the server, the run is followed, Ctrl-C stops it cleanly."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tunesmith.cli.datasets import ensure_dataset
from tunesmith.cli.options import NOT_FOUND, CommandError
from tunesmith.cli.output import JobProgress, err, note, out
from tunesmith.cli.session import Session
from tunesmith.client import TunesmithClient, job_result
from tunesmith.wire.recipe_text import apply_overrides, read_recipe

FINAL = ("completed", "failed", "stopped")


async def dataset_reference(client: TunesmithClient, value: str, folder: Path) -> str:
    """``dataset:NAME@VERSION`` of a reference or of a file (relative to ``folder``), which is uploaded when it is new."""
    if value.startswith("dataset:"):
        return value
    path = Path(value).expanduser()
    path = path if path.is_absolute() else folder / path
    if not path.is_file():
        raise CommandError(f"There is no data file {str(path)!r}.", "Paths in a recipe are relative to it.", NOT_FOUND)
    dataset = await ensure_dataset(client, path)
    return f"dataset:{dataset['name']}@{dataset['version']}"


async def prepared_recipe(client: TunesmithClient, path: Path, overrides: list[str]) -> dict[str, Any]:
    """The recipe of a file, with its overrides applied and its data files on the server."""
    recipe = apply_overrides(read_recipe(path), overrides)
    document: dict[str, Any] = recipe.to_plain()
    folder = path.absolute().parent
    for section, names in (("data", ("train", "validation", "test")), ("evaluate", ("questions", "general"))):
        for name in names:
            value = (document.get(section) or {}).get(name)
            if value:
                document[section][name] = await dataset_reference(client, value, folder)
    base = document["model"]["base"]
    if base.startswith((".", "~")):
        document["model"]["base"] = str((folder / Path(base).expanduser()).resolve())
    return document


async def follow_run(session: Session, run_id: int) -> dict[str, Any]:
    """Show a run until it and what follows it (evaluation, registration, exports) has ended; answers the run object.

    The first Ctrl-C asks the run to save a checkpoint and waits for it.
    """
    following = asyncio.create_task(_follow(session.client, run_id))
    try:
        return await asyncio.shield(following)
    except asyncio.CancelledError:
        err.print("[yellow]Stopping: saving a checkpoint (Ctrl-C again leaves at once)[/]")
        await session.client.post(f"/finetuning/jobs/{run_id}/stop")
        result = await following
        if result["status"] == "stopped":
            where = f" --data-dir {session.options.data_dir}" if session.options.data_dir else ""
            note(f"Stopped with a checkpoint. Go on with: tunesmith{where} train --resume {run_id}")
        return result


async def _follow(client: TunesmithClient, run_id: int) -> dict[str, Any]:
    with JobProgress(f"Training run {run_id}") as progress:
        job = await client.wait_for_job(run_id, progress)
    if job["state"] != "succeeded":
        run = await client.get(f"/finetuning/jobs/{run_id}")
        error = job.get("error") or {}
        if job["state"] != "stopped":
            err.print(f"[bold red]The run {job['state']}:[/] {error.get('message', '')}")
            err.print(f"[dim]Hint:[/] {error.get('hint', '')}")
        fields = ("current_step", "total_steps", "error_type", "error_message")
        result = {"run_id": run_id, "status": run["status"], "steps": run["current_step"]}
        return result | {name: run.get(name) for name in fields} | {"resumed": bool(job.get("resumed"))}
    result = {k: v for k, v in (job["result"] or {}).items() if k != "publication"}
    return result | {"run_id": run_id, "status": "completed"} | await _follow_graph(client, job)


async def _follow_graph(client: TunesmithClient, job: dict[str, Any]) -> dict[str, Any]:
    """What follows the training, by kind: evaluation, version, exports."""
    titles = {"evaluate": "Evaluating base and tuned", "register": "Registering", "export": "Exporting and certifying"}
    found: dict[str, Any] = {}
    later = [j for j in await client.all_pages("/jobs", graph_id=job["graph_id"]) if j["kind"] in titles]
    for step in sorted(later, key=lambda j: int(j["id"])):
        with JobProgress(titles[step["kind"]]) as progress:
            ended = await client.wait_for_job(step["id"], progress)
        if ended["state"] != "succeeded":  # the run itself is as good as it was; what waits for this step will not come
            error = ended.get("error") or {}
            message = error.get("message") or f"Job {ended['id']} ended as {ended['state']}."
            hint = error.get("hint") or f"See its log: tunesmith jobs logs {ended['id']}"
            found["failed_step"] = {"kind": step["kind"], "job_id": ended["id"], "message": message, "hint": hint}
            err.print(f"[bold red]{titles[step['kind']]} failed:[/] {message}")
            err.print(f"[dim]Hint:[/] {hint}")
            break
        result = job_result(ended)
        if step["kind"] == "evaluate":
            found["evaluation"] = {k: v for k, v in result.items() if k in ("base", "tuned", "general")}
        elif step["kind"] == "register":
            found["version"] = result["version"]
        else:
            found.setdefault("exports", []).extend(result["exports"])
    return found


def show_run(result: dict[str, Any]) -> None:
    """A run for people."""
    if result["status"] != "completed":
        out.print(f"Run {result['run_id']}: {result['status']} at step {result.get('steps')}")
        return
    out.print(
        f"[bold]Run {result['run_id']}[/] completed: {result['steps']} steps, final loss {result['final_loss']:.4f}"
        + (f", evaluation loss {result['eval_loss']:.4f}" if result.get("eval_loss") is not None else "")
        + f", {result['tokens_per_second']:.0f} tokens/s"
    )
    if result.get("measures"):
        out.print("Held out: " + ", ".join(f"{name} {value:.4g}" for name, value in result["measures"].items()))
    show_evaluation(result.get("evaluation"))
    if result.get("version"):
        out.print(f"Registered as [bold]{result['version']}[/]")
    show_exports(result.get("exports") or [])


def show_evaluation(evaluation: dict[str, Any] | None) -> None:
    """Base beside tuned."""
    for side in ("base", "tuned"):
        part = (evaluation or {}).get(side) or {}
        if part.get("answers_total"):
            right, total = _plain(part["answers_right"]), _plain(part["answers_total"])
            out.print(f"{side:>6}: {right} of {total} held-out questions right")
        if part.get("preference_accuracy") is not None:
            out.print(f"{side:>6}: the better answer is likelier in {part['preference_accuracy']:.1%} of the pairs")


def show_exports(exports: list[dict[str, Any]]) -> None:
    """Exports with their certificates."""
    for export in exports:
        certificate = export.get("certificate") or {}
        verdict = "[green]certificate holds[/]" if certificate.get("passed") else "[bold red]certificate FAILED[/]"
        out.print(f"{export['format']} {export.get('method') or ''}: {export['path']} ({verdict})")


def _plain(value: Any) -> Any:
    return value.get("value") if isinstance(value, dict) else value
