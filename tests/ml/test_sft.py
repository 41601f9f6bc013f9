"""Supervised fine-tuning in a child process: what it learns, tells, writes, and how it goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.ml import training_runs as runs
from tunesmith.wire.checkpoint import INHERITED, find_newest_checkpoint, verify_checkpoint
from tunesmith.wire.events import Failed, Finished, Metric, Progress
from tunesmith.wire.recipe_text import read_recipe

pytestmark = pytest.mark.early


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.write_rows(tmp_path_factory.mktemp("rows") / "train.jsonl")


@pytest.fixture(scope="session")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.write_rows(tmp_path_factory.mktemp("rows") / "validation.jsonl", 6, first=30)


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory, model: Path, rows: Path, held_out: Path) -> runs.RunDirectory:
    """An uninterrupted run of 20 updates with a checkpoint every 4."""
    plan = runs.recipe(model, max_steps=20, save_steps=4, eval_steps=10, keep_last_n=2)
    run = runs.new_attempt(tmp_path_factory.mktemp("job"), 1, model, plan, rows, validation_file=held_out)
    assert isinstance(runs.train(run), Finished)
    return run


def test_learns_and_tells(whole_run: runs.RunDirectory) -> None:
    loss = runs.curve(whole_run)
    assert list(loss) == list(range(1, 21))
    assert sum(list(loss.values())[-5:]) < 0.9 * sum(list(loss.values())[:5])
    points = [e for e in runs.events(whole_run) if isinstance(e, Metric) and "loss" in e.values]
    assert set(points[0].values) == {"loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_gb"}
    assert points[0].values["tokens_per_second"] > 0
    assert points[0].epoch == pytest.approx(1 / 6)
    progress = [e for e in runs.events(whole_run) if isinstance(e, Progress) and e.step]
    assert progress[-1].step == progress[-1].total_steps == 20
    assert progress[0].eta_seconds
    assert progress[-1].eta_seconds == 0
    evaluated = runs.curve(whole_run, "eval_loss")
    assert {10, 20} <= set(evaluated)
    assert evaluated[20] < evaluated[10]


@pytest.mark.filterwarnings("ignore::FutureWarning")  # PEFT asks transformers by a deprecated name
def test_result_is_complete_and_usable_alone(whole_run: runs.RunDirectory, model: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tunesmith.ml.checkpoint import weights_sha256

    result = [e for e in runs.events(whole_run) if isinstance(e, Finished)][-1].result
    loss = list(runs.curve(whole_run).values())
    assert result["status"] == "completed"
    assert result["steps"] == 20
    assert not result["resumed"]
    assert result["final_loss"] == pytest.approx(sum(loss[-2:]) / 2)
    assert result["eval_loss"] == runs.curve(whole_run, "eval_loss")[20]
    adapter = whole_run.artifacts / "adapter"
    tensors = load_file(adapter / "adapter_model.safetensors")
    assert result["weights_sha256"] == weights_sha256(tensors)
    assert any(t.abs().max() > 0 for n, t in tensors.items() if "lora_B" in n)
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == str(model)
    loaded = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model), str(adapter))
    assert loaded.peft_config["default"].r == 4
    assert "<|im_start|>" in AutoTokenizer.from_pretrained(adapter).apply_chat_template(
        [{"role": "user", "content": "x"}], tokenize=False
    )
    recipe = read_recipe(whole_run.artifacts / "recipe.yaml")
    assert recipe.resources.device == "cpu"
    assert recipe.training.precision in ("fp32", "bf16")


def test_counts_the_tokens_of_every_update(whole_run: runs.RunDirectory, model: Path, rows: Path) -> None:
    from tunesmith.text import IGNORED, ChatTemplate, TextTokenizer, tokenize_row

    tokenizer, template = TextTokenizer.from_folder(model), ChatTemplate.from_folder(model)
    lines = [json.loads(line)["messages"] for line in rows.read_text().splitlines()]
    per_epoch = sum(sum(x != IGNORED for x in tokenize_row(m, tokenizer, template).labels) for m in lines)
    last = [e for e in runs.events(whole_run) if isinstance(e, Finished)][-1].result
    assert 3 * per_epoch < last["trained_tokens"] < 4 * per_epoch  # 20 updates of 6 an epoch


def test_checkpoints_verify_and_the_best_is_kept(whole_run: runs.RunDirectory) -> None:
    told = runs.checkpoints(whole_run)
    assert [c.step for c in told] == [4, 8, 12, 16, 20]
    assert told[-1].is_best
    assert "eval_loss" in told[-1].metrics
    left = sorted(p.name for p in whole_run.checkpoints.iterdir())
    assert left == ["step-000012", "step-000016", "step-000020"]
    assert [name for c in told for name in c.removed] == ["checkpoints/step-000004", "checkpoints/step-000008"]
    for name in left:
        manifest = verify_checkpoint(whole_run.checkpoints / name)
        assert {Path(f).suffix for f in manifest.files} == {".safetensors", ".json"}


def test_killed_run_goes_on_exactly(
    tmp_path: Path, whole_run: runs.RunDirectory, model: Path, rows: Path, held_out: Path
) -> None:
    """Killed twice in the middle of an epoch: the same losses and the same bytes as the run that nobody disturbed."""
    plan = json.loads(whole_run.spec_file.read_text())["recipe"]
    resume: dict[str, Any] = {}
    steps: list[int] = []
    for number, until in ((1, 4), (2, 16)):
        run = runs.new_attempt(tmp_path, number, model, plan, rows, validation_file=held_out, **resume)
        process = runs.start(run)
        runs.wait_for(lambda run=run, until=until: any(c.step >= until for c in runs.checkpoints(run)))
        process.kill()
        process.join()
        found = find_newest_checkpoint([run.checkpoints])
        assert found
        resume = {"resume_from": found[0]}
        steps.append(found[1].step)
    last = runs.new_attempt(tmp_path, 3, model, plan, rows, validation_file=held_out, **resume)
    end = runs.train(last)
    undisturbed = [e for e in runs.events(whole_run) if isinstance(e, Finished)][-1].result
    assert min(runs.curve(last)) == steps[-1] + 1 > 4, "a run that starts over must not pass for one that goes on"
    assert runs.curve(last) == {s: v for s, v in runs.curve(whole_run).items() if s > steps[-1]}
    assert end.result["resumed"]
    for name in ("weights_sha256", "final_loss", "eval_loss", "trained_tokens", "steps"):
        assert end.result[name] == undisturbed[name], name


def test_stop_keeps_a_checkpoint_and_resume_ends_the_same(
    tmp_path: Path, whole_run: runs.RunDirectory, model: Path, rows: Path, held_out: Path
) -> None:
    plan = json.loads(whole_run.spec_file.read_text())["recipe"]
    run = runs.new_attempt(tmp_path, 1, model, plan, rows, validation_file=held_out)
    run.request_end("stop")
    end = runs.train(run)
    assert isinstance(end, Finished)
    assert end.stopped
    assert end.result["steps"] == 1
    assert [c.step for c in runs.checkpoints(run)] == [1]
    assert not (run.artifacts / "adapter").exists()
    again = runs.new_attempt(
        tmp_path, 2, model, plan, rows, validation_file=held_out, resume_from=run.checkpoints / "step-000001"
    )
    undisturbed = [e for e in runs.events(whole_run) if isinstance(e, Finished)][-1].result
    assert runs.train(again).result["weights_sha256"] == undisturbed["weights_sha256"]


@pytest.mark.parametrize("save_steps", [1, 2])
def test_a_stop_ranks_checkpoints_as_if_there_had_been_none(
    tmp_path: Path, model: Path, rows: Path, save_steps: int
) -> None:
    """The stop falls on update 1: on a save, or between two."""
    plan = runs.recipe(model, max_steps=4, save_steps=save_steps, learning_rate=0.2, warmup_ratio=0)

    def ranks(*parts: runs.RunDirectory) -> dict[int, tuple[dict[str, float], bool]]:
        told = [c for part in parts for c in runs.checkpoints(part) if c.step % save_steps == 0]
        return {c.step: (c.metrics, c.is_best) for c in told}

    whole = runs.new_attempt(tmp_path / "whole", 1, model, plan, rows)
    runs.train(whole)
    first = runs.new_attempt(tmp_path, 1, model, plan, rows)
    first.request_end("stop")
    runs.train(first)
    second = runs.new_attempt(tmp_path, 2, model, plan, rows, resume_from=first.checkpoints / "step-000001")
    runs.train(second)
    assert ranks(first, second) == ranks(whole)


def test_a_run_goes_on_from_the_checkpoint_of_another_by_its_own_plan(tmp_path: Path, model: Path, rows: Path) -> None:
    """With the same plan it is the same training; its learning rate is its own, and so are its checkpoints."""
    plan = runs.recipe(model, max_steps=6, save_steps=3, scheduler="constant", warmup_ratio=0)
    first = runs.new_attempt(tmp_path / "runs" / "1", 1, model, plan, rows)
    whole = runs.train(first).result
    kept = first.checkpoints / "step-000003"

    def go_on(job: int, **training: Any) -> tuple[runs.RunDirectory, Any]:
        inherited = tmp_path / "runs" / str(job) / INHERITED / kept.name
        shutil.copytree(kept, inherited)
        changed = {**plan, "training": {**plan["training"], **training}}
        run = runs.new_attempt(tmp_path / "runs" / str(job), 1, model, changed, rows, resume_from=inherited)
        return run, runs.train(run, expect=1 if training.get("max_steps") == 3 else 0)

    run, end = go_on(2)
    assert (end.result["weights_sha256"], end.result["steps"]) == (whole["weights_sha256"], 6)
    assert [checkpoint.step for checkpoint in runs.checkpoints(run)] == [6]
    assert end.result["checkpoint"] == "1/checkpoints/step-000006"
    run, end = go_on(3, learning_rate=1e-4)
    assert set(runs.curve(run, "learning_rate").values()) == {1e-4}
    assert end.result["weights_sha256"] != whole["weights_sha256"]
    run, end = go_on(4, max_steps=3)
    assert isinstance(end, Failed)
    assert "nothing left to train" in end.message
    assert (tmp_path / "runs" / "4" / INHERITED / kept.name).is_dir()


def test_cancel_ends_without_a_result(tmp_path: Path, model: Path, rows: Path) -> None:
    run = runs.new_attempt(tmp_path, 1, model, runs.recipe(model), rows)
    run.request_end("cancel")
    assert runs.train(run) is None
    assert runs.checkpoints(run) == []


def test_packing_changes_nothing_but_speed(tmp_path: Path, model: Path, rows: Path) -> None:
    """All rows in one update: packed and one row to a sequence, the loss and its gradient are the same."""
    seen = {}
    for number, packing in enumerate((True, False), 1):
        plan = runs.recipe(
            model, max_steps=1, batch_size=64, packing=packing, precision="fp32", max_length=160, warmup_ratio=0
        )
        plan["method"]["lora"]["dropout"] = 0.0
        run = runs.new_attempt(tmp_path, number, model, plan, rows, validation_file=rows)
        end = runs.train(run)
        norm = runs.curve(run, "grad_norm")[1]
        seen[packing] = (runs.curve(run)[1], norm, end.result["eval_loss"], end.result["trained_tokens"])
    assert seen[True] == pytest.approx(seen[False], abs=1e-4)


def test_accumulation_is_the_same_as_one_large_batch(tmp_path: Path, model: Path, rows: Path) -> None:
    losses = []
    for number, (size, accumulated) in enumerate(((12, 1), (2, 6)), 1):
        plan = runs.recipe(
            model, max_steps=3, batch_size=size, gradient_accumulation_steps=accumulated, precision="fp32"
        )
        plan["method"]["lora"]["dropout"] = 0.0
        run = runs.new_attempt(tmp_path, number, model, plan, rows)
        runs.train(run)
        losses.append(list(runs.curve(run).values()))
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_early_stopping_takes_the_best(tmp_path: Path, model: Path, rows: Path, held_out: Path) -> None:
    """With a learning rate that destroys the model the evaluation only gets worse: the first checkpoint is the result."""
    plan = runs.recipe(model, max_steps=12, learning_rate=0.3, scheduler="constant", warmup_ratio=0, max_grad_norm=0)
    plan["training"] |= {"eval_steps": 1, "save_steps": 1, "early_stopping": {"patience": 1}, "precision": "fp32"}
    run = runs.new_attempt(tmp_path, 1, model, plan, rows, validation_file=held_out)
    end = runs.train(run)
    evaluated = runs.curve(run, "eval_loss")
    best = min(evaluated, key=lambda step: evaluated[step])
    assert end.result["steps"] < 12
    assert best < end.result["steps"]
    assert end.result["checkpoint"] == f"1/checkpoints/step-{best:06d}"
    kept = load_file(run.checkpoints / f"step-{best:06d}" / "adapter_model.safetensors")
    taken = load_file(run.artifacts / "adapter" / "adapter_model.safetensors")
    assert all(kept[name].equal(taken[name]) for name in kept)
    assert end.result["eval_loss"] == evaluated[best]  # of these weights, not of the last ones


def test_one_update_moves_the_weights(tmp_path: Path, model: Path, rows: Path) -> None:
    """A warm-up begins at a rate of 0: a run of one update has none."""
    run = runs.new_attempt(tmp_path, 1, model, runs.recipe(model, max_steps=1, warmup_ratio=0.03), rows)
    runs.train(run)
    adapter = load_file(run.artifacts / "adapter" / "adapter_model.safetensors")
    assert any(tensor.any() for name, tensor in adapter.items() if "lora_B" in name)


def test_small_memory_limit_is_explained(tmp_path: Path, model: Path) -> None:
    rows = runs.write_rows(tmp_path / "rows.jsonl", 200)
    plan = runs.recipe(model, batch_size=256, packing=False) | {
        "resources": {"device": "cpu", "memory_limit_gib": 0.05}
    }
    run = runs.new_attempt(tmp_path, 1, model, plan, rows)
    end = runs.train(run, expect=1)
    assert (end.error_type, end.reason) == ("GPU_ERROR", "out-of-memory")
    assert "batch_size" in end.hint
    assert "Traceback" in run.output_file.read_text()


def test_rows_without_an_answer_are_named(tmp_path: Path, model: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"messages": [{"role": "user", "content": "hello"}]}\n' * 3)
    end = runs.train(runs.new_attempt(tmp_path, 1, model, runs.recipe(model), file), expect=1)
    assert end.error_type == "DATASET_ERROR"
    assert "rows 1, 2, 3" in end.message
    assert "Traceback" not in end.message


def test_unknown_target_module_lists_those_that_exist(tmp_path: Path, model: Path, rows: Path) -> None:
    plan = runs.recipe(model)
    plan["method"]["lora"]["target_modules"] = ["q_proj", "query"]
    end = runs.train(runs.new_attempt(tmp_path, 1, model, plan, rows), expect=1)
    assert end.error_type == "CONFIGURATION_ERROR"
    assert "query" in end.message
    assert "q_proj," not in end.message
    assert "down_proj" in end.hint
    assert "lm_head" not in end.hint


def test_damaged_weights_are_explained(tmp_path: Path, rows: Path) -> None:
    model = runs.tiny_model(tmp_path / "model")
    weights = model / "model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:1000])
    end = runs.train(runs.new_attempt(tmp_path, 1, model, runs.recipe(model), rows), expect=1)
    assert (end.error_type, end.code) == ("CONFIGURATION_ERROR", "model-invalid")


def test_pickle_weights_are_not_read(tmp_path: Path, rows: Path) -> None:
    import torch

    model = runs.tiny_model(tmp_path / "model")
    (model / "model.safetensors").unlink()
    torch.save({}, model / "pytorch_model.bin")
    end = runs.train(runs.new_attempt(tmp_path, 1, model, runs.recipe(model), rows), expect=1)
    assert end.error_type == "CONFIGURATION_ERROR"
    assert "safetensors" in end.message


def test_damaged_checkpoint_is_refused(tmp_path: Path, whole_run: runs.RunDirectory, model: Path, rows: Path) -> None:
    source = whole_run.checkpoints / "step-000016"
    copy = tmp_path / "attempts" / "1" / "checkpoints" / source.name
    copy.mkdir(parents=True)
    for file in source.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    moments = bytearray((copy / "optimizer.safetensors").read_bytes())
    moments[-1] ^= 1
    (copy / "optimizer.safetensors").write_bytes(moments)
    run = runs.new_attempt(tmp_path, 2, model, runs.recipe(model, max_steps=20), rows, resume_from=copy)
    end = runs.train(run, expect=1)
    assert end.error_type == "CHECKPOINT_ERROR"
    assert "optimizer.safetensors" in end.message


def test_full_disk_leaves_the_old_checkpoint(tmp_path: Path, model: Path, rows: Path) -> None:
    """A real, small file system: the checkpoint that does not fit is gone without a trace, and the one before verifies."""
    run = runs.new_attempt(tmp_path, 1, model, runs.recipe(model, max_steps=6, save_steps=1, keep_last_n=9), rows)
    script = (
        f"mount -t tmpfs -o size=400k tmpfs {run.checkpoints} && {sys.executable} -m tunesmith.ml.sft {run.path};"
        f"code=$?; cp -a {run.checkpoints}/. {tmp_path}/left; exit $code"
    )
    (tmp_path / "left").mkdir()
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, timeout=240)
    end = runs.events(run)[-1]
    assert done.returncode == 1, done.stderr.decode()[-2000:]
    assert isinstance(end, Failed)
    assert (end.error_type, end.reason) == ("DISK_ERROR", "disk-full")
    left = sorted((tmp_path / "left").iterdir())
    assert left
    assert [f.name for f in left] == [Path(c.path).name for c in runs.checkpoints(run)]
    for folder in left:
        verify_checkpoint(folder)


def test_a_child_reads_no_pickle_and_loads_nothing_for_no_use(model: Path) -> None:
    program = f"""
import pathlib, sys
import tunesmith.ml.sft
tunesmith.ml.guard.leave_out_bitsandbytes(pathlib.Path({str(model)!r}))
import pickle, _pickle, io, torch, peft, tunesmith.ml.trainer
tunesmith.ml.sft.forbid_pickle()
print([name for name in ("bitsandbytes", "boto3", "mlflow", "wandb", "torch._inductor.compile_fx") if sys.modules.get(name)])
data = pickle.dumps([1, 2])
for name, read in [
    ("pickle.loads", lambda: pickle.loads(data)),
    ("pickle.load", lambda: pickle.load(io.BytesIO(data))),
    ("pickle.Unpickler", lambda: pickle.Unpickler(io.BytesIO(data)).load()),
    ("_pickle.loads", lambda: _pickle.loads(data)),
    ("torch.load", lambda: torch.load(io.BytesIO(data), weights_only=True)),
]:
    try:
        read()
    except tunesmith.ml.guard.PickleRefused:
        print(name)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=120)
    loaded, *refused = done.stdout.splitlines()
    assert refused == ["pickle.loads", "pickle.load", "pickle.Unpickler", "_pickle.loads", "torch.load"], done.stderr[
        -2000:
    ]
    assert loaded == "[]"
