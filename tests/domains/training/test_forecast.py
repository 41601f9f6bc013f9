"""The forecast of a run: a real rehearsal through the API, and every problem that its figures can show."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.domains.training.conftest import JOBS, Work
from tunesmith.domains.training.forecasting import Machine, forecast_of
from tunesmith.domains.training.rehearsing import split_rows
from tunesmith.text import IGNORED, ChatTemplate, TextTokenizer, tokenize_row
from tunesmith.wire.recipe import Recipe, SplitSection

MACHINE = Machine(available_memory_bytes=8 << 30, free_disk_bytes=100 << 30, max_runtime_hours=24)
FIGURES: dict[str, Any] = {
    "peak_memory_bytes": 1 << 30,
    "imported_memory_bytes": 300 << 20,
    "device_memory_bytes": None,
    "fits": True,
    "seconds": 600.0,
    "seconds_per_step": 1.0,
    "start_seconds": 10.0,
    "evaluation_seconds": 5.0,
    "checkpoint_seconds": 5.0,
    "checkpoint_bytes": 10 << 20,
    "steps": 500,
    "evaluations": 5,
    "checkpoints": 2,
    "tokens": 100_000,
    "padding_share": 0.1,
    "rows": 400,
    "truncated_rows": 0,
    "rows_without_target": [],
    "longest_tokens": 512,
    "device": "cpu",
    "precision": "fp32",
    "trainable_parameters": 1000,
    "total_parameters": 5_000_000,
}


def recipe(**sections: Any) -> Recipe:
    plan = {"name": "x", "model": {"base": "b"}, "data": {"train": "t"}, **sections}
    return Recipe.model_validate(plan)


async def test_a_rehearsal_tells_what_the_run_will_meet(
    client: httpx.AsyncClient, work: Work, plan: dict[str, Any], saved_model: Path, tmp_path: Path
) -> None:
    training = {"epochs": 2, "batch_size": 4, "max_length": 40, "packing": False, "save_steps": 3}
    split = {"train": 0.75, "validation": 0.25}
    body = plan | {"training": training, "data": plan["data"] | {"split": split}}
    answer = await client.post(f"{JOBS}/preflight", json=body, params={"wait": 0})
    assert answer.status_code == 202, answer.text
    await work()
    job = (await client.get(f"/api/v1/admin/jobs/{answer.json()['job_id']}")).json()
    assert job["state"] == "succeeded", job
    forecast = job["result"]
    assert forecast["rows"] + forecast["rows_without_target"] == 30
    assert forecast["steps"] == 2 * math.ceil(forecast["rows"] / 4)
    assert forecast["peak_memory_bytes"] > 100 << 20
    parts = forecast["start_seconds"] + forecast["steps"] * forecast["seconds_per_step"]
    assert forecast["seconds"] > parts > 0
    assert forecast["evaluation_seconds"] > 0
    assert forecast["checkpoint_bytes"] > 10_000
    rows = (Path(job["spec"]["model_path"]), tmp_path / "rows.jsonl")
    tokenizer, template = TextTokenizer.from_folder(rows[0]), ChatTemplate.from_folder(rows[0])
    everything = [json.loads(line)["messages"] for line in rows[1].read_text().splitlines()]
    cut = sum(tokenize_row(messages, tokenizer, template, 40).truncated for messages in everything)
    assert 0 < forecast["truncated_rows"] <= cut
    assert forecast["tokens"] <= 2 * 30 * 40
    codes = {problem["code"]: problem for problem in forecast["problems"]}
    assert {"truncated-rows", "few-updates"} <= set(codes)
    if forecast["rows_without_target"]:
        row = codes["rows-without-target"]["row"]
        assert set(tokenize_row(everything[row - 1], tokenizer, template, 40).labels[1:]) <= {IGNORED}
    assert all(problem["fix"] and problem["message"] for problem in codes.values())
    assert (await client.get(JOBS)).json()["total"] == 0, "a forecast is no run"


async def test_what_start_refuses_is_refused(client: httpx.AsyncClient, plan: dict[str, Any]) -> None:
    for change, status, code in (
        ({"model": {"base": "nobody/nothing"}}, 404, "model-not-found"),
        ({"data": {"train": "dataset:Nothing@9"}}, 404, "dataset-not-found"),
        ({"training": {"learning_rat": 1}}, 422, "configuration"),
    ):
        answer = await client.post(f"{JOBS}/preflight", json=plan | change)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("figures", "sections", "code", "severity"),
    [
        ({"peak_memory_bytes": 9 << 30}, {}, "memory-too-small", "red"),
        ({"peak_memory_bytes": (8 << 30) - 1}, {}, "memory-tight", "amber"),
        ({}, {"resources": {"memory_limit_gib": 0.5}}, "memory-too-small", "red"),
        ({"device": "cuda", "device_memory_bytes": 1 << 29}, {}, "memory-too-small", "red"),
        ({"checkpoint_bytes": 60 << 30}, {}, "disk-too-small", "red"),
        ({"seconds": 25 * 3600.0}, {}, "too-long", "red"),
        ({"truncated_rows": 3}, {}, "truncated-rows", "amber"),
        ({"rows_without_target": [7, 9]}, {}, "rows-without-target", "amber"),
        ({"rows": 5}, {}, "few-rows", "amber"),
        ({"steps": 4}, {}, "few-updates", "amber"),
        ({"seconds_per_step": 60.0}, {}, "rare-checkpoints", "amber"),
        ({"padding_share": 0.7}, {"training": {"packing": False}}, "padding", "green"),
        ({"evaluation_seconds": 400.0}, {}, "costly-evaluation", "amber"),
        ({}, {"resources": {"processes": 2}}, "one-process", "green"),
    ],
)
def test_each_problem_is_found_alone(
    figures: dict[str, Any], sections: dict[str, Any], code: str, severity: str
) -> None:
    answer = forecast_of(FIGURES | figures, recipe(**sections), MACHINE, besides_seconds=1, has_validation=True)
    assert [(found.code, found.severity) for found in answer.problems] == [(code, severity)]
    (found,) = answer.problems
    assert found.pointer.startswith("/")
    assert found.fix
    assert found.row == (7 if code == "rows-without-target" else 1)


def test_a_sound_run_has_no_problem_and_one_without_evaluation_has_one() -> None:
    sound = forecast_of(FIGURES, recipe(), MACHINE, besides_seconds=1.5, has_validation=True)
    assert (sound.problems, sound.seconds) == ([], 601.5)
    blind = forecast_of(FIGURES, recipe(), MACHINE, besides_seconds=0, has_validation=False)
    assert [found.code for found in blind.problems] == ["no-evaluation"]


def test_rows_are_divided_as_the_split_will_divide_them(tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text("".join(f'{{"n": {n}}}\n' for n in range(40)))
    held_out = split_rows(file, tmp_path, SplitSection(train=0.8, validation=0.1, test=0.1), 1)
    assert held_out is not None
    kept, held = ((tmp_path / name).read_text().splitlines() for name in ("kept.jsonl", "held-out.jsonl"))
    assert (sum(map(bool, kept)), sum(map(bool, held))) == (32, 4)
    assert not any(one and other for one, other in zip(kept, held, strict=True))
    assert all(json.loads(line)["n"] == number for number, line in enumerate(kept) if line), "a row keeps its number"
