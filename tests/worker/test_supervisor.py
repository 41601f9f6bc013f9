"""A server keeps one worker alive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tunesmith.settings import load_settings
from tunesmith.worker import Supervisor


async def until(what: str, probe: Callable[[], Any], timeout_seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if answer := probe():
            return answer
        await asyncio.sleep(0.05)
    pytest.fail(f"waited {timeout_seconds} s in vain for: {what}")


async def test_a_worker_that_dies_is_replaced_and_stop_ends_it(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "data", log_json=False)
    log = tmp_path / "logs" / "worker.log"
    supervisor = Supervisor(settings, log_file=log)
    await supervisor.start()
    first = supervisor.pid
    assert first is not None
    await until("the worker", lambda: log.read_text().count("is ready") == 1)
    psutil.Process(first).kill()
    await until("another worker", lambda: log.read_text().count("is ready") == 2)
    second = supervisor.pid
    assert second not in (None, first)
    await supervisor.stop()
    assert second is not None
    assert not psutil.pid_exists(second)
    assert (tmp_path / "data" / "tunesmith.db").exists(), "it worked on other settings than it was given"


async def test_a_worker_for_one_command_ends_when_there_is_nothing_to_do(tmp_path: Path) -> None:
    supervisor = Supervisor(load_settings(data_dir=tmp_path / "data"), until_idle=True, log_file=tmp_path / "log")
    await supervisor.start()
    await asyncio.wait_for(supervisor.wait(), 60)
    assert supervisor.pid is None
    await supervisor.stop()
