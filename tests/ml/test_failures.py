"""Every class of failure has its type and says what to do."""

from __future__ import annotations

import errno

import pytest
import torch

from tunesmith.ml.failures import configuration_failure, data_failure, explain
from tunesmith.wire.checkpoint import CheckpointDamaged


@pytest.mark.parametrize(
    ("error", "error_type", "code", "hint"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), "GPU_ERROR", "out-of-memory", "batch_size"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "GPU_ERROR", "out-of-memory", "batch_size"),
        (RuntimeError("CUDA error: device-side assert triggered"), "GPU_ERROR", "device", "driver"),
        (data_failure("Row 3 is empty.", "Fill it."), "DATASET_ERROR", "dataset", "Fill it."),
        (configuration_failure("No such module.", "Name one."), "CONFIGURATION_ERROR", "configuration", "Name one."),
        (CheckpointDamaged("optimizer.safetensors differs"), "CHECKPOINT_ERROR", "checkpoint", "another checkpoint"),
        (OSError(errno.ENOSPC, "No space left on device"), "DISK_ERROR", "disk-full", "resume"),
        (ModuleNotFoundError("No module named 'trl'"), "ENGINE_ERROR", "engine", "pip install"),
        (RuntimeError("what is this?"), "ENGINE_ERROR", "training", "log"),
    ],
)
def test_a_failure_has_a_class_and_a_way_out(error: Exception, error_type: str, code: str, hint: str) -> None:
    failure = explain(error)
    assert (failure.error_type, failure.code) == (error_type, code)
    assert hint in failure.hint
    assert failure.message
