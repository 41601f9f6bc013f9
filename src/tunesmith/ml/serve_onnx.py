"""Load one ONNX folder and answer over HTTP on loopback: ``python -m tunesmith.ml.serve_onnx <folder with spec.json>``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime

from tunesmith.ml.serve_http import Refused
from tunesmith.ml.serve_logits import Array, LogitsEngine, serve

GIVEN = {"input_ids", "attention_mask", "position_ids"}


class OnnxEngine(LogitsEngine):
    """A graph from token ids to logits, in onnxruntime."""

    backend = "onnx"

    def load(self, folder: Path) -> None:
        """Open the graph; refuses one that takes or gives other things."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(graph_of(folder)), options, providers=["CPUExecutionProvider"])
        self._inputs = {given.name for given in self._session.get_inputs()}
        outputs = [made.name for made in self._session.get_outputs()]
        if "input_ids" not in self._inputs or self._inputs - GIVEN or "logits" not in outputs:
            raise Refused(
                "onnx-graph",
                "The graph must take input_ids (and attention_mask, position_ids) and give logits; "
                f"it takes {', '.join(sorted(self._inputs))} and gives {', '.join(outputs)}.",
            )

    def logits(self, ids: list[int]) -> Array:
        """One pass."""
        row = np.array([ids], np.int64)
        given = {
            "input_ids": row,
            "attention_mask": np.ones_like(row),
            "position_ids": np.arange(len(ids), dtype=np.int64)[None],
        }
        found: Array = self._session.run(["logits"], {name: given[name] for name in self._inputs})[0][0]
        return found


def graph_of(folder: Path) -> Path:
    """The folder's graph."""
    named = folder / "model.onnx"
    return named if named.is_file() else next(iter(sorted(folder.glob("*.onnx"))), named)


if __name__ == "__main__":
    sys.exit(serve(OnnxEngine))
