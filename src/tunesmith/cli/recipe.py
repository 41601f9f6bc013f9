"""`tunesmith recipe`: recipes from and for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tunesmith.cli.options import FINE, NO
from tunesmith.cli.runner import AsJson, existing_file, in_session

app = typer.Typer(help="Recipes from and for other programs.", no_args_is_help=True)


@app.command("import")
def import_recipe(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="YAML of Axolotl or LLaMA-Factory.")],
    program: Annotated[str, typer.Option("--from", help="axolotl, llamafactory, or auto: look at its keys.")] = "auto",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the recipe here.")] = None,
    as_json: AsJson = False,
) -> int:
    """Turn a recipe of another program into one of ours; says what was not carried over, and why."""
    from tunesmith.cli.output import err, note, out, print_json, print_table

    text = existing_file(file).read_bytes().decode("utf-8-sig", "replace")
    request = {"yaml": text, "from": program, "name": file.stem}
    read: dict[str, Any] = in_session(ctx, lambda s: s.client.post("/recipes/import", request))
    if output is not None:
        output.write_text(read["yaml"], encoding="utf-8")
    if as_json:
        print_json(read)
        return FINE if read["valid"] else NO
    if output is None:
        out.print(read["yaml"], markup=False, highlight=False)
    else:
        note(f"{len(read['carried'])} keys of {read['program']} are in {output}.")
    if read["left_out"]:
        rows = ((left["key"], str(left["value"]), left["reason"]) for left in read["left_out"])
        print_table("Not carried over", ("key", "value", "why"), rows)
    for fault in read["errors"]:
        err.print(f"{fault['location']}: {fault['message']}", markup=False, highlight=False)
    return FINE if read["valid"] else NO


@app.command("export")
def export_recipe(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Recipe (YAML).")],
    to: Annotated[str, typer.Option(help="The program: axolotl.")] = "axolotl",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write its configuration here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a recipe as a configuration of another program."""
    from tunesmith.cli.output import note, out, print_json

    request = {"yaml": existing_file(file).read_bytes().decode("utf-8-sig", "replace"), "to": to}
    written: dict[str, Any] = in_session(ctx, lambda s: s.client.post("/recipes/export", request))
    if output is not None:
        output.write_text(written["yaml"], encoding="utf-8")
        note(f"The configuration for {to} {written['version']} is in {output}.")
    if as_json:
        print_json(written)
    elif output is None:
        out.print(written["yaml"], markup=False, highlight=False)
