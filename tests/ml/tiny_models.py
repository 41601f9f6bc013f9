"""Tiny models with random weights and a byte-level BPE trained on a few lines, saved as any model is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

TEXTS = [
    "The lighthouse keeper counts the ships that pass at night. It's 42, they'll say; isn't it?",
    "등대지기는 밤마다 지나가는 배를 센다. 안녕하세요, 오늘은 2026년 11월 21일입니다.",
    "def add(left, right):\n    return left + right  # sum\n\n\n\tif x == 10: print('done')\n",
    "🙂🚀 emoji, naïve café, ½ price — “quoted”… 한국어 문장과 English words together 100%.",
]
PROBES = [
    *TEXTS,
    "  leading and trailing  ",
    "a\n\n\nb\t\tc   \n d",
    "가나다라마바사 아자차카타파하 ㅋㅋㅋ ㅠㅠ",
    "👩‍👩‍👧‍👦 family 🇰🇷 flag",
    "<|im_start|>user\n2024년 3월?<|im_end|>\n<|im_start|>assistant\n",
    "x=1234567890; y = 3.14159 // WE'LL I'M you're DON'T",
    "\u00a0non\u2003breaking\u3000space\r\nwindows",
]
TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message['role'] + '\\n' }}"
    "{%- if message['role'] == 'assistant' %}{% generation %}{{- message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{%- else %}{{- message['content'] + '<|im_end|>' }}{%- endif %}{{- '\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def save_tokenizer(folder: Path, pre: str = "gpt-2", vocab_size: int = 420, specials: Sequence[str] = SPECIALS) -> int:
    """Train a tokenizer with llama.cpp's splitting rules ``pre``; answers its size."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    from tunesmith.ml.gguf_bpe import PRE_TOKENIZERS, TAKES_WHOLE_WORDS

    tokenizer = Tokenizer(models.BPE(ignore_merges=pre in TAKES_WHOLE_WORDS))
    steps = []
    for kind, value in PRE_TOKENIZERS[pre]:
        if kind == "regex":
            steps.append(pre_tokenizers.Split(Regex(str(value)), "isolated"))
        elif kind == "digits":
            steps.append(pre_tokenizers.Digits(individual_digits=True))
        else:
            steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=value == "split"))
    tokenizer.pre_tokenizer = steps[0] if len(steps) == 1 else pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[AddedToken(text, special=True, normalized=False) for text in specials],
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return int(tokenizer.get_vocab_size())


def save_model(
    folder: Path, family: str, *, pre: str = "gpt-2", tied: bool = True, dtype: str = "bfloat16", **extra: object
) -> Path:
    """A random model of one family (``llama``, ``qwen2``, ``qwen3``) whose distributions are far from uniform."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(parents=True)
    vocab_size = save_tokenizer(folder, pre)
    torch.manual_seed(7)
    config = AutoConfig.for_model(
        family,
        **{
            "vocab_size": vocab_size + 4,  # models are often padded beyond their tokenizer
            "hidden_size": 256,
            "intermediate_size": 512,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 64,
            "max_position_embeddings": 256,
            "tie_word_embeddings": tied,
            "initializer_range": 0.08,
            "eos_token_id": 2,
            "pad_token_id": 0,
            "bos_token_id": None,
            **extra,
        },
    )
    model = AutoModelForCausalLM.from_config(config).to(getattr(torch, dtype))
    for name, parameter in model.named_parameters():
        if name.endswith(".bias") or "norm" in name:
            torch.nn.init.normal_(parameter, mean=1.0 if "norm" in name else 0.0, std=0.2)
    model.save_pretrained(folder)
    return folder


def save_adapter(folder: Path, base: Path, **options: object) -> Path:
    """A LoRA adapter with random (not zero) weights on every linear layer."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(11)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    settings = {"r": 8, "lora_alpha": 16, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **options}
    adapted = get_peft_model(model, LoraConfig(**settings))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
        elif "magnitude" in name:
            parameter.data *= 1.1
    adapted.save_pretrained(folder)
    return folder
