"""`tunesmith datasets eda` and `tokens`: tables that a person reads, or one JSON document."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.server import Server

PROGRAM = str(Path(sys.executable).with_name("tunesmith"))
ROWS = [
    {
        "messages": [
            {"role": "user", "content": f"{at}번 배는 몇 시에 출발합니까?"},
            {"role": "assistant", "content": "여덟 시에 출발합니다." * (1 + at % 4)},
        ],
        "fare": at * 500 if at % 10 else None,
    }
    for at in range(120)
]  # fmt: skip


def tunesmith(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command against the server."""
    command = [PROGRAM, "datasets", *arguments, "--server", server.url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "배 시간표.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    return path


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_eda_of_a_file_shows_columns_roles_and_warnings(server: Server, file: Path) -> None:
    done = tunesmith(server, "eda", str(file))
    assert done.returncode == 0, done.stderr
    for seen in ("120 rows", "messages", "conversation", "fare", "assistant", "Correlation", "10.0 %"):
        assert seen in done.stdout, seen
    answer = document(tunesmith(server, "eda", "배 시간표", "--method", "spearman", "--json"))
    assert answer["rows"] == 120
    assert answer["correlation"]["method"] == "spearman"
    assert answer["missing_values"]["columns"][1]["null"] == 12


def test_eda_of_a_column_shows_bars(server: Server, file: Path) -> None:
    done = tunesmith(server, "eda", str(file), "--column", "fare", "--bins", "4", "--top", "2")
    assert done.returncode == 0, done.stderr
    assert "████" in done.stdout
    assert done.stdout.count("0.9 %") == 2
    assert "There is no column" in tunesmith(server, "eda", str(file), "--column", "fair").stderr


def test_tokens_show_what_lengths_do(server: Server, file: Path) -> None:
    done = tunesmith(server, "tokens", str(file), "--length", "32", "--length", "512", "--price", "2", "--epochs", "3")
    assert done.returncode == 0, done.stderr
    for seen in ("with tunesmith/tiny", "Bare texts by role", "packing", "512", "They cost", "3 epochs at 512"):
        assert seen in done.stdout, seen
    answer = document(tunesmith(server, "tokens", "배 시간표@1.0", "--json"))
    assert (answer["rows"], answer["model"]) == (120, "tunesmith/tiny")


def test_what_is_not_there(server: Server) -> None:
    assert tunesmith(server, "eda", "nothing like this").returncode == 3
    assert tunesmith(server, "tokens", "999999").returncode == 3
