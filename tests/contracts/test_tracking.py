"""One contract over the trackers: what they were given is read back from MLflow's own server and from W&B's own file."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.mlflow_server import MlflowServer
from tests.fixtures.network import free_port
from tunesmith.adapters.tracking import trackers
from tunesmith.ports.tracking import (
    Delivery,
    TrackedEnd,
    TrackedFile,
    TrackedPoint,
    TrackedRun,
    TrackedVersion,
    Tracker,
    TrackerAway,
    TrackerRefused,
)
from tunesmith.settings import load_settings

pytestmark = pytest.mark.long

TAGS = {"job_name": "first", "dataset_id": "3", "dataset_name": "ferry@1.0", "method": "lora", "base_model": "org/tiny"}


def a_run(key: str, **changes: Any) -> TrackedRun:
    plain = {
        "key": key,
        "job_id": 7,
        "job_name": "first",
        "base_model": "org/tiny",
        "method": "lora",
        "dataset_id": 3,
        "dataset_name": "ferry@1.0",
        "parameters": {"training.learning_rate": "0.0002", "method.lora.r": "16"},
        "started_at": 1_700_000_000.0,
    }
    return TrackedRun.model_validate(plain | changes)


def points(first: int, last: int) -> list[TrackedPoint]:
    return [
        TrackedPoint(step=n, at=1_700_000_000.0 + n, values={"loss": 1 / n, "learning_rate": 1e-4})
        for n in range(first, last + 1)
    ]


def left_behind(folder: Path) -> list[TrackedFile]:
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter" / "adapter_config.json").write_text("{}")
    for name in ("recipe.yaml", "report.json"):
        (folder / name).write_text("name: first\n")
    files = [TrackedFile(path=str(folder / name)) for name in ("recipe.yaml", "report.json")]
    return [TrackedFile(path=str(folder / "adapter"), folder="adapter"), *files]


class TestMlflow:
    @pytest.fixture
    async def tracker(self, mlflow_server: MlflowServer, tmp_path: Path) -> AsyncIterator[Tracker]:
        (found,) = trackers(load_settings(data_dir=tmp_path, tracking={"mlflow_uri": mlflow_server.uri}))
        yield found
        await found.close()

    async def test_a_run_from_its_start_to_its_version(
        self, tracker: Tracker, mlflow_server: MlflowServer, tmp_path: Path
    ) -> None:
        assert await tracker.find_obstacle() is None
        begun = await tracker.deliver(Delivery(run=a_run("one"), points=points(1, 3)))
        run = mlflow_server.run(begun.run_id)
        assert (run["name"], run["status"]) == ("first", "RUNNING")
        assert run["params"] == {"training.learning_rate": "0.0002", "method.lora.r": "16"}
        assert {name: run["tags"][name] for name in TAGS} == TAGS
        experiment = mlflow_server.experiment("finetuning_org/tiny")
        assert experiment["id"] == run["experiment_id"]
        expected = {"project": "finetuning-mlops", "base_model": "org/tiny", "method": "lora"}
        assert {name: experiment["tags"][name] for name in expected} == expected

        (tmp_path / "card.md").write_text("# ferry")
        card = TrackedFile(path=str(tmp_path / "card.md"), folder="card/1.0.0")
        end = TrackedEnd(
            status="finished", at=1_700_000_100.0, figures={"run.final_loss": 0.25}, files=left_behind(tmp_path / "r")
        )
        version = TrackedVersion(model_id=11, name="ferry", version="1.0.0", card=card)
        last = Delivery(run=a_run("one"), points=points(3, 6), end=end, versions=[version])  # our id of it was lost
        done = await tracker.deliver(last)
        again = await tracker.deliver(last)  # and so was the receipt
        assert done.run_id == again.run_id == begun.run_id
        assert done.model_uris == again.model_uris == {11: "models:/ferry/1"}
        run = mlflow_server.run(begun.run_id)
        assert run["status"] == "FINISHED"
        assert run["metrics"]["run.final_loss"] == 0.25
        assert mlflow_server.history(begun.run_id, "loss") == [(n, 1 / n) for n in range(1, 7)]
        assert mlflow_server.artifacts(begun.run_id) == ["adapter", "card", "recipe.yaml", "report.json"]
        assert mlflow_server.artifacts(begun.run_id, "adapter") == ["adapter/adapter_config.json"]
        known = mlflow_server.get("model-versions/get", name="ferry", version="1")["model_version"]
        assert known["run_id"] == begun.run_id

        failed = await tracker.deliver(
            Delivery(run=a_run("two"), end=TrackedEnd(status="failed", at=1_700_000_100.0, error="no memory"))
        )
        run = mlflow_server.run(failed.run_id)
        assert failed.run_id != begun.run_id
        assert (run["status"], run["tags"]["error"]) == ("FAILED", "no memory")
        assert run["experiment_id"] == experiment["id"]

        bad = a_run("three", parameters={"a name\nthat is none": "1"})
        with pytest.raises(TrackerRefused, match=r"(?i)invalid"):
            await tracker.deliver(Delivery(run=bad))

    async def test_a_bare_database_keeps_its_files_in_the_data_folder(self, tmp_path: Path) -> None:
        settings = load_settings(data_dir=tmp_path / "data", tracking={"mlflow_uri": f"sqlite:///{tmp_path}/ml.db"})
        (tracker,) = trackers(settings)
        end = TrackedEnd(status="finished", at=1_700_000_100.0, files=left_behind(tmp_path / "r"))
        await tracker.deliver(Delivery(run=a_run("one"), end=end))
        await tracker.close()
        assert [*(tmp_path / "data" / "tracking" / "mlflow").rglob("adapter/adapter_config.json")]

    async def test_one_that_is_away(self, tmp_path: Path) -> None:
        uri = f"http://somebody:secret@127.0.0.1:{free_port()}"
        (tracker,) = trackers(load_settings(data_dir=tmp_path, tracking={"mlflow_uri": uri}))
        assert "secret" not in tracker.target
        assert await tracker.find_obstacle()
        with pytest.raises(TrackerAway):
            await tracker.deliver(Delivery(run=a_run("one")))


class TestWandb:
    async def test_an_offline_run_is_read_back(self, tmp_path: Path) -> None:
        settings = load_settings(data_dir=tmp_path, tracking={"wandb_mode": "offline"})
        (tracker,) = trackers(settings)
        begun = await tracker.deliver(Delivery(run=a_run("one"), points=points(1, 3)))
        end = TrackedEnd(
            status="failed", at=1.0, error="no memory", figures={"run.steps": 6}, files=left_behind(tmp_path / "r")
        )
        done = await tracker.deliver(Delivery(run=a_run("one", run_id=begun.run_id), points=points(4, 6), end=end))
        assert done.run_id == begun.run_id
        await tracker.close()

        (file,) = tmp_path.glob("tracking/wandb/offline-run-*/*.wandb")
        records = read_wandb(file)
        (run,) = [record.run for record in records if record.HasField("run")]
        assert (run.run_id, run.project, run.display_name) == (begun.run_id, "finetuning_org-tiny", "first")
        config = {item.key: json.loads(item.value_json) for item in run.config.update}
        assert config["training.learning_rate"] == "0.0002"
        assert {name: config[name] for name in TAGS} == TAGS
        history = [
            {(item.key or item.nested_key[0]): json.loads(item.value_json) for item in record.history.item}
            for record in records
            if record.HasField("history")
        ]
        assert [(row["step"], row["loss"]) for row in history] == [(n, 1 / n) for n in range(1, 7)]
        assert [record.exit.exit_code for record in records if record.HasField("exit")] == [1]


HEADER_BYTES, BLOCK_BYTES = 7, 32 * 1024
FULL, FIRST, LAST = 1, 2, 4


def read_wandb(file: Path) -> list[Any]:
    """Every record of an offline run: a log of LevelDB's kind, whose records are the client's own messages."""
    from wandb.proto import wandb_internal_pb2

    content = file.read_bytes()
    assert content.startswith(b":W&B")
    place, whole, records = HEADER_BYTES, b"", []
    while place + HEADER_BYTES <= len(content):
        room = BLOCK_BYTES - place % BLOCK_BYTES
        if room < HEADER_BYTES:
            place += room
            continue
        _checksum, length, kind = struct.unpack("<IHB", content[place : place + HEADER_BYTES])
        part = content[place + HEADER_BYTES : place + HEADER_BYTES + length]
        place += HEADER_BYTES + length
        whole = part if kind in (FULL, FIRST) else whole + part
        if kind in (FULL, LAST):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            records.append(record)
    return records
