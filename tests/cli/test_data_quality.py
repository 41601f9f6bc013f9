"""`tunesmith doctor --max-length`, `datasets xray` and `datasets quality`: what a person reads, or one JSON document."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.server import Server

PROGRAM = str(Path(sys.executable).with_name("tunesmith"))
LONG = " ".join(f"word{number}" for number in range(200))


def tunesmith(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [PROGRAM, *arguments, "--server", server.url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def dataset(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two rows, one of them with a long prompt, as the doctor has seen them twice."""
    path = tmp_path_factory.mktemp("data") / "긴 질문.jsonl"
    rows = [{"prompt": "배는 몇 시에 떠나요?", "completion": "오전 9시예요."}, {"prompt": LONG, "completion": "Fine."}]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    assert tunesmith(server, "doctor", str(path)).returncode == 0
    done = tunesmith(server, "doctor", str(path), "--max-length", "64", "--json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert [(f["code"], f["row"], f["line"]) for f in report["findings"]] == [("prompt-too-long", 2, 2)]
    return str(report["dataset"])


def test_xray_shows_what_carries_loss(server: Server, dataset: str) -> None:
    done = tunesmith(server, "datasets", "xray", dataset, "--limit", "2", "--max-length", "64")
    assert done.returncode == 0, done.stderr
    assert "오전 9시예요.<|im_end|>" in done.stdout
    assert "row 2, line 2: 0 of" in done.stdout
    only = tunesmith(server, "datasets", "xray", dataset, "--only", "untrained", "--max-length", "64", "--json")
    answer = json.loads(only.stdout)
    assert ([row["row"] for row in answer["rows"]], answer["counts"]["no_loss"]) == ([2], 1)
    assert tunesmith(server, "datasets", "xray", dataset, "--row", "9").returncode == 3


def test_quality_shows_what_changed(server: Server, dataset: str) -> None:
    done = tunesmith(server, "datasets", "quality", dataset)
    assert done.returncode == 0, done.stderr
    assert "prompt-too-long +1" in done.stdout
    newest, oldest = json.loads(tunesmith(server, "datasets", "quality", dataset, "--json").stdout)["items"]
    assert (newest["max_length"], newest["score_change"], oldest["changes"]) == (64, -0.5, {})
