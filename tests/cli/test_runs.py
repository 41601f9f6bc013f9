"""`tunesmith runs` and `tunesmith jobs queue`: against a real server that pretends to train."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.server import Server
from tunesmith.cli.ending import ended
from tunesmith.cli.main import app

ROWS = "".join(
    json.dumps({"prompt": f"{n}번 배는 언제 떠나나요?", "completion": f"오후 {n}시에 떠납니다."}, ensure_ascii=False)
    + "\n"
    for n in range(1, 13)
)
Command = Callable[..., Any]


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server]) -> Iterator[Server]:
    running = make_server(TUNESMITH_TRAINING__ENGINE="fake").start()
    yield running
    running.close()


@pytest.fixture
def run(server: Server, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command with --json; answers its document, or what it said when it ended otherwise."""

    def command(*arguments: str | int, code: int = 0, as_json: bool = True) -> Any:
        given = ["--server", server.url, *map(str, arguments), *(["--json"] if as_json else [])]
        assert ended(app, given, debug=False) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return said.err if code else json.loads(said.out) if as_json else said.out

    return command


def test_the_life_of_runs(run: Command, server: Server) -> None:
    posted = server.http.post(
        "/api/v1/admin/training/datasets", files={"file": ("배.jsonl", ROWS.encode())}, data={"name": "배"}
    ).json()
    server.wait_for_job(posted["job_id"])
    ids = []
    for name, rate, steps in (("빠르게", 0.003, 8), ("천천히", 0.001, 4000)):
        plan = {
            "name": name,
            "model": {"base": "tunesmith/tiny"},
            "data": {"train": "dataset:배@1.0"},
            "training": {"max_steps": steps, "learning_rate": rate, "save_steps": 4},
            "evaluate": {"enabled": False},
        }
        ids.append(server.http.post("/api/v1/admin/finetuning/jobs", json=plan).json()["id"])
    first, second = ids
    assert {job["id"] for job in run("jobs", "queue")["jobs"]} <= set(ids)
    server.wait_for_job(first, "succeeded")
    server.wait_for_job(second, "running", "succeeded")
    run("runs", "stop", second)
    server.wait_for_job(second, "stopped")
    assert [row["id"] for row in run("runs", "list")["items"]] == [second, first]
    assert [row["id"] for row in run("runs", "list", "--status", "completed", "--search", "빠르")["items"]] == [first]
    assert run("runs", "show", first)["figures"]["steps"] == 8
    assert len(run("runs", "metrics", first, "--names", "loss", "--max-points", 3)["points"]) == 3
    checkpoints = run("runs", "checkpoints", first)["items"]
    assert [c["step"] for c in checkpoints] == [4, 8]
    assert run("runs", "keep", first, checkpoints[0]["id"])["is_kept"] is True
    compared = run("runs", "compare", first, second)
    assert [d["key"] for d in compared["differences"]] == ["name", "training.learning_rate", "training.max_steps"]
    assert compared["differences"][1]["values"] == [0.003, 0.001]
    assert "training.max_steps" in run("runs", "compare", first, second, as_json=False)
    assert run("runs", "resume", second)["status"] == "pending"
    followed = run("runs", "logs", second, "--follow")
    assert "going on from update" in " ".join(line["message"] for line in followed["lines"])
    assert run("runs", "logs", second)["lines"] == followed["lines"]
    assert run("runs", "delete", first, "--yes") == {"run_id": first, "deleted": True}
    assert "There is no fine-tuning job" in run("runs", "show", first, code=3)
    assert "two runs" in run("runs", "compare", second, code=2)
    assert "빠르게" not in run("runs", "list", as_json=False)


def test_a_step_that_fails_after_the_training_is_named_beside_the_run(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.jsonl").write_text(ROWS, encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    plan = {
        "name": "twice",
        "model": {"base": "tunesmith/tiny"},
        "data": {"train": "rows.jsonl"},
        "training": {"max_steps": 4},
        "evaluate": {"enabled": False},
        "register": {"name": "twice", "version": "1.0.0"},
    }
    recipe.write_text(json.dumps(plan))
    said = []
    for code in (0, 1):
        assert ended(app, ["--server", server.url, "train", str(recipe), "--json"], debug=False) == code
        captured = capsys.readouterr()
        said.append(json.loads(captured.out))
    assert said[0]["version"] == "twice@1.0.0"
    assert "failed_step" not in said[0]
    assert said[1]["status"] == "completed"
    assert said[1]["failed_step"]["kind"] == "register"
    assert "twice" in said[1]["failed_step"]["message"]
    assert said[1]["failed_step"]["message"] in " ".join(captured.err.split())
