"""Exports on the command line: write a model in another format, and judge any artefact beside its source."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.options import FINE, NO, NOT_FOUND, USAGE, CommandError
from tunesmith.cli.runner import AsJson, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session
    from tunesmith.client import TunesmithClient

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def export(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="name@version, run:ID, a folder, a local Hub id or tunesmith/tiny.")],
    format: Annotated[
        str, typer.Option("--format", help="gguf, merged, hf, adapter, onnx, ollama, mlx or zip.")
    ] = "gguf",
    method: Annotated[
        str | None,
        typer.Option(
            help="Methods, separated by commas, or `all`: GGUF methods (gguf, ollama, zip), fp32, bf16, fp16 (merged, hf)."
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to put the artefacts into.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace artefacts that are there already.")] = False,
    max_shard_size: Annotated[
        str | None, typer.Option(help="Largest weight file of merged and hf, such as 2GB (default 5GB).")
    ] = None,
    imatrix: Annotated[
        str | None,
        typer.Option(
            help="Importance matrix for GGUF methods: a dataset's id, a data file of your own (uploaded once), or a .gguf file of "
            "llama-imatrix."
        ),
    ] = None,
    imatrix_rows: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many rows of your data the model is run over.")
    ] = 256,
    as_json: AsJson = False,
) -> int:
    """Write a model in other formats, each with its parity certificate. Exits 1 when a certificate fails."""
    from tunesmith.cli.output import JobProgress
    from tunesmith.cli.train import absolute_model

    shard = _bytes_of(max_shard_size) if max_shard_size else None
    outputs = [{"format": format, "method": m, "max_shard_bytes": shard} for m in _methods(format, method)]
    if output is not None:
        _check_place(output, model, outputs, overwrite)
    if imatrix is not None:
        _check_importance(imatrix, format)

    async def body(session: Session) -> list[dict[str, Any]]:
        await session.need_worker()
        with JobProgress(f"Exporting {model}") as progress:
            request: dict[str, Any] = {"model": absolute_model(model), "outputs": outputs}
            if imatrix is not None:
                request["importance"] = await _importance(session.client, imatrix, imatrix_rows, progress)
            answer = await session.client.answer("/exports", request, progress)
        made: list[dict[str, Any]] = answer["exports"]
        if output is not None:
            for item in made:
                item["path"] = str(await _placed(session.client, item, output.absolute(), overwrite))
        return made

    exports = in_session(ctx, body)
    _show(exports, as_json)
    return FINE if all(item["certificate"]["passed"] for item in exports) else NO


def _show(exports: list[dict[str, Any]], as_json: bool) -> None:
    from tunesmith.cli.output import print_json
    from tunesmith.cli.runs import show_exports

    if not as_json:
        show_exports(exports)
        return
    names = ("format", "method", "path", "size_bytes", "sha256")
    print_json({"exports": [{n: item[n] for n in names} | {"certificate": item["certificate"]} for item in exports]})


def _check_importance(given: str, format: str) -> None:
    """Refuse before the work what no importance matrix can come from, and a format that uses none."""
    from tunesmith.wire.formats import WITH_GGUF

    if format not in WITH_GGUF:
        raise CommandError(
            f"--imatrix is for GGUF methods; {format} has none.", f"Use it with --format {', '.join(WITH_GGUF)}.", USAGE
        )
    if not given.isdecimal() and not Path(given).is_file():
        raise CommandError(
            f"There is no file {given!r}.",
            "Name a data file, a .gguf file of llama-imatrix, or a dataset's id.",
            NOT_FOUND,
        )


async def _importance(client: TunesmithClient, given: str, rows: int, progress: Any) -> dict[str, Any]:
    """What the request says of an importance matrix; a data file becomes a dataset first, unless it is one already."""
    from tunesmith.cli.datasets import ensure_dataset

    if given.isdecimal():
        return {"dataset_id": int(given), "rows": rows}
    path = Path(given).absolute()
    if path.suffix.lower() == ".gguf":
        return {"file": str(path)}
    dataset = await ensure_dataset(client, path, on_event=progress)
    return {"dataset_id": int(dataset["id"]), "rows": rows}


def _check_place(folder: Path, model: str, outputs: list[dict[str, Any]], overwrite: bool) -> None:
    """Refuse before the work what would be refused after it: an artefact that is there already."""
    from tunesmith.wire.formats import WITH_GGUF, artefact_name, file_stem

    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{str(folder)!r} is a file, not a folder.", "Name a folder for --output.")
    for item in outputs:
        kind, method = str(item["format"]), item["method"]
        if kind in WITH_GGUF:
            method = str(method or "Q8_0").upper()
        target = folder / artefact_name(file_stem(model), kind, method)
        if target.exists() and not overwrite:
            raise _taken(target)


def _taken(target: Path) -> CommandError:
    return CommandError(
        f"{str(target)!r} exists already; nothing was overwritten.",
        "Add --overwrite to replace it, or name another folder.",
    )


def _methods(format: str, method: str | None) -> list[str | None]:
    from tunesmith.wire.formats import METHODS, WITH_GGUF
    from tunesmith.wire.recipe import GGUF_METHODS

    if method is None:
        return [None]
    if method.strip().lower() == "all":
        return [*(GGUF_METHODS if format in WITH_GGUF else METHODS.get(format, (None,)))]
    return [name.strip() for name in method.split(",") if name.strip()] or [None]


def _bytes_of(text: str) -> int:
    words = text.strip().upper().replace(" ", "")
    unit = next((name for name in ("KIB", "MIB", "GIB", "KB", "MB", "GB") if words.endswith(name)), "")
    number = words.removesuffix(unit)
    try:
        return int(float(number) * _UNITS.get(unit, 1))
    except ValueError:
        raise CommandError(f"{text!r} is no size.", "Write it as 2GB or 500MB.", USAGE) from None


async def _placed(client: TunesmithClient, item: dict[str, Any], folder: Path, overwrite: bool) -> Path:
    """The artefact in ``folder``: a copy where the server's store lies on this machine, else downloaded. Whole or not at all."""
    source = Path(str(item["path"]))
    target = folder / source.name
    if target.exists() and not overwrite:
        raise _taken(target)
    folder.mkdir(parents=True, exist_ok=True)
    if item["format"] in ("gguf", "zip"):
        await _place_file(client, item, source, target)
    else:
        await _place_folder(client, item, source, target)
    return target


