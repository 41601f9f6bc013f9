"""`tunesmith datasets`: what makes a new version (edit, fix, clean, pii), and what writes files (preprocess, download)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.data_versions import PATH, DatasetId, difference
from tunesmith.cli.options import CommandError
from tunesmith.cli.runner import AsJson, existing_file, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

Preview = Annotated[bool, typer.Option("--preview", help="Only say what would be done.")]
NORMALISATIONS = ("unicode", "whitespace", "control_characters", "html", "repeated_punctuation")
SUFFIXES = {"jsonl": "jsonl", "csv": "csv", "parquet": "parquet", "hf": "zip", "preprocessed": "jsonl"}


def attach(app: typer.Typer) -> None:
    """Add the commands to `datasets`."""
    for command in (edit, fix, clean, pii, preprocess, download):
        app.command(command.__name__)(command)


def edit(
    ctx: typer.Context,
    dataset_id: DatasetId,
    edits: Annotated[str, typer.Argument(help="JSON file with set, delete, insert; `-` reads standard input.")],
    as_json: AsJson = False,
) -> None:
    """Edit rows in a new version, as the JSON document says: {"set": [{"row", "pointer", "value"}], "delete": [], "insert": []}."""
    text = sys.stdin.read() if edits == "-" else existing_file(Path(edits)).read_text(encoding="utf-8")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"The edits are not JSON: {error}.", 'For example: {"delete": [3]}') from None
    _change(ctx, dataset_id, "rows", body, as_json, method="PATCH")


def fix(
    ctx: typer.Context,
    dataset_id: DatasetId,
    code: Annotated[list[str] | None, typer.Option(help="Only findings with this code; may be repeated.")] = None,
    row: Annotated[list[int] | None, typer.Option(min=1, help="Only findings in this row; may be repeated.")] = None,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Mend what the doctor found and what can be mended, in a new version."""
    _change(ctx, dataset_id, "fixes", {"codes": code or [], "rows": row or [], "preview": preview}, as_json)


