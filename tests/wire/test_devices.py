"""Processes, GPUs and machines of a recipe: what fits together, and what is refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import RecipeError, validate_recipe
from tunesmith.wire.sharing import sharing_problems

MEETING = "10.0.0.1:29400"


def recipe(resources: dict[str, Any], **sections: Any) -> Recipe:
    return validate_recipe(
        {"name": "x", "model": {"base": "m"}, "data": {"train": "t"}, "resources": resources, **sections}
    )


def test_one_process_is_what_it_was() -> None:
    plain = recipe({}).to_plain()["resources"]
    assert plain == {"device": "auto", "repair": True}
    assert recipe({"processes": 1}).resources.world.size == 1
    assert sharing_problems(recipe({})) == []


def test_counts_of_processes_and_gpus_are_one_number() -> None:
    assert recipe({"gpu_ids": [2, 5]}).resources.processes == 2
    assert recipe({"distributed": {"gpus_per_node": 4}}).resources.world.processes == 4
    two = recipe({"processes": 3, "distributed": {"nodes": 2, "rendezvous": MEETING}}).resources
    assert (two.world.size, str(two.world)) == (6, "3 processes on each of 2 machines")
    again = validate_recipe(recipe({"gpu_ids": [2, 5]}).to_plain())
    assert again.resources.world.size == 2
    assert recipe({"processes": 2, "distributed": {"strategy": "deepspeed"}}).resources.distributed.zero_stage == 2


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({"processes": 0}, "resources.processes"),
        ({"processes": 2, "gpu_ids": [0, 1, 2]}, "processes 2, gpu_ids 3 are different numbers"),
        ({"gpu_ids": [1, 1]}, "names a GPU twice"),
        ({"gpu_ids": [8]}, "gpu_ids"),
        ({"gpu_ids": []}, "gpu_ids"),
        ({"device": "cpu", "gpu_ids": [0]}, "gpu_ids is for device cuda"),
        ({"distributed": {"strategy": "ddp"}}, "set processes"),
        ({"processes": 2, "distributed": {"strategy": "dp"}}, "strategy"),
        ({"processes": 2, "distributed": {"strategy": "ddp", "zero_stage": 2}}, "zero_stage is for strategy deepspeed"),
        ({"processes": 2, "distributed": {"strategy": "deepspeed", "zero_stage": 4}}, "zero_stage"),
        ({"distributed": {"nodes": 2}}, "2 machines need rendezvous"),
        ({"processes": 2, "distributed": {"rendezvous": MEETING}}, "rendezvous is for several machines"),
        ({"distributed": {"nodes": 2, "rendezvous": "somewhere"}}, "host:port"),
        ({"distributed": {"nodes": 2, "rendezvous": "host:70000"}}, "host:port"),
        ({"processes": 2, "distributed": {"strateg": "ddp"}}, "did you mean strategy"),
    ],
)
def test_what_does_not_fit_is_named(resources: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError) as refused:
        recipe(resources)
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("resources", "sections", "location", "hint"),
    [
        ({"processes": 2}, {"method": {"objective": "grpo"}}, "method.objective", "dpo"),
        ({"processes": 2, "device": "mps"}, {}, "resources.processes", "cpu"),
        (
            {"processes": 2, "distributed": {"strategy": "fsdp"}},
            {"method": {"adapter": "qlora"}},
            "resources.distributed.strategy",
            "ddp",
        ),
        (
            {"processes": 2, "distributed": {"strategy": "deepspeed", "zero_stage": 3}},
            {"method": {"adapter": "qlora"}},
            "resources.distributed.strategy",
            "ddp",
        ),
        (
            {"processes": 2, "distributed": {"strategy": "deepspeed", "zero_stage": 3}},
            {"training": {"compile": True}},
            "training.compile",
            "zero_stage: 2",
        ),
        ({"processes": 4}, {"training": {"batch_size": 3}}, "training.batch_size", "4 or more"),
        (
            {"processes": 2},
            {"method": {"objective": "kto"}},
            "training.gradient_accumulation_steps",
            "apo_zero_unpaired",
        ),
    ],
)
def test_what_processes_cannot_share_has_a_reason_and_a_way_out(
    resources: dict[str, Any], sections: dict[str, Any], location: str, hint: str
) -> None:
    (problem,) = sharing_problems(recipe(resources, **sections))
    assert problem.location == location
    assert hint in problem.hint


def test_what_processes_can_share_has_no_problem() -> None:
    assert sharing_problems(recipe({"processes": 2}, method={"adapter": "qlora"})) == []
    kto = {"objective": "kto", "kto": {"loss": "apo_zero_unpaired"}}
    assert sharing_problems(recipe({"processes": 2}, method=kto)) == []
