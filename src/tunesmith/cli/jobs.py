"""`tunesmith jobs`: every long task, and the way out of each state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from tunesmith.cli.runner import AsJson, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

app = typer.Typer(
    help="Jobs: list, queue, priority, show, logs, follow, cancel, retry, stop, resume.", no_args_is_help=True
)


def _print(document: dict[str, Any], as_json: bool, title: str) -> None:
    from tunesmith.cli.output import print_json, print_table

    if as_json:
        print_json(document)
    else:
        print_table(title, ("field", "value"), ((k, v) for k, v in document.items() if k not in ("spec", "result")))


@app.command("list")
def list_jobs(ctx: typer.Context, kind: str | None = None, state: str | None = None, as_json: AsJson = False) -> None:
    """List jobs, newest first."""
    from tunesmith.cli.output import print_json, print_table

    answer = in_session(ctx, lambda s: s.client.get("/jobs", kind=kind, state=state, page_size=100))
    if as_json:
        print_json(answer)
        return
    rows = (
        (j["id"], j["kind"], j["name"], j["state"], f"{j['progress']:.0%}", j["attempt"], j["created_at"][:19])
        for j in answer["items"]
    )
    print_table("Jobs", ("id", "kind", "name", "state", "done", "attempt", "created"), rows)


@app.command("queue")
def queue(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show what runs on which device, and what waits in which order."""
    from tunesmith.cli.output import print_json, print_table

    async def body(session: Session) -> dict[str, Any]:
        queues = await session.client.get("/system/queues")
        waiting = await session.client.all_pages("/jobs", state="queued")
        waiting.sort(key=lambda job: (job["position"] is None, job["position"], job["id"]))
        return {**queues, "jobs": waiting}

    answer = in_session(ctx, body)
    if as_json:
        print_json(answer)
        return
    rows = ((q["name"], f"{q['in_use']} of {q['slots']}", q["running"]) for q in answer["queues"])
    print_table("Devices", ("device", "in use", "jobs"), rows)
    typer.echo("")
    columns = ("place", "id", "kind", "name", "priority")
    print_table("Waiting", columns, ([j[{"place": "position"}.get(c, c)] for c in columns] for j in answer["jobs"]))


@app.command("priority")
def priority(
    ctx: typer.Context,
    job_id: int,
    value: int,
    as_json: AsJson = False,
) -> None:
    """Move a job that has not started: a higher number starts sooner."""
    path, body = f"/api/v1/admin/jobs/{job_id}", {"priority": value}
    _print(in_session(ctx, lambda s: s.client.call("PATCH", path, body=body)), as_json, f"Job {job_id}")


@app.command("show")
def show(ctx: typer.Context, job_id: int, as_json: AsJson = False) -> None:
    """Show one job."""
    _print(in_session(ctx, lambda s: s.client.get(f"/jobs/{job_id}")), as_json, f"Job {job_id}")


@app.command("logs")
def logs(ctx: typer.Context, job_id: int, tail: int = 200, as_json: AsJson = False) -> None:
    """Show the last lines of a job's log."""
    from tunesmith.cli.output import print_json

    answer = in_session(ctx, lambda s: s.client.get(f"/jobs/{job_id}/logs", tail=tail))
    if as_json:
        print_json(answer)
        return
    for line in answer["lines"]:
        typer.echo(f"{line['at'][:19]} {line['level']:<7} {line['message']}")


@app.command("follow")
def follow(ctx: typer.Context, job_id: int, as_json: AsJson = False) -> None:
    """Watch a job until it has ended."""
    from tunesmith.cli.output import JobProgress

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        with JobProgress(f"Job {job_id}") as progress:
            return await session.client.wait_for_job(job_id, progress)

    _print(in_session(ctx, body), as_json, f"Job {job_id}")


@app.command("cancel")
def cancel(ctx: typer.Context, job_id: int, as_json: AsJson = False) -> None:
    """Cancel a job; what it made is discarded."""
    _print(in_session(ctx, lambda s: s.client.post(f"/jobs/{job_id}/cancel")), as_json, f"Job {job_id}")


@app.command("retry")
def retry(ctx: typer.Context, job_id: int, as_json: AsJson = False) -> None:
    """Queue a failed or cancelled job again."""
    _print(in_session(ctx, lambda s: s.client.post(f"/jobs/{job_id}/retry")), as_json, f"Job {job_id}")


@app.command("stop")
def stop(ctx: typer.Context, run_id: int, as_json: AsJson = False) -> None:
    """Stop a training run and keep a checkpoint."""
    _print(in_session(ctx, lambda s: s.client.post(f"/finetuning/jobs/{run_id}/stop")), as_json, f"Run {run_id}")


@app.command("resume")
def resume(ctx: typer.Context, run_id: int, as_json: AsJson = False) -> None:
    """Queue a stopped or failed run again, from its newest verified checkpoint."""
    _print(in_session(ctx, lambda s: s.client.post(f"/finetuning/jobs/{run_id}/resume", {})), as_json, f"Run {run_id}")
