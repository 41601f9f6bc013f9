"""What is recommended beside TRL's defaults at equal tokens: `python -m benchmarks.training_recommended`.

Three data sets on the bundled model: the bundled ferry data, 120 generated part numbers and 40 generated opening hours. A sixth of the
rows is held out. The recommended run goes as its recipe says (early stopping, best checkpoint); TRL's run has TRL's own defaults
(learning rate, batch of eight, schedule; full weights, and LoRA with PEFT's defaults) for as many passes over the same rows. Both
are judged by one program: mean loss over the answers' tokens of the held-out rows. Bar: lower on all three, and no run repaired.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.training_forecast import FERRY, MODEL
from tunesmith.domains.training.advising import row_lengths
from tunesmith.domains.training.recommending import Situation, recommend
from tunesmith.kit.memory import available_bytes
from tunesmith.wire.events import Finished, Metric
from tunesmith.wire.run_dir import RunDirectory

PARAMETERS, VOCABULARY, CONTEXT = 5_243_648, 2048, 1024
TRL = """
import json, sys, tempfile
from pathlib import Path
import torch
from datasets import Dataset
from peft import LoraConfig
from trl import SFTConfig, SFTTrainer
from tunesmith.ml.load import load_tokenizer, load_weights
from tunesmith.ml.rows import Batches, tokenize_file
from tunesmith.text import IGNORED, ChatTemplate, TextTokenizer
order = json.loads(sys.argv[1])
folder = Path(order["model"])
model = load_weights(folder, torch.float32)
if order["epochs"]:
    rows = [json.loads(line) for line in Path(order["train"]).read_text("utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as out:
        config = SFTConfig(output_dir=out, num_train_epochs=order["epochs"], save_strategy="no", report_to="none", disable_tqdm=True)
        trainer = SFTTrainer(
            model=model, args=config, train_dataset=Dataset.from_list([{"messages": row["messages"]} for row in rows]),
            processing_class=load_tokenizer(folder), peft_config=LoraConfig(task_type="CAUSAL_LM") if order["lora"] else None,
        )
        trainer.train()
        model = trainer.model
if order.get("adapter"):
    from peft import PeftModel
    model = PeftModel.from_pretrained(model, order["adapter"])
held = tokenize_file(Path(order["validation"]), TextTokenizer.from_folder(folder), ChatTemplate.from_folder(folder), 1024)
batches = Batches(held, packing=False, max_length=1024, pad_id=0)
model.eval().float()
total, count = 0.0, 0
with torch.no_grad():
    for number in range(len(batches)):
        batch = batches.collate([{"sequence": number}])
        logits = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits.float()
        targets = batch["targets"].flatten()
        total += float(torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets, ignore_index=IGNORED, reduction="sum"))
        count += int((targets != IGNORED).sum())
print("RESULT", total / count)
"""


def parts() -> list[str]:
    """Questions about part numbers, each asked in three ways."""
    chance = random.Random(1)
    asked = ("What is the part number of the {}?", "Which number does the {} have?", "{}: part number?")
    things = [f"{a} {b}" for a in ("left", "right", "upper", "lower", "inner") for b in BOLTS]
    return [_row(way.format(thing), number) for thing in things for number in [_number(chance)] for way in asked]


def hours() -> list[str]:
    """When islands' shops open, in Korean, each asked in two ways."""
    chance = random.Random(2)
    shops = [
        f"{a}{b}"
        for a in ("빵집", "약국", "서점", "우체국")
        for b in ("일호점", "이호점", "삼호점", "사호점", "오호점")
    ]
    asked = ("{}은 몇 시에 열어요?", "{} 여는 시간을 알려 주세요.")
    return [
        _row(way.format(shop), f"{opens}시") for shop in shops for opens in [chance.randint(6, 12)] for way in asked
    ]


BOLTS = ("bolt", "hinge", "valve", "bracket", "gasket", "spring", "lever", "plate")


def _number(chance: random.Random) -> str:
    return f"{chance.choice('ABCDE')}-{chance.randint(100, 999)}"


def _row(question: str, answer: str) -> str:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages}, ensure_ascii=False)


def child(*arguments: str) -> str:
    """Run a program to its end and answer what it printed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-W", "ignore", *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return done.stdout


def judge(folder: Path, *, epochs: float = 0, lora: bool = False, adapter: Path | None = None) -> float:
    """Held-out loss of the base, of TRL's run, or of an adapter."""
    order = {
        "model": str(MODEL),
        "train": str(folder / "train.jsonl"),
        "validation": str(folder / "held-out.jsonl"),
        "epochs": epochs,
        "lora": lora,
        "adapter": str(adapter) if adapter else None,
    }
    said = child("-c", TRL, json.dumps(order))
    return round(float(said.rsplit("RESULT", 1)[1]), 4)


def measure(name: str, rows: list[str]) -> dict[str, Any]:
    """One data set, three ways to train."""
    random.Random(3).shuffle(rows)
    held_out = len(rows) // 6
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "held-out.jsonl").write_text("\n".join(rows[:held_out]) + "\n", encoding="utf-8")
        (folder / "train.jsonl").write_text("\n".join(rows[held_out:]) + "\n", encoding="utf-8")
        lengths = row_lengths(MODEL, [json.loads(row) for row in rows[held_out:]])
        at = Situation(
            model="tunesmith/tiny",
            num_parameters=PARAMETERS,
            vocab_size=VOCABULARY,
            context_length=CONTEXT,
            device="cpu",
            available_memory_bytes=available_bytes(),
            rows=len(lengths),
            total_tokens=sum(lengths),
            longest_tokens=max(lengths),
        )
        recipe, _, updates, _ = recommend(at)
        plain = recipe.to_plain() | {"resources": {"device": "cpu", "repair": False}}
        spec = {
            "recipe": plain,
            "model_path": str(MODEL),
            "train_file": str(folder / "train.jsonl"),
            "validation_file": str(folder / "held-out.jsonl"),
        }
        run = RunDirectory.create(folder / "attempts" / "1", spec)
        child("-m", "tunesmith.ml.sft", str(run.path))
        events = [event for _, event, _ in run.read_events()]
        result = next(event.result for event in events if isinstance(event, Finished))
        epochs = max(event.epoch or 0 for event in events if isinstance(event, Metric))
        return {
            "data": name,
            "rows": len(lengths),
            "updates": f"{result['steps']} of {updates}",
            "epochs": round(epochs, 2),
            "base": judge(folder),
            "recommended": judge(folder, adapter=run.artifacts / "adapter"),
            "trl_full": judge(folder, epochs=epochs),
            "trl_lora": judge(folder, epochs=epochs, lora=True),
        }


def main() -> None:
    """Print a line for each data set, and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["ferry", "parts", "hours"], help="one data set")
    arguments = parser.parse_args()
    sets = {"ferry": FERRY.read_text(encoding="utf-8").splitlines(), "parts": parts(), "hours": hours()}
    found = []
    for name, rows in sets.items():
        if arguments.only in (None, name):
            found.append(measure(name, rows))
            print(json.dumps(found[-1], ensure_ascii=False), flush=True)
    passed = all(one["recommended"] < min(one["trl_full"], one["trl_lora"]) for one in found)
    print(json.dumps({"passed": passed}))
    raise SystemExit(0 if passed else 1)


if __name__ == "__main__":
    main()
