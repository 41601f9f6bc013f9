"""`tunesmith registry`, `tunesmith export` and `tunesmith certify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.options import CommandError
from tunesmith.cli.runner import AsJson, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

app = typer.Typer(help="Model versions: list, register, show, card.", no_args_is_help=True)


@app.command("list")
def list_versions(ctx: typer.Context, as_json: AsJson = False, search: str | None = None) -> None:
    """List model versions, newest first."""
    from tunesmith.cli.output import print_json, print_table

    answer = in_session(ctx, lambda s: s.client.get("/models", search=search, page_size=200))
    if as_json:
        print_json(answer)
        return
    rows = (
        (m["id"], f"{m['model_name']}@{m['version']}", m["status"], m["base_model"], m["created_at"][:19])
        for m in answer["items"]
    )
    print_table("Model versions", ("id", "version", "status", "base", "created"), rows)


@app.command("register")
def register(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(help="run:ID of a completed run.")],
    name: Annotated[str, typer.Option(help="Model name: letters, digits, _ and -.")],
    version: Annotated[str | None, typer.Option(help="Version x.y.z.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register a completed run as a model version."""
    from tunesmith.cli.output import out, print_json

    number = run.removeprefix("run:")
    if not number.isdigit():
        raise CommandError(f"{run!r} is no run.", "Name it as run:ID; `tunesmith jobs list --kind train` lists them.")
    body = {"job_id": int(number), "model_name": name, "version": version or "1.0.0", "tags": tag or []}
    answer = in_session(ctx, lambda s: s.client.post("/models/register", body))
    if as_json:
        print_json(answer)
    else:
        out.print(f"Registered {answer['model_name']}@{answer['version']} (id {answer['id']}).")


@app.command("show")
def show(ctx: typer.Context, version: str, as_json: AsJson = False) -> None:
    """Show one version (id or name@version)."""
    from tunesmith.cli.output import print_json, print_table

    async def body(session: Session) -> dict[str, Any]:
        row = await session.client.find_version(version)
        return await session.client.get(f"/models/{row['id']}")

    answer = in_session(ctx, body)
    if as_json:
        print_json(answer)
    else:
        print_table(version, ("field", "value"), answer.items())


@app.command("card")
def card(ctx: typer.Context, version: str, as_json: AsJson = False) -> None:
    """Print the model card (Markdown)."""
    from tunesmith.cli.output import print_json

    async def body(session: Session) -> dict[str, Any]:
        row = await session.client.find_version(version)
        return await session.client.get(f"/models/{row['id']}/card")

    answer = in_session(ctx, body)
    if as_json:
        print_json(answer)
    else:
        typer.echo(answer["markdown"])
