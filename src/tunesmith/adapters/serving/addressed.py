"""Models that answer at an OpenAI-compatible address, by a light child that passes questions on: one that runs elsewhere already,
or vLLM or Text Generation Inference started here by their own commands. Adapters go in as LoRA modules of those programs.
"""

from __future__ import annotations

import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tunesmith.ports.serving import NotServable, Servable
from tunesmith.wire.serving import REMOTE_KEY
from tunesmith.wire.spec import ServeSpec

SERVED, TUNED = "base", "tuned"
"""What a program that is started here calls its model, with and without an adapter."""


class RemoteBackend:
    """Serves what runs elsewhere; nothing is loaded here."""

    name: ClassVar[str] = "remote"
    switches_adapters: ClassVar[bool] = False

    def check(self, model: Servable) -> None:
        """It must have an address."""
        if model.remote is None:
            raise NotServable(
                f"{model.name} has no address.", hint="Name one in TUNESMITH_RUNTIME__REMOTES and ask for remote:NAME."
            )

    def spec(self, model: Servable, device: str) -> ServeSpec:
        """The address and the name of the model there."""
        remote = model.remote
        return self._spec(model, address=remote.url if remote else None, remote_model=remote.model if remote else None)

    def _spec(self, model: Servable, **values: object) -> ServeSpec:
        return ServeSpec.model_validate({"backend": self.name, "model_path": str(model.base_path), **values})

    def command(self, folder: Path) -> Sequence[str]:
        """Runs ``tunesmith.ml.serve_remote``, which starts the program when there is no address."""
        return [sys.executable, "-m", "tunesmith.ml.serve_remote", str(folder)]

    def environment(self, model: Servable) -> Mapping[str, str]:
        """The key of the address."""
        key = model.remote.key if model.remote else None
        return {REMOTE_KEY: key.get_secret_value()} if key else {}


class _ProgramBackend(RemoteBackend, ABC):
    title: ClassVar[str]
    program: ClassVar[str]

    def check(self, model: Servable) -> None:
        """Without an address the program must be installed and the folder must have a config."""
        if model.remote is not None:
            return
        if shutil.which(self.program) is None:
            raise NotServable(
                f"{self.title} ({self.program}) is not installed on this machine.",
                hint="Install it, or name the address where it runs in TUNESMITH_RUNTIME__REMOTES, "
                f"as NAME={self.name}+http://host:8000/v1.",
            )
        if not (model.base_path / "config.json").is_file():
            raise NotServable(f"{model.base_path.name!r} has no config.json, so it is not a model folder.")

    def spec(self, model: Servable, device: str) -> ServeSpec:
        """The address, or the command that starts the program on a free port."""
        if model.remote is not None:
            return super().spec(model, device)
        launch, remote_model = self.launch(model)
        return self._spec(model, launch=[self.program, *launch], remote_model=remote_model)

    @abstractmethod
    def launch(self, model: Servable) -> tuple[list[str], str | None]:
        """The program's arguments (``{port}`` stands for a free port), and what it will call the model."""


class VllmBackend(_ProgramBackend):
    """Serves with vLLM."""

    name: ClassVar[str] = "vllm"
    title: ClassVar[str] = "vLLM"
    program: ClassVar[str] = "vllm"

    def launch(self, model: Servable) -> tuple[list[str], str | None]:
        """``vllm serve``."""
        arguments = ["serve", str(model.base_path), "--host", "127.0.0.1", "--port", "{port}"]
        arguments += ["--served-model-name", SERVED]
        if model.adapter_path is None:
            return arguments, SERVED
        return [*arguments, "--enable-lora", "--lora-modules", f"{TUNED}={model.adapter_path}"], TUNED


class TgiBackend(_ProgramBackend):
    """Serves with Text Generation Inference."""

    name: ClassVar[str] = "tgi"
    title: ClassVar[str] = "Text Generation Inference"
    program: ClassVar[str] = "text-generation-launcher"

    def launch(self, model: Servable) -> tuple[list[str], str | None]:
        """``text-generation-launcher``, whose one model has no name of its own."""
        arguments = ["--model-id", str(model.base_path), "--hostname", "127.0.0.1", "--port", "{port}"]
        if model.adapter_path is None:
            return arguments, None
        return [*arguments, "--lora-adapters", f"{TUNED}={model.adapter_path}"], TUNED
