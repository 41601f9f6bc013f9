"""Exports through the front door, judged by transformers and llama.cpp; and artefacts that are wrong in every way we know."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.domains.registry.publications import finished_job, publication
from tests.fixtures.tiny_models import write_tiny_adapter, write_tiny_model
from tunesmith.bootstrap import Services
from tunesmith.ml.gguf import convert
from tunesmith.worker import run_worker

ADMIN = "/api/v1/admin"
CHECKS = {
    "file_intact",
    "rendered_prompt",
    "tokenization",
    "token_agreement",
    "mean_kl",
    "max_kl",
    "stop_token",
    "greedy_answers",
}


@pytest.fixture
def services(app: FastAPI) -> Services:
    """The services behind `client`."""
    found: Services = app.state.services
    return found


@pytest.fixture
def base(data_dir: Path) -> Path:
    """A model whose answers are known."""
    return write_tiny_model(data_dir / "tiny")


@pytest.fixture
def adapter(data_dir: Path) -> Path:
    """An adapter that changes its answer."""
    return write_tiny_adapter(data_dir / "adapter")


@pytest.fixture
async def version(client: httpx.AsyncClient, services: Services, base: Path, adapter: Path) -> dict[str, Any]:
    """`harbour@1.0.0`: the model with its adapter."""
    result = {"publication": publication(adapter, base_path=str(base), base_model=str(base))}
    body = {"job_id": await finished_job(services, result), "model_name": "harbour"}
    answer = await client.post(f"{ADMIN}/models/register", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@pytest.fixture
async def run(client: httpx.AsyncClient, services: Services) -> AsyncIterator[Callable[..., Any]]:
    """POST something that becomes a job, do the work, answer the job's result."""

    async def call(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await client.post(ADMIN + path, json=body, params={"wait": 0})
        assert answer.status_code == 202, answer.text
        await run_worker(services, until_idle=True)
        job = (await client.get(f"{ADMIN}/jobs/{answer.json()['job_id']}")).json()
        assert job["state"] == "succeeded", job["error"]
        result: dict[str, Any] = job["result"]
        return result

    yield call
    await services.runtime.unload()


def failed(certificate: dict[str, Any]) -> set[str]:
    return {check["name"] for check in certificate["checks"] if not check["passed"]}


def values(certificate: dict[str, Any]) -> dict[str, float | None]:
    return {check["name"]: check["value"] for check in certificate["checks"]}


async def test_good_exports_hold(
    client: httpx.AsyncClient, services: Services, version: dict[str, Any], run: Callable[..., Any]
) -> None:
    path = f"/models/{version['id']}"
    [merged] = (await run(f"{path}/export", {"format": "merged"}))["exports"]
    f16, q8 = (await run(f"{path}/export", {"format": "gguf", "methods": ["F16", "Q8_0"]}))["exports"]
    for export in (merged, f16, q8):
        assert {check["name"] for check in export["certificate"]["checks"]} == CHECKS
        assert export["certificate"]["passed"], export["certificate"]
        assert export["status"] == "ready"
        assert values(export["certificate"])["greedy_answers"] == 1.0
    thresholds = {check["name"]: check["threshold"] for check in f16["certificate"]["checks"]}
    assert (thresholds["token_agreement"], thresholds["mean_kl"], thresholds["stop_token"]) == (0.99, 1e-3, 0.95)
    file = Path(q8["path"])
    assert file.name == "harbour-1.0.0-Q8_0.gguf"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == q8["sha256"]
    assert file.stat().st_size == q8["size_bytes"]
    assert {entry.name for entry in Path(merged["path"]).iterdir()} >= {"config.json", "model.safetensors"}

    listed = (await client.get(f"{ADMIN}{path}/exports")).json()
    assert [(item["format"], item["method"]) for item in listed["items"]] == [
        ("gguf", "Q8_0"),
        ("gguf", "F16"),
        ("merged", None),
    ]
    evidence = (await client.get(f"{ADMIN}{path}")).json()["evidence"]
    assert [found["kind"] for found in evidence] == ["export"] * 3
    assert "gguf Q8_0" in (await client.get(f"{ADMIN}{path}/card")).json()["markdown"]

    certificate = await run(f"{path}/exports/{q8['id']}/certify")
    assert certificate["passed"]
    file.write_bytes(file.read_bytes()[:-4096])
    certificate = await run(f"{path}/exports/{q8['id']}/certify")
    assert not certificate["passed"]
    assert values(certificate)["file_intact"] == 0.0
    newest = (await client.get(f"{ADMIN}{path}/exports")).json()["items"][0]
    assert (newest["status"], newest["certificate"]["passed"]) == ("failed", False)
    shutil.rmtree(merged["path"])
    assert "file_intact" in failed(await run(f"{path}/exports/{merged['id']}/certify"))


def _wrong_template(source: Path) -> None:
    file = source / "chat_template.jinja"
    file.write_text(file.read_text().replace("<|im_end|>", "<|im_end|> "))


def _swapped_specials(source: Path) -> None:
    """The start and the end of a turn change places in the file's vocabulary."""
    text = (source / "tokenizer.json").read_text()
    text = text.replace("<|im_start|>", "@").replace("<|im_end|>", "<|im_start|>").replace("@", "<|im_end|>")
    (source / "tokenizer.json").write_text(text)


def _never_stops(source: Path) -> None:
    """The file names no token that ends an answer."""
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps(config | {"eos_token_id": None}))
    tokenizer = json.loads((source / "tokenizer_config.json").read_text())
    (source / "tokenizer_config.json").write_text(json.dumps(tokenizer | {"eos_token": "a"}))
    for name in ("tokenizer.json", "chat_template.jinja"):
        (source / name).write_text((source / name).read_text().replace("<|im_end|>", "<|im_stop|>"))


