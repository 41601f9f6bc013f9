"""The entry point: global options, the commands, and how errors end a command."""

from __future__ import annotations

import copy
import gc
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.models import TyperInfo

from tunesmith.cli import (
    chat,
    data,
    data_changes,
    data_quality,
    data_versions,
    explore,
    exports,
    gguf,
    jobs,
    models,
    quickstart,
    recipe,
    registry,
    run_commands,
    serve,
    system,
    train,
)
from tunesmith.cli.ending import ended
from tunesmith.cli.options import Options

app = typer.Typer(
    name="tunesmith",
    help="Turn domain data into a language model that a team can trust, serve and improve.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(asked: bool) -> None:
    if asked:
        from tunesmith import __version__

        typer.echo(f"tunesmith {__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="Data folder (default: TUNESMITH_DATA_DIR, or the user's data folder)."),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            "--server",
            envvar="TUNESMITH_SERVER",
            show_envvar=False,
            help="Address of a running server (default: TUNESMITH_SERVER); without one work in this process.",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and debug logs.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options that every command takes; they may also stand after the command."""
    ctx.obj = Options(data_dir=data_dir, server=server, debug=debug)


app.command("quickstart")(quickstart.quickstart)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("migrate")(serve.migrate)
app.command("doctor")(data.doctor)
app.command("train")(train.train)
app.command("eval")(train.evaluate)
app.command("export")(exports.export)
app.command("certify")(exports.certify)
app.command("chat")(chat.chat)
app.add_typer(models.app, name="models")
app.add_typer(recipe.app, name="recipe")
app.add_typer(gguf.app, name="gguf")
data_versions.attach(data.app)
data_changes.attach(data.app)
data_quality.attach(data.app)
data.app.command("eda")(explore.eda)
data.app.command("tokens")(explore.tokens)
app.add_typer(data.app, name="datasets")
app.add_typer(run_commands.app, name="runs")
app.add_typer(jobs.app, name="jobs")
app.add_typer(registry.app, name="registry")
app.add_typer(system.app, name="system")

_GLOBAL_WITH_VALUE = ("--data-dir", "--server")
_GLOBAL_FLAGS = ("--debug",)


def globals_first(arguments: list[str]) -> list[str]:
    """Move the global options to the front, so that they work before and after the command."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
        elif argument in _GLOBAL_WITH_VALUE:
            front += [argument, *([value] if (value := next(waiting, None)) is not None else [])]
        elif argument in _GLOBAL_FLAGS or argument.startswith(tuple(f"{name}=" for name in _GLOBAL_WITH_VALUE)):
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest


def made_out(words: list[str]) -> typer.Typer:
    """The program with the groups that ``words`` may mean; of the others only names and help.

    Typer makes every command of every group before it runs one, which takes longer than ``--help`` itself.
    """
    if not words:  # a shell that completes has them elsewhere
        return app
    lean = copy.copy(app)
    lean.registered_groups = [group if group.name in words else _closed(group) for group in app.registered_groups]
    return lean


def _closed(group: TyperInfo) -> TyperInfo:
    closed, inside = copy.copy(group), copy.copy(group.typer_instance)
    assert inside is not None
    inside.registered_commands, inside.registered_groups = [], []
    closed.typer_instance = inside
    return closed


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    gc.set_threshold(100_000, 20, 20)  # a start makes a million objects and throws hardly one away
    given = globals_first(sys.argv[1:] if arguments is None else arguments)
    sys.exit(ended(made_out(given), given, debug="--debug" in given))


if __name__ == "__main__":
    main()
