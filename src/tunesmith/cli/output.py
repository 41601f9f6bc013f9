"""What a command shows: one JSON document on stdout, or tables; progress and notes always on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_json(document: Any) -> None:
    """The one document of ``--json``."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table; an empty one says so."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    count = 0
    for row in rows:
        table.add_row(*("–" if cell is None else str(cell) for cell in row))
        count += 1
    out.print(table if count else f"{title}: nothing yet.")


def note(text: str) -> None:
    """A sentence on the way."""
    err.print(text)


def size(value: float | None) -> str:
    """Bytes for people."""
    if value is None:
        return "–"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def number(value: Any, digits: int = 4) -> str:
    """A figure for people: a plain number, or the value of a metric object."""
    if isinstance(value, dict):
        value = value.get("value")
    if value is None:
        return "–"
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


class JobProgress:
    """A progress bar fed by a job's events: step, loss, tokens/s, memory and remaining time."""

    def __init__(self, title: str) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=28))
        self._progress = Progress(*columns, TextColumn("{task.fields[facts]}"), TimeElapsedColumn(), console=err)
        self._title = title
        self._task: TaskID | None = None
        self._facts: dict[str, str] = {}
        self._last_line = 0

    def __enter__(self) -> JobProgress:
        self._progress.start()
        self._task = self._progress.add_task(self._title, total=None, facts="")
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, kind: str, event: dict[str, Any]) -> None:
        """Take one event."""
        assert self._task is not None
        if kind == "progress":
            if event.get("eta_seconds") is not None:
                self._facts["eta"] = f"{event['eta_seconds']:.0f} s left"
            total = event.get("total_steps")
            description = f"{self._title} [dim]{event.get('message') or ''}[/dim]"
            self._progress.update(self._task, completed=event.get("step", 0), total=total, description=description)
            if not err.is_terminal and total and event["step"] * 10 // total > self._last_line:
                self._last_line = event["step"] * 10 // total
                err.print(f"{self._title}: {event['step']}/{total} {self._line()}")
        elif kind == "metric":
            values = event.get("values", {})
            for name, label in (
                ("loss", "loss {:.3f}"),
                ("eval_loss", "eval {:.3f}"),
                ("tokens_per_second", "{:.0f} tok/s"),
                ("memory_gb", "{:.2f} GB"),
            ):
                if name in values:
                    self._facts[name] = label.format(values[name])
        elif kind == "log" and event.get("level") in ("warning", "error"):
            err.print(f"[yellow]{event['message']}[/yellow]")
        self._progress.update(self._task, facts=self._line())

    def _line(self) -> str:
        return "  ".join(self._facts.values())
