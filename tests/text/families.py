"""Real models' chat templates, and a tokenizer that knows their special tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ml.tiny_models import TEXTS
from tunesmith.text import ChatTemplate, TextTokenizer

LLAMA_3_SPLITS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
"""How Llama 3 cuts a text into words: line breaks stay together, so that a prompt's end is a token of its own."""
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Family:
    """One family of models: its template, its special tokens, what its template refuses."""

    name: str
    bos: str
    eos: str
    pad: str
    specials: tuple[str, ...]
    turn_end: str
    """What closes an answer that others follow."""
    takes_system: bool = True

    @property
    def source(self) -> str:
        """The template as published."""
        return (TEMPLATES / f"{self.name}.jinja").read_bytes().decode()

    def save(self, folder: Path, *, pad: str | None = None) -> Path:
        """A folder as a model has it, with a small byte-level BPE."""
        from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

        folder.mkdir(parents=True, exist_ok=True)
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(LLAMA_3_SPLITS), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        named = dict.fromkeys((self.pad, self.bos, self.eos, *self.specials))
        trainer = trainers.BpeTrainer(
            vocab_size=420,
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            special_tokens=[AddedToken(text, special=True, normalized=False) for text in named],
        )
        tokenizer.train_from_iterator(TEXTS * 3, trainer)
        tokenizer.save(str(folder / "tokenizer.json"))
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": self.bos, "eos_token": self.eos}
        (folder / "tokenizer_config.json").write_text(json.dumps(config | {"pad_token": pad or self.pad}))
        (folder / "chat_template.jinja").write_bytes((TEMPLATES / f"{self.name}.jinja").read_bytes())
        return folder

    def load(self, folder: Path) -> tuple[TextTokenizer, ChatTemplate]:
        """Tokenizer and template of a saved folder."""
        return TextTokenizer.from_folder(folder), ChatTemplate.from_folder(folder)


_CHATML = ("<|im_start|>", "<|im_end|>")
FAMILIES = {
    family.name: family
    for family in (
        Family("chatml", "<s>", "<|im_end|>", "<|endoftext|>", _CHATML, "<|im_end|>\n"),
        Family(
            "llama3",
            "<|begin_of_text|>",
            "<|eot_id|>",
            "<|finetune_right_pad_id|>",
            ("<|start_header_id|>", "<|end_header_id|>"),
            "<|eot_id|>",
        ),
        Family("mistral", "<s>", "</s>", "<unk>", (), "</s> ", takes_system=False),
        Family("gemma", "<bos>", "<eos>", "<pad>", ("<start_of_turn>", "<end_of_turn>"), "<end_of_turn>\n", False),
        Family(
            "phi3", "<s>", "<|endoftext|>", "<pad>", ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"), "<|end|>\n"
        ),
        Family("qwen3", "<s>", "<|im_end|>", "<|endoftext|>", _CHATML, "<|im_end|>\n"),
        Family("qwen2_5", "<s>", "<|im_end|>", "<|endoftext|>", _CHATML, "<|im_end|>\n"),
    )
}
SIX = ("chatml", "llama3", "mistral", "gemma", "phi3", "qwen3")


def turns(*texts: str, system: str | None = None) -> list[dict[str, Any]]:
    """User and assistant by turns."""
    first = [{"role": "system", "content": system}] if system else []
    return first + [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]


SINGLE = [
    turns("How are you?", "Fine."),
    turns("달무리섬 배는 몇 시에 떠나요?", "오전 9시예요 🚢 e\u0301"),
    turns("Same", "Same"),
    turns("  padded  ", "first line\n\n```py\nx = [1, 2]\n```\nlast"),
]
MULTIPLE = [
    turns("안녕", "반가워요", "Yes", "Yes", "Yes", "Yes"),
    turns("assistant", "user", "model\n", "  trimmed  ", "<b>&\"'", "끝 👩‍👩‍👧"),
]
