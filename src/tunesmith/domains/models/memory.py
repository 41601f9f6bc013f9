"""How much memory a model takes, how much this machine has, and which device models run on. Nothing here imports torch.

Answering, in bytes:

    weights = parameters × bytes of a number (4 on a CPU up to 1 × 10⁹ parameters, else 2)
    cache   = keys and values of one sequence of min(context length, 2048) tokens, 2 bytes a number
    answer  = 1.05 × weights + cache + 350 × 10⁶ for the process and its libraries

Training a LoRA adapter on it, in bytes, for a batch of ``b`` sequences:

    adapter     = 1 % of the parameters × 16 (weight, gradient and two moments in float32)
    activations = b × 48 × sqrt(parameters) × 2048 tokens
                  (34 × hidden size bytes a token and layer; hidden size × layers is about 1.4 × sqrt(parameters))
    train       = answer + adapter + activations

The forecast before a run measures; this is the estimate for a person who has only a model's size.
"""

from __future__ import annotations

import functools
import math
import platform
import shutil
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version

import psutil

from tunesmith.domains.models.schemas import MemoryEstimate, MemoryState

PROCESS_BYTES = 350 * 10**6
EXACT_PARAMETERS = 10**9
TOKENS = 2048
LARGEST_BATCH = 32
PROBE_SECONDS = 3.0
KEPT_SECONDS = 5.0


def inference_bytes(num_parameters: int, device: str, cache_bytes_per_token: int, context_length: int | None) -> int:
    """Memory to answer with a model of this size."""
    number = 4 if device == "cpu" and num_parameters <= EXACT_PARAMETERS else 2
    cache = cache_bytes_per_token * min(context_length or TOKENS, TOKENS)
    return int(1.05 * number * num_parameters) + cache + PROCESS_BYTES


def training_bytes(num_parameters: int, answering: int, batch_size: int) -> int:
    """Memory to train a LoRA adapter on it."""
    return answering + int(0.16 * num_parameters) + int(batch_size * 48 * math.sqrt(num_parameters) * TOKENS)


def estimate(
    num_parameters: int,
    *,
    device: str,
    available_bytes: int,
    cache_bytes_per_token: int = 0,
    context_length: int | None = None,
) -> MemoryEstimate:
    """What a model of this size takes, and the batch size that the free memory allows."""
    answering = inference_bytes(num_parameters, device, cache_bytes_per_token, context_length)
    batch = LARGEST_BATCH
    while batch > 1 and training_bytes(num_parameters, answering, batch) > available_bytes:
        batch //= 2
    return MemoryEstimate(
        inference_gb=_gb(answering),
        training_gb=_gb(training_bytes(num_parameters, answering, batch)),
        optimal_batch_size=batch,
        fits=answering <= available_bytes,
    )


def _gb(size_bytes: float) -> float:
    return round(size_bytes / 1e9, 3)


@functools.cache
def detect_device() -> str:
    """The first of mps, cuda, cpu that a child's torch will find here."""
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return "mps"
    return "cuda" if _torch_has_cuda() and _query_gpu("name") else "cpu"


def _torch_has_cuda() -> bool:
    try:
        return not version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False


def _query_gpu(fields: str) -> str | None:
    """What the driver's own tool says of the first GPU; None where there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    command = [program, f"--query-gpu={fields}", "--format=csv,noheader,nounits", "--id=0"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 and done.stdout.strip() else None


class MemoryMeter:
    """Reads the device's memory; a GPU's answer is kept for a few seconds, since its tool takes a tenth of one."""

    def __init__(self) -> None:
        self._kept: tuple[float, MemoryState] | None = None

    def read(self, device: str) -> MemoryState:
        """Memory of ``device`` now."""
        if device != "cuda":
            memory = psutil.virtual_memory()
            total, available = memory.total, memory.available
            return MemoryState(total_gb=_gb(total), available_gb=_gb(available), used_gb=_gb(total - available))
        if self._kept and time.monotonic() - self._kept[0] < KEPT_SECONDS:
            return self._kept[1]
        answer = _query_gpu("memory.total,memory.free")
        total, free = (int(float(n) * 2**20) for n in answer.split(",")) if answer else (0, 0)
        state = MemoryState(total_gb=_gb(total), available_gb=_gb(free), used_gb=_gb(total - free))
        self._kept = (time.monotonic(), state)
        return state