def clean(
    ctx: typer.Context,
    dataset_id: DatasetId,
    normalise: Annotated[
        list[str] | None, typer.Option(help=f"{', '.join(NORMALISATIONS)} or all; may be repeated.")
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Rows without a value that is needed go.")
    ] = False,
    fill: Annotated[list[str] | None, typer.Option(help="COLUMN=VALUE for rows without one; may be repeated.")] = None,
    min_length: Annotated[int | None, typer.Option(min=0, help="Shorter rows go.")] = None,
    max_length: Annotated[int | None, typer.Option(min=0, help="Longer rows go.")] = None,
    tokens: Annotated[str | None, typer.Option(help="Count tokens of this model instead of characters.")] = None,
    exact_duplicates: Annotated[bool, typer.Option("--exact-duplicates", help="Rows that repeat one go.")] = False,
    near_duplicates: Annotated[
        float | None, typer.Option(min=0.5, max=1, help="Rows this much like an earlier one go (0.5–1).")
    ] = None,
    drop_column: Annotated[list[str] | None, typer.Option(help="Column that goes; may be repeated.")] = None,
    keep_column: Annotated[list[str] | None, typer.Option(help="Column that stays alone; may be repeated.")] = None,
    rename: Annotated[list[str] | None, typer.Option(help="OLD=NEW name of a column; may be repeated.")] = None,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Clean a dataset in a new version; --preview says what each step would do."""
    body: dict[str, Any] = {"preview": preview, "exact_duplicates": exact_duplicates}
    if normalise:
        chosen = NORMALISATIONS if "all" in normalise else [name.replace("-", "_") for name in normalise]
        body["normalise"] = dict.fromkeys(chosen, True)
    missing: list[dict[str, Any]] = [
        {"columns": [column], "action": "fill", "value": value} for column, value in pairs(fill, "fill").items()
    ]
    body["missing"] = missing + ([{"action": "drop"}] if drop_missing else [])
    if min_length is not None or max_length is not None:
        body["length"] = {"minimum": min_length, "maximum": max_length}
        body["length"] |= {"unit": "tokens", "model": tokens} if tokens else {}
    if near_duplicates is not None:
        body["near_duplicates"] = {"threshold": near_duplicates}
    if drop_column or keep_column or rename:
        body["columns"] = {"drop": drop_column or [], "keep": keep_column or [], "rename": pairs(rename, "rename")}
    asked = {name: value for name, value in body.items() if value}
    if not set(asked) - {"preview"}:
        raise CommandError("No step is asked for.", "For example: --normalise all --exact-duplicates --preview")
    _change(ctx, dataset_id, "clean", asked, as_json)


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """`NAME=VALUE` arguments."""
    made = {}
    for text in given or ():
        name, mark, value = text.partition("=")
        if not mark or not name:
            raise CommandError(f"--{option} takes NAME=VALUE, not {text!r}.")
        made[name] = value
    return made


def pii(
    ctx: typer.Context,
    dataset_id: DatasetId,
    default: Annotated[str | None, typer.Option(help="mask, redact, pseudonymise or drop, for every kind.")] = None,
    action: Annotated[list[str] | None, typer.Option(help="KIND=ACTION, for example email=drop; repeatable.")] = None,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Take personal data out, in a new version."""
    actions = pairs(action, "action")
    if not actions and default is None:
        raise CommandError("Nothing is to be done.", "For example: --default mask, or --action email=pseudonymise")
    _change(ctx, dataset_id, "pii/apply", {"actions": actions, "default": default, "preview": preview}, as_json)


def _change(ctx: typer.Context, dataset_id: int, call: str, body: Any, as_json: bool, method: str = "POST") -> None:
    """Make the call, wait for its version, and say what was done."""
    from tunesmith.cli.output import JobProgress, print_json

    async def work(session: Session) -> dict[str, Any]:
        await session.need_worker()
        with JobProgress(f"Working on dataset {dataset_id}") as progress:
            return await session.client.answer(f"{PATH}/{dataset_id}/{call}", body, progress, method=method)

    answer = in_session(ctx, work)
    if as_json:
        print_json(answer)
    else:
        show_change(answer)


def show_change(answer: dict[str, Any]) -> None:
    """The steps with their counts and examples, then the outcome."""
    from rich.markup import escape

    from tunesmith.cli.output import out, print_table

    steps = answer["report"]["steps"]
    if steps:
        rows = ((s["step"], s["changed"], s["removed"], s["added"], s["left"]) for s in steps)
        print_table("Steps", ("step", "changed", "removed", "added", "left as it is"), rows)
    for step in steps:
        for example in step["examples"][:2]:
            before, after = example["before"] or "", example["after"] or ""
            change = f"{escape(before)} → {escape(after)}" if example["kind"] == "changed" else escape(before or after)
            note = f" [dim]{escape(example['note'])}[/]" if example["note"] else ""
            out.print(f"  [bold]{step['step']}[/] row {example['row']} {escape(example['pointer'])}: {change}{note}")
    dataset = answer["dataset"]
    out.print(f"{answer['message']} [{difference(answer['diff'])}]", markup=False)
    if answer["changed"] and not answer["preview"]:
        out.print(f"{dataset['name']}@{dataset['version']} (id {dataset['id']}): {dataset['rows']} rows")


def preprocess(
    ctx: typer.Context,
    dataset_id: DatasetId,
    format: Annotated[str, typer.Option(help="alpaca, sharegpt or messages.")] = "alpaca",
    column: Annotated[list[str] | None, typer.Option("--map", help="COLUMN=FIELD; may be repeated.")] = None,
    skip_invalid: Annotated[bool, typer.Option("--skip-invalid", help="Leave rows out that cannot be.")] = False,
    validate: Annotated[bool, typer.Option(help="Rows have to be fit for training.")] = True,
    as_json: AsJson = False,
) -> None:
    """Prepare a file for another trainer (Axolotl and others); `download --format preprocessed` fetches it."""
    from tunesmith.cli.output import out, print_json, print_table

    body = {"column_mapping": pairs(column, "map") or None, "skip_invalid": skip_invalid}

    async def work(session: Session) -> dict[str, Any]:
        await session.need_worker()
        path = f"{PATH}/{dataset_id}/preprocess"
        return await session.client.answer(path, body, output_format=format, validate=validate)

    answer = in_session(ctx, work)
    if as_json:
        print_json(answer)
        return
    if answer["validation_errors"]:
        rows = ((e["row"], e["line"], e["field"], e["message"]) for e in answer["validation_errors"][:20])
        print_table("Left out", ("row", "line", "field", "why"), rows)
    out.print(f"{answer['message']} {answer['output_path']}", markup=False)


def download(
    ctx: typer.Context,
    dataset_id: DatasetId,
    format: Annotated[str, typer.Option(help="original, jsonl, csv, parquet, hf or preprocessed.")] = "jsonl",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write (default: by its name).")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a dataset to a file: as it was uploaded, or as JSON Lines, CSV, Parquet, a Hugging Face dataset (ZIP)."""
    from tunesmith.cli.output import out, print_json, size

    async def work(session: Session) -> dict[str, Any]:
        await session.need_worker()
        dataset = await session.client.get(f"{PATH}/{dataset_id}")
        target = output or Path(_default_name(dataset, format))
        if not target.parent.is_dir():
            raise CommandError(f"There is no folder {str(target.parent)!r}.", "Make it first.")
        size_bytes = await session.client.download_dataset(dataset_id, format, target)
        return {"dataset_id": dataset_id, "format": format, "path": str(target), "size_bytes": size_bytes}

    answer = in_session(ctx, work)
    if as_json:
        print_json(answer)
    else:
        out.print(f"{answer['path']}: {size(answer['size_bytes'])}", markup=False)


def _default_name(dataset: dict[str, Any], format: str) -> str:
    if format == "original":
        return str(dataset["file_name"])
    kind = "-preprocessed" if format == "preprocessed" else ""
    name = f"{dataset['name']}-{dataset['version']}{kind}".replace("/", "_").replace("\\", "_")
    return f"{name}.{SUFFIXES.get(format, format)}"
