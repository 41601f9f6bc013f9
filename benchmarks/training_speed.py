"""How fast a training is beside TRL, a hand-written loop and LLaMA-Factory: `python -m benchmarks.training_speed`.

One run, alternating rounds, the median of each side: non-pad tokens per second of a llama of ten million parameters and of the
bundled model, LoRA and full, on conversations of mixed length. Each side is a process forked from one that has imported the
libraries; what is measured are its updates after the first ones. Bars: at least 1.15 × TRL's best own setting and 0.9 of the
hand-written loop on the same isolated samples. The table goes to docs/reference/training-speed.md.

`--device cuda` measures a larger model in bf16 and writes its own section. `--llama-factory` installs LLaMA-Factory into an
environment of its own (build/llama-factory) and measures it too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks._training_sides import SIDES, Speed, Task

ROOT = Path(__file__).resolve().parents[1]
BUNDLED = ROOT / "src/tunesmith/bundle/model"
FERRY = ROOT / "examples/haedam-ferry/train.jsonl"
PAGE = ROOT / "docs/reference/training-speed.md"
ENVIRONMENT = ROOT / "build" / "llama-factory"
TRL_BAR, HAND_BAR = 1.15, 0.9
FACTORY = "LLaMA-Factory"
SLOW = "TRL, defaults"
"""For information only, and several times slower than the rest: measured in the first round."""
SHAPES: dict[str, dict[str, int]] = {
    "cpu": {"hidden_size": 256, "intermediate_size": 688, "num_hidden_layers": 8, "vocab_size": 8192},
    "cuda": {"hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 24, "vocab_size": 32768},
}
HEADS = {"cpu": (8, 4, 32), "cuda": (16, 8, 64)}


class Medians(NamedTuple):
    """Of one side."""

    tokens_per_second: float
    tokens_per_processor_second: float


def write_rows(file: Path, count: int, seed: int = 5) -> Path:
    """Conversations of mixed length: most short, a few many turns long."""
    chance = random.Random(seed)
    pairs = [json.loads(line)["messages"] for line in FERRY.read_text(encoding="utf-8").splitlines()]
    rows = []
    for _ in range(count):
        turns = [m for _ in range(1 + int(9 * chance.random() ** 1.7)) for m in chance.choice(pairs)]
        rows.append({"messages": [turn for turn in turns if turn["role"] != "system"]})
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def write_llama(folder: Path, device: str) -> Path:
    """A random llama with the bundled tokenizer, its vocabulary padded."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    heads, key_heads, size = HEADS[device]
    torch.manual_seed(7)
    config = LlamaConfig(
        **SHAPES[device],
        num_attention_heads=heads,
        num_key_value_heads=key_heads,
        head_dim=size,
        max_position_embeddings=2048,
        bos_token_id=None,
        eos_token_id=2,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(BUNDLED / name, folder / name)
    return folder


def forked(side: Callable[[Task, Path], Speed], task: Task) -> Speed:
    """Run a side in a child of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pid = os.fork()
        if pid == 0:
            _child(side, task, folder)
        _, status = os.waitpid(pid, 0)
        if status:
            raise SystemExit(f"{side.__name__} ended with {status}:\n{(folder / 'output').read_text()[-4000:]}")
        return Speed(**json.loads((folder / "speed.json").read_text()))


def _child(side: Callable[[Task, Path], Speed], task: Task, folder: Path) -> None:
    output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 1
    try:
        speed = side(task, folder)
        (folder / "speed.json").write_text(json.dumps(asdict(speed)))
        code = 0
    except BaseException as error:
        import traceback

        traceback.print_exception(error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def llama_factory(task: Task, folder: Path) -> Speed:
    """LLaMA-Factory's own command line in its environment, packed and neat, as its documentation advises for speed."""
    (folder / "dataset_info.json").write_text(
        json.dumps(
            {
                "rows": {
                    "file_name": task.rows,
                    "formatting": "sharegpt",
                    "columns": {"messages": "messages"},
                    "tags": {
                        "role_tag": "role",
                        "content_tag": "content",
                        "user_tag": "user",
                        "assistant_tag": "assistant",
                        "system_tag": "system",
                    },
                }
            }
        )
    )
    plan = {
        "stage": "sft",
        "do_train": True,
        "model_name_or_path": task.model,
        "dataset": "rows",
        "dataset_dir": str(folder),
        "template": "chatml",
        "finetuning_type": task.adapter,
        "lora_rank": 16,
        "lora_target": "all",
        "cutoff_len": task.max_length,
        "packing": True,
        "neat_packing": True,
        "output_dir": str(folder / "out"),
        "overwrite_output_dir": True,
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": task.sequences,
        "max_steps": task.warm_updates + task.updates,
        "include_num_input_tokens_seen": True,
        "logging_steps": 1,
        "save_strategy": "no",
        "disable_gradient_checkpointing": True,
        "bf16": task.precision == "bf16",
        "use_cpu": task.device == "cpu",
        "report_to": "none",
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    command = [str(ENVIRONMENT / "bin/llamafactory-cli"), "train", str(folder / "plan.json")]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"DISABLE_VERSION_CHECK": "1"})
    if done.returncode:
        raise SystemExit(f"{FACTORY} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")
    log = [json.loads(line) for line in (folder / "out/trainer_log.jsonl").read_text().splitlines()]
    points = [one for one in log if one.get("total_tokens")]
    first, last = points[task.warm_updates - 1], points[-1]
    return Speed(last["total_tokens"] - first["total_tokens"], _seconds(last) - _seconds(first))


