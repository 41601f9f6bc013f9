"""Running the asynchronous body of a command, and the arguments that commands share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from tunesmith.cli.options import NOT_FOUND, CommandError

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

T = TypeVar("T")
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout; everything else goes to stderr.")
]


def in_session(ctx: typer.Context, body: Callable[[Session], Awaitable[T]]) -> T:
    """Run ``body`` with a session; the session ends when it returns or raises."""
    import asyncio

    from tunesmith.cli.session import open_session

    async def run() -> T:
        async with open_session(ctx.obj) as session:
            return await body(session)

    return asyncio.run(run())


def existing_file(path: Path) -> Path:
    """``path`` when it is a file; otherwise a clear end."""
    if not path.exists():
        raise CommandError(f"There is no file {str(path)!r}.", "Check the path.", NOT_FOUND)
    if path.is_dir():
        raise CommandError(f"{str(path)!r} is a folder, not a file.", "Name the file in it.")
    return path
