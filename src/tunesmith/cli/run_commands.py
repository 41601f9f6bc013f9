"""`tunesmith runs`: trainings, looked at, followed, compared, and the way out of each state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.options import USAGE, CommandError
from tunesmith.cli.runner import AsJson, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

app = typer.Typer(
    help="Runs: list, show, logs, metrics, checkpoints, keep, stop, resume, delete, compare.", no_args_is_help=True
)
JOBS = "/finetuning/jobs"
RunId = Annotated[int, typer.Argument(help="Number of the run.")]
CURVES = ("loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_gb")


@app.command("list")
def list_runs(
    ctx: typer.Context,
    status: Annotated[str | None, typer.Option(help="pending, running, completed, failed or stopped.")] = None,
    search: Annotated[str | None, typer.Option(help="Only runs with this in their name.")] = None,
    method: Annotated[str | None, typer.Option(help="Only runs with this method.")] = None,
    base: Annotated[str | None, typer.Option(help="Only runs from this base model.")] = None,
    sort: Annotated[str, typer.Option(help="Column; - before it for the reverse.")] = "-id",
    page: int = 1,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    from tunesmith.cli.output import number, print_json, print_table

    query = {"status": status, "search": search, "method": method, "base_model": base, "sort": sort, "page": page}
    answer = in_session(ctx, lambda s: s.client.get(JOBS, **query))
    if as_json:
        print_json(answer)
        return
    rows = (
        (
            run["id"],
            run["job_name"],
            run["status"] + (f" ({run['queue_position']} in the queue)" if run["queue_position"] else ""),
            f"{run['progress']:.0%}",
            run["method"],
            run["base_model"],
            number((run["figures"] or {}).get("final_loss")),
            run["created_at"][:19],
        )
        for run in answer["items"]
    )
    print_table(
        f"Runs ({answer['total']})", ("id", "name", "status", "done", "method", "base", "loss", "created"), rows
    )


@app.command("show")
def show(ctx: typer.Context, run_id: RunId, as_json: AsJson = False) -> None:
    """Show one run: its state, place in the queue, settings and figures."""
    _print_run(in_session(ctx, lambda s: s.client.get(f"{JOBS}/{run_id}")), as_json)


@app.command("logs")
def logs(
    ctx: typer.Context,
    run_id: RunId,
    tail: int = 200,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the last lines of a run's log, and what comes after them with --follow."""
    from tunesmith.cli.output import note, print_json

    async def body(session: Session) -> dict[str, Any]:
        if not follow:
            return await session.client.get(f"{JOBS}/{run_id}/logs", tail=tail)
        await session.client.get(f"{JOBS}/{run_id}")
        await session.need_worker()
        lines = []
        async for line in session.client.follow_logs(run_id, tail=tail):
            (note if as_json else typer.echo)(f"{line['level']:<7} {line['message']}")
            kept = {name: line[name] for name in ("offset", "attempt", "level", "message")}
            lines.append({**kept, "at": iso_time(line["at"])})
        return {"job_id": run_id, "lines": lines, "next_offset": lines[-1]["offset"] if lines else 0}

    answer = in_session(ctx, body)
    if as_json:
        print_json(answer)
    elif not follow:
        for line in answer["lines"]:
            typer.echo(f"{line['at'][:19]} {line['level']:<7} {line['message']}")


