"""The W&B client in a process of its own: deliveries come in as JSON lines, receipts go out; open runs are finished at the end."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import wandb

from tunesmith.ports.tracking import Delivery, Receipt, TrackedEnd, TrackedRun, TrackedVersion

FORBIDDEN = re.compile(r"[/\\#?%:]+")
LONGEST_PROJECT = 128


def main() -> None:
    """Answer each line until there is no more."""
    runs: dict[str, Any] = {}
    answers = sys.stdout
    sys.stdout = sys.stderr  # what the library prints is no answer
    for line in sys.stdin:
        try:
            answer = deliver(runs, Delivery.model_validate_json(line)).model_dump(mode="json")
        except (wandb.errors.AuthenticationError, wandb.errors.UsageError) as error:
            answer = {"refused": f"{error}"[:500]}
        except Exception as error:
            answer = {"away": f"{type(error).__name__}: {error}"[:500]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    for run in runs.values():
        run.finish()


def project_of(run: TrackedRun) -> str:
    """The experiment's name without what W&B does not allow in one."""
    return FORBIDDEN.sub("-", run.experiment)[:LONGEST_PROJECT]


def deliver(runs: dict[str, Any], delivery: Delivery) -> Receipt:
    """Make the run what the delivery says."""
    key = delivery.run.key
    run = runs.get(key)
    if run is None:
        run = runs[key] = _open(delivery.run)
    for point in delivery.points:
        run.log({**point.values, "step": point.step, "at": point.at})
    for version in delivery.versions:
        _log_version(run, version)
    receipt = Receipt(run_id=run.id, url=run.url, model_uris={v.model_id: _uri(run, v) for v in delivery.versions})
    if delivery.end is not None:
        _end(run, delivery.end)
        del runs[key]
    return receipt


def _open(run: TrackedRun) -> Any:
    opened = wandb.init(
        project=project_of(run),
        id=run.run_id or hashlib.sha256(run.key.encode()).hexdigest()[:16],
        name=run.job_name,
        group=run.base_model[:128],
        job_type="training",
        config={**run.parameters, **run.tags, **run.experiment_tags},
        tags=[tag[:64] for tag in (run.method, run.dataset_name or "") if tag],
        resume="allow",
        reinit="create_new",
    )
    opened.define_metric("*", step_metric="step")  # a resumed run says the steps that it does again once more
    return opened


def _end(run: Any, end: TrackedEnd) -> None:
    run.summary.update({**end.figures, "status": end.status.upper(), "error": end.error or ""})
    files = [file for file in end.files if Path(file.path).exists()]
    if files:
        artifact = wandb.Artifact(f"run-{run.id}", type="model")
        for file in files:
            _add(artifact, file.path, file.folder)
        run.log_artifact(artifact)
    run.finish(exit_code=0 if end.status == "finished" else 1)


def _log_version(run: Any, version: TrackedVersion) -> None:
    artifact = wandb.Artifact(
        version.name[:128], type="model", description=version.description, metadata={"version": version.version}
    )
    if version.card is not None:
        _add(artifact, version.card.path, version.card.folder)
    run.log_artifact(artifact, aliases=[version.version])


def _add(artifact: Any, path: str, folder: str) -> None:
    source = Path(path)
    if source.is_dir():
        artifact.add_dir(str(source), name=folder or None)
    else:
        artifact.add_file(str(source), name=f"{folder}/{source.name}" if folder else source.name)


def _uri(run: Any, version: TrackedVersion) -> str:
    return f"wandb-artifact:///{run.entity or '-'}/{run.project}/{version.name[:128]}:{version.version}"


if __name__ == "__main__":
    main()
