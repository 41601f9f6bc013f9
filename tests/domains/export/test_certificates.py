"""Exports through the front door, judged by transformers and llama.cpp; and artefacts that are wrong in every way we know.

The tests share one running application, so that the source is loaded once.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.domains.registry.house import ADMIN, House, open_house
from tunesmith.domains.export.certificate import says_the_same
from tunesmith.domains.runtime import Generation
from tunesmith.ml.gguf import convert

pytestmark = [pytest.mark.early, pytest.mark.asyncio(loop_scope="module")]

PROMPTS = 4
CHECKS = {
    "file_intact",
    "prompts",
    "perplexity_difference",
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
    async with open_house(tmp_path_factory.mktemp("house"), prompts=PROMPTS) as opened:
        yield opened


def failed(certificate: dict[str, Any]) -> set[str]:
    return {check["name"] for check in certificate["checks"] if not check["passed"]}


def values(certificate: dict[str, Any]) -> dict[str, float | None]:
    return {check["name"]: check["value"] for check in certificate["checks"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(house: House) -> dict[str, dict[str, Any]]:
    """Every format that needs no tracing, in one job: the source is asked once."""
    formats = (
        ("merged", None),
        ("adapter", None),
        ("gguf", "F16"),
        ("gguf", "Q8_0"),
        ("ollama", "Q8_0"),
        ("zip", "Q8_0"),
    )
    outputs = [{"format": kind, "method": method} for kind, method in formats]
    exports = (await house.run("/exports", {"model": "harbour@1.0.0", "outputs": outputs}))["exports"]
    return {f"{e['format']} {e['method'] or ''}".strip(): e for e in exports}


async def test_good_exports_hold(house: House, made: dict[str, dict[str, Any]]) -> None:
    for name, export in made.items():
        assert {check["name"] for check in export["certificate"]["checks"]} == CHECKS
        assert export["certificate"]["passed"], (name, export["certificate"])
        assert export["status"] == "ready"
        assert values(export["certificate"])["greedy_answers"] == 1.0
    thresholds = {check["name"]: check["threshold"] for check in made["gguf F16"]["certificate"]["checks"]}
    assert (thresholds["token_agreement"], thresholds["mean_kl"], thresholds["stop_token"]) == (0.99, 1e-3, 0.95)
    listed = (await house.http.get(f"{ADMIN}/models/{house.version_id}/exports")).json()
    assert {item["id"] for item in listed["items"]} >= {export["id"] for export in made.values()}
    detail = (await house.http.get(f"{ADMIN}/models/{house.version_id}")).json()
    assert [found["kind"] for found in detail["evidence"]].count("export") == len(made)
    assert "gguf Q8_0" in (await house.http.get(f"{ADMIN}/models/{house.version_id}/card")).json()["markdown"]


async def test_a_certificate_shows_every_prompt(house: House, made: dict[str, dict[str, Any]]) -> None:
    path = f"{ADMIN}/models/{house.version_id}/exports/{made['ollama Q8_0']['id']}"
    assert (await house.http.get(path)).json()["certificate"] == made["ollama Q8_0"]["certificate"]
    document = (await house.http.get(f"{path}/certificate")).json()
    assert (document["source"], document["format"], document["method"]) == ("harbour@1.0.0", "ollama", "Q8_0")
    assert document["certified_at"]
    assert len(document["prompts"]) == PROMPTS
    for prompt in document["prompts"]:
        assert (prompt["source_answer"], prompt["artefact_answer"], prompt["same_answer"]) == ("역", "역", True)
        assert prompt["same_prompt"]
        assert prompt["same_tokens"]
        assert prompt["token_agreement"] == 1.0
    page = await house.http.get(f"{path}/certificate", params={"format": "html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "holds" in page.text
    assert "안녕하세요! 당신은 누구인가요?" in page.text
    assert "<script" not in page.text


async def test_downloads_can_be_taken_up_again(house: House, made: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    path = f"{ADMIN}/models/{house.version_id}/exports"
    export = made["gguf Q8_0"]
    whole = await house.http.get(f"{path}/{export['id']}/download")
    assert hashlib.sha256(whole.content).hexdigest() == export["sha256"] == whole.headers["etag"].strip('"')
    assert "harbour-1.0.0-Q8_0.gguf" in whole.headers["content-disposition"]
    for export_path, etag in ((f"{path}/{export['id']}/download", whole.headers["etag"]),):
        parts = []
        for wanted in ("bytes=0-999", "bytes=1000-", "bytes=-10"):
            part = await house.http.get(export_path, headers={"range": wanted, "if-range": etag})
            assert part.status_code == 206
            parts.append(part.content)
        assert parts[0] + parts[1] == whole.content
        assert parts[2] == whole.content[-10:]
        behind = await house.http.get(export_path, headers={"range": "bytes=999999999-"})
        assert (behind.status_code, behind.json()["code"]) == (416, "range")
        assert behind.headers["content-range"] == f"bytes */{len(whole.content)}"
        changed = await house.http.get(export_path, headers={"range": "bytes=5-", "if-range": '"other"'})
        assert (changed.status_code, len(changed.content)) == (200, len(whole.content))
    folder = made["merged"]
    packed = await house.http.get(f"{ADMIN}/exports/{folder['id']}/download")
    tail = await house.http.get(f"{ADMIN}/exports/{folder['id']}/download", headers={"range": "bytes=700-"})
    assert tail.content == packed.content[700:]
    with tarfile.open(fileobj=io.BytesIO(packed.content)) as archive:
        archive.extractall(tmp_path, filter="data")
    for file in folder["files"]:
        data = (tmp_path / "harbour-1.0.0-merged" / file["name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
    one = await house.http.get(f"{path}/{folder['id']}/download", params={"file": "config.json"})
    assert one.json()["model_type"] == "qwen3"
    assert (await house.http.get(f"{path}/{folder['id']}/download", params={"file": "../x"})).status_code == 404


async def test_what_can_be_exported_is_said_with_sizes(house: House) -> None:
    options = (await house.http.get(f"{ADMIN}/models/{house.version_id}/export-options")).json()
    by_name = {(o["format"], o["method"]): o for o in options["options"]}
    assert by_name["gguf", "F16"]["size_bytes"] > by_name["gguf", "Q8_0"]["size_bytes"] > 0
    assert [name for name, option in by_name.items() if option["recommended"]] == [("gguf", "Q8_0")]
    assert options["reason"] == "fits"
    assert by_name["gguf", "Q8_0"]["refusal"] is None
    assert by_name["mlx", "4bit"]["refusal_code"] == "missing-extra"


async def test_an_export_that_is_damaged_later_fails_and_can_be_removed(house: House) -> None:
    path = f"/models/{house.version_id}/exports"
    [export] = (await house.run(f"/models/{house.version_id}/export", {"format": "gguf", "methods": ["Q8_0"]}))[
        "exports"
    ]
    assert (await house.run(f"{path}/{export['id']}/certify"))["passed"]
    file = Path(export["path"])
    file.write_bytes(file.read_bytes()[:-4096])
    certificate = await house.run(f"{path}/{export['id']}/certify")
    assert not certificate["passed"]
    assert values(certificate)["file_intact"] == 0.0
    newest = (await house.http.get(f"{ADMIN}{path}/{export['id']}")).json()
    assert (newest["status"], newest["certificate"]["passed"]) == ("failed", False)
    gone = await house.http.get(f"{ADMIN}{path}/{export['id']}/download")
    assert (gone.status_code, gone.json()["code"]) == (404, "object-not-found")
    assert (await house.http.delete(f"{ADMIN}{path}/{export['id']}")).status_code == 204
    assert not file.exists()
    assert (await house.http.get(f"{ADMIN}{path}/{export['id']}")).status_code == 404


def _wrong_template(source: Path) -> None:
    file = source / "chat_template.jinja"
    file.write_text(file.read_text().replace("<|im_end|>", "<|im_end|> "))


def _swapped_specials(source: Path) -> None:
    """The start and the end of a turn change places in the file's vocabulary."""
    text = (source / "tokenizer.json").read_text()
    text = text.replace("<|im_start|>", "@").replace("<|im_end|>", "<|im_start|>").replace("@", "<|im_end|>")
    (source / "tokenizer.json").write_text(text)


