"""The tour of the GGUF calls on a real server, and what it refuses before work starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.tour_gguf import BORDERS, drive, settled
from tests.fixtures.server import Server
from tests.fixtures.tiny_models import write_tiny_model
from tunesmith.wire.gguf_methods import GGUF_METHODS

TEN = ["Q2_K", "Q3_K", "Q4_0", "Q4_K", "Q5_0", "Q5_K", "Q6_K", "Q8_0", "F16", "F32"]


def test_every_gguf_call_in_one_run(server: Server) -> None:
    model = write_tiny_model(server.data_dir / "tiny")
    said = drive(server.http, str(model), ["Q8_0", "q5_k"])
    assert said["health"]["status"] == "healthy"
    assert [method["name"] for method in said["methods"]["methods"]] == TEN
    assert all(1 <= m["quality"] <= 9 and 1 <= m["size_class"] <= 7 for m in said["methods"]["methods"])
    for size, method in BORDERS:
        found = said["recommended"][size]
        assert (found["method"], found["memory_considered"]) == (method, True)
        assert found["reason"]
        assert found["alternatives"]
    assert said["recommended"][4]["alternatives"][0]["method"] == "Q5_0"
    exports = said["convert"]["exports"]
    assert [export["method"] for export in exports] == ["Q8_0", "Q5_K_M"]
    assert all(export["certificate"]["passed"] for export in exports), exports
    validation = said["validate"]
    assert [check["name"] for check in validation["checks"]] == [
        "header", "metadata", "tensors", "truncation", "load", "generate",
    ]  # fmt: skip
    assert validation["valid"]
    assert validation["method"] == "Q8_0"
    assert said["validate_by_path"]["file_path"] == validation["file_path"]
    [entry] = said["history"]["items"]
    assert [file["method"] for file in entry["files"]] == ["Q8_0", "Q5_K_M"]
    assert said["statistics"]["total_files"] == 2
    assert (
        said["statistics"]["best_compression_ratio"] > said["statistics"]["by_method"][1]["average_compression_ratio"]
    )
    assert said["clear"]["cleared"] == 1
    assert said["history_after"]["total"] == 0


@pytest.mark.matrix
@pytest.mark.long
@pytest.mark.timeout(3000)
def test_the_bundled_model_in_every_method(server: Server) -> None:
    """Each converts, loads and answers, and holds its certificate; only the smallest may miss a stop too many to be called good."""
    answer = settled(
        server.http, server.http.post("/gguf/convert", json={"model": "tunesmith/tiny", "methods": ["all"]}), 2900
    )
    assert [export["method"] for export in answer["exports"]] == list(GGUF_METHODS)
    failed = {
        export["method"]: [check["name"] for check in export["certificate"]["checks"] if not check["passed"]]
        for export in answer["exports"]
        if not export["certificate"]["passed"]
    }
    assert failed in ({}, {"Q2_K_S": ["stop_token"]})
    for export in answer["exports"]:
        validation = settled(server.http, server.http.post("/gguf/validate", json={"file_path": export["path"]}))
        assert validation["valid"], validation
        assert validation["generated_text"]


def test_a_damaged_file_is_told_from_a_sound_one(server: Server) -> None:
    file = server.data_dir / "cut.gguf"
    file.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\x01" * 20)
    answer = settled(server.http, server.http.post("/gguf/validate", json={"file_path": str(file)}))
    assert not answer["valid"]
    assert [(check["name"], check["passed"]) for check in answer["checks"]] == [("header", False)]
    assert answer["errors"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "word"),
    [
        ("convert", {"model": "tunesmith/tiny", "methods": ["Q9_K"]}, 422, "gguf-method", "Q4_K"),
        ("convert", {"model": "tunesmith/tiny", "method": "F16", "methods": ["F16"]}, 422, "validation", "not both"),
        ("convert", {}, 404, "no-current-model", "none is loaded"),
        ("convert", {"base": "tunesmith/tiny"}, 422, "validation", "adapter"),
        ("convert", {"base": "tunesmith/tiny", "adapter": "/etc"}, 403, "path-not-allowed", "ALLOWED_ROOTS"),
        (
            "convert",
            {"base": "tunesmith/tiny", "adapter": "{data}/runs"},
            404,
            "adapter-not-found",
            "adapter_config.json",
        ),
        ("convert", {"model": "tunesmith/tiny", "importance": {}}, 422, "validation", "dataset_id"),
        (
            "convert",
            {"model": "tunesmith/tiny", "importance": {"file": "none.gguf"}},
            404,
            "artefact-not-found",
            "none",
        ),
        ("convert", {"model": "{other}"}, 422, "unsupported-architecture", "LlamaForCausalLM"),
        ("validate", {"file_path": "/etc/passwd"}, 403, "path-not-allowed", "ALLOWED_ROOTS"),
        ("validate", {"file_path": "none.gguf"}, 404, "artefact-not-found", "none.gguf"),
        ("validate", {"file_path": "../../../../../../etc/passwd"}, 403, "path-not-allowed", "ALLOWED_ROOTS"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(
    server: Server, path: str, body: dict[str, object], status: int, code: str, word: str
) -> None:
    other = server.data_dir / "other"
    if not other.exists():
        bundled = Path(__file__).resolve().parents[2] / "src/tunesmith/bundle/model"
        other.mkdir()
        for file in bundled.iterdir():
            (other / file.name).write_bytes(file.read_bytes())
        config = json.loads((other / "config.json").read_text())
        (other / "config.json").write_text(json.dumps(config | {"architectures": ["MambaForCausalLM"]}))
    text = json.dumps(body).replace("{data}", str(server.data_dir)).replace("{other}", str(other))
    answer = server.http.post(f"/gguf/{path}", content=text, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert code in answer.json()["type"] + str(answer.json().get("code"))
    assert word in answer.text
