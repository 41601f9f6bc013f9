"""The sides of ``benchmarks/training_speed.py``: each trains the same model on the same rows and says how many tokens a second.

Every side is a function that runs in a process of its own, forked from one that has imported the libraries. It answers tokens
(no padding) and seconds of the measured updates; imports, loading, tokenising and the first updates are left out of both.
"""

from __future__ import annotations

import json
import runpy
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RANK = 16


@dataclass(frozen=True)
class Task:
    """What is trained, on what, in which portions."""

    model: str
    rows: str
    adapter: str
    device: str
    precision: str
    max_length: int
    sequences: int
    """Packed sequences of an update."""
    batch_size: int
    """Packed sequences of one of Tunesmith's and the hand-written loop's forward passes."""
    updates: int
    warm_updates: int


@dataclass
class Speed:
    """What a side did in the updates that count."""

    tokens: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0
    """Of all threads: what others do on the machine hardly changes it."""


def tunesmith(task: Task, folder: Path) -> Speed:
    """Our own engine script as a worker starts it; its own accounts of tokens and seconds, from two of its checkpoints."""
    from tunesmith.wire.recipe import Recipe
    from tunesmith.wire.run_dir import RunDirectory

    recipe = Recipe.model_validate(
        {
            "name": "benchmark",
            "model": {"base": task.model},
            "data": {"train": "rows"},
            "method": {"adapter": task.adapter, "lora": {"r": RANK, "alpha": 2 * RANK}},
            "training": {
                "max_steps": task.warm_updates + task.updates,
                "save_steps": task.warm_updates,
                "keep_last_n": 100,
                "batch_size": task.batch_size,
                "gradient_accumulation_steps": task.sequences // task.batch_size,
                "max_length": task.max_length,
                "precision": task.precision,
            },
            "resources": {"device": task.device},
        }
    )
    spec = {"recipe": recipe.to_plain(), "model_path": task.model, "train_file": task.rows}
    run = RunDirectory.create(folder / "job" / "attempts" / "1", spec)
    sys.argv = ["tunesmith.ml.sft", str(run.path)]
    watch = _Watch(run, task.warm_updates, task.warm_updates + task.updates)
    watch.start()
    runpy.run_module("tunesmith.ml.sft", run_name="__main__")
    first, last = (run.checkpoints / f"step-{step:06d}" for step in (task.warm_updates, recipe.training.max_steps))
    before, after = (json.loads((one / "run_state.json").read_text())["state"] for one in (first, last))
    watch.join()
    tokens, seconds = (after[name] - before[name] for name in ("tokens", "training_seconds"))
    return Speed(tokens, seconds, watch.ends - watch.begins)


class _Watch(threading.Thread):
    """Reads the processor's clock when the first checkpoint has been told, and when the last update has."""

    def __init__(self, run: Any, first: int, last: int) -> None:
        super().__init__(daemon=True)
        self.events, self.first, self.last = run.events_file, f'"step":{first},', f'"step":{last},'
        self.begins = self.ends = 0.0

    def run(self) -> None:
        while not self.ends:
            time.sleep(0.01)
            if not self.events.exists():
                continue
            for line in self.events.read_text(encoding="utf-8").splitlines():
                if '"type":"checkpoint"' in line and self.first in line and not self.begins:
                    self.begins = time.process_time()
                if '"type":"metric"' in line and self.last in line and not self.ends:
                    self.ends = time.process_time()


def hand_written(task: Task, _: Path) -> Speed:
    """The limit: a bare loop that does nothing but this, on the same packed samples, each seeing only itself.

    Attention runs document by document on slices, the head only where there is a target, AdamW is torch's own.
    """
    import torch
    import torch.nn.functional as F
    from transformers import AttentionInterface

    lengths: list[int] = []

    def by_document(module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: Any = None, **_: Any) -> Any:
        groups = query.shape[1] // key.shape[1]
        parts = zip(*(x.split(lengths, dim=2) for x in (query, key, value)), strict=True)
        out = [
            F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling, enable_gqa=groups > 1)
            for q, k, v in parts
        ]
        return torch.cat(out, dim=2).transpose(1, 2), None

    AttentionInterface.register("by_hand", by_document)
    model, compute = load(task, "by_hand")
    sequences = list(packed(task))
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=2e-4)
    model.train()
    speed, began, used, at = Speed(), 0.0, 0.0, 0
    for update in range(task.warm_updates + task.updates):
        if update == task.warm_updates:
            wait_for(task.device)
            began, used = time.perf_counter(), time.process_time()
        chosen = [sequences[(at + i) % len(sequences)] for i in range(task.sequences)]
        at += task.sequences
        trained = sum(int((targets >= 0).sum()) for _, targets, _ in chosen)
        for start in range(0, task.sequences, task.batch_size):
            part = chosen[start : start + task.batch_size]
            lengths[:] = [length for _, _, documents in part for length in documents]
            ids = torch.cat([ids for ids, _, _ in part])[None].to(task.device)
            targets = torch.cat([targets for _, targets, _ in part]).to(task.device)
            positions = torch.cat([torch.arange(n) for n in lengths])[None].to(task.device)
            places = (targets >= 0).nonzero().squeeze(1)
            with torch.autocast(task.device, compute, enabled=compute is not None):
                logits = model(input_ids=ids, position_ids=positions, use_cache=False, logits_to_keep=places).logits
            loss = F.cross_entropy(logits[0].float(), targets[places], reduction="sum") / trained
            loss.backward()
            if update >= task.warm_updates:
                speed.tokens += ids.shape[1]
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
    wait_for(task.device)
    speed.seconds, speed.processor_seconds = time.perf_counter() - began, time.process_time() - used
    return speed


