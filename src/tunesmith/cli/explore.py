"""`tunesmith datasets eda` and `tunesmith datasets tokens`: what a dataset is like, in tables and bars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.options import FINE, NO
from tunesmith.cli.runner import AsJson, in_session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tunesmith.cli.output import JobProgress
    from tunesmith.cli.session import Session

BAR = 24
BLOCKS = " ▏▎▍▌▋▊▉█"
COLOURS = {"red": "bold red", "amber": "yellow", "green": "green"}
Dataset = Annotated[str, typer.Argument(help="Id of a dataset, NAME@VERSION, or a data file (added when it is new).")]


def eda(
    ctx: typer.Context,
    dataset: Dataset,
    column: Annotated[str | None, typer.Option(help="Show the distribution of this column.")] = None,
    bins: Annotated[int, typer.Option(min=1, max=200, help="Bars of a histogram.")] = 20,
    top: Annotated[int, typer.Option(min=0, max=100, help="Frequent values to show.")] = 10,
    log: Annotated[bool, typer.Option("--log", help="Bars that grow by a constant factor.")] = False,
    method: Annotated[str, typer.Option(help="Correlation: pearson or spearman.")] = "pearson",
    as_json: AsJson = False,
) -> int:
    """Explore a dataset: statistics, missing values, distributions, correlations, warnings. Exits 1 on a red warning."""
    from tunesmith.cli.output import print_json

    async def body(session: Session, dataset_id: int, progress: JobProgress) -> dict[str, Any]:
        client = session.client
        if column is not None:
            query = {"column": column, "bins": bins, "top": top, "log": log}
            return await client.explore(dataset_id, "value-distribution", on_event=progress, **query)
        answer = await client.explore(dataset_id, "summary", on_event=progress)
        if method != "pearson":
            answer["correlation"] = await client.explore(dataset_id, "correlation", on_event=progress, method=method)
        return answer

    answer = _with_dataset(ctx, dataset, body)
    if as_json:
        print_json(answer)
    elif column is not None:
        show_distribution(answer["columns"][0])
    else:
        show_summary(answer)
    return NO if any(warning["severity"] == "red" for warning in answer.get("warnings", [])) else FINE


def tokens(
    ctx: typer.Context,
    dataset: Dataset,
    model: Annotated[str | None, typer.Option(help="Model whose tokenizer counts (default: tunesmith/tiny).")] = None,
    length: Annotated[list[int] | None, typer.Option(help="Maximum length to try; may be repeated.")] = None,
    batch_tokens: Annotated[int | None, typer.Option(help="Tokens of one update.")] = None,
    epochs: Annotated[float, typer.Option(help="Passes over the data.")] = 1,
    price: Annotated[float | None, typer.Option(help="Price of a million tokens.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count tokens as the trainer does: percentiles, truncation, packing, steps, cost."""
    from tunesmith.cli.output import print_json

    asked = {"model": model, "lengths": length, "batch_tokens": batch_tokens, "price_per_million_tokens": price}
    given = {name: value for name, value in asked.items() if value} | {"epochs": epochs}

    async def body(session: Session, dataset_id: int, progress: JobProgress) -> dict[str, Any]:
        return await session.client.analyze_tokens(dataset_id, on_event=progress, **given)

    answer = _with_dataset(ctx, dataset, body)
    if as_json:
        print_json(answer)
    else:
        show_tokens(answer)


