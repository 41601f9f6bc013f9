"""Several processes, one run: the same losses as one process, and ends that leave nobody hanging."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.ml import training_runs as runs
from tests.ml.rank_runs import (
    CLOSE,
    Cell,
    assert_same_run,
    goes_on_after_a_kill,
    learns_as_one,
    log_of,
    name_of,
    nobody_is_left,
    plan_of,
    ranks_of,
    started,
    train,
    write_files,
)
from tunesmith.wire.checkpoint import verify_checkpoint
from tunesmith.wire.events import Failed, Finished, LogLine
from tunesmith.wire.recipe_text import read_recipe
from tunesmith.wire.run_dir import RunDirectory

pytestmark = pytest.mark.early


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_files(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, model: Path, files: dict[str, Path]) -> RunDirectory:
    run = runs.new_attempt(
        tmp_path_factory.mktemp("alone"), 1, model, plan_of(model), files["sft"], validation_file=files["sft"]
    )
    assert isinstance(runs.train(run), Finished)
    return run


def test_two_ranks_learn_as_one(tmp_path: Path, model: Path, files: dict[str, Path], alone: RunDirectory) -> None:
    """DDP over gloo: loss, gradient norm and evaluation of every update, and what is told of each rank."""
    plan = plan_of(model, processes=2)
    run = runs.new_attempt(tmp_path, 1, model, plan, files["sft"], validation_file=files["sft"])
    end = train(run)
    assert isinstance(end, Finished), end
    assert_same_run(run, alone)
    told = log_of(run)
    assert "DistributedDataParallel over 2 processes" in told
    assert "share the run by ddp" in told
    for rank in (0, 1):
        for name in ("loss_seconds", "memory_gb", "tokens_per_second"):
            assert all(value > 0 for value in runs.curve(run, f"rank_{rank}_{name}").values())
    for told_checkpoint in runs.checkpoints(run):
        verify_checkpoint(run.path / told_checkpoint.path)
    assert read_recipe(run.artifacts / "recipe.yaml").resources.distributed is not None
    assert not list(run.path.glob("ranks-*"))


def test_one_process_never_passes_for_two(tmp_path: Path, model: Path, files: dict[str, Path]) -> None:
    """Started as one rank by somebody else's launcher: refused before anything is read."""
    run = runs.new_attempt(tmp_path, 1, model, plan_of(model, processes=2), files["sft"])
    alone = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    end = runs.train(run, expect=1, **alone)
    assert isinstance(end, Failed)
    assert end.error_type == "CONFIGURATION_ERROR"
    assert "asks for 2 processes" in end.message
    assert "there is 1" in end.message


def test_shares_are_the_rows_of_one_process() -> None:
    from tunesmith.ml.parallel import passes_of_update, share

    for size in (1, 2, 3, 4):
        for batch, accumulated in ((5, 1), (2, 2), (2, 3), (1, 4), (4, 8)):
            for count in range(1, batch * accumulated + 1):
                rows = list(range(100, 100 + count))
                dealt = [share(rows, batch, accumulated, rank, size) for rank in range(size)]
                assert len({len(passes) for passes in dealt}) == 1, "every rank has as many passes as the others"
                assert len(dealt[0]) <= passes_of_update(accumulated, size)
                taken = sorted(row for passes in dealt for numbers in passes for row in numbers if row >= 0)
                assert taken == rows, "every row once"
                assert all(len(numbers) <= batch for passes in dealt for numbers in passes)


def leave_last(folder: Path, rank: int) -> None:
    """What a rank does at the end: the first one writes, the other has nothing more to do."""
    import torch.distributed as dist

    from tunesmith.ml.ranks import Ranks

    dist.init_process_group("gloo", store=dist.FileStore(str(folder / "store"), 2), rank=rank, world_size=2)
    ranks = Ranks(rank, 2, rank, dist.group.WORLD)
    if ranks.is_first:
        runs.wait_for(lambda: (folder / "leaving").exists())
        (folder / "written").touch()
    else:
        (folder / "leaving").touch()
    ranks.leave()
    assert (folder / "written").exists()


