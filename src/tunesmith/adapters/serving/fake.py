"""A stand-in that needs no torch and no weights: it repeats what it was told. For demonstrations, UI work and fast tests."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tunesmith.ports.serving import NotServable, Servable
from tunesmith.wire.spec import ServeSpec


class FakeBackend:
    """Serves an echo in a child that starts at once."""

    name: ClassVar[str] = "fake"
    switches_adapters: ClassVar[bool] = True

    def check(self, model: Servable) -> None:
        """Any path that exists will do."""
        if not model.base_path.exists():
            raise NotServable(f"There is nothing at {model.base_path.name!r}.")

    def spec(self, model: Servable, device: str) -> ServeSpec:
        """Paths, as the other backends give them."""
        return ServeSpec.model_validate({"backend": self.name, "device": device, "model_path": str(model.base_path)})

    def command(self, folder: Path) -> Sequence[str]:
        """Runs ``tunesmith.ml.serve_fake``."""
        return [sys.executable, "-m", "tunesmith.ml.serve_fake", str(folder)]

    def environment(self, model: Servable) -> Mapping[str, str]:
        """Nothing: there is no secret."""
        return {}
