"""The ranks of a run: which one this process is, and the few words that they exchange beside gradients.

TRL and accelerate are left to believe that each rank is alone: two of their usual ways run one process, or plain DDP, without a
word. What ranks share is ours: the data order, the wrapper around the loss (``wrappers``), and the sums here. Words travel as JSON
in tensors over gloo, never as pickles.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from tunesmith.ml.launch import AGENT, MEETING, note_failure
from tunesmith.ml.report import EXIT_ABANDONED, Reporter
from tunesmith.wire.devices import World
from tunesmith.wire.events import Failed, Finished

PATIENCE = timedelta(minutes=20)
"""How long a rank waits for the others; one that has died is noticed at once, one that hangs after this time."""
PR_SET_PDEATHSIG = 1
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "GROUP_WORLD_SIZE")


@dataclass
class Ranks:
    """The processes of a run. Alone, nothing is exchanged."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    _words: Any = None
    """The process group that carries words: gloo, whatever carries gradients."""

    @property
    def is_first(self) -> bool:
        """Whether this one reports, saves and writes."""
        return self.rank == 0

    def tell_all(self, value: Any) -> list[Any]:
        """What each rank says, by rank; every rank has to call it. Plain JSON values."""
        if self.size == 1:
            return [value]
        import torch
        import torch.distributed as dist

        said = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        dist.all_gather(lengths, torch.tensor([len(said)]), group=self._words)
        longest = int(max(lengths))
        padded = torch.zeros(longest, dtype=torch.uint8)
        padded[: len(said)] = said
        found = [torch.zeros(longest, dtype=torch.uint8) for _ in range(self.size)]
        dist.all_gather(found, padded, group=self._words)
        return [
            json.loads(bytes(letters[: int(length)].numpy())) for letters, length in zip(found, lengths, strict=True)
        ]

    def of_first(self, value: Any) -> Any:
        """What the first rank says."""
        return self.tell_all(value)[0]

    def add(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Sums over the ranks, by name."""
        sums: dict[str, float] = {}
        for said in self.tell_all(dict(numbers)):
            for name, number in said.items():
                sums[name] = sums.get(name, 0) + number
        return sums

    def leave(self) -> None:
        """End the connections when all have come this far.

        A rank that went while the first one still writes would give no sign of life, and the agent would take the run for frozen.
        """
        if self.size > 1:
            import torch.distributed as dist

            self.tell_all(None)
            dist.destroy_process_group()


ALONE = Ranks()


class RankReporter(Reporter):
    """Only the first rank tells. A failure of any of them goes to the agent, which knows whose came first."""

    def __init__(self, run_dir: str) -> None:
        self.rank = int(os.environ["RANK"])
        self.ranks = ALONE
        follow(int(os.environ.get(AGENT, 0)), self.rank)
        super().__init__(run_dir, watch=self.rank == 0 and AGENT not in os.environ)

    def end_requested(self) -> Literal["stop", "cancel"] | None:
        """As the first rank has heard it: all have to end after the same update."""
        wish: Literal["stop", "cancel"] | None = self.ranks.of_first(super().end_requested())
        return wish

    def _last_word(self, event: Finished | Failed) -> None:
        folder = os.environ.get(MEETING)
        if isinstance(event, Failed) and folder is not None:
            note_failure(Path(folder), self.rank, event)
        elif self.rank == 0:
            super()._last_word(event)

    def _append(self, event: Any) -> None:
        if self.rank == 0:
            super()._append(event)


def reporter_of(run_dir: str) -> Reporter:
    """The reporter of this process: its own, or a rank's."""
    return RankReporter(run_dir) if "RANK" in os.environ else Reporter(run_dir)


def connect(world: World, device_type: str, reporter: Reporter) -> Ranks:
    """Meet the other ranks. Raises RunFailure when there are not as many as the recipe says: never one process in silence."""
    from tunesmith.ml.failures import configuration_failure

    here = {name: int(os.environ[name]) for name in VARIABLES if name in os.environ}
    size = here.get("WORLD_SIZE", 1)
    if size != world.size:
        raise configuration_failure(
            f"The recipe asks for {world.size} processes ({world}), and there {'is' if size == 1 else 'are'} {size}.",
            "Start the run as python -m tunesmith.ml.sft RUN_DIR, which starts as many as the recipe says.",
        )
    if not isinstance(reporter, RankReporter):
        return ALONE
    import torch
    import torch.distributed as dist

    ranks = Ranks(here["RANK"], size, here["LOCAL_RANK"])
    folder, is_one_machine = os.environ.get(MEETING), here.get("GROUP_WORLD_SIZE", world.nodes) == 1
    backend = "nccl" if device_type == "cuda" else "gloo"
    if folder is not None and is_one_machine:
        store = dist.FileStore(str(Path(folder) / "ranks"), size)
        dist.init_process_group(backend, store=store, rank=ranks.rank, world_size=size, timeout=PATIENCE)
    else:
        dist.init_process_group(backend, timeout=PATIENCE)
    ranks._words = dist.new_group(backend="gloo", timeout=PATIENCE) if backend != "gloo" else dist.group.WORLD
    reporter.ranks = ranks
    for name in VARIABLES:  # from here on TRL and accelerate see one process
        os.environ.pop(name, None)
    everyone = ranks.tell_all([ranks.rank, torch.__version__])
    if [rank for rank, _ in everyone] != list(range(world.size)) or dist.get_world_size() != world.size:
        raise configuration_failure(f"The ranks that met are {everyone}, not {world.size}.", "Start the run again.")
    return ranks


def choose_gpu() -> None:
    """Let a rank see one GPU, its own: libraries would otherwise spread over all of them. Before torch is imported."""
    if "LOCAL_RANK" not in os.environ:
        return
    place = int(os.environ["LOCAL_RANK"])
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [str(place)] * (place + 1) if visible is None else [name for name in visible.split(",") if name]
    if place < len(names):
        os.environ["CUDA_VISIBLE_DEVICES"] = names[place]


def follow(agent: int, rank: int) -> None:
    """End this process when its agent has ended, however that was; until then give the agent a sign of life."""
    if not agent:
        return  # started by a torchrun of somebody's own
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        beat = Path(os.environ[MEETING]) / f"beat-{rank}"
        while os.getppid() == agent:
            with contextlib.suppress(OSError):  # a full disk must not end the work by itself
                beat.touch()
            time.sleep(0.5)
        os._exit(EXIT_ABANDONED)

    if os.getppid() != agent:
        os._exit(EXIT_ABANDONED)
    threading.Thread(target=watch, name="follow", daemon=True).start()
