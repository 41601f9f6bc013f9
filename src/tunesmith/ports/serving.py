"""How a model is served: a backend says whether it can, and which command starts the child that does.

Backends are light: no backend loads a model in this process. What the child must answer is in ``wire/serving.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from tunesmith.kit.errors import Unsupported
from tunesmith.wire.serving import RemoteAddress
from tunesmith.wire.spec import ServeSpec


class NotServable(Unsupported):
    """This backend cannot load what was named."""

    code, title = "not-servable", "This cannot be loaded"
    hint = "Name a model folder (transformers) or a .gguf file (llamacpp)."


@dataclass(frozen=True)
class Servable:
    """A model that can answer: the weights, an adapter on top, and where tokenizer and chat template lie."""

    name: str
    base_path: Path
    adapter_path: Path | None = None
    tokenizer_path: Path | None = None
    remote: RemoteAddress | None = None
    trained_from: Path | None = None
    """The model that all weights of this one were trained from, when it is not an adapter that can be switched off."""

    @property
    def has_base(self) -> bool:
        """Whether there is a model before it to compare with."""
        return self.adapter_path is not None or self.trained_from is not None

    @property
    def base(self) -> Servable:
        """The model before it was tuned: without its adapter, or the one that it was trained from."""
        if self.trained_from is not None:
            return Servable(f"base of {self.name}", self.trained_from, None, self.trained_from)
        return Servable(self.name, self.base_path, None, self.tokenizer_path, self.remote)


class ServingBackend(Protocol):
    """One way to serve a model."""

    name: ClassVar[str]
    switches_adapters: ClassVar[bool]
    """Whether one child answers with any adapter of its base, and without one; else each adapter needs a child."""

    def check(self, model: Servable) -> None:
        """Raise ``NotServable`` or ``MissingExtra`` when this backend cannot load ``model`` here."""
        ...

    def spec(self, model: Servable, device: str) -> ServeSpec:
        """What the child is told, written to its folder as ``spec.json``."""
        ...

    def command(self, folder: Path) -> Sequence[str]:
        """The command that starts a child on ``folder``."""
        ...

    def environment(self, model: Servable) -> Mapping[str, str]:
        """What the child gets besides, as environment variables: secrets, which no file shall hold."""
        ...
