"""The command-line reference, from the Typer application."""

from __future__ import annotations

from typing import Any

import typer

from tools.references.markdown import cell, code, generated, table
from tunesmith.cli.main import app

EXIT_CODES = [
    ["0", "fine"],
    ["1", "the answer is no: a red finding, a failed certificate, a failed run"],
    ["2", "the command was used wrongly"],
    ["3", "what was named does not exist"],
    ["4", "refused, or not reachable"],
    ["130", "interrupted, and can be resumed"],
]


def page() -> str:
    """Every command with its arguments and options."""
    root: Any = typer.main.get_command(app)
    parts = [
        generated("src/tunesmith/cli/"),
        "# Command line\n",
        "With `--server URL` a command is a client of a running server; without it the same work happens in this process, on the "
        "data folder. `--json` prints exactly one JSON document on stdout; progress and logs go to stderr.\n",
        table(["exit code", "meaning"], EXIT_CODES),
        "## Options of every command\n",
        _parameters(root),
    ]
    for name, command in sorted(root.commands.items()):
        parts += _command(f"tunesmith {name}", command)
    return "\n".join(part for part in parts if part)


def _command(name: str, command: Any) -> list[str]:
    if getattr(command, "hidden", False):
        return []
    text = " ".join((command.help or "").split("\f")[0].split())
    if hasattr(command, "commands"):
        parts = []
        for inner_name, inner in sorted(command.commands.items()):
            parts += _command(f"{name} {inner_name}", inner)
        return parts
    arguments = " ".join(_argument(p) for p in command.params if p.param_type_name == "argument")
    return [f"## `{f'{name} {arguments}'.strip()}`\n", f"{text}\n", _parameters(command)]


def _argument(parameter: Any) -> str:
    word = (parameter.metavar or parameter.name or "").upper().strip("[]")
    word = f"{word}…" if parameter.nargs == -1 and not word.endswith(("…", "...")) else word
    return word if parameter.required else f"[{word}]"


def _parameters(command: Any) -> str:
    rows = []
    for parameter in command.params:
        if parameter.name == "help" or getattr(parameter, "hidden", False):
            continue
        is_argument = parameter.param_type_name == "argument"
        names = _argument(parameter) if is_argument else ", ".join([*parameter.opts, *parameter.secondary_opts])
        default = parameter.default if isinstance(parameter.default, str | int | float) else None
        shown = "" if default is None or isinstance(default, bool) else code(str(default))
        rows.append([code(names), shown, cell(getattr(parameter, "help", "") or "")])
    return table(["argument or option", "default", "what it does"], rows) if rows else ""
