"""Many at once on the bundled model, by transformers and by llama.cpp: each gets its own answer, and nobody waits for those who left."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from safetensors.numpy import load_file, save_file

from tests.fixtures.server import wait_until
from tests.fixtures.tiny_models import write_tiny_adapter
from tunesmith.domains.models import bundled_folder

pytestmark = pytest.mark.long

STREAMS = 50
QUESTIONS = Path(__file__).resolve().parents[3] / "examples" / "haedam-ferry" / "questions.jsonl"
TOKENS = 12


@pytest.fixture(scope="module")
def bundled_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model as a GGUF file."""
    target = tmp_path_factory.mktemp("bundled") / "bundled.gguf"
    code = "import sys; from pathlib import Path; from tunesmith.ml.gguf import convert; "
    code += "convert(Path(sys.argv[1]), Path(sys.argv[2]), 'F16', name='bundled')"
    subprocess.run([sys.executable, "-c", code, str(bundled_folder()), str(target)], check=True)
    return target


@pytest.fixture(scope="module")
def url(serve_app: Callable[..., str], bundled_gguf: Path, tiny_model: Path, endless_model: Path) -> str:
    """An application with the real backends."""
    roots = [bundled_gguf.parent, tiny_model.parents[1], endless_model.parent]
    return serve_app(models={"allowed_roots": roots})


@pytest.fixture(params=["transformers", "llamacpp"])
def model(request: pytest.FixtureRequest, bundled_gguf: Path) -> str:
    """The bundled model, in the form that the backend takes."""
    return str(bundled_gguf) if request.param == "llamacpp" else "tunesmith/tiny"


def prompts() -> list[str]:
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    asked = [next(m["content"] for m in row["messages"] if m["role"] == "user") for row in rows]
    return asked[:STREAMS]


