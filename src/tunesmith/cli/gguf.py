"""`tunesmith gguf`: methods, what to take, and whether a file is sound. `tunesmith export` writes the files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.options import FINE, NO, NOT_FOUND, CommandError
from tunesmith.cli.runner import AsJson, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

app = typer.Typer(help="GGUF files: methods, recommend, validate.", no_args_is_help=True)
ModelSize = Annotated[float | None, typer.Option(help="Size of the model at 16 bits, in 10⁹ bytes.")]


@app.command("methods")
def methods(ctx: typer.Context, model_size_gb: ModelSize = None, as_json: AsJson = False) -> None:
    """List the methods: bits per weight, quality, size."""
    from tunesmith.cli.output import print_json, print_table

    query = {"model_size_gb": model_size_gb}
    answer = in_session(ctx, lambda s: s.client.call("GET", "/gguf/methods", query=query))
    if as_json:
        print_json(answer)
        return
    rows = (
        (
            m["name"],
            ", ".join(m["variants"]),
            m["bits_per_weight"],
            m["quality"],
            m["estimated_size_gb"],
            m["description"],
        )
        for m in answer["methods"]
    )
    title = f"GGUF methods, sizes for a model of {answer['model_size_gb']:g} GB at 16 bits"
    print_table(title, ("method", "writes", "bits", "quality", "GB", "what it is"), rows)


@app.command("recommend")
def recommend(ctx: typer.Context, model_size_gb: ModelSize = None, as_json: AsJson = False) -> None:
    """Say which method to take, by the model's size and the free memory."""
    from tunesmith.cli.output import out, print_json

    query = {"model_size_gb": model_size_gb}
    answer = in_session(ctx, lambda s: s.client.call("GET", "/gguf/methods/recommended", query=query))
    if as_json:
        print_json(answer)
        return
    out.print(f"[bold]{answer['method']}[/]: {answer['reason']}")
    for other in answer["alternatives"]:
        fits = "fits" if other["fits_in_memory"] else "does not fit"
        out.print(f"  {other['method']}: {other['reason']} ({other['estimated_size_gb']:g} GB, {fits})")


@app.command("validate")
def validate(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="GGUF file.")],
    prompt: Annotated[str, typer.Option(help="What it is given to continue.")] = "Hello",
    as_json: AsJson = False,
) -> int:
    """Check a GGUF file: its frame, then load it and let it generate. Exits 1 when a check fails."""
    from tunesmith.cli.output import JobProgress, out, print_json

    if not file.exists():
        raise CommandError(f"There is no file {str(file)!r}.", "Name a .gguf file.", NOT_FOUND)

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        request = {"file_path": str(file.absolute()), "prompt": prompt}
        with JobProgress(f"Validating {file.name}") as progress:
            answer = await session.client.call("POST", "/gguf/validate", body=request, query={"wait": 0})
            return await session.client.settled(answer, progress)

    answer = in_session(ctx, body)
    if as_json:
        print_json(answer)
    else:
        for check in answer["checks"]:
            mark = "[green]passed[/]" if check["passed"] else "[bold red]FAILED[/]"
            out.print(f"{mark} {check['name']}: {check['message']}")
        out.print("The file is sound." if answer["valid"] else "[bold red]The file is not sound.[/]")
    return FINE if answer["valid"] else NO
