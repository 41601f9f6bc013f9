"""How commands end: exit codes that mean something, one sentence and a hint, one JSON document on stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.network import free_port
from tests.fixtures.server import Server

COMMANDS = [
    "quickstart",
    "serve",
    "worker",
    "doctor",
    "train",
    "eval",
    "export",
    "certify",
    "chat",
    "models",
    "gguf",
    "datasets",
    "jobs",
    "registry",
    "system",
    "migrate",
]
PROGRAM = str(Path(sys.executable).with_name("tunesmith"))


def tunesmith(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], 2),
        (["doctor"], 2),
        (["doctor", "/no/such/file.jsonl"], 3),
        (["train", "/no/such/recipe.yaml"], 3),
        (["train"], 2),
        (["certify", "/no/such/model.gguf", "--source", "tunesmith/tiny"], 3),
        (["chat", "tunesmith/tiny", "--json"], 2),
        (["serve", "--host", "0.0.0.0"], 4),
        (["--server", f"http://127.0.0.1:{free_port()}", "jobs", "list"], 4),
    ],
)
def test_exit_codes(arguments: list[str], code: int, tmp_path: Path) -> None:
    done = tunesmith(*arguments, "--data-dir", str(tmp_path / "data"))
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Error" in done.stderr
    assert "Traceback" not in done.stderr


def test_global_options_work_before_and_after_the_command(tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    before = tunesmith("--data-dir", folder, "system", "--json")
    after = tunesmith("system", "--json", f"--data-dir={folder}")
    assert json.loads(before.stdout)["data_dir"] == json.loads(after.stdout)["data_dir"] == folder


def test_unknown_thing_is_not_found(tmp_path: Path) -> None:
    done = tunesmith("jobs", "show", "999", "--json", "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 3
    assert done.stdout == ""


def test_whoever_types_a_path_may_read_it_unless_folders_were_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    command = ["export", "model", "--format", "hf", "--output", "out", "--data-dir", "data"]
    empty = tunesmith(*command)
    monkeypatch.setenv("TUNESMITH_MODELS__ALLOWED_ROOTS", str(tmp_path / "models"))
    elsewhere = tunesmith(*command)
    assert "config.json" in empty.stderr
    assert "TUNESMITH_MODELS__ALLOWED_ROOTS" in elsewhere.stderr
    assert elsewhere.returncode == 4


def test_wrong_setting_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_JOBS__LEASE_SECONDS", "never")
    done = tunesmith("system", "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "jobs.lease_seconds" in done.stderr
    assert "Traceback" not in done.stderr


def test_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    done = tunesmith("system", "--data-dir", str(in_the_way / "data"))
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_version_and_help() -> None:
    assert tunesmith("--version").stdout.startswith("tunesmith ")
    text = tunesmith("--help").stdout
    for command in COMMANDS:
        assert command in text


def test_a_shell_completes_what_is_in_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("_TUNESMITH_COMPLETE", "complete_bash"),
        ("COMP_WORDS", "tunesmith datasets "),
        ("COMP_CWORD", "2"),
    ):
        monkeypatch.setenv(name, value)
    assert {"list", "fix", "xray"} <= set(tunesmith().stdout.split())


def test_team_mode_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_MODE", "team")
    done = tunesmith("serve", "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 4
    assert "accounts" in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.jsonl", b"", "empty-file"),
        ("binary.jsonl", bytes(range(256)) * 20, "file-validation"),
        ("columns.csv", "지점,요금\n부산,9000\n".encode(), "missing-columns"),
        (
            "role.jsonl",
            b'{"messages":[{"role":"customer","content":"a"},{"role":"assistant","content":"b"}]}\n',
            "unknown-role",
        ),
    ],
)
def test_the_doctor_answers_for_every_file(
    server: Server, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    where = ["--data-dir", str(tmp_path / "data")] if name == "role.jsonl" else ["--server", server.url]
    done = tunesmith("doctor", str(file), "--json", *where)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert {"file", "rows", "findings", "counts", "score"} <= set(report)
    assert code in report["counts"]["by_code"]
    assert report["counts"]["red"] >= 1
    assert all(f["message"] and f["row"] >= 1 for f in report["findings"])
