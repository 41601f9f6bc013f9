"""A run that does not fit into its memory limit is repaired: the same global batch in smaller portions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.domains.training.conftest import DATASETS, JOBS, Work
from tests.ml.training_runs import write_rows
from tunesmith.domains.training.repairing import MemoryRepairs
from tunesmith.settings import Settings, load_settings
from tunesmith.wire.methods import Objective
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.spec import TrainSpec

TOO_MUCH = {"max_steps": 1, "batch_size": 512, "max_length": 128, "packing": False, "save_steps": 100}
"""512 rows need 1.3 GiB, 256 rows 0.7, 128 rows 0.4; what a process has freed before counts for it."""


@pytest.fixture
def settings(data_dir: Path, saved_model: Path) -> Settings:
    return load_settings(data_dir=data_dir, models={"allowed_roots": [str(saved_model)]}, jobs={"poll_seconds": 0.05})


async def test_the_allocators_error_is_repaired(
    client: httpx.AsyncClient, work: Work, saved_model: Path, tmp_path: Path
) -> None:
    file = write_rows(tmp_path / "many.jsonl", 520)
    await client.post(DATASETS, files={"file": ("many.jsonl", file.read_bytes())}, data={"name": "Many"})
    plan = {
        "name": "greedy",
        "model": {"base": str(saved_model)},
        "data": {"train": "dataset:Many@1.0"},
        "training": TOO_MUCH,
        "resources": {"device": "cpu", "memory_limit_gib": 0.5},
        "evaluate": {"enabled": False},
    }
    job = (await client.post(JOBS, json=plan)).json()
    await work()
    done = (await client.get(f"{JOBS}/{job['id']}")).json()
    assert done["status"] == "completed", done
    assert (done["figures"]["repaired"], done["figures"]["steps"]) == (True, 1)
    result = (await client.get(f"/api/v1/admin/jobs/{job['id']}/result")).json()["result"]
    training = result["publication"]["recipe"]["training"]
    assert training["batch_size"] * training["gradient_accumulation_steps"] == 512
    assert training["batch_size"] < 512
    assert result["repairs"][0].startswith("training.batch_size 512 → 256 and gradient_accumulation_steps 1 → 2")
    log = " ".join(line["message"] for line in (await client.get(f"{JOBS}/{job['id']}/logs")).json()["lines"])
    assert "Repaired: training.batch_size 512 → 256" in log


def spec(**training: Any) -> TrainSpec:
    plan = {"name": "x", "model": {"base": "b"}, "data": {"train": "t"}, "training": training}
    return TrainSpec(recipe=Recipe.model_validate(plan), model_path="m", train_file="t")


def test_repairs_keep_the_global_batch_and_come_to_an_end() -> None:
    repairs, now, portions = MemoryRepairs(), spec(batch_size=12, gradient_accumulation_steps=3), []
    while found := repairs.repair(now, "training"):
        now, what = found
        assert what.startswith("Repaired: ")
        plan = now.recipe.training
        portions.append((plan.batch_size, plan.gradient_accumulation_steps, plan.gradient_checkpointing))
    assert portions == [(6, 6, False), (3, 12, False), (1, 36, False), (1, 36, True)]
    assert len(now.repairs) == 4
    assert repairs.carry(spec(batch_size=12), now).recipe.training.gradient_accumulation_steps == 36


def test_kto_gives_up_activations_before_it_estimates_from_less() -> None:
    now, told = spec(batch_size=4), []
    now.recipe.method.objective = Objective.KTO
    while found := MemoryRepairs().repair(now, "training"):
        now = found[0]
        told.append(found[1])
    assert "gradient_checkpointing is on" in told[0]
    assert all("estimated from fewer answers" in what for what in told[1:])
    assert now.recipe.training.batch_size == 1


@pytest.mark.parametrize(("repair", "doing"), [(False, "training"), (True, "loading the model")])
def test_nothing_is_repaired_when_the_recipe_forbids_it_or_it_would_not_help(repair: bool, doing: str) -> None:
    greedy = spec(batch_size=8)
    greedy.recipe.resources.repair = repair
    assert MemoryRepairs().repair(greedy, doing) is None
