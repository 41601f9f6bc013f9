"""Errors are problem documents with a sentence and a hint, and carry the request id."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from tunesmith.kit.errors import Conflict


async def test_unknown_address(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/admin/nothing", headers={"x-request-id": "my-id.1"})
    problem = answer.json()
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["instance"] == answer.headers["x-request-id"] == "my-id.1"
    assert problem["detail"]
    assert problem["hint"]
    assert problem["type"] == problem["code"]


async def test_request_id_is_made_when_the_given_one_is_unfit(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health", headers={"x-request-id": "a b\tc"})
    assert len(answer.headers["x-request-id"]) == 16


async def test_wrong_method_names_the_right_ones(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/health")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


async def test_located_faults_of_a_body(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/admin/jobs", params={"page": "zero", "page_size": "201"})
    assert answer.status_code == 422
    assert {e["location"] for e in answer.json()["errors"]} == {"query.page", "query.page_size"}


async def test_an_unexpected_error_shows_nothing_of_the_inside(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("secret detail")

    answer = await client.get("/boom")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.json()["code"] == "internal"


async def test_the_inference_surface_speaks_openai(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.get("/v1/boom")
    async def boom() -> None:
        raise Conflict("Taken.", hint="Wait.")

    answer = await client.get("/v1/boom")
    assert answer.status_code == 409
    assert answer.json() == {
        "error": {"message": "Taken. Wait.", "type": "invalid_request_error", "code": "conflict", "param": None}
    }


@pytest.mark.parametrize("path", ["/health", "/app/", "/api/v1/admin/nothing"])
async def test_security_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/app/../../settings.py", "/app/%2e%2e/%2e%2e/settings.py", "/app/%00", "/app/x\\y"])
async def test_the_ui_serves_nothing_outside_its_folder(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert "class Settings" not in answer.text
    assert answer.status_code < 500


async def test_metrics_count_by_route(client: httpx.AsyncClient) -> None:
    await client.get("/health")
    text = (await client.get("/metrics")).text
    assert 'tunesmith_http_requests_total{method="GET",route="/health",status="200"} 1.0' in text


async def test_config_masks_secrets(settings, client: httpx.AsyncClient) -> None:  # type: ignore[no-untyped-def]
    from tunesmith.api.app import create_app
    from tunesmith.settings import load_settings

    canary = "canary-7f3a"
    s3 = {"bucket": "b", "secret_access_key": canary, "access_key_id": canary}
    secret = load_settings(data_dir=settings.data_dir, storage={"backend": "local", "s3": s3})
    application = create_app(secret)
    async with application.router.lifespan_context(application):
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
            answer = await http.get("/config")
    assert answer.status_code == 200
    assert canary not in answer.text
