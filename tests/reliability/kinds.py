"""Kinds of jobs for tests, and a worker that knows them: ``python -m tests.reliability.kinds DATA_DIR``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tunesmith.bootstrap import Services, build
from tunesmith.domains.jobs import JobContext, JobKind
from tunesmith.settings import load_settings
from tunesmith.wire.spec import ChildSpec
from tunesmith.worker.loop import serve

ROOT = Path(__file__).resolve().parents[2]


class CountSpec(ChildSpec):
    """What the counting child does."""

    steps: int = 10
    save_every: int = 5
    step_seconds: float = 0.02
    misdeed: Literal["memory", "fail", "hang", "die", "deaf", "disk-full"] | None = None
    eat_mib: int = 0
    resume_from: str | None = None


class EatLess:
    """A counting child that ran out of memory eats half as much; one that eats less than 64 MiB is beyond help."""

    def repair(self, spec: CountSpec, doing: str | None) -> tuple[CountSpec, str] | None:
        if spec.eat_mib < 64:
            return None
        return spec.model_copy(update={"eat_mib": spec.eat_mib // 2}), f"Repaired: it eats {spec.eat_mib // 2} MiB."

    def carry(self, spec: CountSpec, earlier: CountSpec) -> CountSpec:
        return spec.model_copy(update={"eat_mib": min(spec.eat_mib, earlier.eat_mib)})


class Anything(BaseModel):
    """Any result."""

    model_config = ConfigDict(extra="allow")


class AddSpec(BaseModel):
    """Two numbers, one of which another job may give."""

    a: int
    b: int = 0
    text: str = ""


class Sum(BaseModel):
    """Their sum, nested, so that a path has something to walk."""

    sum: int
    details: dict[str, Any]


async def count(context: JobContext) -> BaseModel:
    """Count in a child."""
    finished = await context.run_child(
        "tests.reliability.counting_child", context.spec, env={"PYTHONPATH": str(ROOT)}, repairs=EatLess()
    )
    return Anything(**finished.result)


async def add(context: JobContext) -> BaseModel:
    """Add in the worker."""
    spec = context.spec
    assert isinstance(spec, AddSpec)
    if spec.a < 0:
        raise ValueError("negative")
    await context.log(f"adding {spec.a} and {spec.b}")
    return Sum(sum=spec.a + spec.b, details={"terms": [spec.a, spec.b]})


async def doze(context: JobContext) -> BaseModel:
    """Do nothing for as long as `a` says, in the worker."""
    assert isinstance(context.spec, AddSpec)
    await asyncio.sleep(context.spec.a)
    return Anything()


KINDS = [
    JobKind("count", CountSpec, Anything, count, stoppable=True, resumable=True),
    JobKind("add", AddSpec, Sum, add),
    JobKind("add-cached", AddSpec, Sum, add, cacheable=True),
    JobKind("doze", AddSpec, Anything, doze),
]


def build_services(data_dir: Path, **groups: Any) -> Services:
    """All services on a data folder, with the kinds above."""
    services = build(load_settings(data_dir=data_dir, **groups))
    for kind in KINDS:
        services.jobs.register(kind)
    return services


if __name__ == "__main__":
    asyncio.run(
        serve(
            build_services(Path(sys.argv[1])),
            until_idle="--until-idle" in sys.argv,
            parent=next(
                (int(word.removeprefix("--parent=")) for word in sys.argv if word.startswith("--parent=")), None
            ),
            name=None,
        )
    )
