"""What is asked for and what is given: formats, methods, artefacts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunesmith.domains.export.errors import ArtefactNotFound, ArtefactUnknown
from tunesmith.domains.export.formats import artefact_output, outputs_of
from tunesmith.domains.export.prompts import BUILT_IN
from tunesmith.domains.export.schemas import ModelExportRequest
from tunesmith.domains.models import PathNotAllowed
from tunesmith.kit.errors import TunesmithError
from tunesmith.settings import Settings


@pytest.mark.parametrize(
    ("request_body", "expected"),
    [
        ({"format": "merged"}, [("merged", None)]),
        ({"format": "gguf"}, [("gguf", "Q8_0")]),
        ({"format": "gguf", "method": "f16"}, [("gguf", "F16")]),
        ({"format": "gguf", "methods": ["q8_0", "F16", "Q8_0"]}, [("gguf", "Q8_0"), ("gguf", "F16")]),
    ],
)
def test_requests_become_outputs(request_body: dict[str, Any], expected: list[tuple[str, str | None]]) -> None:
    outputs = outputs_of(ModelExportRequest(**request_body))
    assert [(output.format, output.method) for output in outputs] == expected


@pytest.mark.parametrize(
    ("request_body", "code", "word"),
    [
        ({"format": "onnx"}, "export-format", "merged, gguf"),
        ({"format": "gguf", "method": "Q4_K_M"}, "gguf-method", "F16, Q8_0"),
        ({"format": "gguf", "methods": ["F16", "Q2_K"]}, "gguf-method", "Q2_K"),
        ({"format": "gguf", "method": "F16", "methods": ["F16"]}, "validation", "not both"),
        ({"format": "merged", "method": "F16"}, "validation", "gguf only"),
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
    with pytest.raises(ArtefactUnknown, match=r"cut\.gguf"):
        artefact_output(str(cut), None, settings)
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