async def stream(http: httpx.AsyncClient, model: str, prompt: str, tokens: int = TOKENS) -> tuple[str, list[Any]]:
    """The text of a greedy stream, and the errors in it."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "temperature": 0, "stream": True}
    text, errors = "", []
    async with http.stream("POST", "/v1/chat/completions", json=body | {"max_tokens": tokens}) as answer:
        assert answer.status_code == 200, await answer.aread()
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                event = json.loads(line[6:])
                errors += [event["error"]] if "error" in event else []
                text += "".join(choice["delta"].get("content") or "" for choice in event.get("choices", []))
    return text, errors


def running(url: str) -> int:
    loaded = httpx.get(f"{url}/model/health", timeout=60).json()["loaded"]
    return sum(int(model["active_requests"]) for model in loaded)


async def test_fifty_at_once_get_what_each_gets_alone_while_others_vanish(url: str, model: str) -> None:
    asked = prompts()
    assert len(set(asked)) == STREAMS
    async with httpx.AsyncClient(base_url=url, timeout=300, limits=httpx.Limits(max_connections=None)) as http:
        alone = [(await stream(http, model, prompt))[0] for prompt in asked]
        assert len(set(alone)) > STREAMS // 2

        async def vanish(prompt: str) -> None:
            body = {"model": model, "messages": [{"role": "user", "content": prompt}], "stream": True}
            async with http.stream("POST", "/v1/chat/completions", json=body) as answer:
                await anext(answer.aiter_raw())

        together = await asyncio.gather(*(stream(http, model, one) for one in asked), *map(vanish, asked[:10]))
    assert [made[0] for made in together[:STREAMS] if made] == alone
    await asyncio.to_thread(wait_until, "every slot to be free", lambda: running(url) == 0, 30)


async def test_a_crash_ends_each_stream_with_one_error_and_the_next_request_works(
    url: str, endless_model: Path
) -> None:
    model = str(endless_model)
    async with httpx.AsyncClient(base_url=url, timeout=300) as http:
        waiting = [asyncio.create_task(stream(http, model, str(number), 450)) for number in range(6)]
        await asyncio.to_thread(wait_until, "six streams", lambda: running(url) == 6, 60)
        await asyncio.sleep(0.2)
        await asyncio.to_thread(kill_child_of, endless_model)
        ended = await asyncio.gather(*waiting)
        assert [[error["code"] for error in errors] for _, errors in ended] == [["runtime-crashed"]] * 6
        assert (await stream(http, model, "다시", 9)) == ("강남역", [])


def kill_child_of(folder: Path) -> None:
    """Kill the child that has this model loaded."""
    for child in psutil.Process().children():
        if "tunesmith.ml.serve" in (words := child.cmdline()):
            spec = json.loads((Path(words[-1]) / "spec.json").read_text())
            if spec["model_path"] == str(folder):
                child.kill()


def test_adapters_are_switched_on_one_base(url: str, tiny_model: Path, tiny_adapter: Path) -> None:
    other = write_tiny_adapter(tiny_adapter.parent / "other", "남".encode())
    wrong = write_tiny_adapter(tiny_adapter.parent / "wrong")
    config = json.loads((wrong / "adapter_config.json").read_text())
    (wrong / "adapter_config.json").write_text(json.dumps(config | {"target_modules": ["nothing_like_this"]}))
    parts = load_file(wrong / "adapter_model.safetensors")
    foreign, misshapen = (write_tiny_adapter(tiny_adapter.parent / name) for name in ("foreign", "misshapen"))
    moved = {name.replace("base_model.model.", "base_model.model.elsewhere."): part for name, part in parts.items()}
    save_file(moved, foreign / "adapter_model.safetensors")
    last = sorted(parts)[-1]
    save_file(parts | {last: parts[last][:-1].copy()}, misshapen / "adapter_model.safetensors")
    with httpx.Client(base_url=url, timeout=120) as http:
        before = children()

        def answer(adapter: Path | None) -> tuple[int, str]:
            body = {"base": str(tiny_model), **({"adapter": str(adapter)} if adapter else {})}
            begun = http.post("/chat/initialize", json=body)
            assert begun.status_code == 200, begun.text
            made = http.post("/chat/chat", json={"message": "?", "temperature": 0, "max_tokens": 9})
            return made.status_code, made.json().get("response") or made.json()["code"]

        assert answer(None) == (200, "강남역")
        pids = children() - before
        for unfit in (foreign, misshapen):  # before PEFT has put anything on the base, and again below
            assert answer(unfit) == (422, "adapter-refused")
        assert answer(None) == (200, "강남역")
        assert answer(tiny_adapter) == (200, "역")
        assert answer(other) == (200, "남역")
        for unfit in (wrong, foreign, misshapen):
            assert answer(unfit) == (422, "adapter-refused")
        assert answer(None) == (200, "강남역")
        assert answer(tiny_adapter) == (200, "역")
        assert (len(pids), children() - before) == (1, pids)


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children() if "tunesmith.ml.serve" in " ".join(child.cmdline())}


def test_a_template_without_a_system_role_gets_the_system_prompt_in_the_first_question(
    url: str, tiny_model: Path
) -> None:
    model = tiny_model.parent / "no-system"
    shutil.copytree(tiny_model, model, dirs_exist_ok=True)
    template = model / "chat_template.jinja"
    refusing = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    template.write_text(refusing + template.read_text())
    with httpx.Client(base_url=url, timeout=120) as http:
        http.post("/chat/initialize", json={"model": str(model), "system_prompt": "Be brief."})
        made = http.post("/chat/chat", json={"message": "?", "temperature": 0, "max_tokens": 9}).json()
        plain = http.post("/chat/generate", json={"prompt": "?", "system_prompt": "", "max_tokens": 9}).json()
    assert made["response"] == "강남역"
    assert made["usage"]["prompt_tokens"] == plain["usage"]["prompt_tokens"] + len("Be brief.\n\n")
