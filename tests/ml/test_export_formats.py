"""Every format from one child: what is in it, and that base with adapter, merged folder and ONNX compute the same."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ml import tiny_models
from tunesmith.kit.errors import TunesmithError
from tunesmith.ml.export_task import ExportFailed, Task
from tunesmith.ml.merge import merge
from tunesmith.ml.mlx_writer import write_mlx
from tunesmith.ml.writers import write_adapter, write_merged
from tunesmith.text.modelfile import parse_modelfile
from tunesmith.wire.run_dir import RunDirectory

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")]
NAME = "등대-1.0.0"
FORMATS = (("hf", None), ("hf", "fp16"), ("adapter", None), ("ollama", "Q8_0"), ("zip", "Q8_0"), ("onnx", "fp32"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with one layer."""
    return tiny_models.save_model(tmp_path_factory.mktemp("models") / "model", "qwen3", num_hidden_layers=1)


@pytest.fixture(scope="module")
def adapter(model: Path) -> Path:
    """An adapter on every linear layer of it."""
    return tiny_models.save_adapter(model.parent / "adapter", model)


@pytest.fixture(scope="module")
def written(model: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All formats, by the child, once for this file."""
    spec = {
        "kind": "export",
        "model_path": str(model),
        "adapter_path": str(adapter),
        "outputs": [{"format": kind, "method": method, "max_shard_bytes": 2**20} for kind, method in FORMATS],
        "name": NAME,
        "title": "lighthouse@1.0.0",
        "base_model": "harbour/base",
        "card": "# Lighthouse\n\nKnows when it opens.",
    }
    run = RunDirectory.create(tmp_path_factory.mktemp("run") / "run", spec)
    child = subprocess.run(
        [sys.executable, "-m", "tunesmith.ml.export", str(run.path)], check=False, capture_output=True
    )
    events = [event for _, event, _ in run.read_events()]
    assert child.returncode == 0, (events[-1], child.stderr[-2000:])
    assert not list(run.artifacts.glob(".*"))  # nothing half
    exports = events[-1].result["exports"]
    return {f"{e['format']} {e['method']}": run.path / e["path"] for e in exports}


def logits(model: Any, ids: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Of one sequence."""
    import torch

    with torch.no_grad():
        return np.asarray(model(input_ids=torch.from_numpy(ids)).logits.numpy())


def test_adapter_merged_folder_and_onnx_compute_the_same(model: Path, adapter: Path, written: dict[str, Path]) -> None:
    """To 1e-4, for several rows at once and another length than the one that was traced."""
    import onnxruntime
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    def load(folder: Path) -> Any:
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)

    ids = np.arange(3 * 21, dtype=np.int64).reshape(3, 21) % 400
    expected = logits(PeftModel.from_pretrained(load(model), adapter), ids)
    assert float(np.abs(expected - logits(load(model), ids)).max()) > 0.1  # the adapter does something
    assert (written["hf None"] / "model.safetensors.index.json").is_file()  # more than one file
    np.testing.assert_allclose(logits(load(written["hf None"]), ids), expected, atol=1e-4)
    session = onnxruntime.InferenceSession(str(written["onnx fp32"] / "model.onnx"))
    inputs = {"attention_mask": np.ones_like(ids), "position_ids": np.tile(np.arange(21, dtype=np.int64), (3, 1))}
    np.testing.assert_allclose(session.run(["logits"], {"input_ids": ids, **inputs})[0], expected, atol=1e-4)
    padded = np.concatenate([np.zeros((3, 4), np.int64), ids], axis=1)
    mask = np.concatenate([np.zeros((3, 4), np.int64), inputs["attention_mask"]], axis=1)
    positions = np.concatenate([np.zeros((3, 4), np.int64), inputs["position_ids"]], axis=1)
    found = session.run(["logits"], {"input_ids": padded, "attention_mask": mask, "position_ids": positions})[0]
    np.testing.assert_allclose(found[:, 4:], expected, atol=1e-4)


def test_the_onnx_folder_runs_by_its_own_script(written: dict[str, Path]) -> None:
    script = written["onnx fp32"] / "usage.py"
    said = subprocess.run([sys.executable, str(script), "안녕"], check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr[-2000:]
    assert said.stdout.endswith("\n")
    assert "lighthouse@1.0.0" in (script.parent / "README.md").read_text()


def test_a_hub_folder_is_complete(written: dict[str, Path]) -> None:
    folder = written["hf fp16"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith('---\nbase_model: "harbour/base"\nlibrary_name: "transformers"')
    assert "# Lighthouse" in card
    assert json.loads((folder / "generation_config.json").read_text())["eos_token_id"] == 2
    assert json.loads((folder / "config.json").read_text())["dtype"] == "float16"
    assert {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"} <= {f.name for f in folder.iterdir()}


def test_an_adapter_names_its_base_and_no_path_of_this_machine(written: dict[str, Path]) -> None:
    folder = written["adapter None"]
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "harbour/base"
    assert "/tmp" not in (folder / "README.md").read_text()
    assert (folder / "chat_template.jinja").is_file()


def test_a_modelfile_stands_beside_its_file(written: dict[str, Path]) -> None:
    folder = written["ollama Q8_0"]
    file = parse_modelfile((folder / "Modelfile").read_text(encoding="utf-8"))
    assert (folder / file.model).is_file()
    assert file.stops == ["<|im_end|>"]
    assert file.render([{"role": "user", "content": "Hi"}]) == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_a_zip_is_the_same_each_time_and_runs(written: dict[str, Path], tmp_path: Path) -> None:
    file = written["zip Q8_0"]
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    folder = tmp_path / NAME
    assert (
        hashlib.sha256((folder / "model.gguf").read_bytes()).hexdigest()
        == hashlib.sha256(next(written["ollama Q8_0"].glob("*.gguf")).read_bytes()).hexdigest()
    )
    said = subprocess.run(
        [sys.executable, str(folder / "run.py"), "안녕"], capture_output=True, timeout=200, check=False
    )
    assert said.returncode == 0, said.stderr[-1000:]


def task(model: Path, target: Path, **changes: Any) -> Task:
    """A task for one writer."""
    given = {
        "adapter": None,
        "importance": None,
        "method": None,
        "name": "x",
        "title": "x",
        "base_model": "x",
        "card": None,
    }
    rest = {"max_shard_bytes": None, "tell": lambda _: None, "log": lambda _: None}
    return Task(model=model, target=target, **{**given, **rest, **changes})


def test_what_is_stopped_leaves_nothing(model: Path, tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_merged(task(model, tmp_path / "out", tell=stop))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_refused_in_words(model: Path, tmp_path: Path) -> None:
    with pytest.raises(TunesmithError, match="no adapter"):
        write_adapter(task(model, tmp_path / "adapter"))
    from safetensors.numpy import load_file, save_file

    merge(model, None, tmp_path / "large", numbers="fp32")
    tensors = load_file(tmp_path / "large" / "model.safetensors")
    tensors["model.norm.weight"][0] = 1e6
    save_file(tensors, tmp_path / "large" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ExportFailed, match=r"model\.norm\.weight"):
        write_merged(task(tmp_path / "large", tmp_path / "out", method="fp16"))
    assert not (tmp_path / "out").exists()
    with pytest.raises(TunesmithError, match="optional part 'mlx'"):
        write_mlx(task(model, tmp_path / "mlx", method="4bit"))
