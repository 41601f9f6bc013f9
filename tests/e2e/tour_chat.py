"""Every chat call there is, in one scripted run: the 12 of the workbench and those of the control plane.

It knows the program through its client alone: `python -m tests.e2e.tour_chat http://127.0.0.1:8000` drives a server that runs.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from tunesmith.client import Conversation, TunesmithClient

MODEL = "tunesmith/tiny"


@dataclass
class ChatTour:
    """The run, and how many seconds each call took."""

    client: TunesmithClient
    taken: dict[str, float] = field(default_factory=dict)

    async def timed(self, name: str, call: Awaitable[Any]) -> Any:
        """The call's answer; its time is noted."""
        started = time.monotonic()
        answer = await call
        self.taken[name] = round(time.monotonic() - started, 3)
        return answer

    async def drive(self) -> dict[str, float]:
        """Both surfaces; answers the times by call."""
        await self.workbench()
        await self.control_plane()
        return self.taken

    async def workbench(self) -> None:
        """The 12 calls of `/chat/…`."""
        chat, timed = self.client.chatting, self.timed
        begun = await timed("POST /chat/initialize", chat.initialize(MODEL, system_prompt="짧게 답하세요."))
        assert begun["status"] == "ready"
        style = await timed("POST /chat/recommended-parameters", chat.recommended_parameters("precise", apply=True))
        assert style["applied"] is True
        first = await timed("POST /chat/chat", chat.chat("새벽호는 몇 시에 출발하나요?", max_tokens=24))
        assert first["response"]
        again = await timed(
            "POST /chat/generate", chat.generate("새벽호는 몇 시에 출발하나요?", max_tokens=24, temperature=0)
        )
        assert again["conversation_id"] is None
        events = [event async for event in chat.stream("고마워요", max_tokens=24)]
        assert events[-1]["answer"]["response"] == "".join(e["text"] for e in events if e["type"] == "delta")
        history = await timed("GET /chat/history", chat.history())
        assert [turn["role"] for turn in history["items"]] == ["user", "assistant"] * 2
        summary = await timed("GET /chat/history/summary", chat.summary(generate=True))
        assert summary["turns"] == 4
        tokens = await timed("GET /chat/token-statistics", chat.token_statistics())
        assert 0 < tokens["context_used"] < tokens["context_length"]
        status = await timed("GET /chat/status", chat.status())
        assert (status["status"], status["turns"]) == ("ready", 4)
        assert (await timed("GET /chat/health", chat.health()))["status"] == "ready"
        changed = await timed("POST /chat/system-prompt", chat.set_system_prompt("Be brief."))
        assert (await timed("GET /chat/system-prompt", chat.system_prompt())) == changed
        assert (await timed("POST /chat/history/clear", chat.clear()))["removed_turns"] == 4
        assert (await chat.history())["total"] == 0

    async def control_plane(self) -> None:
        """Conversations with their branches, files and training data."""
        client, timed = self.client, self.timed
        talk = await timed("POST /conversations", Conversation.begin(client, model=MODEL, title="항구"))
        path = f"/conversations/{talk.id}"
        ask = {"message": "새벽호는 몇 시에 출발하나요?", "temperature": 0, "max_tokens": 24}
        first = await timed("POST /conversations/{id}/answers", client.post(f"{path}/answers", ask))
        again = {"regenerate": first["turn_id"], "temperature": 1, "seed": 7, "max_tokens": 24}
        two = [await client.post(f"{path}/answers", again) for _ in range(2)]
        assert two[0]["response"] == two[1]["response"]
        edit = {"edit_of": first["user_turn_id"], "message": "요금은요?", "max_tokens": 24}
        await client.post(f"{path}/answers", edit)
        found = await timed("GET /conversations/{id}", talk.get())
        assert (len(found["turns"]), len(found["path"])) == (6, 2)
        back = await timed("PATCH /conversations/{id}", talk.change(current_turn_id=first["turn_id"]))
        assert back["path"] == [first["user_turn_id"], first["turn_id"]]
        admin = "/api/v1/admin"
        rating = f"{admin}{path}/turns/{first['turn_id']}/rating"
        await timed("PUT /conversations/{id}/turns/{id}/rating", client.call("PUT", rating, body={"rating": "good"}))
        body = {"name": "항구 대화", "conversation_ids": [talk.id]}
        made = await timed("POST /conversations/dataset", client.post("/conversations/dataset", body))
        job = await client.wait_for_job(made["job_id"])
        assert job["state"] == "succeeded"
        exported = await timed("GET /conversations/{id}/export", client.get(f"{path}/export", format="json"))
        assert exported["id"] == talk.id
        listed = await timed("GET /conversations", client.get("/conversations", search="새벽호"))
        assert talk.id in [one["id"] for one in listed["items"]]
        assert "data" in await timed("GET /v1/models", client.call("GET", "/v1/models"))


async def drive(address: str) -> dict[str, float]:
    """The tour on the server at that address."""
    client = TunesmithClient.connect(address)
    try:
        return await ChatTour(client).drive()
    finally:
        await client.close()


if __name__ == "__main__":
    for name, seconds in asyncio.run(drive(sys.argv[1])).items():
        print(f"{seconds:8.3f} s  {name}")
