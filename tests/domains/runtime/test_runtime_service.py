"""Loaded models: loaded once, unloaded in the right order, gone with their owner, and an error that says what happened."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fixtures.server import wait_until
from tunesmith.adapters.serving.fake import FakeBackend
from tunesmith.domains.runtime import (
    GenerateRequest,
    RuntimeBusy,
    RuntimeCrashed,
    RuntimeService,
    RuntimeStartFailed,
    RuntimeUnloaded,
    Servable,
    StreamChunk,
)
from tunesmith.domains.runtime import service as service_module
from tunesmith.kit.errors import Unsupported
from tunesmith.settings import load_settings

Children = Callable[[], set[int]]
ASK = GenerateRequest(messages=[{"role": "user", "content": "강남역 2번 출구"}])


class BrokenBackend(FakeBackend):
    """Starts a child that says something and ends."""

    def command(self, folder: Path) -> list[str]:
        return [sys.executable, "-c", "print('no room for the weights'); raise SystemExit(3)"]


class RaisingBackend(FakeBackend):
    """Starts a child that raises."""

    def command(self, folder: Path) -> list[str]:
        return [sys.executable, "-c", "raise ValueError('device cuda is not on this machine')"]


class SilentBackend(FakeBackend):
    """Starts a child that never answers."""

    def command(self, folder: Path) -> list[str]:
        return [sys.executable, "-c", "import sys; print('still reading'); sys.stdin.read()"]


@contextlib.asynccontextmanager
async def runtime_of(data_dir: Path, backend: Any = None, **runtime: Any) -> AsyncIterator[RuntimeService]:
    settings = load_settings(data_dir=data_dir, device="cpu", runtime=runtime)
    service = RuntimeService(settings=settings, backends={"transformers": backend or FakeBackend()})
    try:
        yield service
    finally:
        await service.close()


def model(tmp_path: Path, name: str, adapter: bool = False) -> Servable:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    return Servable(name, folder, folder / "adapter" if adapter else None)


@pytest.fixture
def children() -> Children:
    """The processes that this test started and that still run; what earlier tests share is not counted."""

    def running() -> set[int]:
        return {child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}

    before = running()
    return lambda: running() - before


async def rest_of(stream: AsyncIterator[StreamChunk]) -> list[StreamChunk]:
    return [chunk async for chunk in stream]


async def text_of(service: RuntimeService, servable: Servable) -> str:
    async with service.session(servable) as handle:
        return "".join([chunk.delta async for chunk in handle.stream_chat(ASK)])


async def test_requests_at_the_same_time_load_a_model_once(tmp_path: Path, data_dir: Path, children: Children) -> None:
    async with runtime_of(data_dir) as service:
        texts = await asyncio.gather(*(text_of(service, model(tmp_path, "a")) for _ in range(8)))
        assert texts == ["강남역 2번 출구"] * 8
        assert len(service.list_loaded()) == 1
        assert len(children()) == 1


async def test_base_and_tuned_come_from_one_load(tmp_path: Path, data_dir: Path) -> None:
    tuned = model(tmp_path, "a", adapter=True)
    async with runtime_of(data_dir) as service:
        assert await text_of(service, tuned) == "[tuned] 강남역 2번 출구"
        assert await text_of(service, tuned.base) == "강남역 2번 출구"
        assert [loaded.adapter for loaded in service.list_loaded()] == [True]


async def test_the_least_recently_used_model_makes_room(tmp_path: Path, data_dir: Path) -> None:
    async with runtime_of(data_dir, max_loaded_models=2) as service:
        for name in ("a", "b", "a", "c"):
            await service.load(model(tmp_path, name))
        assert sorted(loaded.name for loaded in service.list_loaded()) == ["a", "c"]


async def test_a_model_in_use_is_not_pushed_out(tmp_path: Path, data_dir: Path) -> None:
    async with runtime_of(data_dir, max_loaded_models=1) as service:
        async with service.session(model(tmp_path, "a")):
            with pytest.raises(RuntimeBusy):
                await service.load(model(tmp_path, "b"))
        await service.load(model(tmp_path, "b"))
        assert [loaded.name for loaded in service.list_loaded()] == ["b"]


@pytest.mark.parametrize("replaced", ["model.safetensors", "adapter/adapter_model.safetensors", "chat_template.jinja"])
async def test_a_model_whose_files_are_replaced_is_loaded_anew(
    tmp_path: Path, data_dir: Path, children: Children, monkeypatch: pytest.MonkeyPatch, replaced: str
) -> None:
    monkeypatch.setattr(service_module, "STAMP_SECONDS", 0.0)
    servable = model(tmp_path, "a", adapter=True)
    file = servable.base_path / replaced
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"old")
    async with runtime_of(data_dir) as service:
        async with service.session(servable) as before:
            (servable.base_path / "card.md").write_text("about it")
            async with service.session(servable):
                assert len(children()) == 1
            file.write_bytes(b"newer")
            assert await text_of(service, servable) == "[tuned] 강남역 2번 출구"
            assert len(children()) == 2
            assert (await before.generate([ASK]))[0].text  # what has begun is answered by what it began with
        async with service.session(model(tmp_path, "b")):
            assert sorted(loaded.name for loaded in service.list_loaded()) == ["a", "b"]


async def test_an_idle_model_is_unloaded(tmp_path: Path, data_dir: Path, children: Children) -> None:
    async with runtime_of(data_dir, idle_unload_seconds=0.2) as service:
        await service.load(model(tmp_path, "a"))
        async with asyncio.timeout(10):
            while service.list_loaded() or children():
                await asyncio.sleep(0.02)


async def test_unloading_ends_the_process_and_leaves_no_files(
    tmp_path: Path, data_dir: Path, children: Children
) -> None:
    async with runtime_of(data_dir) as service:
        await service.load(model(tmp_path, "a"))
        (pid,) = children()
        assert await service.unload(model(tmp_path, "a")) == ["a"]
        assert not psutil.pid_exists(pid)
        assert list((data_dir / "runtime").iterdir()) == []
        assert await service.unload(model(tmp_path, "a")) == []


async def test_unloading_tells_those_who_wait(tmp_path: Path, data_dir: Path) -> None:
    async with runtime_of(data_dir) as service, service.session(model(tmp_path, "a")) as handle:
        stream = handle.stream_chat(GenerateRequest(prompt="x" * 5000, max_new_tokens=5000))
        await anext(stream)
        await service.unload()
        with pytest.raises(RuntimeUnloaded):
            await rest_of(stream)


async def test_a_crash_is_one_clear_error_and_the_next_request_works(
    tmp_path: Path, data_dir: Path, children: Children
) -> None:
    async with runtime_of(data_dir) as service:
        async with service.session(model(tmp_path, "a")) as handle:
            stream = handle.stream_chat(GenerateRequest(prompt="x" * 5000, max_new_tokens=5000))
            await anext(stream)
            (pid,) = children()
            psutil.Process(pid).kill()
            with pytest.raises(RuntimeCrashed, match="SIGKILL"):
                await rest_of(stream)
            with pytest.raises(RuntimeCrashed):
                await handle.generate([ASK])
        assert await text_of(service, model(tmp_path, "a")) == "강남역 2번 출구"


async def test_a_model_that_cannot_be_loaded_says_why(tmp_path: Path, data_dir: Path) -> None:
    async with runtime_of(data_dir, BrokenBackend()) as service:
        with pytest.raises(RuntimeStartFailed, match=r"code 3[\s\S]*no room for the weights"):
            await service.load(model(tmp_path, "a"))
        assert service.list_loaded() == []


async def test_nobody_is_shown_a_traceback(tmp_path: Path, data_dir: Path) -> None:
    async with runtime_of(data_dir, RaisingBackend()) as service:
        with pytest.raises(RuntimeStartFailed) as refused:
            await service.load(model(tmp_path, "a"))
    assert "ValueError: device cuda is not on this machine" in refused.value.message
    assert "Traceback" not in refused.value.message
    assert "File" not in refused.value.message


async def test_a_model_that_takes_too_long_is_given_up(tmp_path: Path, data_dir: Path, children: Children) -> None:
    async with runtime_of(data_dir, SilentBackend(), start_timeout_seconds=0.5) as service:
        with pytest.raises(RuntimeStartFailed, match=r"not loaded within 0.5 seconds"):
            await service.load(model(tmp_path, "a"))
        assert children() == set()


async def test_an_unknown_backend_is_named(tmp_path: Path, data_dir: Path) -> None:
    async with runtime_of(data_dir) as service:
        with pytest.raises(Unsupported, match="vllm"):
            await service.load(model(tmp_path, "a"), backend="vllm")


async def test_a_child_leaves_with_a_killed_owner_and_its_files_are_swept(tmp_path: Path, data_dir: Path) -> None:
    program = """
        import asyncio, json, sys
        from pathlib import Path
        from tunesmith.adapters.serving.fake import FakeBackend
        from tunesmith.domains.runtime import RuntimeService, Servable
        from tunesmith.settings import load_settings

        async def main(data_dir, folder):
            settings = load_settings(data_dir=Path(data_dir))
            service = RuntimeService(settings=settings, backends={"transformers": FakeBackend()})
            await service.load(Servable("a", Path(folder)))
            print(json.dumps([child.pid for child in service._children]), flush=True)
            await asyncio.sleep(600)

        asyncio.run(main(*sys.argv[1:]))
    """
    folder = model(tmp_path, "a").base_path
    command = [sys.executable, "-c", textwrap.dedent(program), str(data_dir), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        (pid,) = json.loads(await asyncio.to_thread(owner.stdout.readline))
        owner.kill()
    await asyncio.to_thread(wait_until, "the child to leave", lambda: not psutil.pid_exists(pid), 10)
    assert len(list((data_dir / "runtime").iterdir())) == 1
    async with runtime_of(data_dir) as service:
        await service.load(model(tmp_path, "a"))
        assert len(list((data_dir / "runtime").iterdir())) == 1
