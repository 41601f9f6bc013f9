"""`tunesmith registry`, `tunesmith export` and `tunesmith certify`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.options import FINE, NO, CommandError
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


def export(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="name@version, run:ID, a folder, a local Hub id or tunesmith/tiny.")],
    format: Annotated[str, typer.Option("--format", help="merged or gguf.")] = "gguf",
    method: Annotated[str | None, typer.Option(help="GGUF methods, separated by commas, or `all`.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to copy the artefacts to.")] = None,
    as_json: AsJson = False,
) -> int:
    """Write a model in other formats, each with its parity certificate. Exits 1 when a certificate fails."""
    from tunesmith.cli.output import JobProgress, print_json
    from tunesmith.cli.runs import show_exports
    from tunesmith.cli.train import absolute_model
    from tunesmith.wire.recipe import GGUF_METHODS

    if format == "gguf":
        wanted = method or "Q8_0"
        methods = (
            list(GGUF_METHODS)
            if wanted.lower() == "all"
            else [m.strip().upper() for m in wanted.split(",") if m.strip()]
        )
        outputs: list[dict[str, Any]] = [{"format": format, "method": m} for m in methods]
    else:
        outputs = [{"format": format, "method": method}]

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        with JobProgress(f"Exporting {model}") as progress:
            request = {"model": absolute_model(model), "outputs": outputs}
            return await session.client.answer("/exports", request, progress)

    exports = in_session(ctx, body)["exports"]
    if output is not None:
        for item in exports:
            item["path"] = str(_copied(Path(item["path"]), output))
    if as_json:
        print_json({"exports": exports})
    else:
        show_exports(exports)
    return FINE if all(item["certificate"]["passed"] for item in exports) else NO


def _copied(source: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder.absolute() / source.name
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        temporary = target.with_name(f".{target.name}.part")
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    return target


def certify(
    ctx: typer.Context,
    artefact: Annotated[Path, typer.Argument(help="GGUF file or model folder.")],
    source: Annotated[str, typer.Option(help="The model it was made from: name@version, run:ID, a folder …")],
    method: Annotated[str | None, typer.Option(help="Thresholds of this method (default: what the file says).")] = None,
    as_json: AsJson = False,
) -> int:
    """Judge an artefact against its source by what both answer. Exits 1 when it fails, naming the check."""
    from tunesmith.cli.options import NOT_FOUND
    from tunesmith.cli.output import JobProgress, out, print_json
    from tunesmith.cli.train import absolute_model

    if not artefact.exists():
        raise CommandError(
            f"There is no artefact {str(artefact)!r}.", "Name a .gguf file or a model folder.", NOT_FOUND
        )

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        request = {"artefact": str(artefact.absolute()), "source": absolute_model(source), "method": method}
        with JobProgress(f"Certifying {artefact.name}") as progress:
            return await session.client.answer("/certificates", request, progress)

    certificate = in_session(ctx, body)
    if as_json:
        print_json({"passed": certificate["passed"], "checks": certificate["checks"]})
    else:
        for check in certificate["checks"]:
            mark = "[green]passed[/]" if check["passed"] else "[bold red]FAILED[/]"
            out.print(f"{mark} {check['name']}: {check['value']} (threshold {check['threshold']})")
        out.print("The certificate holds." if certificate["passed"] else "[bold red]The certificate fails.[/]")
    return FINE if certificate["passed"] else NO
