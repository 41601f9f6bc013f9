"""Whether the system has killed a child for memory, told apart from a person's `kill -9`: the kernel counts its own kills.

It counts them for the memory group of the process that it killed (version 2: ``memory.events``, version 1:
``memory.oom_control``), and for the whole machine in ``/proc/vmstat``. The group is asked first: the machine's number also rises
when somebody else is killed. A process may be moved while it runs, so its group is looked up as long as it lives.
"""

from __future__ import annotations

import re
from pathlib import Path

PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")
MACHINE = Path("/proc/vmstat")
_COUNT = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


class MemoryKills:
    """The kernel's count of kills where one process runs: as it was when it was first looked at there, and now."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._machine = _count(MACHINE)
        self._before: dict[Path, int] = {}
        self.look()

    def look(self) -> None:
        """Note the group that the process is in now. A dead one seems to be in the root, which does no harm."""
        group = _group_of(self._pid)
        if group is not None and group not in self._before and (count := _count(group)) is not None:
            self._before[group] = count

    def happened(self) -> bool:
        """Whether the count of a group that the process was in has risen."""
        after = {group: _count(group) for group in self._before}
        if any(count is not None for count in after.values()):
            return any((after[group] or 0) > before for group, before in self._before.items())
        now = _count(MACHINE)
        return self._machine is not None and now is not None and now > self._machine


def _group_of(pid: int) -> Path | None:
    """The file that counts the kills in the memory group of a process."""
    try:
        lines = (PROC / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _number, controllers, path = line.split(":", 2)
        names = controllers.split(",")
        if "memory" in names:
            return GROUPS / "memory" / path.lstrip("/") / "memory.oom_control"
    unified = next((line.split("::", 1)[1] for line in lines if line.startswith("0::")), None)
    return None if unified is None else GROUPS / unified.lstrip("/") / "memory.events"


def _count(file: Path) -> int | None:
    try:
        found = _COUNT.search(file.read_text())
    except OSError:
        return None
    return int(found[1]) if found else None
