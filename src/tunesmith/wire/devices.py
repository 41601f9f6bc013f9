"""Where a run may happen: device, memory, and how many processes on how many machines share it.

An update is what the recipe says it is (``batch_size`` × ``gradient_accumulation_steps`` rows), whatever number of processes
shares its rows: the loss of every update is that of one process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tunesmith.wire.section import Section

Strategy = Literal["auto", "ddp", "fsdp", "deepspeed"]
MOST_GPUS = 8
_ENDPOINT = re.compile(r"^(?P<host>[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]):(?P<port>\d{1,5})$")


class DistributedSection(Section):
    """How several processes share one run."""

    strategy: Strategy = Field(
        "auto",
        description="`ddp`: each process has the whole model; `fsdp`: weights, gradients and moments are divided among them "
        "(FSDP2); `deepspeed`: ZeRO, needs the extra `deepspeed`; `auto` takes ddp where memory suffices, else fsdp, and the log says why.",
        title="Strategy",
    )
    zero_stage: int | None = Field(
        None,
        ge=1,
        le=3,
        description="`deepspeed` only. What is divided: 1 the moments, 2 (default) gradients too, 3 weights too.",
        title="ZeRO stage",
    )
    nodes: int = Field(1, ge=1, le=64, description="Machines that take part.", title="Machines")
    gpus_per_node: int | None = Field(
        None,
        ge=1,
        le=MOST_GPUS,
        description="GPUs on each machine; the same as `resources.processes`.",
        title="GPUs each",
    )
    rendezvous: str | None = Field(
        None,
        description="`host:port` of the first machine, where the others find it. Only for several machines.",
        title="Rendezvous",
        examples=["10.0.0.1:29400"],
    )

    @model_validator(mode="after")
    def _fits(self) -> DistributedSection:
        if self.strategy == "deepspeed" and self.zero_stage is None:
            self.zero_stage = 2
        if self.strategy != "deepspeed" and self.zero_stage is not None:
            raise ValueError(f"zero_stage is for strategy deepspeed; this one is {self.strategy}")
        if self.nodes > 1 and self.rendezvous is None:
            raise ValueError(f"{self.nodes} machines need rendezvous, host:port of the first one")
        if self.nodes == 1 and self.rendezvous is not None:
            raise ValueError("rendezvous is for several machines; set nodes, or leave it out")
        if self.rendezvous is not None:
            found = _ENDPOINT.match(self.rendezvous)
            if found is None or not 0 < int(found["port"]) < 65536:
                raise ValueError("rendezvous must be host:port, such as 10.0.0.1:29400")
        return self


class ResourcesSection(Section):
    """Device, memory, processes."""

    device: Literal["auto", "mps", "cuda", "cpu"] = Field(
        "auto", description="`auto` takes the first of mps, cuda, cpu.", title="Device"
    )
    processes: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Processes on each machine that share the run: one for each GPU, or some on a CPU. Empty is one.",
        title="Processes",
    )
    gpu_ids: (
        Annotated[list[Annotated[int, Field(ge=0, lt=MOST_GPUS)]], Field(min_length=1, max_length=MOST_GPUS)] | None
    ) = Field(None, description="The GPUs to use, by number; one process for each.", title="GPUs")
    distributed: DistributedSection | None = Field(
        None, description="How several processes share the run.", title="Many devices"
    )
    memory_limit_gib: float | None = Field(
        None, gt=0, description="Each process limits its own data memory to this.", title="Memory limit (GiB)"
    )
    max_runtime_hours: float | None = Field(
        None,
        gt=0,
        le=24 * 366,
        description="A run that takes longer is ended as failed, with its checkpoints. Empty is the server's own limit.",
        title="Longest run (hours)",
    )
    repair: bool = Field(
        True,
        description="A run that does not fit into memory goes on with the same global batch in smaller portions.",
        title="Repair out-of-memory",
    )

    @model_validator(mode="after")
    def _counts_agree(self) -> ResourcesSection:
        if self.gpu_ids is not None:
            if len(set(self.gpu_ids)) != len(self.gpu_ids):
                raise ValueError("gpu_ids names a GPU twice")
            if self.device in ("cpu", "mps"):
                raise ValueError(f"gpu_ids is for device cuda; this one is {self.device}")
        of_gpus = len(self.gpu_ids) if self.gpu_ids else None
        of_nodes = self.distributed.gpus_per_node if self.distributed else None
        counts = {
            name: count
            for name, count in (("processes", self.processes), ("gpu_ids", of_gpus), ("gpus_per_node", of_nodes))
            if count is not None
        }
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise ValueError(f"there is one process for each GPU, but {said} are different numbers")
        if counts and max(counts.values()) > 1:
            self.processes = max(counts.values())
        if self.distributed is not None and self.world.size == 1:
            raise ValueError(
                "distributed is for several processes: set processes (or nodes) to 2 or more, or leave it out"
            )
        return self

    @property
    def world(self) -> World:
        """How many processes on how many machines."""
        return World(self.processes or 1, self.distributed.nodes if self.distributed else 1)


@dataclass(frozen=True)
class World:
    """All processes of a run."""

    processes: int
    """On each machine."""
    nodes: int

    @property
    def size(self) -> int:
        """Processes in all."""
        return self.processes * self.nodes

    def __str__(self) -> str:
        where = f" on each of {self.nodes} machines" if self.nodes > 1 else ""
        return f"{self.processes} process{'es' if self.processes > 1 else ''}{where}"
