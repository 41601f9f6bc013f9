"""How much memory a new process may still take: what the machine has free, or the group that this process is in."""

from __future__ import annotations

from pathlib import Path

import psutil

GROUPS = Path("/sys/fs/cgroup")
_FILES = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))


def available_bytes() -> int:
    """Free memory of the machine, or less where a memory group allows less."""
    free = int(psutil.virtual_memory().available)
    group = _group()
    while group is not None and group != group.parent and GROUPS in (group, *group.parents):
        for limit_name, used_name in _FILES:
            limit, used = _number(group / limit_name), _number(group / used_name)
            if limit is not None and used is not None:
                free = min(free, max(0, limit - used + _reclaimable(group)))
        group = group.parent
    return free


def _group() -> Path | None:
    """The folder of this process's memory group."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _id, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return GROUPS / "memory" / path.lstrip("/")
    return next((GROUPS / line.split("::", 1)[1].lstrip("/") for line in lines if line.startswith("0::")), None)


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return None


def _reclaimable(group: Path) -> int:
    """File pages that count as used and are given back when somebody needs them."""
    try:
        lines = (group / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    found = dict(line.split()[:2] for line in lines if len(line.split()) == 2)
    return int(found.get("total_inactive_file", found.get("inactive_file", 0)))
