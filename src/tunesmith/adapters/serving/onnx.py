"""ONNX folders (graph, tokenizer, template), by onnxruntime."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from tunesmith.kit.errors import MissingExtra
from tunesmith.ports.serving import NotServable, Servable
from tunesmith.wire.spec import ServeSpec


class OnnxBackend:
    """Serves an exported graph: slow, since it keeps no cache, and enough to judge it."""

    name: ClassVar[str] = "onnx"
    switches_adapters: ClassVar[bool] = False

    def check(self, model: Servable) -> None:
        """The folder must have a graph and a tokenizer."""
        if find_spec("onnxruntime") is None:
            raise MissingExtra("export", "Running ONNX")
        if not any(model.base_path.glob("*.onnx")):
            raise NotServable(f"{model.base_path.name!r} has no .onnx file.")
        if not (model.base_path / "tokenizer.json").is_file():
            raise NotServable(f"{model.base_path.name!r} has no tokenizer.json, so it cannot be asked.")

    def spec(self, model: Servable, device: str) -> ServeSpec:
        """The folder; onnxruntime here computes on the CPU."""
        return ServeSpec.model_validate(
            {"backend": self.name, "device": "cpu", "model_path": str(model.base_path), "tokenizer_path": None}
        )

    def command(self, folder: Path) -> Sequence[str]:
        """Runs ``tunesmith.ml.serve_onnx``."""
        return [sys.executable, "-m", "tunesmith.ml.serve_onnx", str(folder)]

    def environment(self, model: Servable) -> Mapping[str, str]:
        """Nothing: there is no secret."""
        return {}
