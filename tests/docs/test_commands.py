"""The documents tell the truth: their commands are executed, their links lead somewhere, both languages say the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.server import Server

pytestmark = pytest.mark.early

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, mark: str) -> list[str]:
    """The fenced `sh` blocks that carry the mark."""
    return re.findall(rf"^```sh {mark}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def run(script: str, folder: Path, **environment: str) -> str:
    """Run commands as a reader would, stopping at the first that fails."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "2", **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.timeout(900)
@pytest.mark.matrix
@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_tutorial(language: str, make_server: Callable[..., Server], tmp_path: Path) -> None:
    """From a CSV file to a certified model that answers, in both languages."""
    script = "\n".join(blocks(ROOT / "docs" / language / "tutorial.md", "test"))
    said = run(script, tmp_path, TUNESMITH_SERVER=make_server().start().url)
    name = {"en": "ferry@1.0.0", "ko": "ferry-ko@1.0.0"}[language]
    assert name in said
    assert said.count(name) >= 2  # the list and the card


def test_the_data_guide(make_server: Callable[..., Server], tmp_path: Path) -> None:
    """A Korean CP949 file, doctored, mended, looked at, split and taken away; both languages have the same commands."""
    english, korean = (blocks(ROOT / "docs" / language / "data.md", "test") for language in ("en", "ko"))
    assert english == korean
    said = run("\n".join(english), tmp_path, TUNESMITH_SERVER=make_server().start().url)
    assert "harbour@1.2" in said
    assert (tmp_path / "harbour.parquet").read_bytes().startswith(b"PAR1")


@pytest.mark.long
def test_the_export_guide(tmp_path: Path) -> None:
    """Two formats, and a certificate as a page; both languages have the same commands."""
    english, korean = (blocks(ROOT / "docs" / language / "export.md", "test") for language in ("en", "ko"))
    assert english == korean
    limits = {"TUNESMITH_DATA_DIR": str(tmp_path / "data"), "TUNESMITH_EXPORT__CERTIFICATE_PROMPTS": "4"}
    said = run("\n".join(english), tmp_path, TUNESMITH_MODELS__ALLOWED_ROOTS=str(tmp_path), **limits)
    assert "The certificate holds." in said
    assert "Parity certificate" in (tmp_path / "out" / "certificate.html").read_text()


@pytest.mark.long
def test_the_models_guide(tmp_path: Path) -> None:
    """What it shows without a network; both languages have the same commands."""
    english, korean = (blocks(ROOT / "docs" / language / "models.md", "test") for language in ("en", "ko"))
    assert english == korean
    assert "Qwen3ForCausalLM" in run("\n".join(english), tmp_path, TUNESMITH_DATA_DIR=str(tmp_path / "data"))


@pytest.mark.long
def test_the_chat_guide(server: Server, tmp_path: Path) -> None:
    """One-shot, piped and in a conversation, then over HTTP; both languages have the same commands."""
    for mark in ("test", "server"):
        english, korean = (blocks(ROOT / "docs" / language / "chat.md", mark) for language in ("en", "ko"))
        assert english == korean
        script = "\n".join(english).replace("http://127.0.0.1:8000", server.url)
        script = script.replace("tunesmith chat", f"tunesmith --server {server.url} chat")
        said = run(script.replace("curl -s", "curl -sS --fail-with-body"), tmp_path)
        assert said.strip()
    assert "event: end" in said
    assert '"context_used"' in said


@pytest.mark.long
def test_the_runs_guide(tmp_path: Path) -> None:
    """Two runs, looked at and compared; the engine only pretends. Both languages have the same commands."""
    english, korean = (blocks(ROOT / "docs" / language / "runs.md", "test") for language in ("en", "ko"))
    assert english == korean
    settings = {"TUNESMITH_DATA_DIR": str(tmp_path / "data"), "TUNESMITH_TRAINING__ENGINE": "fake"}
    said = run("\n".join(english), tmp_path, **settings)
    assert "slower #3" in said
    assert "training.learning_rate" in said


@pytest.mark.long
def test_the_engines_guide(tmp_path: Path) -> None:
    """A recipe of Axolotl comes in and goes out; both languages have the same commands."""
    english, korean = (blocks(ROOT / "docs" / language / "engines.md", "test") for language in ("en", "ko"))
    assert english == korean
    said = run("\n".join(english), tmp_path, TUNESMITH_DATA_DIR=str(tmp_path / "data"))
    assert "lora_alpha" in said
    assert "lora_r: 8" in (tmp_path / "back.yaml").read_text()


@pytest.mark.long
def test_the_gguf_guide(tmp_path: Path) -> None:
    """The bundled model in four bits, certified; both languages have the same commands."""
    english, korean = (blocks(ROOT / "docs" / language / "gguf.md", "test") for language in ("en", "ko"))
    assert english == korean
    said = run("\n".join(english), tmp_path, TUNESMITH_DATA_DIR=str(tmp_path / "data"))
    assert "certificate holds" in said
    assert list((tmp_path / "gguf").glob("*-Q4_K_M.gguf"))


def test_the_calls_of_the_readme(server: Server, tmp_path: Path) -> None:
    """The workbench and one job with curl; each answer is read, none is an error."""
    (script,) = blocks(ROOT / "README.md", "server")
    strict = script.replace("http://127.0.0.1:8000", server.url).replace("curl -s", "curl -sS --fail-with-body")
    said = run(strict, tmp_path)
    assert "tunesmith/tiny" in said
    assert '"chat.completion"' in said
    assert "desk" in said
    runs = server.http.get("/api/v1/admin/finetuning/jobs").json()["items"]
    server.wait_for_job(runs[0]["id"], "succeeded")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which does not exist"


def test_both_languages_have_the_same_pages_and_headings() -> None:
    english, korean = ROOT / "docs" / "en", ROOT / "docs" / "ko"
    assert sorted(p.name for p in english.iterdir()) == sorted(p.name for p in korean.iterdir())
    for page in [*english.iterdir(), ROOT / "README.md"]:
        other = ROOT / "README.ko.md" if page.name == "README.md" else korean / page.name
        texts = [re.sub(r"```.*?```", "", p.read_text(encoding="utf-8"), flags=re.DOTALL) for p in (page, other)]
        levels = [re.findall(r"^#+", text, re.MULTILINE) for text in texts]
        assert levels[0] == levels[1], f"{page.name} and its Korean page have different headings"


def test_the_commands_that_the_documents_name_exist() -> None:
    """`make x` and `tunesmith x` in any page are real commands."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    listed = subprocess.run(
        [str(Path(sys.executable).with_name("tunesmith")), "--help"], capture_output=True, text=True, check=True
    ).stdout
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"`make ([a-z-]+)`", text):
            assert target in targets, f"{page.name} names make {target}"
        for command in re.findall(r"(?:`|bin/|^\s*)tunesmith ([a-z]+)\b", text, re.MULTILINE):
            assert f" {command} " in listed, f"{page.name} names tunesmith {command}"
