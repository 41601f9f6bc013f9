"""The other machines of a run: ``python -m tunesmith.ml.join JOB_FOLDER --node N``, with N from 1.

JOB_FOLDER is the job's folder (``runs/<id>``), which all machines see under the same path, as they do the model and the data. The
first machine's worker has started the run there; this waits for its newest attempt, takes part in it, and when an attempt has
ended badly waits for the next. It ends with 0 when the run has ended well, and with 1 when it has failed for good. It writes
nothing there.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tunesmith.ml.guard import share_the_processor, stay_offline
from tunesmith.ml.launch import last_word, launch
from tunesmith.wire.devices import ResourcesSection
from tunesmith.wire.events import Finished
from tunesmith.wire.run_dir import RunDirectory

LOOK_SECONDS = 0.5


def join(job: Path, node: int, patience_seconds: float) -> int:
    """Take part in the attempts of ``job`` until one of them has had the last word; answers the exit code."""
    done: set[str] = set()
    waiting_since = time.monotonic()
    while time.monotonic() - waiting_since < patience_seconds:
        run = newest_attempt(job)
        word = last_word(run) if run else None
        if word is not None:
            say(f"{job.name}: the run has ended ({word.type})")
            return 0 if isinstance(word, Finished) else 1
        if run is None or run.path.name in done:
            time.sleep(LOOK_SECONDS)
            continue
        done.add(run.path.name)
        resources = ResourcesSection.model_validate(run.read_spec()["recipe"].get("resources", {}))
        if not 0 < node < resources.world.nodes:
            last = resources.world.nodes - 1
            say(f"--node {node}: this run has {resources.world.nodes} machines; give 1 to {last}.")
            return 2
        say(f"{job.name}: joining attempt {run.path.name} as machine {node}")
        code = launch_apart(run, node)
        say(f"{job.name}: attempt {run.path.name} ended here with {code}")
        waiting_since = time.monotonic()
    say(f"{job.name}: no attempt to join for {patience_seconds:.0f} s")
    return 1


def launch_apart(run: RunDirectory, node: int) -> int:
    """The agent of one attempt, in a process of its own: it may die as its ranks do, and this one goes on waiting."""
    import subprocess

    command = [sys.executable, "-m", "tunesmith.ml.join", str(run.path), "--node", str(node), "--once"]
    return subprocess.run(command, check=False).returncode


def say(sentence: str) -> None:
    """A line for whoever started this."""
    sys.stderr.write(sentence + "\n")


def newest_attempt(job: Path) -> RunDirectory | None:
    """The attempt with the highest number that can be joined already."""
    attempts = sorted((p for p in (job / "attempts").glob("*") if p.name.isdigit()), key=lambda p: int(p.name))
    ready = [RunDirectory(path) for path in attempts if (path / "spec.json").is_file()]
    return ready[-1] if ready else None


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tunesmith.ml.join", description=__doc__)
    parser.add_argument("job", type=Path, help="The job's folder, runs/<id>.")
    parser.add_argument("--node", type=int, required=True, help="Number of this machine, from 1.")
    parser.add_argument(
        "--patience-seconds", type=float, default=3600.0, help="How long to wait for an attempt that can be joined."
    )
    parser.add_argument("--once", action="store_true", help="Take part in one attempt, given by its own folder.")
    given = parser.parse_args()
    stay_offline()
    share_the_processor()
    folder = given.job.absolute()
    if given.once:
        run = RunDirectory(folder)
        resources = ResourcesSection.model_validate(run.read_spec()["recipe"].get("resources", {}))
        raise SystemExit(launch(run, resources, given.node))
    raise SystemExit(join(folder, given.node, given.patience_seconds))


if __name__ == "__main__":
    main()
