"""Load one MLX folder and answer over HTTP on loopback: ``python -m tunesmith.ml.serve_mlx <folder with spec.json>``."""

from __future__ import annotations

import sys
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx_lm.utils import load_model

from tunesmith.ml.serve_logits import Array, LogitsEngine, serve


class MlxEngine(LogitsEngine):
    """A model of mlx_lm, packed or not."""

    backend = "mlx"

    def load(self, folder: Path) -> None:
        """Read weights and configuration; no code of the folder is run."""
        self._model, _ = load_model(folder)

    def logits(self, ids: list[int]) -> Array:
        """One pass."""
        return np.array(self._model(mx.array([ids]))[0].astype(mx.float32))


if __name__ == "__main__":
    sys.exit(serve(MlxEngine))
