"""vLLM: an address where it runs already, or its own command on a model folder; adapters go in as LoRA modules."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tunesmith.ports.serving import NotServable, Servable
from tunesmith.wire.serving import REMOTE_KEY
from tunesmith.wire.spec import ServeSpec

PROGRAM = "vllm"
SERVED, TUNED = "base", "tuned"


class VllmBackend:
    """Serves with vLLM."""

    name: ClassVar[str] = "vllm"
    switches_adapters: ClassVar[bool] = False

    def check(self, model: Servable) -> None:
        """Without an address the program must be installed and the folder must have a config."""
        if model.remote is not None:
            return
        if shutil.which(PROGRAM) is None:
            raise NotServable(
                f"vLLM ({PROGRAM}) is not installed on this machine.",
                hint="Install it, or name the address where it runs in TUNESMITH_RUNTIME__REMOTES, as NAME=vllm+http://host:8000/v1.",
            )
        if not (model.base_path / "config.json").is_file():
            raise NotServable(f"{model.base_path.name!r} has no config.json, so it is not a model folder.")

    def spec(self, model: Servable, device: str) -> ServeSpec:
        """The address, or the command that starts the program on a free port."""
        if model.remote is not None:
            return ServeSpec.model_validate(
                {
                    "backend": self.name,
                    "model_path": str(model.base_path),
                    "address": model.remote.url,
                    "remote_model": model.remote.model,
                }
            )
        launch = [PROGRAM, "serve", str(model.base_path), "--host", "127.0.0.1", "--port", "{port}"]
        launch += ["--served-model-name", SERVED]
        if model.adapter_path:
            launch += ["--enable-lora", "--lora-modules", f"{TUNED}={model.adapter_path}"]
        remote_model = TUNED if model.adapter_path else SERVED
        return ServeSpec.model_validate(
            {"backend": self.name, "model_path": str(model.base_path), "launch": launch, "remote_model": remote_model}
        )

    def command(self, folder: Path) -> Sequence[str]:
        """Runs ``tunesmith.ml.serve_remote``, which starts the program when there is no address."""
        return [sys.executable, "-m", "tunesmith.ml.serve_remote", str(folder)]

    def environment(self, model: Servable) -> Mapping[str, str]:
        """The key of the address."""
        key = model.remote.key if model.remote else None
        return {REMOTE_KEY: key.get_secret_value()} if key else {}