def _swapped_end(source: Path) -> None:
    """The files name the start of a turn as the end of an answer; llama.cpp knows the right one by its spelling."""
    tokenizer = json.loads((source / "tokenizer_config.json").read_text())
    (source / "tokenizer_config.json").write_text(json.dumps(tokenizer | {"eos_token": "<|im_start|>"}))


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
        (_swapped_end, True, {"stop_token"}),
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


async def test_a_file_that_is_cut_short_fails(house: House, made: dict[str, dict[str, Any]]) -> None:
    """Of every kind, and cut anywhere: the check that fails is the file's."""
    cut = house.folder / "cut"
    cut.mkdir()
    gguf, zipped = Path(made["gguf F16"]["path"]).read_bytes(), Path(made["zip Q8_0"]["path"]).read_bytes()
    for name, data in (
        ("tail.gguf", gguf[: -(100 * 1024)]),
        ("head.gguf", gguf[:40]),
        ("empty.gguf", b""),
        ("garbage.gguf", b"what is this?" * 99),
        ("half.zip", zipped[: len(zipped) // 2]),
    ):
        (cut / name).write_bytes(data)
        certificate = await house.certify(cut / name)
        assert not certificate["passed"]
        assert "file_intact" in failed(certificate), (name, certificate)
        assert next(check for check in certificate["checks"] if check["name"] == "file_intact")["message"]
    for name in ("adapter", "ollama Q8_0"):
        folder = cut / name.replace(" ", "-")
        shutil.copytree(made[name]["path"], folder)
        weights = max(folder.iterdir(), key=lambda file: file.stat().st_size if file.suffix != ".json" else 0)
        weights.write_bytes(weights.read_bytes()[:-5000])
        assert "file_intact" in failed(await house.certify(folder)), name


async def test_artefacts_that_were_not_made_here_are_judged(
    house: House, made: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """A graph written by other means, a zip with a GGUF file in it, a Modelfile by hand, and the same with faults."""
    graph = write_onnx(house, house.folder / "graph", tuned=True)
    certificate = await house.certify(graph)
    assert certificate["passed"], certificate
    assert {"token_agreement", "mean_kl"} <= failed(
        await house.certify(write_onnx(house, house.folder / "base", tuned=False))
    )
    (graph / "model.onnx").write_bytes((graph / "model.onnx").read_bytes()[:2000])
    assert failed(await house.certify(graph)) >= {"file_intact"}

    by_hand = house.folder / "by-hand"
    by_hand.mkdir()
    shutil.copyfile(made["gguf F16"]["path"], by_hand / "it.gguf")
    template = (
        "{{ range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
    )
    (by_hand / "Modelfile").write_text(f'FROM it.gguf\nTEMPLATE """{template}"""\n')
    certificate = await house.certify(by_hand)
    assert certificate["passed"], certificate
    (by_hand / "Modelfile").write_text(f'FROM it.gguf\nTEMPLATE """{template} """\n')
    assert "rendered_prompt" in failed(await house.certify(by_hand))
    (by_hand / "Modelfile").write_text("FROM ../../etc/passwd\n")
    assert "file_intact" in failed(await house.certify(by_hand))

    archive = house.folder / "foreign.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.write(made["gguf F16"]["path"], "a/b/model.gguf")
    certificate = await house.certify(archive)
    assert certificate["passed"], certificate
    with zipfile.ZipFile(archive, "a") as target:
        target.writestr("../outside.txt", "x")
    assert "file_intact" in failed(await house.certify(archive))
    assert not (house.folder.parent / "outside.txt").exists()

    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.write(made["gguf F16"]["path"], "model.gguf")
    packed = bytearray(archive.read_bytes())
    packed[100:104] = b"\xff" * 4
    archive.write_bytes(packed)
    assert "file_intact" in failed(await house.certify(archive))


def answer_of(text: str, ids: list[int], reason: str = "stop") -> Generation:
    return Generation(text=text, token_ids=ids, finish_reason=reason, prompt_tokens=1)


@pytest.mark.asyncio(loop_scope="module")
async def test_answers_are_the_same_however_they_are_spelled() -> None:
    said = answer_of("정오에 떠납니다.", [1, 2])
    assert says_the_same(said, answer_of(" 정오에 떠납니다.", [1, 2]))
    assert not says_the_same(said, answer_of("정오에 떠납니다!", [1, 2]))  # a swapped token of the vocabulary
    assert not says_the_same(said, answer_of("정오에 떠납니다.", [1, 2], "length"))
    assert says_the_same(answer_of("\ufffd\ufffd\ufffd", [7, 8]), answer_of("é\ufffd", [7, 8]))
    assert not says_the_same(answer_of("\ufffd", [7]), answer_of("\ufffd", [8]))


def write_onnx(house: House, folder: Path, *, tuned: bool) -> Path:
    """The tiny model as what it is, a table of logits by token: no tracing is needed to write that."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save
    from safetensors.numpy import load_file

    folder.mkdir()
    table = load_file(house.base / "model.safetensors")["lm_head.weight"]
    if tuned:
        update = load_file(house.adapter / "adapter_model.safetensors")
        table = (
            table + update["base_model.model.lm_head.lora_B.weight"] @ update["base_model.model.lm_head.lora_A.weight"]
        )
    rows = np.ascontiguousarray(table.T[: len(table)] * np.float32(320**0.5))  # the norm of a vector with a single one
    node = helper.make_node("Gather", ["table", "input_ids"], ["logits"])
    given = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"])
    made = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "sequence", len(table)])
    graph = helper.make_graph([node], "tiny", [given], [made], [numpy_helper.from_array(rows, "table")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    save(model, str(folder / "model.onnx"))
    for file in house.base.iterdir():
        if file.suffix in (".json", ".jinja"):
            shutil.copyfile(file, folder / file.name)
    return folder


async def test_the_base_passed_off_as_the_merged_model_fails(house: House) -> None:
    assert {"token_agreement", "greedy_answers"} <= failed(await house.certify(house.base))


async def test_what_is_no_artefact_is_refused(house: House) -> None:
    empty = house.folder / "empty"
    empty.mkdir()
    (house.folder / "text.txt").write_text("hello")
    broken = house.folder / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{")
    for path in (empty, house.folder / "text.txt", broken):
        body = {"artefact": str(path), "source": "harbour@1.0.0"}
        answer = await house.http.post(f"{ADMIN}/certificates", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "unsupported-artefact"), path


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
        (f"{path}/export", {"format": "pickle"}, 422, "export-format"),
        (f"{path}/export", {"format": "mlx"}, 503, "missing-extra"),
        ("/exports", {"model": str(house.base), "outputs": [{"format": "adapter"}]}, 422, "no-adapter"),
        (f"{path}/export", {"format": "gguf", "method": "IQ2_XS"}, 422, "gguf-method"),
        (
            f"{path}/export",
            {"format": "gguf", "method": "Q2_K", "importance": {"dataset_id": 99}},
            404,
            "dataset-not-found",
        ),
        (f"{path}/export", {"format": "merged", "method": "Q8_0"}, 422, "validation"),
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
