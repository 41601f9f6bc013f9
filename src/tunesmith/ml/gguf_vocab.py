"""A Hugging Face tokenizer as llama.cpp understands it: byte-level BPE with a pre-tokenizer that both know.

llama.cpp keeps the splitting rules in its source and a name of them in the file, so a tokenizer is recognised by its rules;
one with rules that llama.cpp does not have is refused, since a guess would split text differently without a word.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gguf import GGUFWriter, TokenType
from tokenizers import Tokenizer

from tunesmith.kit.errors import Unsupported


class TokenizerUnsupported(Unsupported):
    """llama.cpp would split text differently."""

    code, title = "unsupported-tokenizer", "The tokenizer cannot be written as GGUF"
    hint = "GGUF export needs byte-level BPE with the splitting rules of GPT-2, Llama 3, Qwen 2/3 or SmolLM."


_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA_3 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + _TAIL
_QWEN_2 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _TAIL

PRE_TOKENIZERS: dict[str, tuple[tuple[str, object], ...]] = {
    "gpt-2": (("bytes", "split"),),
    "smollm": (("digits", True), ("bytes", "split")),
    "llama-bpe": (("regex", _LLAMA_3), ("bytes", "whole")),
    "qwen2": (("regex", _QWEN_2), ("bytes", "whole")),
}
"""llama.cpp's name of each set of rules that is recognised."""

TAKES_WHOLE_WORDS = {"llama-bpe"}
"""Where llama.cpp takes a word that is a token as it is, without merging (``ignore_merges``)."""


@dataclass(frozen=True)
class Vocabulary:
    """Everything that the file says about text."""

    pre: str
    tokens: list[str]
    types: list[int]
    merges: list[str]
    special_ids: dict[str, int]
    adds_bos: bool
    adds_eos: bool
    chat_template: str | None
    notes: list[str] = field(default_factory=list)

    def write(self, writer: GGUFWriter) -> None:
        """Add it to a file."""
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(self.pre)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.types)
        writer.add_token_merges(self.merges)
        for name, token_id in self.special_ids.items():
            writer.add_uint32(f"tokenizer.ggml.{name}_token_id", token_id)
        writer.add_add_bos_token(self.adds_bos)
        writer.add_add_eos_token(self.adds_eos)
        if self.chat_template:
            writer.add_chat_template(self.chat_template)


def read_vocabulary(folder: Path, embedding_rows: int) -> Vocabulary:
    """Read the tokenizer of a model whose embedding has ``embedding_rows`` rows; raises TokenizerUnsupported."""
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise TokenizerUnsupported(f"{folder.name}: there is no tokenizer.json.")
    content = json.loads(file.read_text(encoding="utf-8"))
    pre = _recognise(content)
    tokens, types = _tokens(content, embedding_rows)
    special_ids = _special_ids(folder, {token: i for i, token in enumerate(tokens)})
    adds_bos, adds_eos = _added_ends(file, special_ids)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in content["model"]["merges"]]
    notes = []
    if content.get("normalizer"):
        notes.append("llama.cpp does not compose Unicode (NFC) before it splits; send composed text.")
    template = read_chat_template(folder)
    return Vocabulary(pre, tokens, types, merges, special_ids, adds_bos, adds_eos, template, notes)


def _recognise(content: dict[str, Any]) -> str:
    model, normalizer = content["model"], content.get("normalizer")
    if model.get("type") != "BPE" or model.get("byte_fallback"):
        raise TokenizerUnsupported(f"The tokenizer is {model.get('type')}, not byte-level BPE.")
    for option in ("continuing_subword_prefix", "end_of_word_suffix", "dropout"):
        if model.get(option):
            raise TokenizerUnsupported(f"The tokenizer uses {option}, which llama.cpp does not have.")
    if normalizer and normalizer != {"type": "NFC"}:
        raise TokenizerUnsupported(f"The tokenizer normalises text ({normalizer.get('type')}); llama.cpp does not.")
    rules = _rules(content.get("pre_tokenizer"))
    for name, known in PRE_TOKENIZERS.items():
        if rules == known and bool(model.get("ignore_merges")) == (name in TAKES_WHOLE_WORDS):
            return name
    raise TokenizerUnsupported(f"llama.cpp has no pre-tokenizer with these rules: {json.dumps(rules)}.")