def _with_dataset(
    ctx: typer.Context, dataset: str, body: Callable[[Session, int, JobProgress], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """Find or add the dataset, then run ``body`` with a bar of its progress."""
    from tunesmith.cli.output import JobProgress

    async def run(session: Session) -> dict[str, Any]:
        await session.need_worker()
        with JobProgress("Exploring") as progress:
            return await body(session, await dataset_id_of(session, dataset, progress), progress)

    return in_session(ctx, run)


async def dataset_id_of(session: Session, named: str, progress: JobProgress) -> int:
    """The id of what a person named: an id, NAME@VERSION, a file."""
    from tunesmith.cli.datasets import ensure_dataset
    from tunesmith.cli.options import NOT_FOUND, CommandError

    if named.isdigit():
        return int(named)
    path = Path(named)
    if path.is_file():
        return int((await ensure_dataset(session.client, path, on_event=progress))["id"])
    name, _, version = named.removeprefix("dataset:").partition("@")
    for row in await session.client.all_pages("/training/datasets", search=name):
        if row["name"] == name and version in ("", row["version"]):
            return int(row["id"])
    raise CommandError(
        f"There is no dataset and no file {named!r}.", "List what there is: tunesmith datasets list", NOT_FOUND
    )


def show_summary(answer: dict[str, Any]) -> None:
    """Columns, texts, missing values, correlations, warnings."""
    from tunesmith.cli.output import out, print_table

    columns = answer["statistics"]["columns"]
    missing = {column["column"]: column for column in answer["missing_values"]["columns"]}
    rows = (
        (
            column["column"],
            column["type"],
            f"{column['count']:,}",
            _missing(missing[column["column"]]),
            ("" if column["distinct"]["exact"] else "≈") + f"{column['distinct']['value']:,}",
            _figures(column),
        )
        for column in columns
    )
    print_table(f"{answer['rows']:,} rows", ("column", "type", "values", "missing", "different", "figures"), rows)
    for column in columns:
        talk = column["conversation"]
        if talk:
            print_table(f"\nTurns of {column['column']}", ("role", "turns", *_LENGTHS), map(_role_row, talk["roles"]))
    pairs = answer["correlation"]["strongest"][:10]
    if pairs:
        name = answer["correlation"]["method"]
        lines = ((p["a"], p["b"], f"{p['coefficient']:+.3f}", f"{p['n']:,}", _p_value(p["p_value"])) for p in pairs)
        print_table(f"\nCorrelation ({name})", ("a", "b", "r", "n", "p"), lines)
    show_warnings(answer["warnings"])
    if not answer["warnings"]:
        out.print("\n[green]Nothing to warn of.[/]")


def show_warnings(warnings: list[dict[str, Any]]) -> None:
    """What a person should act on."""
    from rich.markup import escape

    from tunesmith.cli.output import out

    for at, warning in enumerate(warnings):
        colour = COLOURS[warning["severity"]]
        start = "" if at else "\n"
        out.print(f"{start}[{colour}]{warning['severity']:>5}[/] {escape(warning['message'])}")
        out.print(f"      [dim]{escape(warning['hint'])}[/]")


def show_distribution(column: dict[str, Any]) -> None:
    """A histogram and the frequent values of one column."""
    from tunesmith.cli.output import out, print_table

    title = f"{column['column']} ({column['type']}, {column['count']:,} values)"
    if column["histogram"]:
        show_histogram(title, column["histogram"])
    if column["top"]:
        rows = ((_plain(v["value"]), f"{v['count']:,}", f"{100 * v['share']:.1f} %") for v in column["top"])
        print_table("Frequent values", ("value", "count", "share"), rows)
        if column["top_error"]:
            out.print(f"[dim]Counts are at most {column['top_error']:,} too low.[/]")


def show_histogram(title: str, histogram: dict[str, Any]) -> None:
    """Bars, each as long as its share of the highest one."""
    from tunesmith.cli.output import print_table

    bars = histogram["bins"]
    highest = max(bar["count"] for bar in bars) or 1
    rows = (
        (
            _edge(bar["low"], histogram),
            _edge(bar["high"], histogram),
            bar_of(bar["count"] / highest),
            f"{bar['count']:,.0f}",
        )
        for bar in bars
    )
    name = title if histogram["measure"] == "tokens" else f"{title}: {histogram['measure']}"
    print_table(name, ("from", "to", "", "count"), rows)


def bar_of(share: float) -> str:
    """A bar of eighths of a block; anything above nothing is seen."""
    eighths = max(round(share * BAR * 8), 1 if share > 0 else 0)
    return "█" * (eighths // 8) + (BLOCKS[eighths % 8] if eighths % 8 else "")


def show_tokens(answer: dict[str, Any]) -> None:
    """Sums, a histogram, what each length does, and the cost."""
    from tunesmith.cli.output import out, print_table

    out.print(
        f"[bold]{answer['total_tokens']:,}[/] tokens in {answer['sequences']:,} sequences with {answer['model']}; "
        f"the chat template adds {answer['template_tokens']:,}."
    )
    if answer["rows_left_out"] or answer["rows_refused"]:
        out.print(
            f"[yellow]{answer['rows_left_out']:,} rows cannot be trained on, the template refuses {answer['rows_refused']:,}.[/]"
        )
    if answer["histogram"]:
        show_histogram("\nTokens of a sequence", answer["histogram"])
    for title, kind in (("column", "columns"), ("role", "roles"), ("turn", "turns")):
        rows = (
            (t["name"], f"{t['tokens']:,}", f"{100 * t['share']:.1f} %", *_lengths(t["per_text"])) for t in answer[kind]
        )
        print_table(f"\nBare texts by {title}", (title, "tokens", "share", *_LENGTHS), rows)
    lengths = (
        (
            f"{at['length']:,}",
            f"{at['truncated']:,} ({100 * at['truncated_share']:.1f} %)",
            f"{100 * at['tokens_cut_share']:.1f} %",
            f"{at['packed_sequences']:,}",
            f"{100 * at['packing_efficiency']:.1f} %",
            f"{100 * at['padding_efficiency']:.1f} %",
            f"{at['steps_per_epoch']:,}",
        )
        for at in answer["lengths"]
    )
    headings = ("length", "truncated", "tokens cut", "packed", "packing fills", "padding fills", "steps an epoch")
    print_table("\nMaximum length", headings, lengths)
    epoch = answer["epoch"]
    price = "" if epoch["cost"] is None else f" They cost {epoch['cost']:,.2f}."
    out.print(
        f"\n{epoch['epochs']:g} epochs at {epoch['length']:,}: {epoch['tokens']:,} tokens, {epoch['steps']:,} steps.{price}"
    )


_LENGTHS = ("shortest", "median", "mean", "p95", "longest")


def _lengths(summary: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{summary[name]:,.0f}" for name in ("min", "median", "mean", "p95", "max"))


def _role_row(role: dict[str, Any]) -> tuple[str, ...]:
    return (role["role"], f"{role['turns']:,}", *_lengths(role["characters"]))


def _missing(column: dict[str, Any]) -> str:
    if not column["missing"]:
        return "–"
    kinds = ("absent", "null", "empty", "blank", "na_like")
    told = ", ".join(f"{kind.replace('na_like', 'NA')} {column[kind]:,}" for kind in kinds if column[kind])
    return f"{100 * column['share']:.1f} % ({told})"


def _figures(column: dict[str, Any]) -> str:
    numbers, text, talk = column["numbers"], column["text"], column["conversation"]
    if numbers:
        return f"{numbers['min']:g} … {numbers['median']:g} … {numbers['max']:g}, mean {numbers['mean']:g}"
    if column["dates"]:
        return f"{column['dates']['min']} … {column['dates']['max']}"
    if column["booleans"]:
        return f"true {column['booleans']['true']:,}, false {column['booleans']['false']:,}"
    if talk:
        text = talk["text"]
    if not text:
        return ""
    spoken = ", ".join(f"{share['language']} {100 * share['share']:.0f} %" for share in text["languages"][:3])
    size = text["characters"]
    return f"{size['min']:,} … {size['median']:,.0f} … {size['max']:,} characters; {spoken}"


def _p_value(value: float | None) -> str:
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _edge(value: float, histogram: dict[str, Any]) -> str:
    if histogram["measure"] == "date":
        from datetime import UTC, datetime

        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d}"
    return f"{value:,.6g}"


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text.replace("\n", "⏎"))
