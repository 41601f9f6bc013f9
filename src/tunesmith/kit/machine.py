"""What this machine has and uses now, asked without any library of the engine room: processors, memory, disks, accelerators."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path

import psutil
from pydantic import BaseModel, Field

PROBE_SECONDS = 5
SHORTEST_LOOK_SECONDS = 0.2
"""Processor seconds that must have passed for a share to mean something."""
_FIELDS = "index,name,memory.total,memory.used,utilization.gpu,temperature.gpu"
MIB = 2**20


class GpuUsage(BaseModel):
    """One accelerator."""

    index: int = Field(description="Number of the GPU.")
    name: str = Field(description="What it is called.")
    memory_total_bytes: int = Field(description="Its memory.")
    memory_used_bytes: int = Field(description="Memory in use.")
    utilization: float | None = Field(None, description="Share of the time that it computes, 0 to 1.")
    temperature_celsius: float | None = Field(None, description="Temperature.")


class Usage(BaseModel):
    """What a machine uses."""

    cpu: float = Field(description="Share of all processors in use, 0 to 1.")
    memory_used_bytes: int = Field(description="Memory in use.")
    memory_total_bytes: int = Field(description="Memory there is.")
    disk_free_bytes: int = Field(description="Free space where the data folder lies.")
    disk_total_bytes: int = Field(description="Space there is.")
    gpus: list[GpuUsage] = Field(default_factory=list, description="Its GPUs.")


class Device(BaseModel):
    """Something that can train."""

    name: str = Field(description="`cpu`, `mps` or `cuda:N`.")
    title: str = Field(description="What it is called.")
    memory_total_bytes: int = Field(description="Memory that it has.")


def measure(folder: Path) -> Usage:
    """What is used now. ``cpu`` counts since the last call in this process; takes up to a tenth of a second with a GPU."""
    memory, disk = psutil.virtual_memory(), shutil.disk_usage(folder)
    return Usage(
        cpu=_processors.busy(),
        memory_used_bytes=memory.total - memory.available,
        memory_total_bytes=memory.total,
        disk_free_bytes=disk.free,
        disk_total_bytes=disk.total,
        gpus=list_gpus(),
    )


class _Processors:
    """The share of the processors' time that was spent on work since the last look. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = self._times()
        self._share = 0.0

    @staticmethod
    def _times() -> tuple[float, float]:
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        return sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0), idle

    def busy(self) -> float:
        """0 to 1; two looks in the same moment answer the same."""
        with self._lock:
            total, idle = self._times()
            passed = total - self._last[0]
            if passed > SHORTEST_LOOK_SECONDS:
                self._share = round(min(1.0, max(0.0, 1 - (idle - self._last[1]) / passed)), 4)
                self._last = (total, idle)
            return self._share


_processors = _Processors()


def processor_count() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def list_gpus() -> list[GpuUsage]:
    """Every GPU that the driver's tool shows; none where there is no such tool."""
    program = _probe()
    if program is None:
        return []
    command = [program, f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return parse_gpus(done.stdout) if done.returncode == 0 else []


def parse_gpus(text: str) -> list[GpuUsage]:
    """What ``nvidia-smi`` prints, a line for each GPU; `[N/A]` where it does not know."""
    found = []
    for line in text.strip().splitlines():
        index, name, total, used, busy, heat = (part.strip() for part in line.split(","))
        found.append(
            GpuUsage(
                index=int(index),
                name=name,
                memory_total_bytes=int((_number(total) or 0) * MIB),
                memory_used_bytes=int((_number(used) or 0) * MIB),
                utilization=None if _number(busy) is None else (_number(busy) or 0) / 100,
                temperature_celsius=_number(heat),
            )
        )
    return found


def list_devices(chosen: str = "auto") -> list[Device]:
    """The devices that training may use: every GPU, else Apple's, else the processor. ``chosen`` is the setting."""
    total = psutil.virtual_memory().total
    gpus = list_gpus() if chosen in ("auto", "cuda") else []
    if gpus:
        return [
            Device(name=f"cuda:{gpu.index}", title=gpu.name, memory_total_bytes=gpu.memory_total_bytes) for gpu in gpus
        ]
    if chosen in ("auto", "mps") and sys.platform == "darwin" and platform.machine() == "arm64":
        return [Device(name="mps", title="Apple GPU", memory_total_bytes=total)]
    return [Device(name="cpu", title=_processor(), memory_total_bytes=total)]


@lru_cache(maxsize=1)
def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(errors="replace").splitlines():
            if line.lower().startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@lru_cache(maxsize=1)
def _probe() -> str | None:
    return shutil.which("nvidia-smi")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
