"""The export child: a folder in, events and files out."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ml import tiny_models
from tunesmith.wire.run_dir import RunDirectory

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model."""
    return tiny_models.save_model(tmp_path_factory.mktemp("models") / "model", "qwen3")


def run_export(folder: Path, **spec: Any) -> tuple[int, RunDirectory, list[Any]]:
    """Run the child; answers exit code, folder and events."""
    run = RunDirectory.create(folder, {"kind": "export", **spec})
    return start(run)


def start(run: RunDirectory) -> tuple[int, RunDirectory, list[Any]]:
    """Run the child on a prepared folder."""
    child = subprocess.run(
        [sys.executable, "-m", "tunesmith.ml.export", str(run.path)], check=False, capture_output=True
    )
    return child.returncode, run, [event for _, event, _ in run.read_events()]


def test_all_formats_in_one_run(model: Path, tmp_path: Path) -> None:
    """Each output is there, with its size and hash, and torch was not needed."""
    adapter = tiny_models.save_adapter(tmp_path / "adapter", model)
    outputs = [
        {"format": "merged", "method": None},
        {"format": "gguf", "method": "F16"},
        {"format": "gguf", "method": "Q8_0"},
    ]
    code, run, events = run_export(
        tmp_path / "run", model_path=str(model), adapter_path=str(adapter), outputs=outputs, name="등대-1.0.0"
    )
    assert code == 0
    exports = events[-1].result["exports"]
    assert [(export["format"], export["method"]) for export in exports] == [
        ("merged", None),
        ("gguf", "F16"),
        ("gguf", "Q8_0"),
    ]
    merged, f16, q8 = ((run.path / export["path"], export) for export in exports)
    for path, export in (f16, q8):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == export["sha256"]
        assert path.stat().st_size == export["size_bytes"]
    assert q8[1]["size_bytes"] < 0.6 * f16[1]["size_bytes"]
    listing = "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(merged[0].iterdir())
    )
    assert hashlib.sha256(listing.encode()).hexdigest() == merged[1]["sha256"]
    assert (merged[0] / "tokenizer.json").is_file()
    assert not list(run.artifacts.glob(".*"))


def test_a_refusal_comes_before_any_file(model: Path, tmp_path: Path) -> None:
    """Even when an output that could be written stands first."""
    other = tmp_path / "other"
    other.mkdir()
    for file in model.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"architectures": ["MambaForCausalLM"]}))
    code, run, events = run_export(
        tmp_path / "run",
        model_path=str(other),
        outputs=[{"format": "merged", "method": None}, {"format": "gguf", "method": "F16"}],
    )
    assert code == 1
    assert (events[-1].type, events[-1].code) == ("failed", "unsupported-architecture")
    assert "Qwen3ForCausalLM" in events[-1].message
    assert list(run.artifacts.iterdir()) == []


def test_unknown_formats_are_named(model: Path, tmp_path: Path) -> None:
    """With the ones that exist."""
    for number, output in enumerate(({"format": "pickle", "method": None}, {"format": "gguf", "method": "IQ4_XS"})):
        code, _, events = run_export(tmp_path / str(number), model_path=str(model), outputs=[output])
        assert code == 1
        assert events[-1].code == "unsupported"
        assert "gguf" in events[-1].message.lower()


def test_a_cancelled_export_leaves_no_file(model: Path, tmp_path: Path) -> None:
    """The request is heard between tensors."""
    run = RunDirectory.create(
        tmp_path / "run", {"kind": "export", "model_path": str(model), "outputs": [{"format": "gguf", "method": "F16"}]}
    )
    run.request_end("cancel")
    code, run, events = start(run)
    assert code == 0
    assert events[-1].stopped
    assert list(run.artifacts.iterdir()) == []
