"""Why a run cannot go on, in words: every failure has an error type, a sentence and a hint; the traceback goes to the log."""

from __future__ import annotations

import errno
from dataclasses import dataclass

import torch
from safetensors import SafetensorError

from tunesmith.kit.errors import TunesmithError
from tunesmith.wire.checkpoint import CheckpointDamaged

OUT_OF_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "bad_alloc",
    "could not create a memory object",
    "could not create a primitive",
)
DEVICE_WORDS = (
    "cuda error",
    "cuda driver",
    "no kernel image",
    "device-side assert",
    "cudnn_status",
    "cublas_status",
    "nccl error",
    "mps backend",
    "hip error",
)
PEER_LOST_WORDS = (
    "gloo/transport",
    "connection closed by peer",
    "connection reset by peer",
    "connection was likely closed",
    "timed out waiting",
    "watchdog caught collective operation timeout",
    "nccl communicator was aborted",
    "remote process exited",
)
"""How gloo, NCCL and their stores say that another rank is gone."""
NO_SPACE_WORDS = ("no space left on device", "disk quota exceeded", "file too large")


@dataclass
class RunFailure(Exception):
    """A failure that the run itself has found and can explain."""

    error_type: str
    code: str
    message: str
    hint: str
    reason: str | None = None

    def __str__(self) -> str:
        return self.message


def data_failure(message: str, hint: str) -> RunFailure:
    """The training data cannot be used."""
    return RunFailure("DATASET_ERROR", "dataset", message, hint)


def configuration_failure(message: str, hint: str) -> RunFailure:
    """The recipe asks for something that cannot be done here."""
    return RunFailure("CONFIGURATION_ERROR", "configuration", message, hint)


def diverged(message: str) -> RunFailure:
    """Loss or gradient is no longer a number."""
    hint = "Lower training.learning_rate, raise training.warmup_ratio, or set training.precision: fp32."
    return RunFailure("ENGINE_ERROR", "diverged", message, hint, reason="diverged")


def explain(error: BaseException) -> RunFailure:
    """What ``error`` means for the person who started the run."""
    words = f"{type(error).__name__}: {error}".strip().rstrip(":")[:500]
    lowered = str(error).lower()
    if isinstance(error, RunFailure):
        return error
    if isinstance(error, TunesmithError):
        return RunFailure("CONFIGURATION_ERROR", error.code, error.message, error.hint)
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(w in lowered for w in OUT_OF_MEMORY_WORDS):
        return RunFailure(
            "GPU_ERROR",
            "out-of-memory",
            f"The run does not fit into memory ({words[:200]}).",
            "Halve training.batch_size and double gradient_accumulation_steps (the result stays the same), lower "
            "training.max_length, or set training.gradient_checkpointing: true.",
            reason="out-of-memory",
        )
    no_space = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if no_space or any(w in lowered for w in NO_SPACE_WORDS):
        return RunFailure(
            "DISK_ERROR",
            "disk-full",
            "The disk is full; the checkpoints that were complete are still there.",
            "Free some space in the data folder, then resume the job.",
            reason="disk-full",
        )
    if any(w in lowered for w in PEER_LOST_WORDS):
        return RunFailure(
            "ENGINE_ERROR",
            "peer-lost",
            f"Another process of this run is gone ({words[:200]}).",
            "Resume the job: it goes on from its last checkpoint.",
            reason="peer-lost",
        )
    if any(w in lowered for w in DEVICE_WORDS):
        return RunFailure(
            "GPU_ERROR",
            "device",
            f"The device failed ({words[:200]}).",
            "Resume the job: it goes on from its last checkpoint. If it fails again, check the driver, or set "
            "resources.device: cpu.",
            reason="device",
        )
    if isinstance(error, ImportError):
        return RunFailure(
            "ENGINE_ERROR",
            "engine",
            f"A library that the training needs cannot be loaded ({words[:200]}).",
            "Install it with: pip install 'tunesmith[train]'",
            reason="library-missing",
        )
    if isinstance(error, CheckpointDamaged):
        return RunFailure("CHECKPOINT_ERROR", "checkpoint", words, "Resume from another checkpoint of this job.")
    if isinstance(error, SafetensorError):
        return RunFailure(
            "CONFIGURATION_ERROR",
            "model-invalid",
            f"The weights of the base model cannot be read ({words}).",
            "Fetch the model again; a file of it is damaged or incomplete.",
        )
    if isinstance(error, OSError):
        return RunFailure("DISK_ERROR", "disk", words, "See that the file exists and can be read, then resume the job.")
    return RunFailure(
        "ENGINE_ERROR" if isinstance(error, RuntimeError | ValueError) else "UNKNOWN_ERROR",
        "training",
        f"The training stopped with an error that it does not know ({words}).",
        "The last lines of the job's log show where it happened.",
    )
