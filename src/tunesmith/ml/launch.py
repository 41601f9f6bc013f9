"""Several processes for one run: torchrun's own agent around ``python -m tunesmith.ml.sft RUN_DIR``, one for each rank.

The child that a worker starts is the agent. It starts the ranks, ends all of them when one has ended badly, and then says what
the reason was. Ranks follow it into death (``ranks.follow``), so whoever kills the child kills the run. Nothing restarts here:
the worker starts the child anew, from the newest checkpoint.

On one machine nothing listens but the ranks' own connections on loopback: they find each other through a file. Several machines
meet at ``resources.distributed.rendezvous``, which the first one opens; the others are started with ``tunesmith.ml.join``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunesmith.kit.machine import processor_count
from tunesmith.ml.report import Watch
from tunesmith.wire.devices import ResourcesSection
from tunesmith.wire.events import Failed, Finished
from tunesmith.wire.run_dir import RunDirectory

MEETING = "TUNESMITH_RANKS_FOLDER"
"""Variable: the folder in which the ranks of this machine meet, and leave a note when they fail."""
AGENT = "TUNESMITH_RANKS_AGENT"
"""Variable: process id of the agent."""
PEER_LOST = "peer-lost"
"""Reason of a rank that failed only because another one was gone."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
NODES_MEET_SECONDS = 600
END_BYTES = 1 << 20
"""Of the events, in which the last one surely begins."""
ONE_MACHINE = "one-machine"


def launched(run_dir: str) -> int | None:
    """Run all ranks and answer the exit code; None when this process is to do the work itself: alone, or as a rank."""
    if "RANK" in os.environ:
        return None
    run = RunDirectory(Path(run_dir).absolute())
    try:
        resources = ResourcesSection.model_validate(run.read_spec().get("recipe", {}).get("resources", {}))
    except ValidationError:
        return None  # the run itself says what is wrong with its recipe
    return None if resources.world.size == 1 else launch(run, resources)


def launch(run: RunDirectory, resources: ResourcesSection, node: int = 0) -> int:
    """Start the ranks of machine number ``node`` and wait for their end; answers the exit code that tells how it was."""
    with meeting_place(run, node) as folder:
        watch = AgentWatch(run, folder)
        if node == 0:
            watch.start()  # a sign of life before the seconds that the imports take
        try:
            return _launch(run, resources, node, folder)
        finally:
            watch.stop()


def _launch(run: RunDirectory, resources: ResourcesSection, node: int, folder: Path) -> int:
    from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    world = resources.world
    os.environ |= rank_environment(resources, folder)
    config = LaunchConfig(
        min_nodes=world.nodes,
        max_nodes=world.nodes,
        nproc_per_node=world.processes,
        run_id=f"{run.path.parent.parent.name}-{run.path.name}",
        max_restarts=0,
        monitor_interval=0.2,
        logs_specs=DefaultLogsSpecs(),
        **rendezvous(resources, node),
    )
    try:
        elastic_launch(config, sys.executable)("-m", "tunesmith.ml.sft", str(run.path))
    except ChildFailedError as error:
        codes = {rank: failure.exitcode for rank, failure in error.failures.items()}
        return end_of(run, folder, codes, tells=node == 0)
    except SignalException as error:
        return 128 + int(error.sigval)
    return 0


class AgentWatch(Watch):
    """The run's sign of life: given as long as every rank of this machine gives its own. A rank that is frozen stops it."""

    def __init__(self, run: RunDirectory, folder: Path) -> None:
        self._lease = float(run.read_spec().get("lease_seconds", 15.0))
        super().__init__(run, self._lease)
        self._folder = folder
        self._seen: dict[Path, tuple[float, float]] = {}

    def _beat(self) -> None:
        now = time.monotonic()
        for file in self._folder.glob("beat-*"):
            with contextlib.suppress(OSError):  # one that cannot be read now counts as silent
                beat = file.stat().st_mtime
                if beat != self._seen.get(file, (None, 0.0))[0]:
                    self._seen[file] = (beat, now)
        if all(now - at <= self._lease for _, at in self._seen.values()):
            super()._beat()


