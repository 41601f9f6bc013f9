"""The development tools tell the truth: what they skip they say, and what drifts they find."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools import audit, check_licences, reference, test_all

ROOT = Path(__file__).resolve().parents[2]


def test_an_audit_that_looked_at_nothing_is_no_green() -> None:
    report = {
        "dependencies": [
            {"name": "tunesmith", "skip_reason": "editable"},
            {"name": "good", "version": "1", "vulns": []},
            {"name": "offline", "skip_reason": "not found"},
            {"name": "bad", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]},
        ]
    }
    said = audit.verdict(report)
    assert said == ["1 packages were not looked at (offline): not found", "bad 2 has CVE-1; fixed in 3"]


def test_a_version_below_its_floor_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(audit.FLOORS, "starlette", "999")
    monkeypatch.setitem(audit.FLOORS, "not-installed-at-all", "1")
    assert [sentence.split(" ")[0] for sentence in audit.below_floor()] == ["starlette"]


@pytest.mark.parametrize("licence", ["MIT", "Apache-2.0 OR GPL-3.0", "LGPL-3.0-only", "BSD License", "GPL-2.0 OR MIT"])
def test_licences_that_a_company_may_ship(licence: str) -> None:
    assert check_licences.refusal("x", licence) is None


@pytest.mark.parametrize("licence", ["AGPL-3.0", "GNU General Public License v3", "SSPL-1.0", "", "GPL-3.0 AND MIT"])
def test_licences_that_it_may_not(licence: str) -> None:
    said = check_licences.refusal("x", licence)
    assert said is not None
    assert said.startswith("x: ")


def test_what_is_installed_may_be_shipped() -> None:
    assert check_licences.main() == 0


def test_a_page_that_drifts_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {place: f"the page {place}" for place in reference.PAGES}
    monkeypatch.setattr(reference, "render", texts.__getitem__)
    for place, text in texts.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text, encoding="utf-8")
    assert reference.drifted(tmp_path) == []
    for place in reference.PAGES:
        (tmp_path / place).write_text("something else", encoding="utf-8")
        assert reference.drifted(tmp_path) == [place]
        (tmp_path / place).unlink()
        assert reference.drifted(tmp_path) == [place]
        (tmp_path / place).write_text(texts[place], encoding="utf-8")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (".env.example", "# TUNESMITH_API__PORT=8000"),
        ("docs/reference/settings.md", "| `TUNESMITH_API__PORT` |"),
        ("docs/reference/recipe.md", "| `training.learning_rate` |"),
        ("docs/reference/cli.md", "## `tunesmith doctor FILE`"),
        ("docs/reference/errors.md", "| `object-not-found` | 404 |"),
        ("docs/reference/findings.md", "| `missing-field` |"),
        ("ui/openapi.json", '"/health"'),
    ],
)
def test_a_page_says_what_the_code_says(place: str, words: str) -> None:
    assert words in reference.render(place)


def test_an_old_python_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (tmp_path / name).write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo 'Python 3.9.1' && exit 0\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "tools/setup.sh"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; 'python3' here is: Python 3.9.1" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_help_lists_every_command() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ["help", "setup", "quickstart", "serve", "test", "test-all", "check", "audit", "ui", "bench", "docs"]:
        assert f"make {target} " in done.stdout


def test_the_summary_of_a_run_counts_what_failed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="tests.a.test_x" name="fine" time="1.0"/>'
        '<testcase classname="tests.b.test_y" name="broken" time="2.0"><failure/></testcase></testsuite></testsuites>'
    )
    page = test_all.summary(test_all.cases_of(report), 60.0, 1, "95.1 %")
    assert "**1 passed, 1 failed, 0 skipped** in 1.0 minutes (exit code 1); lines covered: 95.1 %." in page
    assert "Failed: broken" in page
