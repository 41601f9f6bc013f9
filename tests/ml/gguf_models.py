"""A tiny random model of every family that is written as GGUF: its real configuration shrunk, its kind of tokenizer, its template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.ml import tiny_models
from tests.ml.tiny_models import TEXTS

SMALL = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.08,
}
LLAMA_3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 32.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
GEMMA = {"hidden_activation": "gelu_pytorch_tanh", "head_dim": 64, "tie_word_embeddings": True, "rms_norm_eps": 1e-6}
CHATML = tiny_models.TEMPLATE
LLAMA_2 = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + m['content'] + eos_token }}{% endif %}{% endfor %}"
)
LLAMA_3 = (
    "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] "
    "+ '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
GEMMA_TURNS = (
    "{{ bos_token }}{% for m in messages %}{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else m['role']) + '\n' "
    "+ m['content'] + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
PHI_TURNS = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + '<|end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)


class Words(NamedTuple):
    """A kind of tokenizer."""

    kind: str
    """A name of byte-level rules, or `llama2`, `first`, `gemma`, `phi3` (SentencePiece BPE), or `unigram`."""
    template: str
    specials: tuple[str, ...]
    bos: str | None
    eos: str
    adds_bos: bool = False


WORDS = {
    "llama3": Words(
        "llama-bpe",
        LLAMA_3,
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|begin_of_text|>",
        "<|eot_id|>",
        adds_bos=True,
    ),
    "qwen": Words("qwen2", CHATML, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), None, "<|im_end|>"),
    "smollm": Words("smollm", CHATML, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), "<|im_start|>", "<|im_end|>"),
    "smollm3": Words("dbrx", CHATML, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), None, "<|im_end|>"),
    "phi4": Words("gpt-4o", CHATML, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), None, "<|im_end|>"),
    "tekken": Words("tekken", LLAMA_2, ("<unk>", "<s>", "</s>", "[INST]", "[/INST]"), "<s>", "</s>", adds_bos=True),
    "llama2": Words("llama2", LLAMA_2, (), "<s>", "</s>", adds_bos=True),
    "mistral": Words("first", LLAMA_2, ("[INST]", "[/INST]"), "<s>", "</s>", adds_bos=True),
    "gemma": Words("gemma", GEMMA_TURNS, ("<start_of_turn>", "<end_of_turn>"), "<s>", "<end_of_turn>", adds_bos=True),
    "phi3": Words(
        "phi3", PHI_TURNS, ("<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>", "<|user|>"), "<s>", "<|end|>"
    ),
    "unigram": Words("unigram", CHATML, ("<|im_start|>", "<|im_end|>"), "<s>", "<|im_end|>"),
}


class Case(NamedTuple):
    """A model: its kind for transformers, its words, and what differs from SMALL."""

    family: str
    words: str
    options: dict[str, Any]


CASES = {
    "llama2": Case(
        "llama",
        "llama2",
        {
            "tie_word_embeddings": False,
            "rope_parameters": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0},
        },
    ),
    "llama3.2": Case("llama", "llama3", {"tie_word_embeddings": True, "head_dim": 64, "rope_parameters": LLAMA_3_ROPE}),
    "mistral": Case(
        "mistral",
        "mistral",
        {
            "tie_word_embeddings": False,
            "head_dim": 32,
            "sliding_window": None,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
        },
    ),
    "mistral-nemo": Case("mistral", "tekken", {"tie_word_embeddings": False, "head_dim": 128, "sliding_window": None}),
    "qwen2.5": Case(
        "qwen2",
        "qwen",
        {
            "tie_word_embeddings": True,
            "use_sliding_window": False,
            "rope_parameters": {
                "rope_type": "yarn",
                "rope_theta": 1000000.0,
                "factor": 4.0,
                "original_max_position_embeddings": 64,
            },
        },
    ),
    "qwen3": Case(
        "qwen3",
        "qwen",
        {
            "tie_word_embeddings": True,
            "head_dim": 128,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
        },
    ),
    "gemma2": Case(
        "gemma2",
        "gemma",
        {
            **GEMMA,
            "query_pre_attn_scalar": 144,
            "sliding_window": 16,
            "attn_logit_softcapping": 5.0,
            "final_logit_softcapping": 3.0,
        },
    ),
    "gemma3": Case(
        "gemma3_text",
        "gemma",
        {
            **GEMMA,
            "query_pre_attn_scalar": 168,
            "sliding_window": 16,
            "num_hidden_layers": 7,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
            },
        },
    ),
    "phi3": Case(
        "phi3",
        "phi3",
        {
            "tie_word_embeddings": False,
            "num_key_value_heads": 4,
            "sliding_window": 2047,
            "original_max_position_embeddings": 4096,
        },
    ),
    "phi3-long": Case(
        "phi3",
        "phi4",
        {
            "tie_word_embeddings": True,
            "partial_rotary_factor": 0.75,
            "original_max_position_embeddings": 4096,
            "max_position_embeddings": 131072,
            "rope_parameters": {
                "rope_type": "longrope",
                "rope_theta": 10000.0,
                "partial_rotary_factor": 0.75,
                "original_max_position_embeddings": 4096,
                "long_factor": [1.0 + 0.2 * i for i in range(24)],
                "short_factor": [1.0 + 0.05 * i for i in range(24)],
            },
        },
    ),
    "smollm2": Case(
        "llama",
        "smollm",
        {
            "tie_word_embeddings": True,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
        },
    ),
    "smollm3": Case(
        "smollm3",
        "smollm3",
        {
            "tie_word_embeddings": True,
            "num_hidden_layers": 4,
            "use_sliding_window": False,
            "rope_parameters": {"rope_type": "default", "rope_theta": 5000000.0},
        },
    ),
    "unigram": Case("llama", "unigram", {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True}),
}
"""Every family, every kind of tokenizer, every way to stretch rotations; tied and untied, with and without biases."""


def save_case(folder: Path, name: str, **extra: Any) -> Path:
    """A random model of that case."""
    case = CASES[name]
    words = WORDS[case.words]
    folder.mkdir(parents=True)
    size = save_words(folder, words)
    ids = {
        token["content"]: token["id"] for token in json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    }
    options: dict[str, Any] = {
        **SMALL,
        "vocab_size": size + 4,
        "max_position_embeddings": 256,
        "eos_token_id": ids[words.eos],
        "pad_token_id": None,
        "bos_token_id": ids.get(words.bos or ""),
        **case.options,
        **extra,
    }
    return save_random(folder, case.family, options)


def save_random(folder: Path, family: str, options: dict[str, Any]) -> Path:
    """Random weights whose norms and biases matter, in float32."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **options)).float()
    centre = 0.0 if family.startswith("gemma") else 1.0
    for name, parameter in model.named_parameters():
        if name.endswith(".bias") or "norm" in name:
            torch.nn.init.normal_(parameter, mean=centre if "norm" in name else 0.0, std=0.2)
    model.save_pretrained(folder)
    return folder


