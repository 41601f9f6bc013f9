"""The commands one after the other on one server: a recipe of a few seconds, and everything that can be asked of what it made.

They run in this process: what a process of its own adds (exit codes, streams) is in ``test_endings.py``.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures.server import Server
from tunesmith.cli.forecast import show_forecast
from tunesmith.cli.main import main

pytestmark = pytest.mark.early

EXAMPLE = Path(__file__).resolve().parents[2] / "src/tunesmith/bundle/examples/haedam-ferry"


@dataclass
class Ended:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


Command = Callable[..., Ended]


def run(capture: pytest.CaptureFixture[str], *arguments: object) -> Ended:
    """Run a command."""
    capture.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    said = capture.readouterr()
    return Ended(int(ended.value.code or 0), said.out, said.err)


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server that may read the folders of these tests and certifies quickly."""
    roots = str(tmp_path_factory.getbasetemp())
    return make_server(TUNESMITH_MODELS__ALLOWED_ROOTS=roots, TUNESMITH_EXPORT__CERTIFICATE_PROMPTS="4").start()


@pytest.fixture
def tunesmith(capsys: pytest.CaptureFixture[str], server: Server) -> Command:
    """Run a command against the server of this module."""
    return lambda *arguments: run(capsys, *arguments, "--server", server.url)


def lines_of(name: str, count: int, folder: Path) -> Path:
    """The first lines of a file of the example."""
    target = folder / name
    text = (EXAMPLE / name).read_text(encoding="utf-8").splitlines(keepends=True)
    target.write_text("".join(text[:count]), encoding="utf-8")
    return target


@dataclass
class Road:
    """What the shortest quickstart made, and what it said meanwhile."""

    said: str
    result: str
    recipe: Path
    run_id: int
    version: str = "road@1.0.0"