async def _place_file(client: TunesmithClient, item: dict[str, Any], source: Path, target: Path) -> None:
    from tunesmith.kit.paths import atomic_file

    if source.is_file():
        with atomic_file(target) as file, source.open("rb") as stored:
            shutil.copyfileobj(stored, file, 8 * 2**20)
    else:
        await client.download_export(int(item["id"]), target)


async def _place_folder(client: TunesmithClient, item: dict[str, Any], source: Path, target: Path) -> None:
    from tunesmith.kit.paths import atomic_folder

    with atomic_folder(target, replace=True) as folder:
        for entry in item["files"]:
            if (source / entry["name"]).is_file():
                shutil.copyfile(source / entry["name"], folder / entry["name"])
            else:
                await client.download_export(int(item["id"]), folder / entry["name"], file=entry["name"])


def certify(
    ctx: typer.Context,
    artefact: Annotated[
        Path, typer.Argument(help="GGUF file, portable zip, or folder: model, adapter, ONNX, Ollama or MLX.")
    ],
    source: Annotated[str, typer.Option(help="The model it was made from: name@version, run:ID, a folder …")],
    method: Annotated[str | None, typer.Option(help="Thresholds of this method (default: what the file says).")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the whole certificate there, every prompt included (.html or .json).")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Judge an artefact against its source by what both answer. Exits 1 when it fails, naming the check."""
    from tunesmith.cli.output import JobProgress, out, print_json
    from tunesmith.cli.train import absolute_model

    if not artefact.exists():
        raise CommandError(
            f"There is no artefact {str(artefact)!r}.", "Name a .gguf file, a .zip or an exported folder.", NOT_FOUND
        )
    if report is not None and report.suffix.lower() not in (".html", ".json"):
        raise CommandError(f"{str(report)!r} ends neither in .html nor in .json.", "Name the report x.html or x.json.")

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        request = {"artefact": str(artefact.absolute()), "source": absolute_model(source), "method": method}
        with JobProgress(f"Certifying {artefact.name}") as progress:
            return await session.client.answer("/certificates", request, progress)

    certificate = in_session(ctx, body)
    if report is not None:
        _write_report(report, certificate)
    if as_json:
        print_json({"passed": certificate["passed"], "checks": certificate["checks"]})
    else:
        for check in certificate["checks"]:
            mark = "[green]passed[/]" if check["passed"] else "[bold red]FAILED[/]"
            why = f" {check['message']}" if check.get("message") else ""
            out.print(f"{mark} {check['name']}: {check['value']} (threshold {check['threshold']}){why}")
        out.print("The certificate holds." if certificate["passed"] else "[bold red]The certificate fails.[/]")
    return FINE if certificate["passed"] else NO


def _write_report(report: Path, certificate: dict[str, Any]) -> None:
    import json

    from tunesmith.kit.paths import atomic_file
    from tunesmith.wire.certificate_page import certificate_page

    page = report.suffix.lower() == ".html"
    text = certificate_page(certificate) if page else json.dumps(certificate, ensure_ascii=False, indent=2) + "\n"
    with atomic_file(report.absolute()) as file:
        file.write(text.encode())