def _seconds(point: dict[str, Any]) -> float:
    hours, minutes, seconds = point["elapsed_time"].split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def install_llama_factory() -> None:
    """An environment of its own; it pulls an empty stand-in for torchaudio, whose registry build needs a GPU."""
    if (ENVIRONMENT / "bin/llamafactory-cli").exists():
        return
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    python = str(ENVIRONMENT / "bin/python")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(ENVIRONMENT)], check=True)
    wanted = ["llamafactory==0.9.5", "torch==2.13.0"]
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *wanted], check=True)
    subprocess.run([uv, "pip", "uninstall", "--quiet", "--python", python, "torchvision", "torchaudio"], check=True)
    where = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True
    )
    (Path(where.stdout.strip()) / "torchaudio.py").write_text("")


def measure(task: Task, sides: dict[str, Callable[[Task, Path], Speed]], rounds: int) -> dict[str, Medians]:
    """The medians of each side. Every other round runs backwards, so that no side always comes first."""
    found: dict[str, list[Medians]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, side in list(sides.items())[:: -1 if number % 2 else 1]:
            if number and name == SLOW:
                continue
            speed = forked(side, task)
            by_processor = speed.tokens / speed.processor_seconds if speed.processor_seconds else float("nan")
            found[name].append(Medians(speed.tokens / speed.seconds, by_processor))
            told = f"{speed.tokens / speed.seconds:.0f} tokens/s, {by_processor:.0f} by processor time"
            print(f"  round {number + 1}, {name}: {told}", file=sys.stderr, flush=True)
    return {name: Medians(*map(statistics.median, zip(*rounds_, strict=True))) for name, rounds_ in found.items()}


def table(found: dict[str, dict[str, Medians]], sides: list[str]) -> list[str]:
    """The medians as Markdown."""
    heads = [
        "of TRL's best",
        "of the hand-written loop",
        "of TRL's best, by processor time",
        "of the loop, by processor time",
    ]
    lines = ["| model | trained | " + " | ".join([*sides, *heads]) + " |"]
    lines.append("| --- | --- |" + " --- |" * (len(sides) + len(heads)))
    for key, medians in found.items():
        model, adapter = key.split(", ")
        cells = [f"{medians[side].tokens_per_second:,.0f}" for side in sides]
        cells += [f"{share:.2f}" for share in (*shares(medians), *shares(medians, by_processor=True))]
        lines.append(f"| {model} | {adapter} | " + " | ".join(cells) + " |")
    return lines


def shares(medians: dict[str, Medians], *, by_processor: bool = False) -> tuple[float, float]:
    """Our speed as a share of TRL's best setting, and of the hand-written loop."""
    place = 1 if by_processor else 0
    return tuple(
        medians["Tunesmith"][place] / medians[other][place] for other in ("TRL, best setting", "hand-written loop")
    )  # type: ignore[return-value]


def write_page(arguments: argparse.Namespace, lines: list[str], about: str) -> None:
    """Put the section of this device into the page; the section of another device stays."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    parts = [part for part in ("\n" + text).split("\n## ")[1:] if part.strip()]
    sections = {part.split("\n", 1)[0]: part for part in parts}
    sections[arguments.device] = "\n".join([arguments.device, "", about, "", *lines, ""])
    head = (
        "<!-- Written by benchmarks/training_speed.py; do not edit. -->\n\n# How fast a training is\n\n"
        "Non-pad tokens per second, medians over alternating rounds of one run: `python -m benchmarks.training_speed`. "
        "Every side trains the same weights on the same conversations of mixed length, in the same number format (TRL's "
        "defaults choose their own); all but TRL's defaults pack them into sequences of the same length. The hand-written "
        "loop does nothing but forward, backward and update on the same isolated samples: it is the limit. Processor time is that "
        "of all threads; on a shared machine it is the steadier figure.\n\n"
    )
    body = "\n".join(f"## {sections[name].rstrip()}\n" for name in sorted(sections))
    PAGE.write_text(head + body, encoding="utf-8")


def main() -> None:
    """Measure, write the page, and end with 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only", default="", help="a part of the name of a model and what is trained, e.g. `llama, lora`"
    )
    parser.add_argument(
        "--llama-factory", action="store_true", help="measure LLaMA-Factory too, in its own environment"
    )
    parser.add_argument("--shared", action="store_true", help="say in the page that others used the machine meanwhile")
    parser.add_argument("--no-page", action="store_true", help="print the table only")
    arguments = parser.parse_args()
    if arguments.llama_factory:
        install_llama_factory()
    from tunesmith.ml.guard import share_the_processor, stay_offline

    share_the_processor()
    stay_offline()
    import peft  # noqa: F401
    import torch
    import transformers
    from trl import SFTTrainer  # noqa: F401

    from tunesmith.ml.machine import computes_in_bf16

    gpu = arguments.device == "cuda"
    precision = "bf16" if gpu or computes_in_bf16(torch.device("cpu")) else "fp32"
    sides = dict(SIDES) | ({FACTORY: llama_factory} if arguments.llama_factory else {})
    found: dict[str, dict[str, Medians]] = {}
    began = time.time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = write_rows(folder / "rows.jsonl", 2048 if gpu else 64)
        pid = os.fork()  # no thread of torch's may run in the process that is forked from
        if pid == 0:
            write_llama(folder / "llama", arguments.device)
            os._exit(0)
        os.waitpid(pid, 0)
        models = {"random llama": folder / "llama", "bundled": BUNDLED}
        for label, model in models.items():
            for adapter in ("lora", "full"):
                key = f"{label}, {adapter}"
                if arguments.only not in key:
                    continue
                print(key, file=sys.stderr, flush=True)
                task = Task(
                    model=str(model),
                    rows=str(rows),
                    adapter=adapter,
                    device=arguments.device,
                    precision=precision,
                    max_length=2048 if gpu else 512,
                    sequences=8 if gpu else 4,
                    batch_size=8 if gpu else 1,
                    updates=20 if gpu else 4,
                    warm_updates=4 if gpu else 1,
                )
                found[key] = measure(task, sides, arguments.rounds)
    lines = table(found, list(sides))
    machine = torch.cuda.get_device_name() if gpu else f"{os.cpu_count()} processors ({platform.machine()})"
    about = (
        f"{machine}, {precision}, torch {torch.__version__}, transformers {transformers.__version__}, {arguments.rounds} "
        f"rounds in {(time.time() - began) / 60:.0f} minutes on {time.strftime('%Y-%m-%d')}."
        + (" Other work shared the machine." if arguments.shared else "")
    )
    print("\n".join([about, "", *lines]))
    if not arguments.no_page and not arguments.only:
        write_page(arguments, lines, about)
    missed = []
    for key, medians in found.items():
        of_trl, of_loop = shares(medians, by_processor=arguments.shared and not gpu)
        if of_trl < TRL_BAR or of_loop < HAND_BAR:
            missed.append(key)
    raise SystemExit(f"below a bar: {', '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()
