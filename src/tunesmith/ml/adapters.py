"""Adapters of one base model: loaded when they are first asked for, one of them (or none) on at a time, the least used forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tunesmith.ml.lora import AdapterUnsupported, check_places, read_config
from tunesmith.ml.serve_http import Refused
from tunesmith.ml.tensors import ModelInvalid

KEPT = 8
"""Adapters kept beside the base; LoRA weights are small, and eight answer a comparison without reading the disk again."""

SPECIAL = ("fan_in_fan_out", "lora_bias", "target_parameters", "trainable_token_indices")
"""With these an adapter has parts under names or in shapes of their own; PEFT alone judges them."""


class AdapterShelf:
    """The model with whatever adapter is asked for. Used on the model's thread only."""

    def __init__(self, model: Any, device: torch.device) -> None:
        self._model = model
        self._shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
        self._is_packed = any(tensor.dtype == torch.uint8 for tensor in model.state_dict().values())
        self._device = device
        self._names: dict[str, str] = {}  # folder → name inside PEFT, the least recently used first
        self._on: str | None = None
        self._made = 0

    def model(self, folder: str | None) -> Any:
        """The model with that adapter on, or the bare base. Raises ``Refused`` when the adapter does not fit."""
        if folder is not None and folder not in self._names:
            self._load(folder)
        if folder is not None:
            self._names[folder] = self._names.pop(folder)
        if folder != self._on:
            self._switch(folder)
        return self._model

    def _switch(self, folder: str | None) -> None:
        if folder is None:
            self._model.base_model.disable_adapter_layers()
        else:
            if self._on is None:
                self._model.base_model.enable_adapter_layers()
            with torch.inference_mode(mode=False):
                self._model.set_adapter(self._names[folder], inference_mode=True)
        self._on = folder

    def _load(self, folder: str) -> None:
        from peft import PeftModel

        if not (Path(folder) / "adapter_model.safetensors").is_file():
            raise Refused("adapter-refused", f"{Path(folder).name} has no adapter_model.safetensors.")
        self._check(Path(folder))
        self._made += 1
        name = f"adapter{self._made}"
        is_first = not isinstance(self._model, PeftModel)
        try:
            with torch.inference_mode(mode=False), torch.no_grad():
                if is_first:
                    self._model = PeftModel.from_pretrained(
                        self._model, folder, adapter_name=name, local_files_only=True
                    )
                else:
                    self._model.load_adapter(folder, adapter_name=name, local_files_only=True)
                self._model.to(self._device).eval()
        except (ValueError, RuntimeError, KeyError, TypeError, OSError) as error:
            self._take_back(name, is_first)
            raise Refused(
                "adapter-refused",
                f"The adapter {Path(folder).name} cannot be put on this base model ({type(error).__name__}: {str(error)[:300]}).",
            ) from error
        self._names[folder] = name
        self._on = folder if is_first else self._on
        if len(self._names) > KEPT:
            oldest = next(other for other in self._names if other not in (folder, self._on))
            self._model.delete_adapter(self._names.pop(oldest))

    def _check(self, folder: Path) -> None:
        """Refuse a LoRA adapter that was made for another model, before PEFT puts those parts of it on that happen to fit."""
        try:
            config = read_config(folder)
            is_plain = config.get("peft_type") == "LORA" and not any(config.get(option) for option in SPECIAL)
            if is_plain and not self._is_packed:  # the shapes of weights in four bits say nothing
                check_places(folder, self._shapes)
        except (AdapterUnsupported, ModelInvalid) as error:
            raise Refused(
                "adapter-refused", f"The adapter {folder.name} cannot be put on this base model: {error.message}"
            ) from error
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise Refused("adapter-refused", f"The adapter {folder.name} cannot be read: {error}") from error

    def _take_back(self, name: str, is_first: bool) -> None:
        """Leave the model as it was before a load that failed half way."""
        if not is_first and name in getattr(self._model, "peft_config", {}):
            self._model.delete_adapter(name)
