"""What this machine offers a run: device, number format, threads, memory; and how a run is made repeatable on it."""

from __future__ import annotations

import os
import random
import resource
from pathlib import Path

import numpy as np
import psutil
import torch

from tunesmith.kit.machine import processor_count

GIB = 2**30


def choose_device(name: str = "auto") -> torch.device:
    """The device called ``name``; ``auto`` takes the first of mps, cuda, cpu that is there. Raises ValueError if absent."""
    there = {"mps": torch.backends.mps.is_available(), "cuda": torch.cuda.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, present in there.items() if present)
    if not there.get(name):
        raise ValueError(
            f"device {name!r} is not on this machine; it has {', '.join(d for d, p in there.items() if p)}"
        )
    return torch.device(name)


def computes_in_bf16(device: torch.device) -> bool:
    """Whether the device has bf16 arithmetic; emulated bf16 is slower than fp32 and not more."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def use_threads(wanted: int | None = None) -> int:
    """Fix the number of compute threads: ``wanted``, else OMP_NUM_THREADS, else one for each physical core that we may use.

    Sums are split over the threads, so another number of threads gives other last bits.
    """
    default = int(os.environ.get("OMP_NUM_THREADS") or min(psutil.cpu_count(logical=False) or 1, processor_count()))
    threads = max(1, wanted or default)
    torch.set_num_threads(threads)
    return threads


def make_repeatable(seed: int) -> None:
    """Seed every generator and choose deterministic kernels where there are some."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)  # every device
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # costs time and hides nothing here


def limit_data_memory(gib: float | None) -> None:
    """Let this process allocate ``gib`` more than it has now; beyond that an allocation fails instead of the machine."""
    if gib is None:
        return
    torch.ones(512, 512) @ torch.ones(512, 512)  # start the compute threads: their stacks are not the run's memory
    used = 0
    status = Path("/proc/self/status")
    if status.is_file():
        used = next(
            int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmData")
        )
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = used + int(gib * GIB)
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def memory_gb(device: torch.device) -> float:
    """Memory in use, in 10⁹ bytes: of the accelerator, or of this process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    if device.type == "mps":
        return torch.mps.driver_allocated_memory() / 1e9
    return psutil.Process().memory_info().rss / 1e9