def test_no_rank_leaves_while_the_first_one_writes(tmp_path: Path) -> None:
    ranks = [runs.context().Process(target=leave_last, args=(tmp_path, rank)) for rank in (0, 1)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(60)
    assert [process.exitcode for process in ranks] == [0, 0]


def test_the_last_word_is_found_behind_a_long_story(tmp_path: Path) -> None:
    from tunesmith.ml.launch import END_BYTES, last_word

    run = RunDirectory.create(tmp_path / "1", {})
    assert last_word(run) is None
    for _ in range(12):
        run.append(LogLine(message="…" * (END_BYTES // 30)))
    assert run.events_file.stat().st_size > END_BYTES
    assert last_word(run) is None
    run.append(Finished(result={"steps": 3}))
    found = last_word(run)
    assert isinstance(found, Finished)
    assert found.result == {"steps": 3}


LONG_CELLS = [
    ("sft", "full", 2, None),
    ("sft", "qlora", 2, None),
    ("sft", "lora", 3, None),
    ("dpo", "lora", 2, None),
    ("dpo", "full", 2, None),
    ("reward", "lora", 2, None),
    ("kto", "lora", 2, None),
    ("sft", "lora", 2, {"strategy": "fsdp"}),
    ("sft", "full", 2, {"strategy": "fsdp"}),
    ("dpo", "lora", 2, {"strategy": "fsdp"}),
    ("dpo", "full", 2, {"strategy": "fsdp"}),
    ("reward", "lora", 2, {"strategy": "fsdp"}),
]


@pytest.mark.matrix
@pytest.mark.long
@pytest.mark.parametrize("cell", LONG_CELLS, ids=name_of)
def test_every_way_learns_as_one(cell: Cell, tmp_path: Path, model: Path, files: dict[str, Path]) -> None:
    run = learns_as_one(cell, tmp_path, model, files)
    assert ("FSDP2 (fully_shard of 2 layers" if cell[3] else "DistributedDataParallel") in log_of(run)


@pytest.mark.matrix
@pytest.mark.long
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_a_killed_rank_ends_all_and_the_run_goes_on_exactly(
    strategy: str, adapter: str, tmp_path: Path, model: Path, files: dict[str, Path]
) -> None:
    """Dropout is on."""
    plan = plan_of(
        model, adapter=adapter, processes=2, dropout=0.1, distributed={"strategy": strategy}, max_steps=40, save_steps=4
    )
    goes_on_after_a_kill(plan, tmp_path, model, files["sft"])


@pytest.mark.long
def test_whoever_kills_the_child_kills_the_run(tmp_path: Path, model: Path, files: dict[str, Path]) -> None:
    run = runs.new_attempt(tmp_path, 1, model, plan_of(model, processes=2, max_steps=400), files["sft"])
    with started(run) as child:
        runs.wait_for(lambda: runs.curve(run))
        assert len(ranks_of(run)) == 2
        os.killpg(child.pid, signal.SIGKILL)
        runs.wait_for(lambda: nobody_is_left(run), 10)


@pytest.mark.long
def test_a_stopped_run_goes_on_with_another_number_of_processes(
    tmp_path: Path, model: Path, files: dict[str, Path], alone: RunDirectory
) -> None:
    """Two ranks stop after the first update; one process, and then two with divided weights, end as one alone would have."""
    two = plan_of(model, processes=2)
    run = runs.new_attempt(tmp_path, 1, model, two, files["sft"], validation_file=files["sft"])
    run.request_end("stop")
    end = train(run)
    assert end.stopped
    kept = run.path / runs.checkpoints(run)[0].path
    divided = plan_of(model, processes=2, distributed={"strategy": "fsdp"})
    for number, plan in ((2, plan_of(model)), (3, divided)):
        again = runs.new_attempt(
            tmp_path, number, model, plan, files["sft"], validation_file=files["sft"], resume_from=kept
        )
        assert isinstance(train(again), Finished)
        ours, theirs = runs.curve(again), runs.curve(alone)
        assert list(ours) == [2, 3, 4, 5, 6]
        assert max(abs(ours[step] - theirs[step]) for step in ours) < CLOSE


@pytest.mark.long
def test_cancel_ends_all_ranks(tmp_path: Path, model: Path, files: dict[str, Path]) -> None:
    run = runs.new_attempt(tmp_path, 1, model, plan_of(model, processes=2), files["sft"])
    run.request_end("cancel")
    assert train(run) is None
    assert runs.checkpoints(run) == []


@pytest.mark.long
def test_a_rank_that_runs_out_of_memory_says_so(tmp_path: Path, model: Path) -> None:
    rows = runs.write_rows(tmp_path / "rows.jsonl", 200)
    plan = plan_of(model, processes=2, batch_size=512)
    plan["resources"]["memory_limit_gib"] = 0.05
    run = runs.new_attempt(tmp_path, 1, model, plan, rows)
    end = train(run, expect=1)
    assert (end.error_type, end.reason) == ("GPU_ERROR", "out-of-memory")


@pytest.mark.long
def test_nothing_listens_beyond_loopback(tmp_path: Path, model: Path, files: dict[str, Path]) -> None:
    run = runs.new_attempt(tmp_path, 1, model, plan_of(model, processes=2, max_steps=400), files["sft"])
    with started(run) as child:
        runs.wait_for(lambda: runs.curve(run))
        family = [psutil.Process(child.pid), *ranks_of(run)]
        listening = [c.laddr.ip for one in family for c in one.net_connections() if c.status == psutil.CONN_LISTEN]
        assert listening, "gloo listens somewhere"
        assert set(listening) <= {"127.0.0.1", "::1"}
        run.request_end("cancel")
        assert child.wait(60) == 0


@pytest.mark.long
def test_two_machines_meet_and_one_that_dies_is_waited_for(
    tmp_path: Path, model: Path, files: dict[str, Path], alone: RunDirectory
) -> None:
    """Two agents on loopback. The second one's rank is killed: the attempt ends without a last word, the next one is joined."""
    meeting = f"127.0.0.1:{free_port()}"
    plan = plan_of(model, distributed={"strategy": "ddp", "nodes": 2, "rendezvous": meeting}, save_steps=1)
    job = tmp_path / "1"
    run = runs.new_attempt(job, 1, model, plan, files["sft"], validation_file=files["sft"])
    with (tmp_path / "join").open("wb") as said:
        other = subprocess.Popen([sys.executable, "-m", "tunesmith.ml.join", str(job), "--node", "1"], stderr=said)
    try:
        with started(run) as child:
            runs.wait_for(lambda: runs.checkpoints(run))
            ranks_of(run)[1].kill()
            assert child.wait(60) != 0
        assert not [event for event in runs.events(run) if isinstance(event, Finished | Failed)]
        kept = run.path / runs.checkpoints(run)[-1].path
        again = runs.new_attempt(job, 2, model, plan, files["sft"], validation_file=files["sft"], resume_from=kept)
        assert isinstance(train(again), Finished)
        assert other.wait(60) == 0
    finally:
        other.kill()
        other.wait()
    told = runs.curve(run) | runs.curve(again)
    theirs = runs.curve(alone)
    assert max(abs(told[step] - theirs[step]) for step in theirs) < CLOSE
    assert "1 process on each of 2 machines" in log_of(again)


def free_port() -> int:
    """A port that nobody uses now."""
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_auto_takes_what_memory_allows(model: Path) -> None:
    import torch

    from tunesmith.ml import strategy
    from tunesmith.ml.ranks import ALONE
    from tunesmith.wire.recipe_text import validate_recipe

    recipe = validate_recipe(plan_of(model, adapter="full", processes=2))
    chosen, why = strategy.choose_strategy(recipe, model, ALONE, torch.device("cpu"), False)
    assert chosen == "ddp"
    assert "GB of each process" in why
    recipe.resources.memory_limit_gib = 1e-3
    chosen, why = strategy.choose_strategy(recipe, model, ALONE, torch.device("cpu"), False)
    assert chosen == "fsdp"
    assert "so it is divided" in why


@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft asks transformers by an older name
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_frozen_base_counts_for_what_it_takes(precision: str, model: Path) -> None:
    import torch

    from tunesmith.ml.build import build_model
    from tunesmith.ml.strategy import state_bytes
    from tunesmith.wire.recipe_text import validate_recipe

    recipe = validate_recipe(plan_of(model, processes=2, precision=precision))
    compute = torch.bfloat16 if precision == "bf16" else None
    built, _ = build_model(recipe, model, head="tokens", compute=compute, device=torch.device("cpu"), pad_id=0)
    frozen = sum(p.numel() * p.element_size() for p in built.parameters() if not p.requires_grad)
    assert state_bytes(recipe, model, needs_reference=False) == frozen
