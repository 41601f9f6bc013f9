"""How fast the program starts, and how much it holds: `python -m benchmarks.start`.

- `tunesmith --help` beside a bare Typer application with as many commands (bar: ≤ 1.3 of its median);
- `tunesmith serve` to the first 200 (bar: < 3 s as the median of five, on a data folder that exists and on an empty one);
- resident memory of the idle server process (bar: < 200 MiB) and that no torch is in it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
from typer.main import get_command

from tunesmith.cli.main import app

RUNS = 5
COMMANDS = sorted(get_command(app).commands)
BARE = (
    "import typer\napp = typer.Typer()\n"
    + "".join(
        f'@app.command("{name}")\ndef f{number}(option: int = 0) -> None:\n    "Do {name}."\n'
        for number, name in enumerate(COMMANDS)
    )
    + "app()\n"
)


def seconds(command: list[str]) -> float:
    """Wall time of one command."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def help_times(folder: Path) -> dict[str, float]:
    """Medians of `--help`, ours and the bare application's, in turn."""
    bare = folder / "bare.py"
    bare.write_text(BARE)
    ours_command = [sys.executable, "-m", "tunesmith.cli.main", "--help"]
    bare_command = [sys.executable, str(bare), "--help"]
    pairs = [(seconds(ours_command), seconds(bare_command)) for _ in range(RUNS + 1)][1:]
    ours, bare_median = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {
        "help_seconds": round(ours, 3),
        "bare_seconds": round(bare_median, 3),
        "ratio": round(ours / bare_median, 2),
    }


def serve_once(data_dir: Path) -> tuple[float, float, list[str]]:
    """(seconds to the first 200, MiB of the idle server, ML packages mapped into it)."""
    command = [
        sys.executable,
        "-m",
        "tunesmith.cli.main",
        "--data-dir",
        str(data_dir),
        "serve",
        "--port",
        "0",
        "--no-worker",
    ]
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        address = ""
        for line in process.stderr:
            if "Tunesmith is ready:" in line:
                address = line.split("ready: ")[1].split("/app/")[0]
                break
        with urllib.request.urlopen(f"{address}/health") as answer:
            assert answer.status == 200
        took = time.perf_counter() - started
        urllib.request.urlopen(f"{address}/ready").read()
        server = psutil.Process(process.pid)
        mapped = [m.path for m in server.memory_maps() if "/torch/" in m.path or "/transformers/" in m.path]
        return took, server.memory_info().rss / 2**20, mapped
    finally:
        process.terminate()
        process.wait(10)


def main() -> None:
    """Print one JSON document."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report: dict[str, object] = dict(help_times(folder))
        fresh = [serve_once(folder / f"fresh{n}") for n in range(RUNS)]
        again = [serve_once(folder / "fresh0") for _ in range(RUNS)]
    report["serve_first_200_seconds"] = round(statistics.median(r[0] for r in again), 2)
    report["serve_first_200_empty_folder_seconds"] = round(statistics.median(r[0] for r in fresh), 2)
    report["idle_mib"] = round(statistics.median(r[1] for r in again))
    report["ml_packages_in_server"] = sorted({p for r in again + fresh for p in r[2]})
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
