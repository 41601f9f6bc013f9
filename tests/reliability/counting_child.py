"""A small deterministic child: a chain of hashes, with checkpoints. Its digest says whether any step was lost or done twice."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path

from tunesmith.ml.report import Reporter
from tunesmith.wire.checkpoint import new_checkpoint
from tunesmith.wire.run_dir import RunDirectory


def digest_after(steps: int) -> str:
    """What an uninterrupted run ends with."""
    digest = ""
    for step in range(1, steps + 1):
        digest = hashlib.sha256(f"{digest}{step}".encode()).hexdigest()
    return digest


def save(run: RunDirectory, report: Reporter, step: int, digest: str) -> None:
    folder = run.checkpoints / f"step-{step:06d}"
    with new_checkpoint(folder, step) as temporary:
        if report.spec.get("misdeed") == "disk-full":
            (temporary / "optimizer.json").symlink_to("/dev/full")  # every write there fails as on a full disk
            (temporary / "optimizer.json").write_text("{}")
        (temporary / "state.json").write_text(json.dumps({"step": step, "digest": digest}))
    report.checkpoint(step, folder, size_bytes=100)


def main() -> None:
    with Reporter(sys.argv[1]) as report:
        run, spec = report.run, report.spec
        step, digest = 0, ""
        if spec.get("resume_from"):
            state = json.loads((Path(spec["resume_from"]) / "state.json").read_text())
            step, digest = state["step"], state["digest"]
            report.log(f"resumed at {step}")
        misdeed = spec.get("misdeed")
        if misdeed == "memory":
            print("MemoryError: cannot allocate 9 TiB", file=sys.stderr, flush=True)
            os._exit(1)
        if misdeed == "fail":
            report.failed("DATASET_ERROR", "Row 3 has no answer.", code="dataset-empty", hint="Give it one.")
            sys.exit(1)
        while step < spec["steps"]:
            step += 1
            digest = hashlib.sha256(f"{digest}{step}".encode()).hexdigest()
            report.progress(step, spec["steps"])
            report.metric(step, {"loss": 1 / step})
            if misdeed == "hang" and step == 3 and spec["attempt"] == 1:
                report.close()  # no more beats
                time.sleep(60)
            if misdeed == "deaf":
                time.sleep(0.02)
                continue
            end = report.end_requested()
            if step % spec["save_every"] == 0 or end == "stop":
                save(run, report, step, digest)
                if misdeed == "die":
                    os._exit(9)
            if end == "stop":
                report.finished({"digest": digest, "steps": step}, stopped=True)
                return
            if end == "cancel":
                report.failed("UNKNOWN_ERROR", "cancelled")
                sys.exit(1)
            if step == spec["save_every"] + 1:
                meal = b"x" * (spec["eat_mib"] << 20)  # noqa: F841 - held until the next step
            time.sleep(spec["step_seconds"])
        (run.artifacts / "digest.txt").write_text(digest)
        report.finished({"digest": digest, "steps": step})


if __name__ == "__main__":
    main()
