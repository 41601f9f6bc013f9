"""`tunesmith datasets`: versions, their differences, and what happens to them as wholes."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from tunesmith.cli.options import CommandError
from tunesmith.cli.runner import AsJson, in_session

PATH = "/training/datasets"
SHOWN_CHARACTERS = 100
DatasetId = Annotated[int, typer.Argument(help="Id of a version.")]


def attach(app: typer.Typer) -> None:
    """Add the commands to `datasets`."""
    for command in (versions, lineage, diff, undo, restore, delete, purge):
        app.command(command.__name__)(command)


def versions(ctx: typer.Context, dataset_id: DatasetId, as_json: AsJson = False) -> None:
    """List all versions of a dataset, newest first."""
    from tunesmith.cli.output import print_json, print_table, size

    answer = in_session(ctx, lambda s: s.client.get(f"{PATH}/{dataset_id}/versions", page_size=200))
    if as_json:
        print_json(answer)
        return
    rows = (
        (v["id"], v["version"], v["operation"], v["status"], v["rows"], difference(v["diff"]), size(v["size_bytes"]))
        for v in answer["items"]
    )
    print_table(
        f"Versions of dataset {dataset_id}", ("id", "version", "made by", "status", "rows", "diff", "size"), rows
    )


def difference(diff: dict[str, int] | None) -> str | None:
    """Counts of a diff in a few characters: `+1 −2 ~3`."""
    return None if diff is None else f"+{diff['added']} −{diff['removed']} ~{diff['changed']}"


def lineage(ctx: typer.Context, dataset_id: DatasetId, as_json: AsJson = False) -> None:
    """Show what a version came from, what came of it, and the runs that used any of that."""
    from tunesmith.cli.output import print_json, print_table

    answer = in_session(ctx, lambda s: s.client.get(f"{PATH}/{dataset_id}/lineage"))
    if as_json:
        print_json(answer)
        return
    names = {
        node["key"]: f"{node['name']}@{node['version']}" if node["version"] else node["name"]
        for node in answer["nodes"]
    }
    rows = ((names[e["source"]], e["operation"], names[e["target"]], difference(e["diff"])) for e in answer["edges"])
    print_table(f"Lineage of dataset {dataset_id}", ("from", "by", "to", "diff"), rows)


def diff(
    ctx: typer.Context,
    dataset_id: DatasetId,
    other: Annotated[int, typer.Argument(help="Id of the version to compare with.")],
    kind: Annotated[list[str] | None, typer.Option(help="Only added, removed or changed; may be repeated.")] = None,
    page: Annotated[int, typer.Option(min=1, help="Page number.")] = 1,
    page_size: Annotated[int, typer.Option(min=1, max=200, help="Rows a page.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the rows that differ on the way from one version to another."""
    from tunesmith.cli.output import out, print_json, print_table

    async def body(session: Any) -> dict[str, Any]:
        await session.need_worker()
        path, query = f"{PATH}/{dataset_id}/diff/{other}", {"kind": kind, "page": page, "page_size": page_size}
        answer: dict[str, Any] = await session.client.answer(path, method="GET", **query)
        return answer

    answer = in_session(ctx, body)
    if as_json:
        print_json(answer)
        return
    rows = ((d["kind"], d["row"], d["other_row"], _short(d["before"]), _short(d["after"])) for d in answer["items"])
    print_table("Differences", ("kind", "row", "other row", "before", "after"), rows)
    out.print(f"{difference(answer['counts'])}, compared by {answer['compared_by']}")


def _short(value: Any) -> str | None:
    if value is None:
        return None
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def undo(ctx: typer.Context, dataset_id: DatasetId, as_json: AsJson = False) -> None:
    """Take back the change that made a version; the one before it counts again."""
    from tunesmith.cli.output import out, print_json

    answer = in_session(ctx, lambda s: s.client.post(f"{PATH}/{dataset_id}/undo"))
    if as_json:
        print_json(answer)
        return
    back, gone = answer["dataset"], answer["archived"]
    out.print(
        f"{back['name']}@{back['version']} (id {back['id']}) counts again; {gone['version']} (id {gone['id']}) is archived."
    )


def restore(ctx: typer.Context, dataset_id: DatasetId, as_json: AsJson = False) -> None:
    """Bring an archived version back."""
    _say(ctx, as_json, lambda s: s.client.post(f"{PATH}/{dataset_id}/restore"))


def delete(ctx: typer.Context, dataset_id: DatasetId, as_json: AsJson = False) -> None:
    """Archive a version: it is out of the way, and `restore` brings it back."""
    _say(ctx, as_json, lambda s: s.client.call("DELETE", f"/api/v1/admin{PATH}/{dataset_id}"))


def _say(ctx: typer.Context, as_json: bool, body: Any) -> None:
    from tunesmith.cli.output import out, print_json

    dataset = in_session(ctx, body)
    if as_json:
        print_json(dataset)
    else:
        out.print(f"{dataset['name']}@{dataset['version']} (id {dataset['id']}) is {dataset['status']}.")


def purge(
    ctx: typer.Context,
    dataset_id: DatasetId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Reclaim the bytes of an archived version for good; its lineage stays."""
    import sys

    from tunesmith.cli.output import out, print_json, size

    if not yes:
        if not sys.stdin.isatty():
            raise CommandError("A purge cannot be taken back, and nobody can be asked here.", "Add --yes.")
        typer.confirm(f"Remove the content of dataset {dataset_id} for good?", abort=True, err=True)
    answer = in_session(ctx, lambda s: s.client.post(f"{PATH}/{dataset_id}/purge"))
    if as_json:
        print_json(answer)
        return
    kept = f"; the file stays for dataset {', '.join(map(str, answer['shared_with']))}" if answer["shared_with"] else ""
    out.print(f"{size(answer['freed_bytes'])} were reclaimed{kept}.")
