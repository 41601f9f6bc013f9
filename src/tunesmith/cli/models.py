"""`tunesmith models`: what one can start from, here and on the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.options import CommandError
from tunesmith.cli.runner import AsJson, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

app = typer.Typer(help="Models: list, search, info, download, remove, convert, push, health.", no_args_is_help=True)
BASE = "/base-models"
USES = ("inference", "lora", "qlora", "full")
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="HF_TOKEN", show_envvar=True, help="Token for gated and private models."),
]
Json = dict[str, Any]


@app.command("list")
def list_models(
    ctx: typer.Context,
    search: Annotated[str | None, typer.Option(help="Words in the name, title or architecture.")] = None,
    fits: Annotated[str | None, typer.Option(help="Only what fits here for: inference, lora, qlora, full.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the models of the local store."""
    answer = in_session(
        ctx, lambda s: s.client.get(BASE, source="local", search=search, fits=_use(fits), page_size=200)
    )
    _print_list(answer, as_json, "Models")


@app.command("search")
def search_models(
    ctx: typer.Context,
    words: Annotated[str, typer.Argument(help="What to look for.")] = "",
    author: Annotated[str | None, typer.Option(help="Owner of the models.")] = None,
    license: Annotated[str | None, typer.Option(help="Licence, such as apache-2.0.")] = None,
    fits: Annotated[str | None, typer.Option(help="Only what fits here for: inference, lora, qlora, full.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Most models to show.")] = 20,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Search the Hub."""
    query = {"source": "hub", "search": words or None, "author": author, "license": license, "fits": _use(fits)}
    answer = in_session(ctx, lambda s: s.client.get(BASE, **query, page_size=limit, access_token=token))
    _print_list(answer, as_json, "Models of the Hub")


@app.command("info")
def info(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="Id of the model.")],
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit.")] = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show what is known of a model without fetching it, and whether it fits here."""
    from tunesmith.cli.output import out, print_json, print_table, size

    answer = in_session(ctx, lambda s: s.client.get(f"{BASE}/{model}", revision=revision, access_token=token))
    if as_json:
        print_json(answer)
        return
    left_out = ("files", "tags", "fits_here", "problem")
    print_table(model, ("field", "value"), ((k, v) for k, v in answer.items() if k not in left_out and v is not None))
    if fits := answer["fits_here"]:
        rows = ((use, size(fits[use]["needed_bytes"]), "yes" if fits[use]["fits"] else "no") for use in USES)
        free = size(fits["available_bytes"])
        print_table(f"Fits here ({free} free, {fits['device']})", ("for", "needs about", "fits"), rows)
    files = ((f["path"], size(f["size_bytes"]), "yes" if f["fetched"] else "no") for f in answer["files"])
    print_table("Files", ("file", "size", "fetched"), files)
    if answer["problem"]:
        out.print(answer["problem"])


@app.command("download")
def download(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="Id of the model.")],
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit.")] = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a model of the Hub into the local store; what was fetched before is gone on with."""
    body = {"model_id": model, "revision": revision, "access_token": token}
    _stored(ctx, f"{BASE}/download", body, f"Download {model}", as_json)


@app.command("remove")
def remove(
    ctx: typer.Context, model: Annotated[str, typer.Argument(help="Id of the model.")], as_json: AsJson = False
) -> None:
    """Delete a model from the local store; a folder that lies elsewhere is only forgotten."""
    from tunesmith.cli.output import out, print_json

    answer = in_session(ctx, lambda s: s.client.call("DELETE", f"/api/v1/admin{BASE}/{model}"))
    if as_json:
        print_json(answer)
    else:
        out.print(answer["message"])


@app.command("convert")
def convert(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Model folder with *.bin or *.pt weights; it stays as it is.")],
    name: Annotated[str | None, typer.Option(help="Name in the local store; default is the folder's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make safetensors of pickled weights in a sandbox that runs nothing of the file."""
    if not folder.is_dir():
        raise CommandError(f"There is no folder {str(folder)!r}.", "Name the folder with config.json in it.")
    body = {"model_path": str(folder.resolve()), "name": name}
    _stored(ctx, f"{BASE}/convert", body, f"Convert {folder.name}", as_json)


@app.command("push")
def push(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="run:ID, name@version, export:ID, a folder, or a model's name.")],
    repo: Annotated[str, typer.Argument(help="Hub id to push to, owner/name.")],
    public: Annotated[
        bool, typer.Option("--public", help="Make a new repository public; private is the default.")
    ] = False,
    revision: Annotated[str | None, typer.Option(help="Branch; default is main.")] = None,
    message: Annotated[str, typer.Option(help="Message of the commit.")] = "Upload with Tunesmith",
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Push a run, a version, an export or a model folder to the Hub, with its card, as one commit."""
    from tunesmith.cli.output import out, print_json
    from tunesmith.cli.train import absolute_model

    what: dict[str, Any] = {"model": absolute_model(model)}
    kind, _, number = model.partition(":")
    if kind == "export" and number.isdecimal():
        what = {"export_id": int(number)}
    body = {**what, "repo_id": repo, "private": not public, "revision": revision, "message": message}
    answer = _worked(ctx, "/models/push", body | {"access_token": token}, f"Push to {repo}")
    if as_json:
        print_json(answer)
    else:
        out.print(f"{answer['url']} is at commit {answer['commit'][:12]} ({len(answer['files'])} files).")


@app.command("health")
def health(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the runtime's state, device and memory."""
    from tunesmith.cli.output import print_json, print_table

    answer = in_session(ctx, lambda s: s.client.call("GET", "/model/health"))
    if as_json:
        print_json(answer)
    else:
        print_table("Runtime", ("field", "value"), answer.items())


def _use(fits: str | None) -> str | None:
    if fits is not None and fits not in USES:
        raise CommandError(f"{fits!r} is no use of a model.", f"Say one of {', '.join(USES)}.")
    return fits


def _print_list(answer: Json, as_json: bool, title: str) -> None:
    from tunesmith.cli.output import print_json, print_table, size

    if as_json:
        print_json(answer)
        return
    rows = (
        (
            m["model_id"],
            f"{m['num_parameters'] / 1e6:.1f} M" if m["num_parameters"] else None,
            size(m["size_bytes"]),
            m["downloads"],
            " ".join(use for use in USES if m["fits_here"][use]["fits"]) if m["fits_here"] else None,
        )
        for m in answer["items"]
    )
    # What identifies, and what decides: architecture and licence are one `models info` away, and in --json.
    print_table(title, ("model", "parameters", "size", "downloads", "fits here"), rows)


def _stored(ctx: typer.Context, path: str, body: Json, title: str, as_json: bool) -> None:
    from tunesmith.cli.output import out, print_json, size

    answer = _worked(ctx, path, body, title)
    if as_json:
        print_json(answer)
        return
    how = "was here already" if answer["cached"] else f"is here now ({size(answer['size_bytes'])} of weights)"
    out.print(f"{answer['model_id']} {how}: {answer['path']}")


def _worked(ctx: typer.Context, path: str, body: Json, title: str) -> Json:
    """Start the work and follow it to its end."""
    from tunesmith.cli.output import JobProgress

    given = {name: value for name, value in body.items() if value is not None}

    async def work(session: Session) -> Json:
        await session.need_worker()
        with JobProgress(title) as progress:
            answer: Json = await session.client.answer(path, given, progress)
        return answer

    return in_session(ctx, work)
