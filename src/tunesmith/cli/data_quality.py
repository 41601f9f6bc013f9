"""`tunesmith datasets xray` and `tunesmith datasets quality`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tunesmith.cli.data_versions import PATH, DatasetId
from tunesmith.cli.options import NOT_FOUND, CommandError
from tunesmith.cli.runner import AsJson, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

Model = Annotated[
    str,
    typer.Option(help="Model whose tokenizer and chat template are used: ./folder, run:ID, name@version or a Hub id."),
]
MaxLength = Annotated[int, typer.Option(min=8, help="Tokens of a row that are read.")]
TINY = "tunesmith/tiny"
READ = 2048


def attach(app: typer.Typer) -> None:
    """Add the commands to `datasets`."""
    for command in (xray, quality):
        app.command(command.__name__)(command)


def xray(
    ctx: typer.Context,
    dataset_id: DatasetId,
    row: Annotated[int, typer.Option(min=1, help="First row to show (of those that --only leaves).")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=50, help="Rows to show.")] = 1,
    only: Annotated[
        Literal["untrained", "truncated", "no-end"] | None, typer.Option(help="Only rows that deserve a look.")
    ] = None,
    model: Model = TINY,
    max_length: MaxLength = READ,
    as_json: AsJson = False,
) -> None:
    """Show rows token by token as the trainer sees them: what carries loss is green."""
    from tunesmith.cli.output import print_json

    asked = {"model": model, "max_length": max_length, "offset": row - 1, "limit": limit, "only": only}

    async def body(session: Session) -> dict[str, Any]:
        await session.need_worker()
        path = f"{PATH}/{dataset_id}/xray"
        answer = await session.client.answer(path, asked)
        if answer.get("job_id"):  # the rows are there before the sums are
            await session.client.wait_for_job(int(answer["job_id"]))
            answer = await session.client.answer(path, asked)
        return answer

    answer = in_session(ctx, body)
    if not answer["rows"] and not as_json:
        raise CommandError(f"There is no row {row}; there are {answer['total']}.", "Ask for an earlier one.", NOT_FOUND)
    if as_json:
        print_json(answer)
    else:
        _show(answer)


def _show(answer: dict[str, Any]) -> None:
    from rich.text import Text

    from tunesmith.cli.output import out

    for row in answer["rows"]:
        place = f"row {row['row']}" + (f", line {row['line']}" if row["line"] else "")
        if row["error"]:
            out.print(Text(f"{place}: {row['error']}", "bold red"))
            continue
        cut = f", {row['total_tokens'] - row['read_tokens']} cut off" if row["truncated"] else ""
        end = "" if row["end_of_turn_trained"] else "; the end of turn is not learned"
        out.print(
            Text(f"{place}: {row['trained_tokens']} of {row['total_tokens']} tokens carry loss{cut}{end}", "bold")
        )
        out.print(Text.assemble(*((t["text"], "black on green" if t["trained"] else "dim") for t in row["tokens"])))
    counts = answer["counts"]
    out.print(
        f"{counts['rows']} rows under {answer['tokenizer']}, {answer['max_length']} tokens read: "
        f"{counts['no_loss'] + counts['unreadable']} teach nothing, {counts['end_untrained']} do not teach to stop, "
        f"{counts['truncated_answers']} answers are cut; {counts['trained_tokens']} of {counts['total_tokens']} tokens carry loss"
    )


def quality(ctx: typer.Context, dataset_id: DatasetId, page: int = 1, as_json: AsJson = False) -> None:
    """Show how the score of a dataset went from check to check, and what changed."""
    from tunesmith.cli.output import print_json, print_table

    answer = in_session(ctx, lambda s: s.client.get(f"{PATH}/{dataset_id}/quality", page=page))
    if as_json:
        print_json(answer)
        return
    rows = (
        (
            check["created_at"][:19],
            round(100 * check["quality_score"]),
            check["counts"] and check["counts"]["red"],
            check["counts"] and check["counts"]["amber"],
            ", ".join(f"{code} {change:+}" for code, change in check["changes"].items()),
        )
        for check in answer["items"]
    )
    print_table(f"{answer['total']} checks", ("when", "score", "red", "amber", "what changed"), rows)
