"""`/v1`: the official OpenAI client works unchanged, what is not done is refused by name, and nobody waits for those who left."""

from __future__ import annotations

import concurrent.futures
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import pytest

from tests.fixtures.server import wait_until
from tunesmith.adapters.serving.fake import FakeBackend

QUESTION = [{"role": "user", "content": "강남역 2번 출구로 나가면 보이는 것은?"}]
LONG = [{"role": "user", "content": "가나다" * 1000}]


@pytest.fixture(scope="module")
def url(serve_app: Callable[..., str], tiny_model: Path) -> str:
    """An application whose models repeat what they are told."""
    return serve_app({"transformers": FakeBackend()}, models={"allowed_roots": [tiny_model.parent]})


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> str:
    return str(tiny_model)


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="local", max_retries=0)


def post(url: str, body: Any, **options: Any) -> httpx.Response:
    return httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60, **options)


def test_the_official_client_gets_a_whole_answer(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=QUESTION, temperature=0)  # type: ignore[call-overload]
    assert answer.choices[0].message.content == QUESTION[0]["content"]
    assert answer.choices[0].finish_reason == "stop"
    assert answer.object == "chat.completion"
    assert answer.model == model
    assert answer.usage.completion_tokens == len(QUESTION[0]["content"].encode())
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_official_client_gets_a_stream(client: openai.OpenAI, model: str) -> None:
    chunks = list(
        client.chat.completions.create(  # type: ignore[call-overload]
            model=model, messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
    )
    text = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert "".join(text) == QUESTION[0]["content"]
    assert len(text) == len(QUESTION[0]["content"])
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == len(QUESTION[0]["content"].encode())
    assert len({chunk.id for chunk in chunks}) == 1


async def test_the_asynchronous_client_works_too(url: str, model: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="local") as client:
        stream = await client.chat.completions.create(  # type: ignore[call-overload]
            model=model, messages=QUESTION, stream=True, max_completion_tokens=6
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "강남"
    assert chunks[-1].choices[0].finish_reason == "length"


def test_a_stream_is_whole_utf8_in_every_line(url: str, model: str) -> None:
    body = {"model": model, "messages": QUESTION, "stream": True}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        raw = b"".join(answer.iter_raw())
    events = [line.removeprefix(b"data: ") for line in raw.split(b"\n\n") if line]
    assert events[-1] == b"[DONE]"
    texts = [json.loads(event)["choices"][0]["delta"].get("content", "") for event in events[:-1]]
    assert "".join(texts) == QUESTION[0]["content"]


def test_an_answer_may_come_back_as_it_was_sent(client: openai.OpenAI, url: str, model: str) -> None:
    """A message of the client has fields (refusal, tool_calls, …) that are null; one that says something is refused."""
    said = client.chat.completions.create(model=model, messages=QUESTION).choices[0].message  # type: ignore[call-overload]
    more = [*QUESTION, said, {"role": "user", "content": "하나 더"}]
    answer = client.chat.completions.create(model=model, messages=more)  # type: ignore[call-overload]
    assert answer.choices[0].message.content == "하나 더"
    called = said.model_dump() | {"tool_calls": [{"id": "1", "type": "function", "function": {"name": "f"}}]}
    refused = post(url, {"model": model, "messages": [*QUESTION, called, *QUESTION]})
    assert refused.status_code == 422
    assert "tool_calls" in refused.json()["error"]["message"]


def test_stop_strings_and_parts_are_read(client: openai.OpenAI, model: str) -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "하나 "}, {"type": "text", "text": "둘 셋"}]}]
    answer = client.chat.completions.create(model=model, messages=parts, stop="셋")  # type: ignore[call-overload]
    assert answer.choices[0].message.content == "하나 둘 "


def test_several_answers_of_one_prompt(client: openai.OpenAI, url: str, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=QUESTION, n=3, seed=5)  # type: ignore[call-overload]
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert {choice.message.content for choice in answer.choices} == {QUESTION[0]["content"]}
    one = client.chat.completions.create(model=model, messages=QUESTION)  # type: ignore[call-overload]
    assert answer.usage.prompt_tokens == one.usage.prompt_tokens
    assert answer.usage.completion_tokens == 3 * one.usage.completion_tokens
    texts = client.completions.create(model=model, prompt=["하나", "둘"], n=2)
    assert [choice.text for choice in texts.choices] == ["하나", "하나", "둘", "둘"]


