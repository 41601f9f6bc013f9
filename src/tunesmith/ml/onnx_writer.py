"""A model as ONNX: one graph from token ids to logits, batch and sequence free, checked against the model that it was made from."""

from __future__ import annotations

import logging
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunesmith.kit.errors import MissingExtra
from tunesmith.kit.paths import atomic_folder
from tunesmith.ml.export_task import ExportFailed, Task
from tunesmith.ml.guard import stay_offline
from tunesmith.ml.merge import COMPANIONS, copy_companions
from tunesmith.ml.writers import bundled, complete_generation, merge_into

CLOSE = 1e-4
"""Largest difference of a logit, beside the largest logit."""
GRAPH = "model.onnx"
INPUTS = ("input_ids", "attention_mask", "position_ids")


def check_installed() -> None:
    """Raise MissingExtra when ONNX cannot be written here."""
    if not all(find_spec(name) for name in ("torch", "transformers", "onnx", "onnxscript", "onnxruntime")):
        raise MissingExtra("export", "Writing ONNX")


def write_onnx(task: Task) -> None:
    """A folder: the graph, its weights, tokenizer, template, and a script that uses them."""
    check_installed()
    stay_offline()
    task.target.parent.mkdir(parents=True, exist_ok=True)
    with (
        atomic_folder(task.target) as folder,
        tempfile.TemporaryDirectory(dir=task.target.parent, prefix=".exact-") as exact,
    ):
        merge_into(task, Path(exact), "fp32")
        complete_generation(Path(exact))
        _trace(Path(exact), folder / GRAPH, task)
        copy_companions(Path(exact), folder, COMPANIONS)
        for name in ("usage.py", "README.md"):
            (folder / name).write_text(bundled(f"onnx-{name}").replace("MODEL_TITLE", task.title), encoding="utf-8")


def _trace(model_folder: Path, graph: Path, task: Task) -> None:
    import torch

    from tunesmith.ml.load import load_weights

    model = load_weights(model_folder, torch.float32).eval()
    model.config.use_cache = False

    class Logits(torch.nn.Module):
        """The model without its cache: three inputs, one output."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, position_ids: Any) -> Any:
            return self.model(
                input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, use_cache=False
            ).logits

    task.log("Tracing the model.")
    batch, sequence = torch.export.Dim("batch"), torch.export.Dim("sequence")
    example = _inputs(2, 6, int(model.config.get_text_config().vocab_size))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                Logits(),
                kwargs={name: example[name] for name in INPUTS},
                f=str(graph),
                dynamo=True,
                external_data=True,
                input_names=list(INPUTS),
                output_names=["logits"],
                dynamic_shapes={name: {0: batch, 1: sequence} for name in INPUTS},
                verbose=False,
            )
        except (RuntimeError, ValueError, TypeError) as error:
            first = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
            raise ExportFailed(f"torch cannot write {type(model).__name__} as ONNX ({first}).") from error
        task.tell(sum(file.stat().st_size for file in graph.parent.iterdir()))
        _compare(model, graph, task)


def _inputs(rows: int, length: int, vocab_size: int, padding: int = 0) -> dict[str, Any]:
    """Token ids of every size of number, the first row padded on the left."""
    import torch

    generator = torch.Generator().manual_seed(rows * 1000 + length)
    ids = torch.randint(0, vocab_size, (rows, length), generator=generator)
    mask = torch.ones_like(ids)
    mask[0, :padding] = 0
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    return {"input_ids": ids, "attention_mask": mask, "position_ids": positions}


def _compare(model: Any, graph: Path, task: Task) -> None:
    """Other batches and lengths than the one that was traced, through onnxruntime and through torch."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    vocab_size = int(model.config.get_text_config().vocab_size)
    worst = 0.0
    for rows, length, padding in ((1, 1, 0), (3, 17, 5), (1, 33, 0)):
        inputs = _inputs(rows, length, vocab_size, padding)
        expected = model(**inputs, use_cache=False).logits.numpy()
        found = session.run(["logits"], {name: value.numpy() for name, value in inputs.items()})[0]
        real = inputs["attention_mask"].bool().numpy()
        worst = max(worst, float(abs(found - expected)[real].max()) / max(1.0, float(abs(expected[real]).max())))
    if not worst <= CLOSE:
        raise ExportFailed(f"The ONNX graph answers differently: a logit is off by {worst:.2g} (at most {CLOSE:g}).")
    task.log(f"onnxruntime and torch agree: the largest difference of a logit is {worst:.1g}.")
