"""What is asked for and what is given: formats, methods, artefacts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunesmith.domains.export.errors import ArtefactNotFound, ArtefactUnknown, NoRoom
from tunesmith.domains.export.formats import artefact_output, outputs_of
from tunesmith.domains.export.prompts import BUILT_IN
from tunesmith.domains.export.schemas import ExportOutput, ModelExportRequest
from tunesmith.domains.export.sizes import Weights, check_room, recommended
from tunesmith.domains.export.thresholds import thresholds_of
from tunesmith.domains.models import PathNotAllowed
from tunesmith.kit.errors import TunesmithError
from tunesmith.settings import Settings


@pytest.mark.parametrize(
    ("request_body", "expected"),
    [
        ({"format": "merged"}, [("merged", None)]),
        ({"format": "hf", "methods": ["BF16", "float16"]}, [("hf", "bf16"), ("hf", "fp16")]),
        ({"format": "ONNX"}, [("onnx", "fp32")]),
        ({"format": "ollama"}, [("ollama", "Q8_0")]),
        ({"format": "adapter"}, [("adapter", None)]),
        ({"format": "gguf"}, [("gguf", "Q8_0")]),
        ({"format": "gguf", "method": "f16"}, [("gguf", "F16")]),
        ({"format": "gguf", "methods": ["q8_0", "F16", "Q8_0"]}, [("gguf", "Q8_0"), ("gguf", "F16")]),
        ({"format": "gguf", "methods": ["Q4_K", "q4_k_m", "Q3_K_S"]}, [("gguf", "Q4_K_M"), ("gguf", "Q3_K_S")]),
    ],
)
def test_requests_become_outputs(request_body: dict[str, Any], expected: list[tuple[str, str | None]]) -> None:
    outputs = outputs_of(ModelExportRequest(**request_body))
    assert [(output.format, output.method) for output in outputs] == expected


@pytest.mark.parametrize(
    ("request_body", "code", "word"),
    [
        ({"format": "pickle"}, "export-format", "merged, gguf"),
        ({"format": "adapter", "method": "fp32"}, "validation", "no methods"),
        ({"format": "gguf", "method": "IQ4_XS"}, "gguf-method", "Q2_K, Q3_K, Q4_0"),
        ({"format": "gguf", "methods": ["F16", "Q2"]}, "gguf-method", "Q2"),
        ({"format": "gguf", "method": "F16", "methods": ["F16"]}, "validation", "not both"),
        ({"format": "merged", "method": "Q8_0"}, "validation", "fp32, bf16, fp16"),
    ],
)
def test_what_there_is_not_is_named(request_body: dict[str, Any], code: str, word: str) -> None:
    with pytest.raises(TunesmithError) as caught:
        outputs_of(ModelExportRequest(**request_body))
    assert caught.value.code == code
    assert word in caught.value.message


def test_artefacts_are_known_by_what_they_say(settings: Settings, data_dir: Path, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"models": settings.models.model_copy(update={"allowed_roots": [data_dir]})})
    cut = data_dir / "cut.gguf"
    cut.write_bytes(b"GGUF\x03\x00")
    assert artefact_output(str(cut), None, settings)[1].method is None  # its certificate will say that it is damaged
    (data_dir / "notes.txt").write_text("x")
    with pytest.raises(ArtefactUnknown, match=r"notes\.txt"):
        artefact_output(str(data_dir / "notes.txt"), None, settings)
    with pytest.raises(ArtefactNotFound):
        artefact_output(str(data_dir / "none.gguf"), None, settings)
    outside = tmp_path / "outside.gguf"
    outside.write_bytes(b"GGUF")
    (data_dir / "link.gguf").symlink_to(outside)
    for path in (outside, data_dir / "link.gguf", data_dir / ".." / "outside.gguf"):
        with pytest.raises(PathNotAllowed, match="ALLOWED_ROOTS"):
            artefact_output(str(path), None, settings)
    folder = data_dir / "merged"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert artefact_output(str(folder), None, settings)[1].format == "merged"


def test_the_built_in_prompts_are_enough_and_in_both_languages() -> None:
    texts = [message["content"] for prompt in BUILT_IN for message in prompt]
    assert len(BUILT_IN) == 32
    assert len({str(prompt) for prompt in BUILT_IN}) == 32
    assert sum(any("가" <= letter <= "힣" for letter in text) for text in texts) >= 16
    assert all(prompt[-1]["role"] == "user" for prompt in BUILT_IN)


@pytest.mark.parametrize(
    ("kind", "method", "agreement", "mean_kl"),
    [
        ("merged", None, 0.99, 1e-3),
        ("onnx", "fp32", 0.99, 1e-3),
        ("gguf", "F32", 0.99, 1e-3),
        ("gguf", "Q8_0", 0.98, 0.01),
        ("ollama", "Q6_K", 0.95, 0.03),
        ("zip", "Q5_K_S", 0.95, 0.03),
        ("gguf", "Q4_K_M", 0.90, 0.1),
        ("gguf", "IQ4_XS", 0.90, 0.1),
        ("mlx", "4bit", 0.90, 0.1),
        ("gguf", "Q3_K_L", 0.80, 0.3),
        ("gguf", "Q2_K", 0.60, 1.0),
        ("gguf", None, 0.99, 1e-3),
    ],
)
def test_thresholds_follow_the_contract(kind: str, method: str | None, agreement: float, mean_kl: float) -> None:
    thresholds = thresholds_of(kind, method)
    assert (thresholds.token_agreement, thresholds.mean_kl, thresholds.stop_token) == (agreement, mean_kl, 0.95)


def test_a_disk_that_is_too_small_is_known_beforehand(tmp_path: Path) -> None:
    huge = Weights(size_bytes=10**18, number_bytes=2, adapter_bytes=0)
    with pytest.raises(NoRoom, match="GB are free"):
        check_room(tmp_path, huge, [ExportOutput(format="gguf", method="Q8_0")])
    check_room(tmp_path, Weights(10**6, 2, 0), [ExportOutput(format="merged")])


def test_the_most_exact_method_that_fits_is_recommended() -> None:
    sizes = {"F16": 16, "Q8_0": 8, "Q4_K_M": 5, "Q2_K": 3}
    choices = [(ExportOutput(format="gguf", method=m), size * 10**9) for m, size in sizes.items()]
    for free_gb, method, reason in ((64, "Q8_0", "fits"), (9, "Q4_K_M", "fits"), (1, "Q2_K", "smallest")):
        found = recommended(choices, free_gb * 10**9)
        assert found is not None
        assert (found[0].method, found[1]) == (method, reason)
    merged = ExportOutput(format="merged")
    assert recommended([(merged, 1)], 10**9) == (merged, "no-gguf")
