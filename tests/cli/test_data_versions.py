"""`tunesmith datasets`: change, compare, take back, write: against a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.server import Server
from tunesmith.cli.ending import ended
from tunesmith.cli.main import app

ROWS = [{"prompt": f"{n}번 배는 언제?", "completion": f"오후  {n}시"} for n in range(1, 5)]
Command = Callable[..., Any]


@pytest.fixture
def run(server: Server, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command of `datasets` with --json; answers its document, or what it said when it ended otherwise."""

    def command(*arguments: str | int, code: int = 0) -> Any:
        given = ["--server", server.url, "datasets", *map(str, arguments), "--json"]
        assert ended(app, given, debug=False) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return said.err if code else json.loads(said.out)

    return command


def test_the_life_of_versions(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "배.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [*ROWS, ROWS[0]]))
    first = run("add", file, "--name", "명령")["id"]
    edits = tmp_path / "edits.json"
    edits.write_text(json.dumps({"set": [{"row": 2, "pointer": "/completion", "value": "밤\u0007"}]}))
    edited = run("edit", first, edits)["dataset"]["id"]
    preview = run("clean", edited, "--normalise", "whitespace", "--drop-missing", "--preview")
    assert (preview["preview"], preview["diff"]["changed"]) == (True, 4)
    fixed = run("fix", edited, "--code", "control-character")
    assert fixed["diff"]["changed"] == 1
    cleaned = run("clean", fixed["dataset"]["id"], "--exact-duplicates", "--rename", "prompt=question", "--rename",
                  "completion=answer")["dataset"]  # fmt: skip
    assert (cleaned["version"], cleaned["rows"]) == ("1.3", 4)
    masked = run("pii", cleaned["id"], "--action", "email=mask")
    assert masked["changed"] is False
    assert [v["operation"] for v in run("versions", first)["items"]] == ["clean", "fix", "edit", "upload"]
    different = run("diff", first, edited, "--kind", "changed")
    assert [(d["row"], d["after"]["completion"]) for d in different["items"]] == [(2, "밤\u0007")]
    assert len(run("lineage", cleaned["id"])["edges"]) == 3
    prepared = run("preprocess", cleaned["id"], "--format", "sharegpt")
    assert prepared["statistics"]["total_samples"] == 4
    monkeypatch.chdir(tmp_path)
    for kind, name in (
        ("preprocessed", "명령-1.3-preprocessed.jsonl"),
        ("csv", "명령-1.3.csv"),
        ("original", "배.jsonl"),
    ):
        written = run("download", cleaned["id"], "--format", kind)
        assert written["path"] == name
        assert (tmp_path / name).stat().st_size == written["size_bytes"] > 0
    assert run("undo", cleaned["id"])["dataset"]["id"] == fixed["dataset"]["id"]
    assert "Add --yes" in run("purge", cleaned["id"], code=2)
    assert run("purge", cleaned["id"], "--yes")["freed_bytes"] > 0
    assert "purged" in run("restore", cleaned["id"], code=4)
    assert run("delete", edited)["status"] == "archived"
    assert run("restore", edited)["status"] == "ready"


def test_commands_that_make_no_sense_say_so(run: Command, tmp_path: Path) -> None:
    broken = tmp_path / "edits.json"
    broken.write_text("{")
    assert "not JSON" in run("edit", 1, broken, code=2)
    assert "No step" in run("clean", 1, "--preview", code=2)
    assert "NAME=VALUE" in run("clean", 1, "--rename", "x", code=2)
    assert "--default mask" in run("pii", 1, code=2)
    assert "no dataset" in run("undo", 999_999, code=3)


def test_what_people_see(run: Command, server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS))
    first = str(run("add", file, "--name", "보기")["id"])
    second = str(run("clean", first, "--normalise", "all")["dataset"]["id"])
    shown = {
        ("versions", first): "clean",
        ("diff", first, second): "compared by lineage",
        ("lineage", first): "보기@1.1",
        ("clean", first, "--normalise", "all", "--preview"): "4 rows changed",
        ("preprocess", first): "4 rows were prepared",
        ("undo", second): "counts again",
        ("delete", first): "archived",
        ("restore", first): "ready",
    }
    for arguments, words in shown.items():
        assert ended(app, ["--server", server.url, "datasets", *arguments], debug=False) == 0
        assert words in capsys.readouterr().out