def trl_best(task: Task, folder: Path) -> Speed:
    """TRL as fast as its own settings make it: best-fit packing, one sequence a pass, nothing computed twice."""
    options = {
        "packing": True,
        "packing_strategy": "bfd",
        "max_length": task.max_length,
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": task.sequences,
        "gradient_checkpointing": False,
        "bf16": task.precision == "bf16",
        "assistant_only_loss": True,
    }
    return trl(task, folder, options)


def trl_defaults(task: Task, folder: Path) -> Speed:
    """TRL as it comes."""
    return trl(task, folder, {})


def trl(task: Task, folder: Path, options: dict[str, Any]) -> Speed:
    """TRL's trainer with ``options``, timed from outside."""
    import torch
    from datasets import Dataset
    from transformers import AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    lines = Path(task.rows).read_text(encoding="utf-8").splitlines()
    speed = Speed()
    began = [0.0, 0.0]

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == task.warm_updates:
                wait_for(task.device)
                began[:] = time.perf_counter(), time.process_time()
                speed.tokens = 0
            elif state.global_step == state.max_steps:
                wait_for(task.device)
                speed.seconds = time.perf_counter() - began[0]
                speed.processor_seconds = time.process_time() - began[1]

    model, _ = load(task, "sdpa", lora=False)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=str(folder / "trl"),
            max_steps=task.warm_updates + task.updates,
            use_cpu=task.device == "cpu",
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            **options,
        ),
        train_dataset=Dataset.from_list([json.loads(line) for line in lines]),
        processing_class=AutoTokenizer.from_pretrained(task.model),
        peft_config=lora_config() if task.adapter == "lora" else None,
        callbacks=[Clock()],
    )
    inner = trainer.training_step

    def counted(model: Any, inputs: Any, *rest: Any) -> Any:
        seen = inputs.get("attention_mask")
        loss = inner(model, inputs, *rest)
        speed.tokens += int(seen.sum()) if seen is not None else int(torch.numel(inputs["input_ids"]))
        return loss

    trainer.training_step = counted  # type: ignore[method-assign]
    trainer.train()
    return speed


def load(task: Task, attention: str, *, lora: bool = True) -> tuple[Any, Any]:
    """The model as our engine holds it: frozen matrices in the format of the products, what is trained in float32."""
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    compute = torch.bfloat16 if task.precision == "bf16" else None
    model: Any = AutoModelForCausalLM.from_pretrained(task.model, dtype=torch.float32, attn_implementation=attention)
    torch.manual_seed(42)
    if lora and task.adapter == "lora":
        model = get_peft_model(model, lora_config())
        head = model.get_output_embeddings()
        for module in model.modules():
            frozen = isinstance(module, torch.nn.Linear) and not module.weight.requires_grad
            if compute and frozen and module is not head:
                module.to(compute)
    return model.to(task.device), compute


def lora_config() -> Any:
    """The same trained parameters on every side."""
    from peft import LoraConfig

    return LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", task_type="CAUSAL_LM")


def packed(task: Task) -> Iterator[tuple[Any, Any, list[int]]]:
    """Sequences as tensors: ids, targets (-100 where there is none), lengths of their documents."""
    import torch
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(task.model)
    documents = []
    for line in Path(task.rows).read_text(encoding="utf-8").splitlines():
        row = tokenizer.apply_chat_template(
            json.loads(line)["messages"], return_dict=True, return_assistant_tokens_mask=True
        )
        ids = torch.tensor(row["input_ids"][: task.max_length])
        trained = torch.tensor(row["assistant_masks"][: task.max_length]).bool()
        targets = torch.full_like(ids, -100)
        targets[:-1] = torch.where(trained[1:], ids[1:], -100)
        documents.append((ids, targets))
    documents.sort(key=lambda document: -len(document[0]))
    bins: list[list[Any]] = []
    for document in documents:
        room = [(task.max_length - sum(len(ids) for ids, _ in one), one) for one in bins]
        fitting = [(free, one) for free, one in room if free >= len(document[0])]
        if fitting:
            min(fitting, key=lambda pair: pair[0])[1].append(document)
        else:
            bins.append([document])
    for one in bins:
        ids, targets = (torch.cat([document[i] for document in one]) for i in (0, 1))
        yield ids, targets, [len(document[0]) for document in one]


def wait_for(device: str) -> None:
    """Until the device has done what it was given."""
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


SIDES: dict[str, Callable[[Task, Path], Speed]] = {
    "Tunesmith": tunesmith,
    "TRL, best setting": trl_best,
    "hand-written loop": hand_written,
    "TRL, defaults": trl_defaults,
}
