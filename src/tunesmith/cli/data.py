"""`tunesmith doctor` and `tunesmith datasets`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.options import FINE, NO, CommandError
from tunesmith.cli.runner import AsJson, existing_file, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session
    from tunesmith.client import ApiError

app = typer.Typer(
    help="Datasets: list, add, look, mend, clean, compare versions, split, download.", no_args_is_help=True
)
Similarity = Annotated[
    float, typer.Option(min=0.5, max=1.0, help="Jaccard of the words from which on rows are near duplicates.")
]
SHOWN = 40
UNREADABLE = {
    "empty-dataset": "empty-file",
    "file-validation": "file-validation",
    "missing-columns": "missing-columns",
    "packed-file": "packed-file",
    "unsupported-encoding": "unsupported-encoding",
}
"""Refusals of an upload that are findings to the doctor."""


def doctor(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Data file: .jsonl, .json, .csv, .tsv or .parquet, plain or packed.")],
    model: Annotated[
        str | None,
        typer.Option(help="Model whose tokenizer and chat template rows are read with (default: the bundled)."),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(min=8, help="Tokens of a row that are read (default: 2048).")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Examine a data file: every problem with its row and line. Exits 1 when there is a red finding."""
    from tunesmith.cli.datasets import ensure_dataset
    from tunesmith.cli.output import JobProgress, print_json
    from tunesmith.client import ApiError

    existing_file(file)

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        try:
            with JobProgress(f"Examining {file.name}") as progress:
                dataset = await ensure_dataset(session.client, file, on_event=progress)
                asked = {name: value for name, value in (("model", model), ("max_length", max_length)) if value}
                if asked:
                    path = f"/training/datasets/{dataset['id']}"
                    await session.client.answer(f"{path}/validate", asked, progress)
                    dataset = await session.client.get(path)
        except ApiError as error:
            if error.code not in UNREADABLE:
                raise
            return unreadable_report(file, error)
        findings = await session.client.list_findings(dataset["id"])
        counts = (await session.client.get(f"/training/datasets/{dataset['id']}/findings", page_size=1))["counts"]
        score = dataset.get("quality_score")
        return {
            "file": str(file),
            "rows": dataset["total_samples"],
            "findings": findings,
            "counts": counts,
            "score": round((score or 0) * 100),
            "dataset": dataset["id"],
        }

    report = in_session(ctx, body)
    if as_json:
        print_json(report)
    else:
        show_report(report)
    return NO if report["counts"]["red"] else FINE


def unreadable_report(file: Path, error: ApiError) -> dict[str, Any]:
    """The report of a file that cannot be read as data at all: one red finding where reading ended."""
    place = str(error.errors[0].get("location", "")) if error.errors else ""
    line = int(place.split("line ", 1)[1].split(",")[0]) if place.startswith("line ") else 1
    code = UNREADABLE[error.code]
    finding = {"code": code, "severity": "red", "row": 1, "line": line, "pointer": None, "expected": None}
    finding |= {"found": None, "fix": error.hint, "message": error.detail}
    counts = {"red": 1, "amber": 0, "green": 0, "by_code": {code: 1}}
    return {"file": str(file), "rows": 0, "findings": [finding], "counts": counts, "score": 0, "dataset": None}


def show_report(report: dict[str, Any]) -> None:
    """Findings by row, then the counts."""
    from rich.markup import escape

    from tunesmith.cli.output import out

    colours = {"red": "bold red", "amber": "yellow", "green": "green"}
    for finding in report["findings"][:SHOWN]:
        place = f"row {finding['row']}" + (f", line {finding['line']}" if finding.get("line") else "")
        pointer = f" {finding['pointer']}" if finding.get("pointer") else ""
        colour = colours[finding["severity"]]
        out.print(f"[{colour}]{finding['severity']:>5}[/] {place:<20} [bold]{finding['code']}[/]{escape(pointer)}")
        out.print(f"      {escape(finding['message'])}")
        if finding.get("fix"):
            out.print(f"      [dim]fix: {escape(str(finding['fix']))}[/]")
    if len(report["findings"]) > SHOWN:
        out.print(f"… and {len(report['findings']) - SHOWN} more; --json has them all.")
    counts = report["counts"]
    out.print(
        f"{report['file']}: {report['rows']} rows, [bold red]{counts['red']} red[/], [yellow]{counts['amber']} amber[/], "
        f"[green]{counts['green']} green[/]; score {report['score']}/100"
    )


