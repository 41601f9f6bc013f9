"""Local mode stays on this machine: what a foreign page could make a browser send is refused."""

from __future__ import annotations

import httpx
import pytest


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "169.254.169.254", "", "localhost.evil:8000"]
)
async def test_foreign_host_is_refused(client: httpx.AsyncClient, host: str) -> None:
    answer = await client.get("/health", headers={"host": host})
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"
    assert "TUNESMITH_API__ALLOWED_HOSTS" in answer.json()["hint"]


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "LOCALHOST:8000"])
async def test_loopback_names_are_served(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/health", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "https://127.0.0.1:8000.evil.example"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ],
)
async def test_foreign_page_may_not_call(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post("/api/v1/admin/jobs/1/cancel", headers=headers)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


async def test_own_page_and_plain_programs_may_call(client: httpx.AsyncClient) -> None:
    own = {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}
    assert (await client.get("/api/v1/admin/system", headers=own)).status_code == 200
    assert (await client.get("/api/v1/admin/system")).status_code == 200


async def test_link_from_elsewhere_opens_the_page(client: httpx.AsyncClient) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert (await client.get("/app/", headers=headers)).status_code == 200