def _rules(step: dict[str, Any] | None) -> tuple[tuple[str, object], ...]:
    """The splitting rules without what changes nothing (offsets)."""
    kind = (step or {}).get("type")
    if step is None or kind is None:
        return ()
    if kind == "Sequence":
        return tuple(rule for part in step["pretokenizers"] for rule in _rules(part))
    if kind == "ByteLevel" and not step.get("add_prefix_space"):
        return (("bytes", "split" if step.get("use_regex", True) else "whole"),)
    if kind == "Digits":
        return (("digits", step.get("individual_digits")),)
    if kind == "Split" and step.get("behavior") == "Isolated" and not step.get("invert"):
        return (("regex", step["pattern"].get("Regex")),)
    return ((kind, json.dumps(step, sort_keys=True)),)


def _tokens(content: dict[str, Any], embedding_rows: int) -> tuple[list[str], list[int]]:
    tokens = {token_id: token for token, token_id in content["model"]["vocab"].items()}
    types = dict.fromkeys(tokens, TokenType.NORMAL)
    for added in content.get("added_tokens", []):
        for option in ("lstrip", "rstrip", "single_word"):
            if added.get(option):
                raise TokenizerUnsupported(
                    f"The token {added['content']!r} uses {option}, which llama.cpp does not have."
                )
        tokens[added["id"]] = added["content"]
        types[added["id"]] = TokenType.CONTROL if added.get("special") else TokenType.USER_DEFINED
    if max(tokens) >= embedding_rows:
        raise TokenizerUnsupported(
            f"The tokenizer has token {max(tokens)} but the model has {embedding_rows} embeddings."
        )
    for unused in set(range(embedding_rows)) - set(tokens):
        tokens[unused], types[unused] = f"[PAD{unused}]", TokenType.UNUSED
    order = range(embedding_rows)
    return [tokens[i] for i in order], [int(types[i]) for i in order]


def _special_ids(folder: Path, ids: dict[str, int]) -> dict[str, int]:
    """bos, eos, unk, pad as tokenizer_config.json names them, and a second stop token (eot) of generation_config.json."""
    config = _read_json(folder / "tokenizer_config.json")
    found = {}
    for gguf_name, name in (
        ("bos", "bos_token"),
        ("eos", "eos_token"),
        ("unknown", "unk_token"),
        ("padding", "pad_token"),
    ):
        token = config.get(name)
        text = token.get("content") if isinstance(token, dict) else token
        if text is not None and text in ids:
            found[gguf_name] = ids[text]
    stops = _read_json(folder / "generation_config.json").get("eos_token_id")
    if stops is None:
        stops = _read_json(folder / "config.json").get("eos_token_id")
    stops = [stops] if isinstance(stops, int) else list(stops or [])
    if "eos" not in found and stops:
        found["eos"] = stops[0]
    others = [token_id for token_id in stops if token_id != found.get("eos")]
    if others:
        found["eot"] = others[0]
    return found


def _added_ends(file: Path, special_ids: dict[str, int]) -> tuple[bool, bool]:
    """Whether the tokenizer itself puts bos before and eos after a text."""
    tokenizer = Tokenizer.from_file(str(file))
    plain = tokenizer.encode("a", add_special_tokens=False).ids
    ids = tokenizer.encode("a", add_special_tokens=True).ids
    bos, eos = special_ids.get("bos"), special_ids.get("eos")
    for adds_bos in (False, True):
        for adds_eos in (False, True):
            before, after = [bos] if adds_bos else [], [eos] if adds_eos else []
            if ids == [*before, *plain, *after]:
                return adds_bos, adds_eos
    raise TokenizerUnsupported("The tokenizer surrounds text with tokens other than bos and eos.")


_GENERATION = re.compile(r"\{%(?P<left>[-+]?)\s*(?P<end>end)?generation\s*(?P<right>[-+]?)%\}")


def portable_template(template: str) -> str:
    """The template without generation markers, which only trainers know.

    Each marker becomes a condition that is always true, with the same white-space control, so that the text that it
    renders stays the same to the byte.
    """
    return _GENERATION.sub(lambda m: f"{{%{m['left']} {'endif' if m['end'] else 'if true'} {m['right']}%}}", template)


def read_chat_template(folder: Path) -> str | None:
    """The folder's (default) chat template, made portable."""
    file = folder / "chat_template.jinja"
    template: Any = file.read_text(encoding="utf-8") if file.is_file() else None
    if template is None:
        template = _read_json(folder / "tokenizer_config.json").get("chat_template")
    if isinstance(template, list):
        template = next((named["template"] for named in template if named.get("name") == "default"), None)
    return portable_template(template) if template else None


def _read_json(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return content
