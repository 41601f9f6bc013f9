"""`tunesmith system`: what this machine can do."""

from __future__ import annotations

from typing import Annotated

import typer

from tunesmith.cli.runner import AsJson, in_session

app = typer.Typer(
    help="What this machine can do; the schema as SQL; the OpenAPI document.", invoke_without_command=True
)


@app.callback()
def system(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show device, memory, disk, optional parts and versions."""
    from tunesmith.cli.output import out, print_json, print_table, size

    if ctx.invoked_subcommand is not None:
        return
    info = in_session(ctx, lambda s: s.client.get("/system"))
    if as_json:
        print_json(info)
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
