"""Exports through the front door, judged by transformers and llama.cpp; and artefacts that are wrong in every way we know.

The tests share one running application, so that the source is loaded once.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.domains.registry.house import ADMIN, House, open_house
from tunesmith.ml.gguf import convert
from tunesmith.ports.serving import Servable

pytestmark = [pytest.mark.early, pytest.mark.asyncio(loop_scope="module")]

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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Started once for this file."""
    async with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


def failed(certificate: dict[str, Any]) -> set[str]:
    return {check["name"] for check in certificate["checks"] if not check["passed"]}


def values(certificate: dict[str, Any]) -> dict[str, float | None]:
    return {check["name"]: check["value"] for check in certificate["checks"]}


async def test_good_exports_hold(house: House) -> None:
    path = f"/models/{house.version_id}"
    [merged] = (await house.run(f"{path}/export", {"format": "merged"}))["exports"]
    f16, q8 = (await house.run(f"{path}/export", {"format": "gguf", "methods": ["F16", "Q8_0"]}))["exports"]
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

    listed = (await house.http.get(f"{ADMIN}{path}/exports")).json()
    assert [(item["format"], item["method"]) for item in listed["items"]] == [
        ("gguf", "Q8_0"),
        ("gguf", "F16"),
        ("merged", None),
    ]
    evidence = (await house.http.get(f"{ADMIN}{path}")).json()["evidence"]
    assert [found["kind"] for found in evidence] == ["export"] * 3
    assert "gguf Q8_0" in (await house.http.get(f"{ADMIN}{path}/card")).json()["markdown"]

    certificate = await house.run(f"{path}/exports/{q8['id']}/certify")
    assert certificate["passed"]
    file.write_bytes(file.read_bytes()[:-4096])
    certificate = await house.run(f"{path}/exports/{q8['id']}/certify")
    assert not certificate["passed"]
    assert values(certificate)["file_intact"] == 0.0
    newest = (await house.http.get(f"{ADMIN}{path}/exports")).json()["items"][0]
    assert (newest["status"], newest["certificate"]["passed"]) == ("failed", False)
    shutil.rmtree(merged["path"])
    assert "file_intact" in failed(await house.run(f"{path}/exports/{merged['id']}/certify"))


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
    house: House, tmp_path: Path, sabotage: Callable[[Path], None] | None, with_adapter: bool, broken: set[str]
) -> None:
    source = tmp_path / "sabotaged"
    shutil.copytree(house.base, source)
    if sabotage:
        sabotage(source)
    file = house.folder / "wrong.gguf"
    convert(source, file, "F16", adapter=house.adapter if with_adapter else None)
    certificate = await house.certify(file)
    assert not certificate["passed"]
    assert broken <= failed(certificate), certificate
    assert "file_intact" not in failed(certificate)  # what it does decides, not what it is called
    await house.services.runtime.unload(Servable(file.name, file))


async def test_a_file_that_is_cut_short_fails(house: House) -> None:
    whole, cut = house.folder / "whole.gguf", house.folder / "cut.gguf"
    convert(house.base, whole, "F16", adapter=house.adapter)
    cut.write_bytes(whole.read_bytes()[: -(100 * 1024)])
    certificate = await house.certify(cut)
    assert not certificate["passed"]
    assert failed(certificate) == CHECKS - {"file_intact", "max_kl"}
    certificate = await house.certify(whole)
    assert certificate["passed"], certificate


async def test_the_base_passed_off_as_the_merged_model_fails(house: House) -> None:
    assert {"token_agreement", "greedy_answers"} <= failed(await house.certify(house.base))


async def test_any_model_can_be_exported(house: House) -> None:
    body = {"model": str(house.base), "outputs": [{"format": "gguf", "method": "Q8_0"}]}
    [export] = (await house.run("/exports", body))["exports"]
    assert export["certificate"]["passed"], export["certificate"]
    assert export["model_id"] is None


async def test_what_cannot_be_exported_is_refused_at_once(house: House) -> None:
    path = f"/models/{house.version_id}"
    other = house.folder / "other"
    shutil.copytree(house.base, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"architectures": ["GPT2LMHeadModel"]}))
    gguf = [{"format": "gguf", "method": "F16"}]
    for where, body, status, code in (
        (f"{path}/export", {"format": "onnx"}, 422, "export-format"),
        (f"{path}/export", {"format": "gguf", "method": "Q4_K_M"}, 422, "gguf-method"),
        (f"{path}/export", {"format": "merged", "method": "F16"}, 422, "validation"),
        ("/exports", {"model": str(other), "outputs": gguf}, 422, "unsupported-architecture"),
        ("/exports", {"model": "harbour@7.0.0", "outputs": gguf}, 404, "model-not-found"),
        ("/models/99/export", {"format": "merged"}, 404, "model-version-not-found"),
        (f"{path}/exports/99/certify", None, 404, "export-not-found"),
        ("/certificates", {"artefact": "/etc/passwd", "source": "harbour@1.0.0"}, 403, "path-not-allowed"),
        (
            "/certificates",
            {"artefact": str(house.folder / "x.gguf"), "source": "harbour@1.0.0"},
            404,
            "artefact-not-found",
        ),
    ):
        answer = await house.http.post(ADMIN + where, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (where, body, answer.text)
