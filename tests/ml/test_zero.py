"""ZeRO through DeepSpeed itself, in ranks that have the extra `deepspeed` beside everything else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ml import training_runs as runs
from tests.ml.rank_runs import Cell, goes_on_after_a_kill, learns_as_one, log_of, name_of, plan_of, train, write_files
from tunesmith.wire.events import Finished

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
REPOSITORY = Path(__file__).resolve().parents[2]
BESIDE = ("deepspeed", "einops", "hjson", "ninja", "py-cpuinfo")
CELLS: list[Cell] = [
    ("sft", "full", 2, {"strategy": "deepspeed", "zero_stage": 1}),
    ("sft", "lora", 2, {"strategy": "deepspeed", "zero_stage": 2}),
    ("sft", "full", 2, {"strategy": "deepspeed", "zero_stage": 2}),
    ("sft", "qlora", 2, {"strategy": "deepspeed", "zero_stage": 2}),
    ("kto", "lora", 2, {"strategy": "deepspeed", "zero_stage": 2}),
    ("sft", "lora", 2, {"strategy": "deepspeed", "zero_stage": 3}),
    ("sft", "full", 3, {"strategy": "deepspeed", "zero_stage": 3}),
    ("dpo", "lora", 2, {"strategy": "deepspeed", "zero_stage": 3}),
    ("dpo", "full", 2, {"strategy": "deepspeed", "zero_stage": 3}),
    ("reward", "lora", 2, {"strategy": "deepspeed", "zero_stage": 3}),
]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the extra adds. Not in our own environment, where every other run would import it."""
    folder = tmp_path_factory.mktemp("deepspeed")
    pinned = [
        line
        for line in (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line.partition("==")[0] in BESIDE
    ]
    assert len(pinned) == len(BESIDE)
    uv = str(Path(sys.executable).with_name("uv"))
    wanted = [line.partition(" ;")[0] for line in pinned]
    command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder), "--no-deps"]
    subprocess.run([*command, *wanted], check=True)
    return folder


@pytest.fixture(autouse=True)
def _have_it(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(packages), *filter(None, [os.environ.get("PYTHONPATH")])]))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_files(tmp_path_factory.mktemp("rows"))


@pytest.mark.matrix
@pytest.mark.parametrize("cell", CELLS, ids=name_of)
def test_every_stage_learns_as_one(cell: Cell, tmp_path: Path, model: Path, files: dict[str, Path]) -> None:
    """Loss, gradient norm and evaluation of every update are those of one process; the wrapper is DeepSpeed's engine."""
    run = learns_as_one(cell, tmp_path, model, files)
    assert cell[3] is not None
    assert f"DeepSpeedEngine (ZeRO-{cell[3]['zero_stage']}) over {cell[2]} processes" in log_of(run)
    assert not list(run.path.rglob("*.pt")), "no pickle of DeepSpeed's own"


@pytest.mark.matrix
@pytest.mark.parametrize(("adapter", "stage"), [("lora", 2), ("full", 3)])
def test_a_killed_rank_ends_all_and_the_run_goes_on_exactly(
    adapter: str, stage: int, tmp_path: Path, model: Path, files: dict[str, Path]
) -> None:
    sharing = {"strategy": "deepspeed", "zero_stage": stage}
    plan = plan_of(model, adapter=adapter, processes=2, dropout=0.1, distributed=sharing, max_steps=40, save_steps=4)
    goes_on_after_a_kill(plan, tmp_path, model, files["sft"])


def test_a_run_goes_on_with_another_strategy(tmp_path: Path, model: Path, files: dict[str, Path]) -> None:
    """One process stops after an update; ZeRO-3 goes on, ZeRO-2 from there, and one process ends it as if alone."""
    made = {}
    for number, sharing in enumerate((None, {"zero_stage": 3}, {"zero_stage": 2}, None), 1):
        how = {"strategy": "deepspeed", **sharing} if sharing else None
        plan = plan_of(model, adapter="full", processes=2 if how else 1, distributed=how, save_steps=1)
        before = made[number - 1] if number > 1 else None
        kept = before.path / runs.checkpoints(before)[-1].path if before else None
        run = runs.new_attempt(tmp_path, number, model, plan, files["sft"], resume_from=kept)
        if number < 4:
            run.request_end("stop")
        end = train(run)
        assert isinstance(end, Finished), run.output_file.read_text()[-3000:]
        made[number] = run
    alone = runs.new_attempt(tmp_path / "alone", 1, model, plan_of(model, adapter="full"), files["sft"])
    train(alone)
    told = {step: loss for run in made.values() for step, loss in runs.curve(run).items()}
    assert list(told) == list(runs.curve(alone))
    assert max(abs(told[step] - loss) for step, loss in runs.curve(alone).items()) < 1e-5