def test_models_are_listed_and_an_unknown_one_is_404(client: openai.OpenAI) -> None:
    assert "tunesmith/tiny" in [entry.id for entry in client.models.list()]
    assert client.models.retrieve("tunesmith/tiny").id == "tunesmith/tiny"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")
    for name in ("gpt-4o", "nobody@1.0.0", "run:99999"):
        with pytest.raises(openai.NotFoundError) as refused:
            client.chat.completions.create(model=name, messages=QUESTION)  # type: ignore[call-overload]
        assert refused.value.type == "invalid_request_error"
        assert refused.value.code


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tools", [{"type": "function", "function": {"name": "f"}}]),
        ("response_format", {"type": "json_object"}),
        ("top_logprobs", 3),
        ("logit_bias", {"1": 5}),
        ("presence_penalty", 0.5),
        ("frequency_penalty", -1),
        ("audio", {}),
        ("something_new", 1),
    ],
)
def test_a_field_that_would_be_ignored_is_refused_by_name(url: str, model: str, field: str, value: Any) -> None:
    answer = post(url, {"model": model, "messages": QUESTION, field: value})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (422, "unsupported-field", field)
    assert field in error["message"]


def test_values_that_ask_for_nothing_are_taken(url: str, model: str) -> None:
    plain = {"n": 1, "logprobs": False, "presence_penalty": 0, "frequency_penalty": 0.0, "user": "me", "tools": None}
    plain |= {"response_format": {"type": "text"}, "logit_bias": {}, "seed": 1, "top_p": 1, "metadata": {"a": "b"}}
    assert post(url, {"model": model, "messages": QUESTION, **plain}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"messages": []},
        {"messages": "hello"},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        {"temperature": 3},
        {"temperature": "hot"},
        {"top_p": 0},
        {"max_tokens": 0},
        {"max_tokens": 10**9},
        {"stop": ["a"] * 17},
        {"stream": "yes"},
        {"model": ""},
        {"model": 5},
        {"seed": 2**70},
        {"n": True},
        {"n": 0},
        {"n": 17},
        {"n": 2, "stream": True},
    ],
)
def test_a_malformed_request_is_refused_in_the_shape_that_clients_know(
    url: str, model: str, change: dict[str, Any]
) -> None:
    answer = post(url, {"model": model, "messages": QUESTION, **change})
    error = answer.json()["error"]
    assert answer.status_code == 422
    assert set(error) == {"message", "type", "code", "param"}
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 50_000])
def test_a_body_that_is_no_request_is_4xx(url: str, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = httpx.post(f"{url}/v1/chat/completions", content=content, headers=headers, timeout=60)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["message"]


def test_half_a_character_is_refused(url: str, model: str) -> None:
    for stop in ("\ud800", ["\ud800"]):
        body = json.dumps({"model": model, "messages": QUESTION, "stop": stop})
        headers = {"content-type": "application/json"}
        answer = httpx.post(f"{url}/v1/chat/completions", content=body, headers=headers, timeout=60)
        assert answer.status_code == 422, answer.text


def test_a_body_beyond_the_limit_is_refused(url: str) -> None:
    answer = httpx.post(f"{url}/v1/chat/completions", content=b"x" * (17 * 2**20), timeout=60)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request-too-large")
    in_chunks = httpx.post(f"{url}/v1/chat/completions", content=iter([b"x" * 2**20] * 17), timeout=60)
    assert (in_chunks.status_code, in_chunks.json()["error"]["code"]) == (413, "request-too-large")


def test_a_client_that_leaves_frees_its_slot(url: str, model: str) -> None:
    body = {"model": model, "messages": LONG, "stream": True}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=60) as answer:
        lines = answer.iter_lines()
        next(lines)
        assert _active(url) == 1
    wait_until("the stream's slot to be free", lambda: _active(url) == 0, 10)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{url}/v1/chat/completions", json={**body, "stream": False}, timeout=0.5)
    wait_until("the call's slot to be free", lambda: _active(url) == 0, 10)


def test_who_finds_every_place_taken_is_told_when_to_come_back(
    serve_app: Callable[..., str], tiny_model: Path, endless_model: Path
) -> None:
    roots = [tiny_model.parent, endless_model.parent]
    url = serve_app({"transformers": FakeBackend()}, models={"allowed_roots": roots}, runtime={"max_loaded_models": 1})
    body = {"model": str(tiny_model), "messages": LONG, "stream": True}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=60) as answer:
        lines = answer.iter_lines()
        next(lines)
        refused = post(url, {"model": str(endless_model), "messages": QUESTION})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "busy")
    assert refused.headers["retry-after"] == "1"


def test_eight_streams_at_once(url: str, model: str) -> None:
    def read(number: int) -> str:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="local")
        messages = [{"role": "user", "content": f"{number}번째 이야기"}]
        stream = client.chat.completions.create(model=model, messages=messages, stream=True)  # type: ignore[call-overload]
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(8))) == [f"{number}번째 이야기" for number in range(8)]


