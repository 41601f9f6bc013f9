"""How a command ends: an exit code, and for an error one sentence and one hint on stderr, never a traceback."""

from __future__ import annotations

import errno
import traceback
from typing import TYPE_CHECKING, Any

from tunesmith.cli.options import FINE, INTERRUPTED, NO, NOT_FOUND, REFUSED, USAGE, CommandError

if TYPE_CHECKING:
    import typer


def ended(app: typer.Typer, arguments: list[str], *, debug: bool) -> int:
    """Run ``app`` and answer the exit code."""
    import typer
    from typer._click.exceptions import ClickException  # Typer carries its own copy of click

    try:
        code = app(arguments, standalone_mode=False)
    except ClickException as error:
        error.show()
        return USAGE if error.exit_code == 2 else error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _say("Interrupted.", "", INTERRUPTED)
    except typer.Exit as leaving:
        return int(leaving.exit_code)
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _explain(error)
    return code if isinstance(code, int) else FINE


def _explain(error: Exception) -> int:
    from pydantic import ValidationError

    from tunesmith.client import ApiError, Unreachable
    from tunesmith.kit.errors import TunesmithError

    if isinstance(error, CommandError):
        return _say(str(error), error.hint, error.exit_code)
    if isinstance(error, ApiError):
        return _say(error.detail, error.hint, _code_for(error.status, error.code), error.errors)
    if isinstance(error, TunesmithError):
        return _say(error.message, error.hint, _code_for(error.status, error.code), error.errors)
    if isinstance(error, Unreachable):
        return _say(str(error), error.hint, REFUSED)
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return _say(f"The setting {place} is not valid: {first['msg']}.", "See docs/reference/settings.md.", USAGE)
    if isinstance(error, OSError):
        hint = (
            "Free some space and try again." if error.errno == errno.ENOSPC else "Check the path and its permissions."
        )
        return _say(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ") + ".", hint, REFUSED)
    return _say(
        f"Something unexpected happened: {error}.", "Run the command again with --debug and report it.", REFUSED
    )


def _code_for(status: int, code: str) -> int:
    if status == 0 or code == "dataset-red":
        return NO  # the work ran, and its answer is no
    if status == 404:
        return NOT_FOUND
    return USAGE if status in (400, 413, 422) else REFUSED


def _say(message: str, hint: str, code: int, faults: list[dict[str, Any]] | None = None) -> int:
    from rich.markup import escape

    from tunesmith.cli.output import err

    err.print(f"[bold red]Error:[/] {escape(message)}")
    for fault in (faults or [])[:10]:
        err.print(f"  [yellow]{escape(str(fault.get('location', '')))}[/]: {escape(str(fault.get('message', '')))}")
    if hint:
        err.print(f"[dim]Hint:[/] {escape(hint)}")
    return code