@app.command("list")
def list_datasets(ctx: typer.Context, as_json: AsJson = False, search: str | None = None) -> None:
    """List datasets."""
    from tunesmith.cli.output import print_json, print_table, size

    answer = in_session(ctx, lambda s: s.client.get("/training/datasets", search=search, page_size=200))
    if as_json:
        print_json(answer)
        return
    rows = (
        (d["id"], f"{d['name']}@{d['version']}", d["status"], d["format"], d["total_samples"], size(d["size_bytes"]))
        for d in answer["items"]
    )
    print_table("Datasets", ("id", "name", "status", "format", "rows", "size"), rows)


@app.command("add")
def add(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Data file.")],
    name: Annotated[str | None, typer.Option(help="Name (default: the file's).")] = None,
    version: Annotated[str | None, typer.Option(help="Version (default: the next one).")] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="What a column is: question, answer …; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Upload a file and validate it. Exits 1 when it has a red finding."""
    from tunesmith.cli.datasets import ensure_dataset
    from tunesmith.cli.output import JobProgress, out, print_json

    existing_file(file)
    columns = _columns(mapping or [])

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        with JobProgress(f"Adding {file.name}") as progress:
            return await ensure_dataset(
                session.client,
                file,
                name=name,
                version=version,
                column_mapping=columns,
                on_event=progress,
                reuse=False,
            )

    dataset = in_session(ctx, body)
    if as_json:
        print_json(dataset)
    else:
        out.print(
            f"{dataset['name']}@{dataset['version']} (id {dataset['id']}): {dataset['total_samples']} rows, "
            f"{dataset['status']}"
        )
    return NO if dataset["status"] == "invalid" else FINE


def _columns(given: list[str]) -> dict[str, str]:
    """``COLUMN=FIELD`` as a mapping; a column may have an equals sign in its name, a field has none."""
    pairs = [one.rpartition("=") for one in given]
    for text, (column, _, field) in zip(given, pairs, strict=True):
        if not column or not field:
            raise CommandError(
                f"--map {text} is not COLUMN=FIELD.", "For instance: --map 질문=question --map 답=answer"
            )
    return {column: field for column, _, field in pairs}


@app.command("show")
def show(ctx: typer.Context, dataset_id: int, as_json: AsJson = False) -> None:
    """Show one dataset."""
    from tunesmith.cli.output import print_json, print_table

    dataset = in_session(ctx, lambda s: s.client.get(f"/training/datasets/{dataset_id}"))
    if as_json:
        print_json(dataset)
    else:
        print_table(f"Dataset {dataset_id}", ("field", "value"), dataset.items())


@app.command("preview")
def preview(ctx: typer.Context, dataset_id: int, offset: int = 0, limit: int = 10, as_json: AsJson = False) -> None:
    """Show rows."""
    from tunesmith.cli.output import print_json, print_table

    path = f"/training/datasets/{dataset_id}/preview"
    answer = in_session(ctx, lambda s: s.client.get(path, offset=offset, limit=limit))
    if as_json:
        print_json(answer)
    else:
        print_table("Rows", ("row", "line", "data"), ((r["row"], r["line"], r["data"]) for r in answer["rows"]))


@app.command("split")
def split(
    ctx: typer.Context,
    dataset_id: int,
    train: float = 0.9,
    validation: float = 0.1,
    test: float = 0.0,
    seed: int = 42,
    stratify_by: str | None = None,
    group_by: str | None = None,
    similarity_threshold: Similarity = 0.95,
    near_duplicates: bool = True,
    as_json: AsJson = False,
) -> None:
    """Split into train, validation and test; duplicates, near duplicates and the rows of a group stay together."""
    from tunesmith.cli.output import print_json, print_table

    asked = {
        "train": train,
        "validation": validation,
        "test": test,
        "seed": seed,
        "stratify_by": stratify_by,
        "group_by": group_by,
        "similarity_threshold": similarity_threshold,
        "near_duplicates": near_duplicates,
    }
    if abs(train + validation + test - 1) > 0.01:
        raise CommandError(
            "train, validation and test must add up to 1.", "For example: --train 0.8 --validation 0.1 --test 0.1"
        )

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        return await session.client.answer(f"/training/datasets/{dataset_id}/split", asked)

    answer = in_session(ctx, body)
    if as_json:
        print_json(answer)
    else:
        rows = ((p["name"], p["dataset_id"], p["version"], p["rows"]) for p in answer["parts"])
        print_table("Parts", ("part", "dataset", "version", "rows"), rows)


@app.command("validate")
def validate(
    ctx: typer.Context, dataset_id: int, similarity_threshold: Similarity = 0.95, as_json: AsJson = False
) -> int:
    """Have the doctor look again. Exits 1 when there is a red finding."""
    from tunesmith.cli.output import print_json

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        return await session.client.answer(
            f"/training/datasets/{dataset_id}/validate", {"similarity_threshold": similarity_threshold}
        )

    answer = in_session(ctx, body)
    if as_json:
        print_json(answer)
    else:
        show_report(answer | {"file": f"dataset {dataset_id}"})
    return NO if answer["counts"]["red"] else FINE


@app.command("duplicates")
def duplicates(
    ctx: typer.Context,
    dataset_id: int,
    page: int = 1,
    meaning_by: Annotated[
        str | None,
        typer.Option("--meaning-by", metavar="MODEL", help="Compare what rows mean, by the vectors of this model."),
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="With --meaning-by: cosine from which on rows mean the same.")
    ] = 0.95,
    as_json: AsJson = False,
) -> None:
    """Show clusters of near duplicates, the largest first."""
    from tunesmith.cli.output import print_json, print_table

    path = f"/training/datasets/{dataset_id}/duplicates"

    async def meanings(session: Session) -> dict[str, Any]:
        await session.need_worker()
        asked = {"model": meaning_by, "similarity_threshold": threshold}
        return await session.client.answer(f"{path}/semantic", asked)

    answer = in_session(ctx, meanings if meaning_by else lambda s: s.client.get(path, page=page))
    if as_json:
        print_json(answer)
        return
    clusters = answer["clusters"] if meaning_by else answer["items"]
    rows = ((c["size"], c["representative"]["row"], [member["row"] for member in c["members"]]) for c in clusters)
    total = answer["clusters_total"] if meaning_by else answer["total"]
    print_table(f"{total} cluster{'' if total == 1 else 's'}", ("size", "first row", "other rows"), rows)


@app.command("leakage")
def leakage(
    ctx: typer.Context,
    dataset_id: int,
    against: list[int] | None = None,
    threshold: Similarity = 0.95,
    as_json: AsJson = False,
) -> int:
    """Say what of a dataset is in the sets that models are judged by. Exits 1 when anything is."""
    from tunesmith.cli.output import print_json, print_table

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        asked = {"against": against or [], "threshold": threshold}
        return await session.client.answer(f"/training/datasets/{dataset_id}/leakage", asked)

    answer = in_session(ctx, body)
    if as_json:
        print_json(answer)
    else:
        pairs = ((p["kind"], p["row"], p["evaluation_dataset_id"], p["evaluation_row"]) for p in answer["pairs"])
        title = f"{answer['rows_leaking']} rows leak"
        print_table(title, ("text", "row", "evaluation set", "its row"), pairs)
    return NO if answer["pairs_total"] else FINE