def test_a_crash_in_a_stream_is_one_clear_error_and_the_next_request_works(url: str, model: str) -> None:
    body = {"model": model, "messages": LONG, "stream": True}
    events = []
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=60) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                events.append(line[6:])
                if len(events) == 3:
                    _children("tunesmith.ml.serve_fake")[0].kill()
    error = json.loads(events[-1])["error"]
    assert (error["code"], error["type"]) == ("runtime-crashed", "server_error")
    assert post(url, {"model": model, "messages": QUESTION}).status_code == 200


def _active(url: str) -> int:
    loaded = httpx.get(f"{url}/model/health", timeout=60).json()["loaded"]
    return sum(int(model["active_requests"]) for model in loaded)


def _children(module: str) -> list[psutil.Process]:
    """Living children of this process that run ``module``."""
    found = []
    for child in psutil.Process().children():
        try:
            if module in child.cmdline():
                found.append(child)
        except psutil.Error:
            continue  # it has just ended
    return found


def test_a_text_is_continued_without_a_template(client: openai.OpenAI, model: str) -> None:
    made = client.completions.create(model=model, prompt=["하나 둘", "셋"], max_tokens=60, stop="둘", logprobs=1)
    assert [choice.text for choice in made.choices] == ["하나 ", "셋"]
    assert [choice.index for choice in made.choices] == [0, 1]
    assert made.choices[1].logprobs is not None
    assert made.choices[1].logprobs.tokens == ["셋"]
    assert made.usage is not None
    assert made.usage.prompt_tokens == len("하나 둘셋".encode())
    many = [f"{number}번째 배" for number in range(40)]  # more than are answered side by side
    answered = client.completions.create(model=model, prompt=many, max_tokens=60).choices
    assert [choice.text for choice in answered] == many
    stream = client.completions.create(model=model, prompt="하나 둘", max_tokens=60, stream=True)
    pieces = [choice for chunk in stream for choice in chunk.choices]
    assert "".join(piece.text for piece in pieces) == "하나 둘"
    assert pieces[-1].finish_reason == "stop"
    assert client.completions.create(model=model, prompt="가" * 20).usage.completion_tokens == 15  # type: ignore[union-attr]
    for refused in ({"prompt": ["a", "b"], "stream": True}, {"prompt": ""}, {"prompt": "a", "echo": True}):
        body = {"model": model, **refused}
        assert httpx.post(f"{url_of(client)}/completions", json=body, timeout=60).status_code == 422


def url_of(client: openai.OpenAI) -> str:
    return str(client.base_url).rstrip("/")


def test_the_bundled_model_answers_and_returns_its_memory(serve_app: Callable[..., str]) -> None:
    url = serve_app()
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="local", timeout=300)
    ask: dict[str, Any] = {"model": "tunesmith/tiny", "messages": [{"role": "user", "content": "안녕하세요?"}]}
    greedy = [client.chat.completions.create(**ask, temperature=0, max_tokens=40) for _ in range(2)]
    text = greedy[0].choices[0].message.content
    assert text
    assert greedy[1].choices[0].message.content == text
    stream = client.chat.completions.create(**ask, temperature=0, max_tokens=40, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == text
    seeded = [client.chat.completions.create(**ask, temperature=1.5, seed=5, max_tokens=20) for _ in range(2)]
    assert seeded[0].choices[0].message.content == seeded[1].choices[0].message.content
    told = client.chat.completions.create(**ask, temperature=0, max_tokens=5, logprobs=True, top_logprobs=2)
    entries = told.choices[0].logprobs.content
    assert "".join(bytes(entry.bytes).decode() for entry in entries if entry.bytes).startswith(text[:2])
    assert len(entries) == told.usage.completion_tokens
    assert all(entry.logprob == entry.top_logprobs[0].logprob <= 0 for entry in entries)
    pieces = client.chat.completions.create(**ask, temperature=0, max_tokens=5, logprobs=True, stream=True)
    streamed = [one.token for piece in pieces if piece.choices[0].logprobs for one in piece.choices[0].logprobs.content]
    assert streamed == [entry.token for entry in entries]
    assert len(_children("tunesmith.ml.serve")) == 1
    (loaded,) = httpx.get(f"{url}/model/health", timeout=60).json()["loaded"]
    assert loaded["memory_bytes"] > 100 * 2**20
    assert httpx.post(f"{url}/model/upload?model_path=tunesmith/tiny", timeout=60).json()["cached"] is True
    started = time.monotonic()
    assert httpx.post(f"{url}/model/unload", timeout=60).json()["freed_bytes"] > 100 * 2**20
    assert time.monotonic() - started < 10
    assert httpx.get(f"{url}/model/health", timeout=60).json()["loaded"] == []
    assert _children("tunesmith.ml.serve") == []
