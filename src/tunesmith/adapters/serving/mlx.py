"""MLX folders (weights of mlx_lm, tokenizer, template), by mlx_lm."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from tunesmith.kit.errors import MissingExtra
from tunesmith.ports.serving import NotServable, Servable
from tunesmith.wire.spec import ServeSpec


class MlxBackend:
    """Serves an exported folder without a cache: enough to judge it."""

    name: ClassVar[str] = "mlx"
    switches_adapters: ClassVar[bool] = False

    def check(self, model: Servable) -> None:
        """The folder must have a model and a tokenizer."""
        if find_spec("mlx") is None or find_spec("mlx_lm") is None:
            raise MissingExtra("mlx", "Running MLX")
        if not (model.base_path / "config.json").is_file():
            raise NotServable(f"{model.base_path.name!r} has no config.json, so it is not a model folder.")
        if not (model.base_path / "tokenizer.json").is_file():
            raise NotServable(f"{model.base_path.name!r} has no tokenizer.json, so it cannot be asked.")

    def spec(self, model: Servable, device: str) -> ServeSpec:
        """The folder; MLX takes Apple's GPU where there is one, else the CPU."""
        return ServeSpec.model_validate(
            {"backend": self.name, "device": "cpu", "model_path": str(model.base_path), "tokenizer_path": None}
        )

    def command(self, folder: Path) -> Sequence[str]:
        """Runs ``tunesmith.ml.serve_mlx``."""
        return [sys.executable, "-m", "tunesmith.ml.serve_mlx", str(folder)]

    def environment(self, model: Servable) -> Mapping[str, str]:
        """Nothing: there is no secret."""
        return {}