def save_words(folder: Path, words: Words) -> int:
    """Train the tokenizer and save it with its template; answers its size."""
    from tunesmith.ml.gguf_bpe import PRE_TOKENIZERS

    if words.kind in PRE_TOKENIZERS:
        tiny_models.save_tokenizer(folder, words.kind, specials=words.specials)
    else:
        _save_pieces(folder, words)
    from tokenizers import Tokenizer, processors

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    if words.adds_bos and words.bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{words.bos} $A", special_tokens=[(words.bos, tokenizer.token_to_id(words.bos))]
        )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": words.eos, "bos_token": words.bos}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").write_text(words.template)
    return int(tokenizer.get_vocab_size())


def _save_pieces(folder: Path, words: Words) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    base = ["<unk>", "<s>", "</s>"]
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always" if words.kind != "gemma" else "never")
    added = [
        AddedToken(text, special=True, normalized=False, rstrip=words.kind == "phi3" and text != "<|endoftext|>")
        for text in words.specials
    ]
    if words.kind == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = metaspace
        tokenizer.decoder = decoders.Metaspace()
        tokenizer.train_from_iterator(
            TEXTS * 3,
            trainers.UnigramTrainer(vocab_size=400, show_progress=False, special_tokens=base, unk_token="<unk>"),
        )
    else:
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        tokenizer.pre_tokenizer = metaspace
        tokenizer.train_from_iterator(
            TEXTS * 3,
            trainers.BpeTrainer(
                vocab_size=600, show_progress=False, special_tokens=[*base, *(f"<0x{b:02X}>" for b in range(256))]
            ),
        )
        tokenizer = _as_converted(json.loads(tokenizer.to_str()))
        space = normalizers.Replace(" ", "▁")
        if words.kind == "gemma":
            tokenizer.normalizer, tokenizer.pre_tokenizer = space, pre_tokenizers.Split(" ", "merged_with_previous")
        elif words.kind == "first":
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
        else:
            tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), space])
        tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    plain = [
        AddedToken(text, special=True, normalized=False, rstrip=words.kind == "phi3" and text == "</s>")
        for text in base
    ]
    tokenizer.add_tokens([*plain, *added])
    tokenizer.save(str(folder / "tokenizer.json"))


def _as_converted(content: dict[str, Any]) -> Any:
    """What transformers makes of a SentencePiece model: every way in which two tokens form a third is a merge."""
    from tokenizers import Tokenizer

    vocabulary = content["model"]["vocab"]
    formed = dict.fromkeys("".join(merge) for merge in content["model"]["merges"])
    content["model"]["merges"] = [
        [token[:cut], token[cut:]]
        for token in formed
        for cut in range(1, len(token))
        if token[:cut] in vocabulary and token[cut:] in vocabulary
    ]
    content["pre_tokenizer"], content["added_tokens"] = None, []
    return Tokenizer.from_str(json.dumps(content))
