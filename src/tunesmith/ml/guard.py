"""What a child does before it imports its libraries: no pickle is read, nothing phones home, nothing is loaded for no use.

A pickle is a program. Weights come as safetensors, state as safetensors and JSON, and a library that falls back to
``torch.load`` or ``pickle.load`` should fail with a sentence, not run what it was given.
"""

from __future__ import annotations

import _pickle
import contextlib
import gc
import json
import logging
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

NEVER_USED = ("boto3", "mlflow", "vllm", "wandb")
"""Storage, tracking and engines are other processes' work."""


class PickleRefused(RuntimeError):
    """Something tried to read a pickle."""


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise PickleRefused("Reading pickles is switched off in this process: use safetensors and JSON.")


class RefusingUnpickler(pickle.Unpickler):
    """Stands where ``pickle.Unpickler`` stood; libraries may still derive from it."""

    __init__ = _refuse
    load = _refuse


def forbid_pickle() -> None:
    """Make ``pickle`` (and ``torch.load``, when torch is there or comes later through it) refuse to read."""
    for module in (pickle, _pickle):
        for name, stand_in in (("Unpickler", RefusingUnpickler), ("load", _refuse), ("loads", _refuse)):
            setattr(module, name, stand_in)
    if torch := sys.modules.get("torch"):
        torch.load = _refuse  # type: ignore[attr-defined]


def stay_offline() -> None:
    """Nothing in this process phones home, also when it was started by hand."""
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it warns of kernels that it would fetch from the Hub


def share_the_processor() -> None:
    """Let compute threads sleep, not spin, while they wait for each other: beside another busy process spinning costs a
    factor of fifteen, alone it gains next to nothing. OpenMP reads this once, so call it before torch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def leave_out(*names: str) -> None:
    """Let these packages seem not installed. transformers, accelerate, peft and trl import what they find, whether a run uses it
    or not; that is up to a third of the processor time before a run begins.
    """
    for name in names:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # the import system's own sign for "there is none"


def leave_out_bitsandbytes(model_path: Path) -> None:
    """The same, unless the model's weights are kept in its formats."""
    try:
        is_quantized = "quantization_config" in json.loads((model_path / "config.json").read_bytes())
    except (OSError, ValueError):
        return  # whoever loads the model says what is wrong with it
    if not is_quantized:
        leave_out("bitsandbytes")


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Import large libraries without looking for garbage in between, and never look at what they made again: it stays as long
    as the process. An eighth of the processor time of the imports, and a part of that of every later collection.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