@pytest.fixture(scope="module")
def road(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """`tunesmith quickstart` with two updates, two questions and one export, once for this module."""
    folder = tmp_path_factory.mktemp("road")
    for name, count in (("train.jsonl", 24), ("questions.jsonl", 2), ("general.jsonl", 2)):
        lines_of(name, count, folder)
    recipe = folder / "road.yaml"
    document = {
        "name": "road",
        "model": {"base": "tunesmith/tiny"},
        "data": {"train": "train.jsonl", "split": {"train": 0.8, "validation": 0.2, "test": 0.0}},
        "training": {"max_steps": 2, "batch_size": 1, "max_length": 128, "save_steps": 1},
        "evaluate": {"questions": "questions.jsonl", "general": "general.jsonl", "max_new_tokens": 4},
        "register": {"name": "road"},
        "export": [{"format": "gguf", "method": "Q8_0"}],
    }
    recipe.write_text(yaml.safe_dump(document))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(["quickstart", "--recipe", str(recipe), "--server", server.url])
    assert not ended.value.code, err.getvalue()
    (run_of_it,) = server.http.get("/api/v1/admin/finetuning/jobs").json()["items"]
    return Road(err.getvalue(), out.getvalue(), recipe, run_of_it["id"])


def test_quickstart_goes_the_whole_road(road: Road) -> None:
    for step in ("1. The doctor", "2. Clean data", "24 rows", "3. Fine-tune", "4. Ask both models", "tuned"):
        assert step in road.said
    result = " ".join(road.result.split())
    for side in ("base", "tuned"):
        assert f"{side}: 0 of 2 held-out questions right, loss" in result
    for fact in ("Registered as road@1.0.0", "gguf Q8_0", "certificate holds", "tunesmith serve"):
        assert fact in result


def test_runs_can_be_detached_stopped_and_resumed(road: Road, tunesmith: Command, server: Server) -> None:
    run_id = tunesmith("train", road.recipe, "training.max_steps=400", "--detach", "--json").document["run_id"]
    server.wait_for_job(run_id, "running")
    assert tunesmith("jobs", "stop", run_id).code == 0
    assert tunesmith("jobs", "follow", run_id, "--json").document["state"] == "stopped"
    assert tunesmith("train", "--resume", run_id, "--detach").code == 0
    server.wait_for_job(run_id, "running")
    assert tunesmith("jobs", "cancel", run_id).code == 0
    assert tunesmith("jobs", "follow", run_id, "--json").document["state"] == "cancelled"
    assert tunesmith("jobs", "show", run_id).code == 0
    assert "cancelled" in tunesmith("jobs", "list", "--state", "cancelled").out
    refused = tunesmith("jobs", "stop", run_id)
    assert (refused.code, "Hint:" in refused.err) == (4, True)


def test_a_forecast_says_what_the_run_would_take_and_starts_nothing(
    road: Road, tunesmith: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tunesmith("jobs", "list", "--kind", "train", "--json").document["total"]
    said = tunesmith("train", road.recipe, "--forecast", "--json")
    assert said.code == 0, said.err
    forecast = said.document
    assert {"peak_memory_bytes", "seconds", "seconds_per_step", "tokens", "truncated_rows", "problems"} <= set(forecast)
    assert (forecast["steps"], forecast["truncated_rows"]) == (2, 0)
    assert forecast["seconds"] > forecast["start_seconds"] > 0
    assert "few-updates" in {problem["code"] for problem in forecast["problems"]}
    assert tunesmith("jobs", "list", "--kind", "train", "--json").document["total"] == before
    show_forecast("road.yaml", forecast)
    for_people = " ".join(capsys.readouterr().out.split())
    assert "memory at most" in for_people
    assert "amber few-updates: The run makes only 2 updates" in for_people
    without = tunesmith("train", "--resume", 1, "--forecast")
    assert (without.code, "needs a recipe" in without.err) == (2, True)


def test_a_run_and_its_log_are_shown(road: Road, tunesmith: Command) -> None:
    run_id = road.run_id
    assert tunesmith("jobs", "show", run_id, "--json").document["state"] == "succeeded"
    listed = tunesmith("jobs", "list", "--kind", "train", "--json").document
    assert run_id in [job["id"] for job in listed["items"]]
    lines = tunesmith("jobs", "logs", run_id, "--json").document["lines"]
    assert len(lines) == len(tunesmith("jobs", "logs", run_id).out.splitlines()) > 0
    assert tunesmith("jobs", "retry", run_id).code == 4


def test_versions_are_listed_shown_and_registered(road: Road, tunesmith: Command) -> None:
    assert road.version in [
        f"{m['model_name']}@{m['version']}" for m in tunesmith("registry", "list", "--json").document["items"]
    ]
    assert road.version in tunesmith("registry", "list", "--search", "road").out
    shown = tunesmith("registry", "show", road.version, "--json").document
    assert (shown["model_name"], shown["base_model"]) == ("road", "tunesmith/tiny")
    assert "base_model" in tunesmith("registry", "show", shown["id"]).out
    assert tunesmith("registry", "card", road.version).out.startswith(("#", "---"))
    assert "road" in tunesmith("registry", "card", road.version, "--json").document["markdown"]
    run_id = road.run_id
    made = tunesmith("registry", "register", f"run:{run_id}", "--name", "again", "--version", "2.0.0", "--tag", "a")
    assert (made.code, "again@2.0.0" in made.out) == (0, True)
    assert tunesmith("registry", "register", "first", "--name", "again").code == 2
    assert tunesmith("registry", "show", "nothing@1.0.0").code == 3


def test_exports_are_copied_and_certified(road: Road, tunesmith: Command, tmp_path: Path) -> None:
    done = tunesmith("export", road.version, "--method", "Q8_0", "--output", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    (file,) = (tmp_path / "out").iterdir()
    (export,) = done.document["exports"]
    assert export["path"] == str(file)
    assert list(export) == ["format", "method", "path", "size_bytes", "sha256", "certificate"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == export["sha256"]
    again = tunesmith("export", road.version, "--method", "q8_0", "--output", tmp_path / "out")
    assert (again.code, "nothing was overwritten" in again.err) == (2, True)
    assert [*(tmp_path / "out").iterdir()] == [file]
    merged = tunesmith("export", road.version, "--format", "merged", "--output", tmp_path / "merged")
    assert (merged.code, "certificate holds" in merged.out) == (0, True)
    (folder,) = (tmp_path / "merged").iterdir()
    assert (folder / "model.safetensors").is_file()
    page = tmp_path / "certificate.html"
    certificate = tunesmith("certify", folder, "--source", road.version, "--report", page)
    assert (certificate.code, "The certificate holds." in certificate.out) == (0, True)
    assert "road-1.0.0-merged" in page.read_text()
    file.write_bytes(file.read_bytes()[:-4096])
    wrong = tunesmith("certify", file, "--source", road.version, "--json")
    assert (wrong.code, set(wrong.document)) == (1, {"passed", "checks"})
    assert "file_intact" in [check["name"] for check in wrong.document["checks"] if not check["passed"]]
    assert tunesmith("certify", tmp_path, "--source", road.version).code == 2
    assert tunesmith("export", road.version, "--format", "gguf", "--method", "IQ2_XS").code == 2


def test_gguf_methods_and_files_are_told_about(road: Road, tunesmith: Command, tmp_path: Path) -> None:
    assert "Q4_K_S, Q4_K_M" in tunesmith("gguf", "methods").out
    found = tunesmith("gguf", "recommend", "--model-size-gb", 14, "--json").document
    assert (found["method"], found["memory_considered"]) == ("Q4_K", True)
    assert tunesmith("gguf", "validate", tmp_path / "none.gguf").code == 3
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(b"GGUF")
    wrong = tunesmith("gguf", "validate", cut)
    assert (wrong.code, "FAILED header" in wrong.out) == (1, True)


def test_models_are_evaluated_and_answer(
    road: Road, tunesmith: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = lines_of("questions.jsonl", 2, tmp_path)
    report = tunesmith("eval", road.version, "--data", questions, "--questions", questions, "--json")
    assert (report.code, set(report.document) >= {"base", "tuned"}) == (0, True)
    shown = tunesmith("eval", "tunesmith/tiny", "--questions", questions).out
    assert re.search(r"exact_match\s+–\s+\S+ \(\S+ to \S+\)", shown), shown
    said = tunesmith("chat", road.version, "언제 떠나요?", "--max-tokens", 4, "--system", "Be short.", "--json")
    assert said.document["usage"]["completion_tokens"] <= 4
    assert tunesmith("chat", "tunesmith/tiny", "When?", "--max-tokens", 4).out.strip()
    monkeypatch.setattr(sys, "stdin", io.StringIO("When?\n/stats\n/system Be [brief\n/clear\nAnd then?\n/exit\n"))
    talked = tunesmith("chat", "tunesmith/tiny", "--max-tokens", 4)
    assert talked.code == 0
    assert talked.out.count("›") == 6
    assert "2 turns" in talked.err
    monkeypatch.setattr(sys, "stdin", io.StringIO("When?"))
    assert tunesmith("chat", "tunesmith/tiny", "-", "--max-tokens", 4).out.strip()
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert tunesmith("chat", "tunesmith/tiny").code == 0
    assert "tunesmith/tiny" in tunesmith("models", "list").out
    assert tunesmith("models", "list", "--json").document["total"] >= 1
    assert tunesmith("models", "health", "--json").document["device"]
    assert "device" in tunesmith("models", "health").out


def test_datasets_are_added_examined_and_split(tunesmith: Command, tmp_path: Path) -> None:
    good = lines_of("train.jsonl", 20, tmp_path)
    made = tunesmith("datasets", "add", good, "--name", "added", "--json")
    assert (made.code, made.document["status"]) == (0, "ready")
    number = made.document["id"]
    again = tunesmith("datasets", "add", good, "--name", "added")
    assert (again.code, "added@" in again.out, "20 rows, ready" in again.out.replace("\n", " ")) == (0, True, True)
    faulty = tmp_path / "faulty.jsonl"
    faulty.write_text('{"prompt": "a"}\n{"prompt": "b", "completion": "c"}\n')
    assert tunesmith("datasets", "add", faulty).code == 1
    unnamed = tmp_path / "문의.csv"
    unnamed.write_text(
        "문의,안내\n배는 언제 떠나나요?,정오에 떠납니다.\n표는 어디서 사나요?,3번 창구입니다.\n", encoding="utf-8"
    )
    refused = tunesmith("datasets", "add", unnamed)
    assert (refused.code, "--map" in refused.err) == (2, True)
    columns = ("--map", "문의=question", "--map", "안내=answer")
    assert tunesmith("datasets", "add", unnamed, *columns, "--json").document["status"] == "ready"
    assert tunesmith("datasets", "add", unnamed, "--map", "문의").code == 2
    assert "added" in tunesmith("datasets", "list").out
    assert tunesmith("datasets", "list", "--search", "added", "--json").document["total"] == 2
    assert "sha256" in tunesmith("datasets", "show", number).out
    assert tunesmith("datasets", "show", number, "--json").document["total_samples"] == 20
    assert len(tunesmith("datasets", "preview", number, "--limit", 3, "--json").document["rows"]) == 3
    assert "messages" in tunesmith("datasets", "preview", number).out
    assert tunesmith("datasets", "validate", number, "--json").document["passed"] is True
    assert "score 100/100" in tunesmith("datasets", "validate", number).out
    parts = tunesmith("datasets", "split", number, "--train", 0.5, "--validation", 0.5, "--json").document["parts"]
    assert sum(part["rows"] for part in parts) == 20
    assert "added-train" in tunesmith("datasets", "split", number, "--seed", 1).out
    assert tunesmith("datasets", "split", number, "--train", 0.5).code == 2
    shown = tunesmith("doctor", EXAMPLE / "train_with_faults.jsonl")
    assert (shown.code, "fix:" in shown.out, "and" in shown.out) == (1, True, True)


def test_the_machine_describes_itself(tunesmith: Command) -> None:
    assert "Optional parts" in tunesmith("system").out
    assert "/v1/chat/completions" in tunesmith("system", "openapi").document["paths"]
    assert "CREATE TABLE projects" in tunesmith("system", "sql", "--dialect", "sqlite").out
    assert tunesmith("system", "sql", "--dialect", "oracle").code == 2


def test_the_schema_is_made_by_hand(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for arguments, said in ((["--json"], '"revision"'), ([], "The database is at revision")):
        done = run(capsys, "migrate", *arguments, "--data-dir", tmp_path / "data")
        assert (done.code, said in done.out) == (0, True)
