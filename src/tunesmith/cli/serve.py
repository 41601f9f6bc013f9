"""`tunesmith serve`, `tunesmith worker` and `tunesmith migrate`."""

from __future__ import annotations

from typing import Annotated

import typer

from tunesmith.cli.options import REFUSED, CommandError
from tunesmith.cli.runner import AsJson

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address (local mode: loopback only).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    with_worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Start and supervise one worker.")] = True,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the web UI in a browser.")] = False,
) -> int:
    """Serve the API and the web UI, with one worker beside it."""
    from tunesmith.settings import Mode, load_settings

    api = {k: v for k, v in (("host", host), ("port", port)) if v is not None}
    settings = load_settings(data_dir=ctx.obj.data_dir)
    settings = settings.model_copy(update={"api": settings.api.model_copy(update=api)})
    if settings.mode is Mode.TEAM:
        raise CommandError(
            "Team mode needs accounts, which this version does not have.", "Leave TUNESMITH_MODE at `local`.", REFUSED
        )
    if settings.api.host not in LOOPBACK_HOSTS:
        raise CommandError(
            f"Local mode has no accounts and listens on loopback only, not on {settings.api.host!r}.",
            "Leave --host away, and reach the server through an SSH tunnel.",
            REFUSED,
        )
    from tunesmith.api.serving import run_server
    from tunesmith.worker.supervisor import Supervisor

    return run_server(settings, beside=Supervisor(settings) if with_worker else None, open_browser=open_browser)


def worker(
    ctx: typer.Context,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End when there is nothing left to do.")] = False,
    name: Annotated[str | None, typer.Option(help="Name of this worker.")] = None,
) -> None:
    """Run jobs of the data folder until interrupted; running children survive and are taken up again."""
    import asyncio

    from tunesmith.bootstrap import build
    from tunesmith.kit.logs import configure_logging
    from tunesmith.worker import run_worker

    settings = ctx.obj.settings()
    configure_logging(settings.log_level, as_json=settings.log_json)
    asyncio.run(run_worker(build(settings), until_idle=until_idle, name=name))


def migrate(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Bring the database to the schema of this version."""
    import asyncio

    from tunesmith.cli.output import out, print_json
    from tunesmith.db.migrate import ensure_schema
    from tunesmith.db.session import Database

    settings = ctx.obj.settings()

    async def body() -> str:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        database = Database(settings.database_url)
        try:
            return await ensure_schema(database)
        finally:
            await database.close()

    revision = asyncio.run(body())
    if as_json:
        print_json({"revision": revision})
    else:
        out.print(f"The database is at revision {revision}.")
