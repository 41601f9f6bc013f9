"""The border: a folder between the worker and one child process.

    runs/<job>/attempts/<n>/
        spec.json       what to do (written by the worker, before the child starts)
        events.jsonl    what happens (appended by the child, one JSON object a line)
        child.json      process id and start time of the child (written by the worker)
        lease.<k>       touched by the worker that holds lease k; a child whose newest lease file is stale exits
        heartbeat       touched by the child's watch thread, outside the working loop
        cancel          "stop" (save a checkpoint, then end) or "cancel" (end)
        output.log      stdout and stderr of the child
        abandoned       why the child left by itself: nobody held its lease, or a later attempt was started
        artifacts/      what the work produced
        checkpoints/    verified checkpoints

It survives a worker restart (read on by offset), can be read with ``tail -f``, and makes a test a folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tunesmith.kit.paths import atomic_file, write_json
from tunesmith.wire.events import Event, parse_event

MAX_LINE_BYTES = 1 << 20


@dataclass(frozen=True)
class RunDirectory:
    """One attempt's folder."""

    path: Path

    @classmethod
    def create(cls, path: Path, spec: dict[str, Any]) -> RunDirectory:
        """Make the folder and write its spec."""
        run = cls(path)
        for folder in (path, run.artifacts, run.checkpoints):
            folder.mkdir(parents=True, exist_ok=True)
        write_json(run.spec_file, spec)
        return run

    @property
    def spec_file(self) -> Path:
        """What to do."""
        return self.path / "spec.json"

    @property
    def events_file(self) -> Path:
        """What happened."""
        return self.path / "events.jsonl"

    @property
    def cancel_file(self) -> Path:
        """The request to end."""
        return self.path / "cancel"

    @property
    def heartbeat_file(self) -> Path:
        """Touched by the child."""
        return self.path / "heartbeat"

    @property
    def child_file(self) -> Path:
        """Who the child is."""
        return self.path / "child.json"

    @property
    def output_file(self) -> Path:
        """What the child printed."""
        return self.path / "output.log"

    @property
    def abandoned_file(self) -> Path:
        """Why the child left by itself."""
        return self.path / "abandoned"

    @property
    def artifacts(self) -> Path:
        """What the work produced."""
        return self.path / "artifacts"

    @property
    def checkpoints(self) -> Path:
        """Verified checkpoints."""
        return self.path / "checkpoints"

    def lease_file(self, lease: int) -> Path:
        """The file of one lease; each holder has its own, so a thawed worker cannot refresh its successor's."""
        return self.path / f"lease.{lease}"

    def read_spec(self) -> dict[str, Any]:
        """The spec as it was written."""
        spec: dict[str, Any] = json.loads(self.spec_file.read_text(encoding="utf-8"))
        return spec

    def request_end(self, how: Literal["stop", "cancel"]) -> None:
        """Ask the child to end."""
        with atomic_file(self.cancel_file) as file:
            file.write(how.encode())

    def end_requested(self) -> Literal["stop", "cancel"] | None:
        """Whether, and how, the child is asked to end."""
        try:
            word = self.cancel_file.read_text().strip()
        except FileNotFoundError:
            return None
        return "stop" if word == "stop" else "cancel"

    def newest_lease_mtime(self) -> float | None:
        """When any holder last renewed, as a Unix time; None when there never was one."""
        times = [f.stat().st_mtime for f in self.path.glob("lease.*")]
        return max(times, default=None)

    def is_superseded(self) -> bool:
        """Whether a later attempt of the same job exists; such a child has nothing more to say."""
        if not self.path.name.isdigit() or self.path.parent.name != "attempts":
            return False
        own = int(self.path.name)
        return any(name.isdigit() and int(name) > own for name in os.listdir(self.path.parent))

    def append(self, event: Event) -> None:
        """Write one event as a whole line; checkpoints and last words are on disk when this returns.

        A line that a full disk cut short is closed first, so that it spoils itself and not the next one.
        """
        line = event.model_dump_json(exclude_none=True).encode() + b"\n"
        descriptor = os.open(self.events_file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size_bytes = os.fstat(descriptor).st_size
            if size_bytes and os.pread(descriptor, 1, size_bytes - 1) != b"\n":
                line = b"\n" + line
            while line:
                line = line[os.write(descriptor, line) :]
            if event.type in ("checkpoint", "finished", "failed"):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read_events(self, offset: int = 0) -> Iterator[tuple[int, Event | None, bytes]]:
        """Complete lines from byte ``offset``: (offset after the line, event or None when it is not one, raw line).

        A last line without its newline is left for the next call.
        """
        if not self.events_file.exists():
            return
        with self.events_file.open("rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                offset += len(line)
                try:
                    event: Event | None = parse_event(line)
                except ValueError:
                    event = None
                yield offset, event, line
