"""Conversations over HTTP, with models that repeat what they are told: history, branches, overflow, reasoning, streams, files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.fixtures.server import wait_until
from tunesmith.adapters.serving.fake import FakeBackend

CONVERSATIONS = "/api/v1/admin/conversations"
CONTEXT = 1 << 16
"""Bytes that the fake reads, answer included."""


@pytest.fixture(scope="module")
def url(serve_app: Callable[..., str], tiny_model: Path) -> str:
    return serve_app({"transformers": FakeBackend()}, models={"allowed_roots": [tiny_model.parent]})


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def chat(http: httpx.Client, tiny_model: Path) -> int:
    """A conversation that is the current one."""
    body = {"model": str(tiny_model), "system_prompt": "짧게."}
    answer = http.post("/chat/initialize", json=body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["conversation_id"])


def say(http: httpx.Client, text: str, **more: Any) -> dict[str, Any]:
    answer = http.post("/chat/chat", json={"message": text, "temperature": 0, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def events(http: httpx.Client, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    with http.stream("POST", path, json=body | {"stream": True}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]


def detail(http: httpx.Client, chat: int) -> dict[str, Any]:
    found: dict[str, Any] = http.get(f"{CONVERSATIONS}/{chat}").json()
    return found


def test_what_was_said_before_is_part_of_the_prompt(http: httpx.Client, chat: int) -> None:
    first = say(http, "하나")
    assert (first["response"], first["status"], first["finish_reason"]) == ("하나", "complete", "stop")
    second = say(http, "둘")
    said = "system: 짧게.\nuser: 하나\nassistant: 하나\nuser: 둘\nassistant: "
    assert second["usage"]["prompt_tokens"] == len(said.encode())
    history = http.get("/chat/history").json()
    assert [(turn["role"], turn["content"]) for turn in history["items"]] == [
        ("user", "하나"),
        ("assistant", "하나"),
        ("user", "둘"),
        ("assistant", "둘"),
    ]
    assert (history["total"], history["conversation_id"], history["system_prompt"]) == (4, chat, "짧게.")
    tokens = http.get("/chat/token-statistics").json()
    assert tokens["completion_tokens"] == len("하나둘".encode())
    assert tokens["context_used"] == second["usage"]["total_tokens"]
    assert tokens["context_remaining"] == CONTEXT - tokens["context_used"]
    assert http.post("/chat/generate", json={"prompt": "따로"}).json()["response"] == "따로"
    assert http.get("/chat/history").json()["total"] == 4
    assert http.post("/chat/history/clear").json()["removed_turns"] == 4
    assert http.get("/chat/history").json()["total"] == 0
    assert http.get("/chat/system-prompt").json()["system_prompt"] == "짧게."


def test_the_oldest_turns_are_dropped_whole_and_the_system_prompt_never(http: httpx.Client, chat: int) -> None:
    long = "x" * 14_000
    made = [say(http, f"{number}{long}", max_tokens=5) for number in range(5)]
    assert [answer["context"]["dropped_turns"] for answer in made] == [0, 0, 0, 0, 2]
    assert "2 oldest turns" in made[-1]["context"]["message"]
    kept = [f"user: {number}{long}\nassistant: {number}xxxx\n" for number in range(1, 4)]
    prompt = "system: 짧게.\n" + "".join(kept) + f"user: 4{long}\nassistant: "
    assert made[-1]["usage"]["prompt_tokens"] == len(prompt.encode())
    assert http.get("/chat/history").json()["total"] == 10
    assert http.get("/chat/token-statistics").json()["dropped_turns"] == 2


def test_a_message_that_never_fits_is_refused_and_leaves_nothing(http: httpx.Client, chat: int) -> None:
    refused = http.post("/chat/chat", json={"message": "x" * CONTEXT})
    assert (refused.status_code, refused.json()["code"]) == (422, "message-too-long")
    assert http.get("/chat/history").json()["total"] == 0
    assert http.get("/chat/status").json()["status"] == "ready"


def test_a_summary_stands_in_for_what_was_dropped_when_asked(http: httpx.Client, tiny_model: Path) -> None:
    body = {"model": str(tiny_model), "overflow": "summarise", "parameters": {"max_tokens": 5}}
    chat = http.post(CONVERSATIONS, json=body).json()["id"]
    for number in range(5):
        answer = http.post(f"{CONVERSATIONS}/{chat}/answers", json={"message": f"{number}" + "x" * 14_000}).json()
    assert answer["context"]["summarised"] is True
    assert answer["context"]["dropped_turns"] == 2
    assert "Summarise this conversation" in detail(http, chat)["summary"]


def test_reasoning_stands_apart_and_is_not_read_again(http: httpx.Client, chat: int) -> None:
    found = events(http, "/chat/chat", {"message": "<think>음…</think>\n답"})
    assert found[0]["type"] == "start"
    assert "".join(event["text"] for event in found if event["type"] == "reasoning") == "음…"
    assert "".join(event["text"] for event in found if event["type"] == "delta") == "답"
    assert (found[-1]["answer"]["response"], found[-1]["answer"]["reasoning"]) == ("답", "음…")
    again = say(http, "또")
    said = "system: 짧게.\nuser: <think>음…</think>\n답\nassistant: 답\nuser: 또\nassistant: "
    assert again["usage"]["prompt_tokens"] == len(said.encode())


def test_stop_strings_and_styles_reach_the_model(http: httpx.Client, chat: int) -> None:
    answer = say(http, "하나 둘 셋", stop=["둘"], style="code")
    assert answer["response"] == "하나 "
    assert answer["parameters"] == {"temperature": 0.0, "top_p": 0.95, "max_tokens": 1024, "seed": None, "stop": ["둘"]}
    applied = http.post("/chat/recommended-parameters", json={"style": "precise", "apply": True}).json()
    assert (applied["parameters"]["temperature"], applied["applied"], len(applied["alternatives"])) == (0.0, True, 3)
    assert http.get("/chat/status").json()["parameters"]["style"] == "precise"


def test_an_answer_is_written_again_a_question_edited_and_both_branches_stay(http: httpx.Client, chat: int) -> None:
    first = say(http, "하나")
    say(http, "둘")
    path = f"{CONVERSATIONS}/{chat}/answers"
    again = http.post(path, json={"regenerate": first["turn_id"]}).json()
    assert (again["user_turn_id"], again["response"]) == (first["user_turn_id"], "하나")
    assert detail(http, chat)["path"] == [first["user_turn_id"], again["turn_id"]]
    edited = http.post(path, json={"edit_of": first["user_turn_id"], "message": "셋"}).json()
    assert detail(http, chat)["path"] == [edited["user_turn_id"], edited["turn_id"]]
    back = http.patch(f"{CONVERSATIONS}/{chat}", json={"current_turn_id": first["turn_id"], "title": "제목"}).json()
    assert (back["title"], len(back["path"]), len(back["turns"])) == ("제목", 4, 7)
    for body, code in (
        ({"regenerate": first["user_turn_id"]}, "turn-role"),
        ({"regenerate": 999_999}, "turn-not-found"),
        ({"edit_of": first["turn_id"], "message": "x"}, "turn-role"),
        ({"message": "  "}, "validation"),
        ({}, "validation"),
        ({"message": "x", "regenerate": first["turn_id"]}, "validation"),
    ):
        refused = http.post(path, json=body)
        assert (400 <= refused.status_code < 500, refused.json()["code"]) == (True, code)


def test_good_answers_become_a_dataset_and_a_conversation_a_file(http: httpx.Client, chat: int) -> None:
    dataset = {"name": "좋은 답", "conversation_ids": [chat]}
    first, second = say(http, "하나"), say(http, "둘")
    none_yet = http.post(f"{CONVERSATIONS}/dataset", json=dataset)
    assert (none_yet.status_code, none_yet.json()["code"]) == (422, "no-good-turns")
    rating = f"{CONVERSATIONS}/{chat}/turns/{{}}/rating"
    assert http.put(rating.format(first["turn_id"]), json={"rating": "good"}).json()["rating"] == "good"
    assert http.put(rating.format(first["user_turn_id"]), json={"rating": "good"}).json()["code"] == "turn-role"
    made = http.post(f"{CONVERSATIONS}/dataset", json=dataset)
    assert made.status_code == 201, made.text
    rows = http.get(f"/api/v1/admin/training/datasets/{made.json()['id']}/preview").json()["rows"]
    said = [{"role": "user", "content": "하나"}, {"role": "assistant", "content": "하나"}]
    assert [row["data"]["messages"] for row in rows] == [[{"role": "system", "content": "짧게."}, *said]]
    exports = f"{CONVERSATIONS}/{chat}/export?format="
    whole = http.get(exports + "json").json()
    assert [turn["id"] for turn in whole["turns"]][-1] == second["turn_id"]
    markdown = http.get(exports + "markdown")
    assert "## User\n\n하나\n\n## Assistant\n\n하나" in markdown.text
    assert markdown.headers["content-disposition"].endswith(f'-{chat}.md"')
    row = json.loads(http.get(exports + "messages").text)
    assert [message["content"] for message in row["messages"]] == ["짧게.", "하나", "하나", "둘", "둘"]


def test_who_goes_away_frees_the_slot_and_what_came_is_kept(http: httpx.Client, url: str, chat: int) -> None:
    body = {"message": "가나다" * 1000, "stream": True}
    with httpx.stream("POST", f"{url}/chat/chat", json=body, timeout=60) as answer:
        lines = answer.iter_lines()  # a loop that breaks off would close the stream
        while '"delta"' not in next(lines):
            continue
        busy = http.post("/chat/chat", json={"message": "x"})
        assert (busy.status_code, busy.json()["code"]) == (409, "conversation-busy")
        assert http.post("/chat/history/clear").status_code == 409
        assert http.get("/chat/status").json()["status"] == "answering"
    wait_until("the slot to be free", lambda: http.get("/chat/health").json()["active_requests"] == 0, 10)
    turn = http.get("/chat/history").json()["items"][-1]
    assert (turn["status"], turn["finish_reason"]) == ("stopped", None)
    assert turn["content"].startswith("가")
    assert say(http, "그다음")["response"] == "그다음"


def test_a_crash_is_one_clear_error_and_the_next_message_works(http: httpx.Client, chat: int) -> None:
    found = []
    with http.stream("POST", "/chat/chat", json={"message": "가나다" * 1000, "stream": True}) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line[6:]))
                if len(found) == 3:
                    for child in psutil.Process().children():
                        if "tunesmith.ml.serve_fake" in child.cmdline():
                            child.kill()
    assert [event["type"] for event in found].count("error") == 1
    assert found[-1]["error"]["code"] == "runtime-crashed"
    turn = http.get("/chat/history").json()["items"][-1]
    assert (turn["status"], turn["error"]["code"]) == ("failed", "runtime-crashed")
    assert turn["content"]
    assert say(http, "다시")["response"] == "다시"


def test_conversations_are_listed_found_and_removed(http: httpx.Client, chat: int) -> None:
    say(http, "등대는 100% 어디?")
    for search, is_found in (("등대는", True), ("100%", True), ("없는 말", False), ("%%", False)):
        ids = [one["id"] for one in http.get(CONVERSATIONS, params={"search": search}).json()["items"]]
        assert (chat in ids) is is_found
    listed = http.get(CONVERSATIONS, params={"page_size": 1}).json()
    assert (listed["items"][0]["id"], listed["items"][0]["title"]) == (chat, "등대는 100% 어디?")
    assert http.delete(f"{CONVERSATIONS}/{chat}").status_code == 204
    assert http.get(f"{CONVERSATIONS}/{chat}").json()["code"] == "conversation-not-found"
    assert http.get("/chat/status").json()["initialized"] is False
    assert http.post("/chat/chat", json={"message": "x"}).json()["code"] == "chat-not-initialized"
    assert http.post("/chat/system-prompt", json={"prompt": "새로"}).json()["system_prompt"] == "새로"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/chat/initialize", {"model": "nobody/nothing"}, "model-not-found"),
        ("/chat/initialize", {"model": "/etc"}, "path-not-allowed"),
        ("/chat/initialize", {"model": "remote:nowhere"}, "model-not-found"),
        ("/chat/initialize", {"model": "tunesmith/tiny", "adapter": "/etc"}, "path-not-allowed"),
        ("/chat/initialize", {"unknown": 1}, "validation"),
        ("/chat/chat", {"message": ""}, "validation"),
        ("/chat/chat", {"message": "x", "temperature": 3}, "validation"),
        ("/chat/chat", {"message": "x", "style": "wild"}, "validation"),
        ("/chat/chat", {"message": "x", "max_tokens": 10**6}, "max-tokens"),
        ("/chat/chat", {"message": "x", "conversation_id": 999_999}, "conversation-not-found"),
        ("/chat/chat", {"message": "x", "stop": ["a"] * 17}, "validation"),
        ("/chat/generate", {"prompt": " "}, "validation"),
        ("/chat/recommended-parameters", {"style": "wild"}, "validation"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    http: httpx.Client, chat: int, path: str, body: dict[str, Any], code: str
) -> None:
    refused = http.post(path, json=body)
    assert (400 <= refused.status_code < 500, refused.json()["code"]) == (True, code), refused.text