@app.command("metrics")
def metrics(
    ctx: typer.Context,
    run_id: RunId,
    names: Annotated[str | None, typer.Option(help="Curves, separated by commas.")] = None,
    max_points: Annotated[int, typer.Option(help="At most this many points, evenly chosen.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the curves of a run."""
    from tunesmith.cli.output import number, print_json, print_table

    query = {"names": names, "max_points": max_points}
    answer = in_session(ctx, lambda s: s.client.get(f"{JOBS}/{run_id}/metrics", **query))
    if as_json:
        print_json(answer)
        return
    shown = [name for name in CURVES if name in answer["names"]]
    rows = ((point["step"], *(number(point[name], 6) for name in shown)) for point in answer["points"])
    print_table(f"Run {run_id}: {answer['total']} points", ("step", *shown), rows)


@app.command("checkpoints")
def checkpoints(ctx: typer.Context, run_id: RunId, as_json: AsJson = False) -> None:
    """Show what a run can go on from."""
    from tunesmith.cli.output import number, print_json, print_table, size

    answer = in_session(ctx, lambda s: s.client.get(f"{JOBS}/{run_id}/checkpoints", page_size=200))
    if as_json:
        print_json(answer)
        return
    rows = (
        (
            c["id"],
            c["step"],
            number(c["metrics"].get("eval_loss", c["metrics"].get("loss"))),
            size(c["size_bytes"]),
            " ".join(word for word, is_so in (("best", c["is_best"]), ("kept", c["is_kept"])) if is_so),
            "verified" if c["verified"] else "DAMAGED",
        )
        for c in answer["items"]
    )
    print_table(f"Checkpoints of run {run_id}", ("id", "step", "loss", "size", "", "state"), rows)


@app.command("keep")
def keep(
    ctx: typer.Context,
    run_id: RunId,
    checkpoint_id: Annotated[int, typer.Argument(help="Number of the checkpoint.")],
    as_json: AsJson = False,
) -> None:
    """Keep a checkpoint, however many newer ones come."""
    from tunesmith.cli.output import print_json

    answer = in_session(ctx, lambda s: s.client.post(f"{JOBS}/{run_id}/checkpoints/{checkpoint_id}/keep"))
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Checkpoint {checkpoint_id} (step {answer['step']}) is kept.")


@app.command("stop")
def stop(ctx: typer.Context, run_id: RunId, as_json: AsJson = False) -> None:
    """Stop a run and keep a checkpoint."""
    _print_run(in_session(ctx, lambda s: s.client.post(f"{JOBS}/{run_id}/stop")), as_json)


@app.command("resume")
def resume(
    ctx: typer.Context,
    run_id: RunId,
    checkpoint: Annotated[int | None, typer.Option(help="Checkpoint to go on from; default is the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Queue a stopped or failed run again, from a checkpoint that verifies."""
    body = {"checkpoint_id": checkpoint}
    _print_run(in_session(ctx, lambda s: s.client.post(f"{JOBS}/{run_id}/resume", body)), as_json)


@app.command("delete")
def delete(
    ctx: typer.Context,
    run_id: RunId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a run with its checkpoints and files; registered versions stay."""
    from tunesmith.cli.output import print_json

    if not yes and not as_json:
        typer.confirm(f"Delete run {run_id} with its checkpoints?", abort=True, err=True)
    path = f"/api/v1/admin{JOBS}/{run_id}"
    in_session(ctx, lambda s: s.client.call("DELETE", path))
    if as_json:
        print_json({"run_id": run_id, "deleted": True})
    else:
        typer.echo(f"Run {run_id} is deleted.")


@app.command("compare")
def compare(
    ctx: typer.Context,
    run_ids: Annotated[list[int], typer.Argument(help="Two or more runs.")],
    as_json: AsJson = False,
) -> None:
    """Put runs side by side: their figures, and where their recipes differ."""
    from tunesmith.cli.output import number, print_json, print_table

    ids = list(dict.fromkeys(run_ids))
    if len(ids) < 2:
        raise CommandError("Name at least two runs.", "For example: tunesmith runs compare 3 5", USAGE)

    async def body(session: Session) -> list[dict[str, Any]]:
        return [await session.client.get(f"{JOBS}/{run_id}") for run_id in ids]

    runs = in_session(ctx, body)
    differences = differing_keys([run["recipe"] for run in runs])
    if as_json:
        figures = ("id", "job_name", "status", "base_model", "method", "figures", "hyperparameters")
        document = {"runs": [{name: run[name] for name in figures} for run in runs], "differences": differences}
        print_json(document)
        return
    names = [f"{run['job_name']} #{run['id']}" for run in runs]
    shown = ("steps", "final_loss", "eval_loss", "trained_tokens", "tokens_per_second")
    rows = [("status", *(run["status"] for run in runs))]
    rows += [(name, *(number((run["figures"] or {}).get(name)) for run in runs)) for name in shown]
    print_table("Figures", ("", *names), rows)
    typer.echo("")
    print_table("Where the recipes differ", ("key", *names), ((d["key"], *d["values"]) for d in differences))


def iso_time(seconds: float) -> str:
    """A Unix time as the API writes times."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def differing_keys(recipes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every dotted key in which some recipes differ, with the value of each (null where it has none)."""
    flat = [dict(_flat(recipe)) for recipe in recipes]
    keys = sorted({key for one in flat for key in one})
    rows = [{"key": key, "values": [one.get(key) for one in flat]} for key in keys]
    return [row for row in rows if any(value != row["values"][0] for value in row["values"])]


def _flat(value: dict[str, Any], path: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, inner in value.items():
        found += _flat(inner, f"{path}{key}.") if isinstance(inner, dict) else [(f"{path}{key}", inner)]
    return found


def _print_run(run: dict[str, Any], as_json: bool) -> None:
    from tunesmith.cli.output import print_json, print_table

    if as_json:
        print_json(run)
        return
    hidden = ("recipe", "hyperparameters", "graph", "links", "figures", "warnings")
    facts = {name: value for name, value in run.items() if name not in hidden and value is not None}
    facts |= {name: value for name, value in (run["figures"] or {}).items() if value is not None}
    facts |= {step["kind"]: f"job {step['job_id']}, {step['state']}" for step in run["graph"]}
    print_table(f"Run {run['id']}", ("field", "value"), facts.items())