def rendezvous(resources: ResourcesSection, node: int) -> dict[str, Any]:
    """How the agents meet: not at all on one machine, at an address on several."""
    from torch.distributed import HashStore
    from torch.distributed.elastic.rendezvous import (
        RendezvousHandler,
        RendezvousInfo,
        RendezvousStoreInfo,
        rendezvous_handler_registry,
    )

    plan = resources.distributed
    if plan is not None and plan.rendezvous is not None:
        return {
            "rdzv_backend": "static",
            "rdzv_endpoint": plan.rendezvous,
            "rdzv_configs": {"rank": node, "timeout": NODES_MEET_SECONDS},
        }

    class OneMachine(RendezvousHandler):
        """The only agent: its store is its own memory. torch's own ways open a port on every interface, or read pickles."""

        use_agent_store = False

        def get_backend(self) -> str:
            return ONE_MACHINE

        def next_rendezvous(self) -> RendezvousInfo:
            return RendezvousInfo(HashStore(), 0, 1, RendezvousStoreInfo("127.0.0.1", 0))

        def is_closed(self) -> bool:
            return False

        def set_closed(self) -> None:
            """There is nothing to close."""

        def num_nodes_waiting(self) -> int:
            return 0

        def get_run_id(self) -> str:
            return ONE_MACHINE

        def shutdown(self) -> bool:
            return True

    rendezvous_handler_registry.register(ONE_MACHINE, lambda _parameters: OneMachine())
    return {"rdzv_backend": ONE_MACHINE, "rdzv_endpoint": "127.0.0.1", "local_addr": "127.0.0.1"}


def rank_environment(resources: ResourcesSection, folder: Path) -> dict[str, str]:
    """What every rank finds: its share of the cores, the interface, the meeting place, and whom to follow."""
    allowed = processor_count()
    cores = min(allowed, int(os.environ.get("OMP_NUM_THREADS") or allowed))
    found = {
        MEETING: str(folder),
        AGENT: str(os.getpid()),
        "OMP_NUM_THREADS": str(max(1, cores // resources.world.processes)),
    }
    plan = resources.distributed
    if plan is None or plan.rendezvous is None or plan.rendezvous.rpartition(":")[0] in LOOPBACK:
        loopback = "lo0" if sys.platform == "darwin" else "lo"
        found |= {"GLOO_SOCKET_IFNAME": loopback, "NCCL_SOCKET_IFNAME": loopback}
    if resources.gpu_ids is not None and "CUDA_VISIBLE_DEVICES" not in os.environ:
        found["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, resources.gpu_ids))
    return found


@contextlib.contextmanager
def meeting_place(run: RunDirectory, node: int) -> Iterator[Path]:
    """A new folder; of the first machine in the run's own, of others in the temporary files, since they write no runs."""
    folder = Path(tempfile.mkdtemp(prefix="ranks-", dir=run.path if node == 0 else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def note_failure(folder: Path, rank: int, failure: Failed) -> None:
    """Leave word for the agent why a rank has failed."""
    note = folder / f"failed-{rank}.json"
    note.with_suffix(".tmp").write_text(failure.model_dump_json(), encoding="utf-8")
    note.with_suffix(".tmp").rename(note)


def end_of(run: RunDirectory, folder: Path, codes: Mapping[int, int], *, tells: bool) -> int:
    """The exit code for ranks that ended with ``codes``, and the last word of the run where a rank has left a reason.

    A rank that was killed from outside leaves none, and those that failed for want of it have none of their own: then the run has
    no last word, this process ends as that rank did, and the worker goes on from the newest checkpoint.
    """
    killed = [code for code in codes.values() if code < 0 and code != -signal.SIGTERM]
    notes = sorted(folder.glob("failed-*.json"), key=lambda note: note.stat().st_mtime_ns)
    failures = [Failed.model_validate_json(note.read_bytes()) for note in notes]
    own = [failure for failure in failures if failure.reason != PEER_LOST]
    if own and not killed:
        if tells and last_word(run) is None:
            run.append(own[0])
        return 1
    sys.stderr.write(f"ranks ended with {json.dumps(dict(codes))}\n")
    if killed:
        shutil.rmtree(folder, ignore_errors=True)
        die_by(signal.Signals(-killed[0]))
    return next((code for code in codes.values() if code > 1), 1)


def last_word(run: RunDirectory) -> Finished | Failed | None:
    """How the first rank said that the run has ended, when it has. Nothing is told after it: the end of the file is read."""
    size_bytes = run.events_file.stat().st_size if run.events_file.exists() else 0
    for _, event, _ in run.read_events(max(0, size_bytes - END_BYTES)):
        if isinstance(event, Finished | Failed):
            return event
    return None


def die_by(number: signal.Signals) -> None:
    """End this process by a signal, so that whoever waits for it sees how the rank ended."""
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
