"""GGUF files, by llama.cpp's server inside a child (xllamacpp)."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from tunesmith.kit.errors import MissingExtra
from tunesmith.ports.serving import NotServable, Servable
from tunesmith.wire.spec import ServeSpec

GGUF_MAGIC = b"GGUF"


class LlamaCppBackend:
    """Serves a GGUF file with its own tokenizer and chat template."""

    name: ClassVar[str] = "llamacpp"
    switches_adapters: ClassVar[bool] = False

    def check(self, model: Servable) -> None:
        """The file must begin as a GGUF file does."""
        if find_spec("xllamacpp") is None:
            raise MissingExtra("serve", "Loading a GGUF file")
        if model.adapter_path is not None:
            raise NotServable(
                "A GGUF file is served without an adapter.", hint="Export the tuned model as GGUF and serve that file."
            )
        if not model.base_path.is_file():
            raise NotServable(f"There is no GGUF file {model.base_path.name!r}.")
        with model.base_path.open("rb") as file:
            if file.read(4) != GGUF_MAGIC:
                raise NotServable(f"{model.base_path.name!r} does not begin as a GGUF file does.")

    def spec(self, model: Servable, device: str) -> ServeSpec:
        """The file and the device."""
        tokenizer = str(model.tokenizer_path) if model.tokenizer_path else None
        return ServeSpec.model_validate(
            {"backend": self.name, "device": device, "model_path": str(model.base_path), "tokenizer_path": tokenizer}
        )

    def command(self, folder: Path) -> Sequence[str]:
        """Runs ``tunesmith.ml.serve_llamacpp``."""
        return [sys.executable, "-m", "tunesmith.ml.serve_llamacpp", str(folder)]

    def environment(self, model: Servable) -> Mapping[str, str]:
        """Nothing: there is no secret."""
        return {}
