"""The MLflow client in a process of its own: deliveries come in as JSON lines, receipts go out.

Everything is looked for before it is made, so a delivery that is repeated after a break makes nothing twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException, RestException
from mlflow.tracking import get_tracking_uri

from tunesmith.ports.tracking import Delivery, Receipt, TrackedEnd, TrackedRun, TrackedVersion

KEY_TAG, REFERENCE_TAG = "tunesmith.run", "tunesmith.version"
BATCH_POINTS, BATCH_PARAMETERS = 1000, 100
LONGEST_PARAMETER = 6000
STATUS = {"finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}
REFUSALS = ("INVALID_PARAMETER_VALUE", "PERMISSION_DENIED", "BAD_REQUEST", "RESOURCE_ALREADY_EXISTS", "UNAUTHENTICATED")


def main() -> None:
    """Answer each line until there is no more."""
    client: MlflowClient | None = None
    answers = sys.stdout
    sys.stdout = sys.stderr  # what the library prints is no answer
    for line in sys.stdin:
        try:
            client = client or MlflowClient()
            answer = deliver(client, Delivery.model_validate_json(line)).model_dump(mode="json")
        except MlflowException as error:
            client = None
            answer = {_kind_of(error): str(error).splitlines()[0][:500]}
        except Exception as error:
            client = None
            answer = {"away": f"{type(error).__name__}: {error}"[:500]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _kind_of(error: MlflowException) -> str:
    is_refusal = isinstance(error, RestException) and error.error_code in REFUSALS
    return "refused" if is_refusal else "away"


def deliver(client: MlflowClient, delivery: Delivery) -> Receipt:
    """Make the run what the delivery says."""
    run_id, experiment_id = _run_of(client, delivery.run)
    points = [
        Metric(name, value, round(point.at * 1000), point.step)
        for point in delivery.points
        for name, value in point.values.items()
    ]
    for first in range(0, len(points), BATCH_POINTS):
        client.log_batch(run_id, metrics=points[first : first + BATCH_POINTS])
    if delivery.end is not None:
        _end(client, run_id, delivery.end)
    elif delivery.points:
        client.update_run(run_id, status="RUNNING")  # a stopped run that was resumed
    uris = {version.model_id: _register(client, run_id, version) for version in delivery.versions}
    return Receipt(run_id=run_id, url=_url(experiment_id, run_id), model_uris=uris)


def _run_of(client: MlflowClient, run: TrackedRun) -> tuple[str, str]:
    """The run in MLflow: the one that is known, the one that carries our key, else a new one with its tags and parameters."""
    if run.run_id is not None:
        with contextlib.suppress(RestException):  # somebody deleted it for good
            return run.run_id, client.get_run(run.run_id).info.experiment_id
    experiment_id = _experiment_of(client, run)
    found = client.search_runs([experiment_id], filter_string=f"tags.`{KEY_TAG}` = '{run.key}'", max_results=1)
    if found:
        return found[0].info.run_id, experiment_id
    tags = {**run.tags, KEY_TAG: run.key}
    made = client.create_run(experiment_id, round(run.started_at * 1000), tags=tags, run_name=run.job_name)
    parameters = [Param(name, value[:LONGEST_PARAMETER]) for name, value in run.parameters.items()]
    for first in range(0, len(parameters), BATCH_PARAMETERS):
        client.log_batch(made.info.run_id, params=parameters[first : first + BATCH_PARAMETERS])
    return made.info.run_id, experiment_id


def _experiment_of(client: MlflowClient, run: TrackedRun) -> str:
    found = client.get_experiment_by_name(run.experiment)
    if found is None:
        try:
            place = None
            if len(sys.argv) > 1:  # where files go beside a bare database
                place = str(Path(sys.argv[1]) / hashlib.sha256(run.experiment.encode()).hexdigest()[:16])
            return str(client.create_experiment(run.experiment, place, run.experiment_tags))
        except MlflowException as error:  # another worker was quicker
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(run.experiment)
            assert found is not None
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _end(client: MlflowClient, run_id: str, end: TrackedEnd) -> None:
    at_ms = round(end.at * 1000)
    figures = [Metric(name, value, at_ms, 0) for name, value in end.figures.items()]
    tags = [RunTag("error", end.error[:5000])] if end.error else []
    client.log_batch(run_id, metrics=figures, tags=tags)
    for file in end.files:
        _log(client, run_id, file.path, file.folder)
    client.set_terminated(run_id, STATUS[end.status], at_ms)


def _log(client: MlflowClient, run_id: str, path: str, folder: str) -> None:
    source = Path(path)
    if source.is_dir():
        client.log_artifacts(run_id, str(source), folder or None)
    elif source.is_file():
        client.log_artifact(run_id, str(source), folder or None)


def _register(client: MlflowClient, run_id: str, version: TrackedVersion) -> str:
    """The version in MLflow's own registry, made once; answers its URI."""
    reference = f"{version.name}@{version.version}"
    if version.card is not None:
        _log(client, run_id, version.card.path, version.card.folder)
    try:
        client.get_registered_model(version.name)
    except MlflowException:
        with contextlib.suppress(MlflowException):
            client.create_registered_model(version.name)
    for known in client.search_model_versions(f"name = '{version.name}'"):
        if known.tags.get(REFERENCE_TAG) == reference:
            return f"models:/{version.name}/{known.version}"
    made: Any = client.create_model_version(
        version.name,
        source=f"{client.get_run(run_id).info.artifact_uri}/adapter",
        run_id=run_id,
        tags={REFERENCE_TAG: reference},
        description=version.description or None,
    )
    return f"models:/{version.name}/{made.version}"


def _url(experiment_id: str, run_id: str) -> str | None:
    uri = get_tracking_uri()
    if not uri.startswith("http"):
        return None
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rsplit('@', 1)[-1].rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"


if __name__ == "__main__":
    main()