def _other_weights(source: Path) -> None:
    """Every number of the output matrix that says what comes next is a little off."""
    from safetensors.numpy import load_file, save_file

    tensors = load_file(source / "model.safetensors")
    tensors["lm_head.weight"] *= 0.5
    save_file(tensors, source / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("sabotage", "with_adapter", "broken"),
    [
        (_wrong_template, True, {"rendered_prompt"}),
        (_swapped_specials, True, {"tokenization"}),
        (_never_stops, True, {"stop_token", "greedy_answers"}),
        (_other_weights, True, {"mean_kl"}),
        (None, False, {"token_agreement", "mean_kl", "greedy_answers"}),  # the adapter was not applied
    ],
)
async def test_a_wrong_artefact_fails(
    version: dict[str, Any],
    run: Callable[..., Any],
    base: Path,
    adapter: Path,
    data_dir: Path,
    sabotage: Callable[[Path], None] | None,
    with_adapter: bool,
    broken: set[str],
) -> None:
    source = data_dir / "sabotaged"
    shutil.copytree(base, source)
    if sabotage:
        sabotage(source)
    file = data_dir / "wrong.gguf"
    convert(source, file, "F16", adapter=adapter if with_adapter else None)
    certificate = await run("/certificates", {"artefact": str(file), "source": version["reference"]})
    assert not certificate["passed"]
    assert broken <= failed(certificate), certificate
    assert "file_intact" not in failed(certificate)  # what it does decides, not what it is called


async def test_a_file_that_is_cut_short_fails(
    version: dict[str, Any], run: Callable[..., Any], base: Path, adapter: Path, data_dir: Path
) -> None:
    whole = data_dir / "whole.gguf"
    convert(base, whole, "F16", adapter=adapter)
    cut = data_dir / "cut.gguf"
    cut.write_bytes(whole.read_bytes()[: -(100 * 1024)])
    certificate = await run("/certificates", {"artefact": str(cut), "source": version["reference"]})
    assert not certificate["passed"]
    assert failed(certificate) == CHECKS - {"file_intact", "max_kl"}
    certificate = await run("/certificates", {"artefact": str(whole), "source": version["reference"]})
    assert certificate["passed"], certificate


async def test_a_wrong_merged_folder_fails(
    version: dict[str, Any], run: Callable[..., Any], base: Path, data_dir: Path
) -> None:
    """The base passed off as the merged model."""
    certificate = await run("/certificates", {"artefact": str(base), "source": version["reference"]})
    assert {"token_agreement", "greedy_answers"} <= failed(certificate)


async def test_any_model_can_be_exported(run: Callable[..., Any], base: Path) -> None:
    body = {"model": str(base), "outputs": [{"format": "gguf", "method": "Q8_0"}]}
    [export] = (await run("/exports", body))["exports"]
    assert export["certificate"]["passed"], export["certificate"]
    assert export["model_id"] is None


async def test_what_cannot_be_exported_is_refused_at_once(
    client: httpx.AsyncClient, version: dict[str, Any], base: Path, data_dir: Path
) -> None:
    path = f"{ADMIN}/models/{version['id']}/export"
    for body, code in (
        ({"format": "onnx"}, "export-format"),
        ({"format": "gguf", "method": "Q4_K_M"}, "unsupported-method"),
        ({"format": "merged", "method": "F16"}, "validation"),
    ):
        answer = await client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"architectures": ["GPT2LMHeadModel"]}))
    answer = await client.post(path, json={"format": "gguf"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unsupported-architecture")
    assert "Qwen3ForCausalLM" in answer.json()["detail"]
    assert (await client.post(f"{ADMIN}/models/99/export", json={"format": "merged"})).status_code == 404
    assert (await client.post(f"{ADMIN}/models/{version['id']}/exports/7/certify")).status_code == 404
    answer = await client.post(f"{ADMIN}/certificates", json={"artefact": "/etc/passwd", "source": "harbour@1.0.0"})
    assert (answer.status_code, answer.json()["code"]) == (403, "path-not-allowed")
    gone = {"artefact": str(data_dir / "gone.gguf"), "source": "harbour@1.0.0"}
    assert (await client.post(f"{ADMIN}/certificates", json=gone)).json()["code"] == "artefact-not-found"
    jobs = (await client.get(f"{ADMIN}/jobs", params={"kind": "export"})).json()
    assert jobs["total"] == 0
