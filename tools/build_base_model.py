"""Train the bundled tiny base model from text that this repository generates, and write it to the bundle.

    python tools/build_base_model.py --out build/base --stop-at 1500
    python tools/build_base_model.py --out build/annealed --anneal-from build/base --steps 300 --learning-rate 1.2e-3

About half an hour on two quiet CPU cores. The result depends on the seeds and on the machine's arithmetic only;
the card beside the weights says more.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

sys.path.insert(0, str(Path(__file__).parent.parent))
from tools.base_text.conversations import Message, conversations

END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
VOCABULARY, CONTEXT = 3072, 1024
SEED = 11
OTHER_TOKENS_WEIGHT = 0.2  # the loss on system and user text, beside 1 on answers

TEMPLATE = """{%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\\n' }}
    {%- if message['role'] == 'assistant' %}
        {%- generation %}{{- message['content'] + '<|im_end|>' }}{%- endgeneration %}
    {%- else %}
        {{- message['content'] + '<|im_end|>' }}
    {%- endif %}
    {{- '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""


def segments(messages: list[Message]) -> Iterator[tuple[str, bool]]:
    """The conversation as the template writes it, in pieces: ``(text, is an answer)``."""
    for message in messages:
        answer = message["role"] == "assistant"
        yield f"{TURN_START}{message['role']}\n", False
        yield message["content"] + TURN_END, answer
        yield "\n", False


def train_tokenizer() -> Tokenizer:
    """A byte-level BPE whose pre-tokenizer is GPT-2's, so that llama.cpp knows it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[AddedToken(t, special=True, normalized=False) for t in (END_OF_TEXT, TURN_START, TURN_END)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = ("\n".join(f"{m['role']}\n{m['content']}" for m in c) for c in conversations(SEED + 1, 40_000))
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, messages: list[Message]) -> tuple[list[int], list[float]]:
    """Token ids and their loss weights."""
    ids: list[int] = []
    weights: list[float] = []
    for text, answer in segments(messages):
        piece = tokenizer.encode(text, add_special_tokens=False).ids
        ids += piece
        weights += [1.0 if answer else OTHER_TOKENS_WEIGHT] * len(piece)
    return ids[:CONTEXT], weights[:CONTEXT]


def batches(
    tokenizer: Tokenizer, order_seed: int, first_seed: int, steps: int, tokens: int
) -> Iterator[list[tuple[list[int], list[float]]]]:
    """``steps`` batches of about ``tokens`` tokens; rows of like length together, so that little is padding."""
    rng, made, seed = random.Random(order_seed), 0, first_seed
    while made < steps:
        seed += 1
        rows = sorted((encode(tokenizer, c) for c in conversations(seed, 4096)), key=lambda r: len(r[0]))
        groups: list[list[tuple[list[int], list[float]]]] = [[]]
        for row in rows:
            if (len(groups[-1]) + 1) * len(row[0]) > tokens:
                groups.append([])
            groups[-1].append(row)
        rng.shuffle(groups)
        yield from groups[: steps - made]
        made += len(groups)


def build_config() -> Qwen3Config:
    """The architecture: every width is a multiple of 256, so that each GGUF type fits."""
    return Qwen3Config(
        vocab_size=VOCABULARY, hidden_size=256, intermediate_size=768, num_hidden_layers=6, num_attention_heads=4,
        num_key_value_heads=2, head_dim=64, max_position_embeddings=CONTEXT, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, attention_bias=False, bos_token_id=None,
        eos_token_id=2, pad_token_id=0, use_cache=True, initializer_range=0.02,
    )  # fmt: skip


def learning_rate(step: int, steps: int, peak: float, anneal: bool) -> float:
    """Warm up, hold, and fall along a cosine over the last three fifths; annealing falls along a line to nothing."""
    if anneal:
        return peak * min((step + 1) / 20, 1 - step / steps)
    if step < 100:
        return peak * (step + 1) / 100
    hold = int(steps * 0.4)
    if step < hold:
        return peak
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - hold) / (steps - hold))))


def save(model: Qwen3ForCausalLM, tokenizer: Tokenizer, out: Path) -> None:
    """Write a folder that transformers loads."""
    out.mkdir(parents=True, exist_ok=True)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=TURN_END, pad_token=END_OF_TEXT, model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )  # fmt: skip
    fast.chat_template = TEMPLATE
    fast.save_pretrained(out)
    weights = Qwen3ForCausalLM(model.config)
    weights.load_state_dict(model.state_dict())
    weights = weights.to(torch.bfloat16)
    weights.generation_config.update(do_sample=False, eos_token_id=[2, 0], pad_token_id=0, max_new_tokens=64)
    weights.save_pretrained(out)
    (out / "model.safetensors").chmod(0o644)


def train(out: Path, anneal_from: Path | None, steps: int, stop_at: int, tokens: int, peak: float) -> None:
    """Train from nothing, or anneal what ``anneal_from`` holds, and save."""
    torch.manual_seed(SEED)
    if anneal_from is None:
        tokenizer = train_tokenizer()
        model = Qwen3ForCausalLM(build_config())
    else:
        tokenizer = Tokenizer.from_file(str(anneal_from / "tokenizer.json"))
        model = Qwen3ForCausalLM.from_pretrained(anneal_from, dtype=torch.float32)
    model.train()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.02}, {"params": rest, "weight_decay": 0.0}],
        lr=peak,
        betas=(0.9, 0.98),
        fused=True,
    )
    start, seen, running = time.monotonic(), 0, 0.0
    seeds = (SEED, SEED + 100) if anneal_from is None else (SEED + 100_000, SEED + 100_000)
    for step, rows in enumerate(batches(tokenizer, *seeds, stop_at, tokens)):
        width = max(len(ids) for ids, _ in rows)
        ids = torch.tensor([i + [0] * (width - len(i)) for i, _ in rows])
        weights = torch.tensor([w + [0.0] * (width - len(w)) for _, w in rows])
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps, peak, anneal_from is not None)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            # Padding stands on the right, so the causal mask alone keeps it from being read.
            hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
            logits = model.lm_head(hidden)
        losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten(), reduction="none")
        weight = weights[:, 1:].flatten()
        loss = (losses * weight).sum() / weight.sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seen += ids.numel()
        answers = weight == 1.0
        running += (losses.detach() * answers).sum().item() / max(1, answers.sum().item())
        if (step + 1) % 50 == 0:
            seconds = time.monotonic() - start
            line = {
                "step": step + 1,
                "answer_loss": round(running / 50, 4),
                "tokens_per_second": int(seen / seconds),
                "seconds": int(seconds),
            }
            print(json.dumps(line), flush=True)
            with (out / "training_log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            running = 0.0
        if (step + 1) % 500 == 0:
            save(model, tokenizer, out)
    save(model, tokenizer, out)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--anneal-from", type=Path, help="the folder that the first command wrote")
    parser.add_argument("--steps", type=int, default=2400, help="length of the learning rate's schedule")
    parser.add_argument("--stop-at", type=int, help="leave the schedule after so many steps")
    parser.add_argument("--tokens", type=int, default=3072, help="tokens in a batch")
    parser.add_argument("--learning-rate", type=float, default=2.5e-3)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    stop_at = given.stop_at or given.steps
    train(given.out, given.anneal_from, given.steps, stop_at, given.tokens, given.learning_rate)


if __name__ == "__main__":
    main()
