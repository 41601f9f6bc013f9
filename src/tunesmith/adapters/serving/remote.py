"""Any address that speaks OpenAI's API, by a light child that passes questions on."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tunesmith.ports.serving import NotServable, Servable
from tunesmith.wire.serving import REMOTE_KEY
from tunesmith.wire.spec import ServeSpec


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
        return ServeSpec.model_validate(
            {
                "backend": self.name,
                "model_path": str(model.base_path),
                "address": remote.url if remote else None,
                "remote_model": remote.model if remote else None,
            }
        )

    def command(self, folder: Path) -> Sequence[str]:
        """Runs ``tunesmith.ml.serve_remote``."""
        return [sys.executable, "-m", "tunesmith.ml.serve_remote", str(folder)]

    def environment(self, model: Servable) -> Mapping[str, str]:
        """The key of the address."""
        key = model.remote.key if model.remote else None
        return {REMOTE_KEY: key.get_secret_value()} if key else {}
