"""The bundled model is small, loads everywhere, and says what it is."""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

import tunesmith
from tunesmith.text import ChatTemplate, TextTokenizer

MODEL = Path(tunesmith.__file__).parent / "bundle" / "model"
CONFIG = json.loads((MODEL / "config.json").read_text())


def test_size_and_number_format() -> None:
    with safe_open(MODEL / "model.safetensors", "pt") as weights:
        shapes = {name: weights.get_slice(name) for name in weights.keys()}  # noqa: SIM118
        parameters = sum(math.prod(s.get_shape()) for s in shapes.values())
        assert {s.get_dtype() for s in shapes.values()} == {"BF16"}
    assert 4_000_000 <= parameters <= 7_000_000
    assert sum(f.stat().st_size for f in MODEL.iterdir()) <= 15_000_000
    assert (MODEL / "model.safetensors").stat().st_mode & 0o044 == 0o044  # readable by whoever installed the wheel


def test_widths_fit_every_gguf_type() -> None:
    assert CONFIG["architectures"] == ["Qwen3ForCausalLM"]
    assert CONFIG["hidden_size"] % 256 == 0
    assert CONFIG["intermediate_size"] % 256 == 0
    assert CONFIG["num_attention_heads"] * CONFIG["head_dim"] % 256 == 0


def test_tokens_and_template() -> None:
    tokenizer = TextTokenizer.from_folder(MODEL)
    assert tokenizer.vocab_size == CONFIG["vocab_size"]
    assert (tokenizer.eos_token, tokenizer.eos_id, tokenizer.pad_id) == ("<|im_end|>", 2, 0)
    assert CONFIG["eos_token_id"] == tokenizer.eos_id
    assert json.loads((MODEL / "tokenizer.json").read_text())["pre_tokenizer"]["type"] == "ByteLevel"
    template = ChatTemplate.from_folder(MODEL)
    assert template.has_generation_markers
    assert template.render([{"role": "user", "content": "Hi"}], add_generation_prompt=True).endswith("assistant\n")


def test_nothing_in_it_is_a_pickle_or_a_program() -> None:
    kinds = {path.suffix for path in MODEL.iterdir()}
    assert kinds == {".safetensors", ".json", ".jinja", ".md"}
    assert not [p for p in MODEL.parent.rglob("*.py") if "ui" not in p.parts]


def test_the_card_says_how_it_was_made() -> None:
    card = (MODEL / "README.md").read_text()
    for word in (
        "license: apache-2.0",
        "tools/build_base_model.py",
        "## Limits",
        "## Data",
        "language:",
        "tunesmith/tiny",
    ):
        assert word in card


def test_it_chats_a_little_in_both_languages() -> None:
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(MODEL)

    def answer(question: str) -> str:
        messages = [{"role": "user", "content": question}]
        inputs = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        output = model.generate(**inputs, max_new_tokens=32, do_sample=False)
        return str(tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))

    assert answer("What is the capital of France?") == "Paris"
    assert answer("안녕하세요!") == "안녕하세요! 무엇을 도와드릴까요?"
