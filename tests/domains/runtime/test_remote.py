"""Models that run elsewhere: any address that speaks OpenAI's API, and programs that are started for it (a protocol server here)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from tests.fixtures.network import free_port
from tunesmith.adapters.serving.addressed import TgiBackend, VllmBackend
from tunesmith.adapters.serving.fake import FakeBackend
from tunesmith.domains.runtime import GenerateRequest, RuntimeBusy, RuntimeService, RuntimeStartFailed, Servable
from tunesmith.ports.serving import NotServable
from tunesmith.settings import load_settings

PROGRAM = '''\
#!{python}
"""Speaks vLLM's protocol: /health, /v1/models, /tokenize and streams that think aloud first; it is busy for "busy"."""
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

arguments = sys.argv[1:]
port = int(arguments[arguments.index("--port") + 1])
name = arguments[arguments.index("--served-model-name") + 1] if "--served-model-name" in arguments else "tgi"

class Handler(BaseHTTPRequestHandler):
    def reply(self, document, status=200):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply({{}} if self.path == "/health" else {{"data": [{{"id": name, "max_model_len": 321}}]}})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/tokenize" and asked["messages"][-1]["content"] == "hiccup":
            return self.reply({{}}, 503)
        if self.path == "/tokenize":
            return self.reply({{"count": 77, "max_model_len": 321}})
        said = asked["messages"][-1]["content"]
        if said == "busy":
            return self.reply({{"error": {{"message": "too many"}}}}, 429)
        usage = {{"prompt_tokens": 7, "completion_tokens": 3}}
        if not asked.get("stream"):
            message = {{"role": "assistant", "reasoning_content": "hm", "content": f"{{name}}: {{said}}"}}
            return self.reply({{"choices": [{{"message": message, "finish_reason": "stop"}}], "usage": usage}})
        deltas = [{{"reasoning_content": "hm"}}, {{"content": f"{{name}}: {{said}}"}}]
        self.send_response(200)
        self.end_headers()
        for delta in deltas:
            self.wfile.write(b"data: " + json.dumps({{"choices": [{{"delta": delta}}]}}).encode() + b"\\n\\n")
        end = {{"choices": [{{"delta": {{}}, "finish_reason": "stop"}}], "usage": usage}}
        self.wfile.write(b"data: " + json.dumps(end).encode() + b"\\n\\ndata: [DONE]\\n\\n")

    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
'''


def test_another_server_answers_in_a_conversation(serve_app: Callable[..., str]) -> None:
    there = serve_app({"transformers": FakeBackend()})
    here = serve_app(
        runtime={"remotes": [f"there={there}/v1#tunesmith/tiny", f"gone=http://127.0.0.1:{free_port()}/v1"]}
    )
    with httpx.Client(base_url=here, timeout=60) as http:
        assert "remote:there" in [model["id"] for model in http.get("/v1/models").json()["data"]]
        begun = http.post("/chat/initialize", json={"model": "remote:there"}).json()
        assert (begun["runtime"]["backend"], begun["runtime"]["device"]) == ("remote", "remote")
        made = http.post("/chat/chat", json={"message": "멀리서", "max_tokens": 50}).json()
        assert (made["response"], made["finish_reason"]) == ("멀리서", "stop")
        assert made["usage"]["completion_tokens"] == len("멀리서".encode())
        many = [f"{number}번" for number in range(100)]
        vectors = http.post("/v1/embeddings", json={"model": "remote:there", "input": many}).json()
        assert [one["index"] for one in vectors["data"]] == list(range(100)), vectors
        assert vectors["usage"]["prompt_tokens"] == len("".join(many).encode())
        gone = http.post("/chat/initialize", json={"model": "remote:gone"})
        assert (gone.status_code, gone.json()["code"]) == (503, "runtime-start")
        assert "Nothing answers at" in gone.json()["detail"]


async def test_vllm_is_started_on_a_folder_counts_prompts_and_thinks_aloud(
    tmp_path: Path, data_dir: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("vllm", "text-generation-launcher"):
        program = tmp_path / name
        program.write_text(textwrap.dedent(PROGRAM).format(python=sys.executable))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    settings = load_settings(data_dir=data_dir, device="cpu")
    service = RuntimeService(settings=settings, backends={"vllm": VllmBackend(), "tgi": TgiBackend()})
    model = Servable("tiny", tiny_model, None, tiny_model)
    try:
        for backend, name in (("vllm", "base"), ("tgi", "tgi")):
            async with service.session(model, backend=backend) as handle:
                assert handle.context_length == 321
                asked = [{"role": "user", "content": "안녕"}]
                once = await handle.count_prompt([{"role": "user", "content": "hiccup"}])
                assert not once.is_exact
                count = await handle.count_prompt(asked)
                assert (count.is_exact, count.prompt_tokens == 77) == (
                    (True, True) if name == "base" else (False, False)
                )
                (made,) = await handle.generate([GenerateRequest(messages=asked)])
                assert (made.text, made.prompt_tokens) == (f"<think>hm</think>{name}: 안녕", 7)
                chunks = [chunk async for chunk in handle.stream_chat(GenerateRequest(messages=asked))]
                assert "".join(chunk.delta for chunk in chunks) == made.text
                assert (chunks[-1].finish_reason, chunks[-1].completion_tokens) == ("stop", 3)
                with pytest.raises(RuntimeBusy):
                    await handle.generate([GenerateRequest(messages=[{"role": "user", "content": "busy"}])])
    finally:
        await service.close()


async def test_a_program_that_never_answers_ends_with_the_wait_for_it(
    tmp_path: Path, data_dir: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, note = tmp_path / "vllm", tmp_path / "pid"
    program.write_text(f"#!/bin/sh\necho $$ > {note}.new\nmv {note}.new {note}\nexec sleep 600\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    service = RuntimeService(settings=load_settings(data_dir=data_dir, device="cpu"), backends={"vllm": VllmBackend()})

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.05)

    loading = asyncio.create_task(service.load(Servable("tiny", tiny_model, None, tiny_model), backend="vllm"))
    try:
        await until(note.exists)
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await service.close()
    pid = int(note.read_text())
    try:
        await until(lambda: not psutil.pid_exists(pid))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def test_a_program_that_is_not_here_or_ends_is_named(data_dir: Path, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(NotServable, match="vLLM"):
        VllmBackend().check(Servable("tiny", tiny_model))

    class Ending(VllmBackend):
        def check(self, model: Servable) -> None:
            return

    settings = load_settings(data_dir=data_dir)
    service = RuntimeService(settings=settings, backends={"vllm": Ending()})
    with pytest.raises(RuntimeStartFailed, match="vllm"):
        await service.load(Servable("tiny", tiny_model), backend="vllm")
    await service.close()


@pytest.mark.parametrize("entry", ["nothing", "a b=http://x/v1", "x=ftp://host", "x=file:///etc"])
def test_an_address_that_cannot_be_is_refused_at_the_start(entry: str) -> None:
    with pytest.raises(ValueError, match="form NAME=http"):
        load_settings(runtime={"remotes": [entry]})
