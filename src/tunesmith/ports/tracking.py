"""How runs are mirrored to a tracker that people already use. Our own metric store stays the truth; a tracker may be away."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field


class TrackerAway(Exception):
    """The tracker cannot be reached now; what is owed to it is kept and delivered later."""


class TrackerRefused(Exception):
    """The tracker answered, but did not take what it was given."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class TrackedRun(_Message):
    """Who a run is. ``key`` names it for good, so that a delivery that is made twice makes one run."""

    key: str
    job_id: int
    job_name: str
    base_model: str
    method: str
    dataset_id: int | None = None
    dataset_name: str | None = None
    parameters: dict[str, str] = Field(default_factory=dict, description="The recipe, flat.")
    started_at: float = Field(description="Unix time.")
    run_id: str | None = Field(None, description="Its id in the tracker, when it has one already.")

    @property
    def experiment(self) -> str:
        """The experiment that it belongs to."""
        return f"finetuning_{self.base_model}"

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the run."""
        return {
            "job_name": self.job_name,
            "dataset_id": "" if self.dataset_id is None else str(self.dataset_id),
            "dataset_name": self.dataset_name or "",
            "method": self.method,
            "base_model": self.base_model,
        }

    @property
    def experiment_tags(self) -> dict[str, str]:
        """Tags of the experiment."""
        return {"project": "finetuning-mlops", "base_model": self.base_model, "method": self.method}


class TrackedPoint(_Message):
    """Values at one step."""

    step: int
    at: float = Field(description="Unix time.")
    values: dict[str, float]


class TrackedFile(_Message):
    """A file or folder of this machine, and the folder of the run's artifacts that it goes into."""

    path: str
    folder: str = ""


class TrackedEnd(_Message):
    """How a run ended."""

    status: Literal["finished", "failed", "stopped"]
    at: float = Field(description="Unix time.")
    error: str | None = None
    figures: dict[str, float] = Field(default_factory=dict)
    files: list[TrackedFile] = Field(default_factory=list)


class TrackedVersion(_Message):
    """A registered version of what the run made."""

    model_id: int
    name: str
    version: str
    description: str = ""
    card: TrackedFile | None = None


class Delivery(_Message):
    """What a tracker is owed about one run."""

    run: TrackedRun
    points: list[TrackedPoint] = Field(default_factory=list)
    end: TrackedEnd | None = None
    versions: list[TrackedVersion] = Field(default_factory=list)


class Receipt(_Message):
    """What a tracker answers."""

    run_id: str
    url: str | None = None
    model_uris: dict[int, str] = Field(default_factory=dict, description="URI by model id.")


class Tracker(Protocol):
    """A tracker. Deliveries of the same thing may come twice, and make it once."""

    @property
    def name(self) -> str:
        """The word for it: ``mlflow`` or ``wandb``."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def target(self) -> str:
        """Where it is, without secrets."""
        ...

    def is_installed(self) -> bool:
        """Whether its client library is there."""
        ...

    async def find_obstacle(self) -> str | None:
        """Why it cannot be reached at this moment; asks for at most a second."""
        ...

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Hand over what is owed. Raises TrackerAway and TrackerRefused."""
        ...

    async def close(self) -> None:
        """Finish what is open."""
        ...
