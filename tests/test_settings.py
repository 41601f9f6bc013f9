"""Settings: where they are read from, what wins, and what a worker process is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tunesmith.settings import ALIASES, load_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for alias in ALIASES:
        monkeypatch.delenv(alias, raising=False)
    monkeypatch.chdir(tmp_path)  # no `.env` of the developer


def test_names_of_other_tools_are_read_and_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u@h/db")
    monkeypatch.setenv("HF_HOME", "/first")
    monkeypatch.setenv("TRANSFORMERS_CACHE", "/second")
    monkeypatch.setenv("WORKER_CONCURRENCY", "3")
    monkeypatch.setenv("WORKER_LOG_LEVEL", "warning")
    before = dict(os.environ)
    settings = load_settings()
    assert settings.database_url == "postgresql+asyncpg://u@h/db"
    assert settings.models.hf_home == Path("/first")
    assert (settings.jobs.concurrency, settings.log_level) == (3, "WARNING")
    assert dict(os.environ) == before


@pytest.mark.parametrize("said", ["debug", "Debug", "DEBUG"])
def test_a_log_level_is_read_in_any_case(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("TUNESMITH_LOG_LEVEL", said)
    assert load_settings().log_level == "DEBUG"


def test_ours_wins_and_what_is_said_here_wins_over_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKER_CONCURRENCY", "3")
    monkeypatch.setenv("TUNESMITH_JOBS__POLL_SECONDS", "0.5")
    assert load_settings().jobs.concurrency == 3
    (tmp_path / ".env").write_text("TUNESMITH_JOBS__CONCURRENCY=5\n")
    assert (load_settings().jobs.concurrency, load_settings().jobs.poll_seconds) == (5, 0.5)
    monkeypatch.setenv("TUNESMITH_JOBS__CONCURRENCY", "7")
    assert load_settings().jobs.concurrency == 7
    assert load_settings(jobs={"concurrency": 9}).jobs.concurrency == 9


def test_a_worker_is_told_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKER_CONCURRENCY", "3")
    given = load_settings(
        data_dir=tmp_path / "data",
        storage={"backend": "s3", "s3": {"secret_access_key": "a secret"}},
        models={"allowed_roots": [tmp_path / "a", tmp_path / "b"]},
        datasets={"score_weights": {"amber": 0.5}},
        axolotl={"custom": {"lora_qkv_kernel": True, "plugins": ["a"]}},
    )
    environment = given.worker_environment()
    for name in [name for name in os.environ if name not in environment]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WORKER_CONCURRENCY")
    assert load_settings() == given
    assert not [name for name in given.child_environment() if name.startswith("TUNESMITH_")]
