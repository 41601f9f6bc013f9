"""`tunesmith system`: what this machine can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.runner import AsJson, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

DEVICES = ("cpu", "cuda", "mps")

app = typer.Typer(
    help="What this machine can do; the schema as SQL; the OpenAPI document.", invoke_without_command=True
)


@app.callback()
def system(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show device, memory, disk, optional parts and versions."""
    from tunesmith.cli.output import out, print_json, print_table, size

    if ctx.invoked_subcommand is not None:
        return

    async def body(session: Session) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        info = await session.client.get("/system")
        return info, (await session.client.get("/recipes/capabilities"))["cells"]

    info, cells = in_session(ctx, body)
    if as_json:
        print_json(info | {"training": cells})
        return
    plain = [(k, size(v) if k.endswith("_bytes") else v) for k, v in info.items() if not isinstance(v, dict | list)]
    print_table("This machine", ("what", "value"), plain)
    out.print("")
    if info["trackers"]:
        rows = ((t["name"], t["target"], t["message"] or "reachable", t["waiting_runs"]) for t in info["trackers"])
        print_table("Trackers", ("tracker", "where", "state", "runs waiting"), rows)
        out.print("")
    extras = info["extras"].items()
    print_table(
        "Optional parts", ("part", "state"), ((k, "installed" if v["installed"] else v["install"]) for k, v in extras)
    )
    out.print("")
    print_table("Packages", ("package", "version"), info["packages"].items())
    out.print("")
    print_table("Training", ("objective", "adapter", *DEVICES), _methods([c for c in cells if not c["strategy"]]))
    out.print("")
    print_table(
        "Several processes that share a run",
        ("objective", "adapter", "strategy", "device", "processes", "state"),
        [
            (c["objective"], c["adapter"], c["strategy"], c["device"], c["processes"], c["state"])
            for c in cells
            if c["strategy"]
        ],
    )
    notes = {(c["reason"], c["alternative"]) for c in cells if c["state"] == "fails"}
    for reason, alternative in sorted(notes):
        out.print(f"[dim]fails: {reason} {alternative}[/]")


def _methods(cells: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """A row for each objective and adapter, a column for each device."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for cell in cells:
        rows.setdefault((cell["objective"], cell["adapter"]), {}).setdefault(cell["device"], cell["state"])
    return [(*names, *(states.get(device, "–") for device in DEVICES)) for names, states in rows.items()]


@app.command("openapi")
def openapi(ctx: typer.Context, as_json: AsJson = True) -> None:
    """Print the OpenAPI document."""
    import asyncio

    from tunesmith.api.app import create_app
    from tunesmith.cli.output import print_json

    async def document() -> dict[str, object]:
        return create_app(ctx.obj.settings()).openapi()

    print_json(asyncio.run(document()))


@app.command("sql")
def sql(
    ctx: typer.Context,
    dialect: Annotated[str, typer.Option(help="sqlite or postgresql.")] = "postgresql",
) -> None:
    """Print the schema as SQL, for a database that somebody else manages."""
    from tunesmith.cli.options import CommandError
    from tunesmith.db.migrate import schema_sql

    if dialect not in ("sqlite", "postgresql"):
        raise CommandError(f"There is no schema for {dialect!r}.", "Choose sqlite or postgresql.")
    typer.echo(schema_sql(dialect))
