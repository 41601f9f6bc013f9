"""Model folders (config, safetensors, tokenizer) with an optional adapter, by transformers and PEFT."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from tunesmith.kit.errors import MissingExtra
from tunesmith.ports.serving import NotServable, Servable
from tunesmith.wire.spec import ServeSpec


class TransformersBackend:
    """Serves a model folder in a child that has torch."""

    name: ClassVar[str] = "transformers"
    switches_adapters: ClassVar[bool] = True

    def check(self, model: Servable) -> None:
        """The folder must have a config; an adapter must be PEFT's."""
        if find_spec("torch") is None or find_spec("transformers") is None:
            raise MissingExtra("serve", "Loading a model")
        if not (model.base_path / "config.json").is_file():
            raise NotServable(f"{model.base_path.name!r} has no config.json, so it is not a model folder.")
        if model.adapter_path and not (model.adapter_path / "adapter_config.json").is_file():
            raise NotServable(f"{model.adapter_path.name!r} has no adapter_config.json, so it is not an adapter.")

    def spec(self, model: Servable, device: str) -> ServeSpec:
        """Paths and device; adapters are loaded when they are asked for."""
        return ServeSpec.model_validate(
            {
                "backend": self.name,
                "device": device,
                "model_path": str(model.base_path),
                "tokenizer_path": str(model.tokenizer_path or model.base_path),
            }
        )

    def command(self, folder: Path) -> Sequence[str]:
        """Runs ``tunesmith.ml.serve``."""
        return [sys.executable, "-m", "tunesmith.ml.serve", str(folder)]

    def environment(self, model: Servable) -> Mapping[str, str]:
        """Nothing: there is no secret."""
        return {}
