"""`tunesmith quickstart`: the whole road on the bundled example, offline, in a few minutes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.options import FINE, NO, CommandError
from tunesmith.cli.runner import AsJson, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

BUNDLE = Path(__file__).resolve().parent.parent / "bundle"
SHOWN_FINDINGS = 6
SHOWN_QUESTIONS = 4


def quickstart(
    ctx: typer.Context,
    recipe: Annotated[Path | None, typer.Option(help="Another recipe than the bundled one.")] = None,
    as_json: AsJson = False,
) -> int:
    """Doctor, train, evaluate, register, export and ask: the main job on bundled data, on this machine."""
    from tunesmith.cli.output import print_json

    result = in_session(ctx, lambda session: _road(session, recipe or BUNDLE / "recipes" / "quickstart.yaml"))
    if as_json:
        print_json({k: v for k, v in result.items() if k != "conversation"})
    else:
        _show(result, ctx.obj.data_dir)
    return FINE if all(e["certificate"]["passed"] for e in result["exports"]) else NO


async def _road(session: Session, recipe: Path) -> dict[str, Any]:
    from tunesmith.cli.output import err
    from tunesmith.cli.runs import follow_run, prepared_recipe

    started = time.monotonic()
    client = session.client
    await session.need_worker()
    err.rule("[bold]1. The doctor looks at data with faults", align="left")
    faulty = await _doctor(client, _example("train_with_faults.jsonl"))
    err.print(
        f"  found {faulty['red']} red and {faulty['amber']} amber problems, each with its row; training would refuse it"
    )
    err.rule("[bold]2. Clean data, split so that nothing leaks", align="left")
    document = await prepared_recipe(client, recipe, [])
    dataset = await _dataset(client, document["data"]["train"])
    err.print(f"  {dataset['name']}@{dataset['version']}: {dataset['rows']} rows, score {dataset['score']}/100")
    err.rule("[bold]3. Fine-tune, evaluate, register, export", align="left")
    run = await client.post("/finetuning/jobs", document)
    result = await follow_run(session, run["id"])
    if result["status"] != "completed":
        where = f"tunesmith jobs logs {run['id']}"
        raise CommandError(f"The training run {run['id']} {result['status']}.", f"See its log: {where}", NO)
    if step := result.get("failed_step"):
        raise CommandError(step["message"], step["hint"], NO)
    evaluation = result.pop("evaluation", {})
    version = result.pop("version", None)
    exports = result.pop("exports", [])
    err.rule("[bold]4. Ask both models", align="left")
    conversation = await _ask(client, document, version)
    return {
        "dataset": dataset,
        "run": result,
        "base": evaluation.get("base"),
        "tuned": evaluation.get("tuned"),
        "general": evaluation.get("general"),
        "version": version,
        "exports": exports,
        "seconds": round(time.monotonic() - started, 1),
        "conversation": conversation,
    }


def _example(name: str) -> Path:
    return next((BUNDLE / "examples").rglob(name))


async def _doctor(client: Any, path: Path) -> dict[str, int]:
    from rich.markup import escape

    from tunesmith.cli.datasets import ensure_dataset
    from tunesmith.cli.output import JobProgress, err

    with JobProgress(f"Examining {path.name}") as progress:
        dataset = await ensure_dataset(client, path, on_event=progress)
    findings = await client.list_findings(dataset["id"])
    for finding in findings[:SHOWN_FINDINGS]:
        err.print(f"  [dim]line {finding['line']}[/] {finding['code']}: {escape(finding['message'])}")
    if len(findings) > SHOWN_FINDINGS:
        err.print(f"  [dim]… and {len(findings) - SHOWN_FINDINGS} more[/]")
    return {level: sum(f["severity"] == level for f in findings) for level in ("red", "amber", "green")}


async def _dataset(client: Any, reference: str) -> dict[str, Any]:
    name, _, version = reference.removeprefix("dataset:").partition("@")
    rows = await client.all_pages("/training/datasets", search=name)
    row = next(d for d in rows if d["name"] == name and d["version"] == version)
    return {
        "id": row["id"],
        "name": row["name"],
        "version": row["version"],
        "sha256": row["sha256"],
        "rows": row["total_samples"],
        "score": round((row["quality_score"] or 0) * 100),
    }


async def _ask(client: Any, document: dict[str, Any], version: str | None) -> list[dict[str, str]]:
    """The same held-out questions to base and tuned."""
    import json

    from rich.markup import escape

    from tunesmith.cli.output import err

    rows = [json.loads(line) for line in _example("questions.jsonl").read_text(encoding="utf-8").splitlines() if line]
    step = max(1, len(rows) // SHOWN_QUESTIONS)
    asked = []
    for row in rows[::step][:SHOWN_QUESTIONS]:
        messages = [m for m in row["messages"] if m["role"] != "assistant"]
        answers = {"question": messages[-1]["content"]}
        for side, model in (("base", document["model"]["base"]), ("tuned", version)):
            if model is None:
                continue
            reply = await client.chat({"model": model, "messages": messages, "max_tokens": 64, "temperature": 0})
            answers[side] = reply["choices"][0]["message"]["content"].strip()
        err.print(f"  [bold]{escape(answers['question'])}[/]")
        err.print(f"    base   {escape(answers.get('base', '–'))}")
        err.print(f"    tuned  [green]{escape(answers.get('tuned', '–'))}[/]")
        asked.append(answers)
    return asked


def _show(result: dict[str, Any], data_dir: Path | None) -> None:
    from tunesmith.cli.output import out
    from tunesmith.cli.runs import show_exports

    out.print("")
    for side in ("base", "tuned"):
        part = result[side] or {}
        right, total = _value(part.get("answers_right")), _value(part.get("answers_total"))
        out.print(
            f"{side:>6}: [bold]{right} of {total}[/] held-out questions right, loss {_value(part.get('loss')):.3f}"
        )
    out.print(f"Registered as [bold]{result['version']}[/]")
    show_exports(result["exports"])
    folder = f" --data-dir {data_dir}" if data_dir else ""
    out.print(
        f"\nDone in {result['seconds']:.0f} s. Open the web UI: [bold]tunesmith serve{folder}[/] → http://127.0.0.1:8000/app/"
    )
    out.print(f'Talk to it: [bold]tunesmith{folder} chat {result["version"]} "…"[/]')


def _value(metric: Any) -> Any:
    return metric.get("value") if isinstance(metric, dict) else metric
