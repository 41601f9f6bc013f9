"""The words of a tokenizer in the order of their ids, and what llama.cpp has to know about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gguf import GGUFWriter, TokenType

from tunesmith.kit.errors import Unsupported

SPACE = "\u2581"
"""What SentencePiece writes for a space."""


class TokenizerUnsupported(Unsupported):
    """llama.cpp would split text differently."""

    code, title = "unsupported-tokenizer", "The tokenizer cannot be written as GGUF"
    hint = (
        "GGUF export needs byte-level BPE with the splitting rules of GPT-2, Llama 3, Qwen, SmolLM, Mistral or GPT-4, "
        "SentencePiece BPE with byte fallback, or Unigram."
    )


@dataclass(frozen=True)
class Vocabulary:
    """Everything that the file says about text."""

    model: str
    """llama.cpp's name of the kind: `gpt2`, `llama` (SentencePiece BPE) or `t5` (Unigram)."""
    pre: str
    tokens: list[str]
    types: list[int]
    special_ids: dict[str, int]
    adds_bos: bool
    adds_eos: bool
    chat_template: str | None
    merges: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    flags: dict[str, bool] = field(default_factory=dict)
    """Further keys below ``tokenizer.ggml``."""
    character_map: bytes = b""
    strips_right: bool = False
    """Whether its special tokens take the white space that follows, as Phi-3's do."""
    notes: list[str] = field(default_factory=list)

    def write(self, writer: GGUFWriter) -> None:
        """Add it to a file."""
        writer.add_tokenizer_model(self.model)
        writer.add_tokenizer_pre(self.pre)
        writer.add_token_list(self.tokens)
        if self.scores:
            writer.add_token_scores(self.scores)
        writer.add_token_types(self.types)
        if self.merges:
            writer.add_token_merges(self.merges)
        for name, token_id in self.special_ids.items():
            writer.add_uint32(f"tokenizer.ggml.{name}_token_id", token_id)
        writer.add_add_bos_token(self.adds_bos)
        writer.add_add_eos_token(self.adds_eos)
        for name, value in self.flags.items():
            writer.add_bool(f"tokenizer.ggml.{name}", value)
        if self.character_map:
            writer.add_precompiled_charsmap(self.character_map)
        if self.chat_template:
            writer.add_chat_template(self.chat_template)

    def name_for(self, name: str) -> str:
        """The model's name in the file: llama.cpp reads from it whether special tokens are Phi-3's."""
        says_phi = any(word in name.lower() for word in ("phi-3", "phi3"))
        if self.strips_right:
            return name if says_phi else f"{name} (phi-3)"
        return name.replace("-3", " 3").replace("i3", "i 3").replace("I3", "I 3") if says_phi else name


def ordered(
    vocabulary: Mapping[str, int], added: list[dict[str, Any]], rows: int, *, unescape: bool
) -> tuple[list[str], list[int]]:
    """Tokens and types by id, filled up to the ``rows`` of the embedding; raises when there are more tokens than rows."""
    tokens = {token_id: token for token, token_id in vocabulary.items()}
    types = dict.fromkeys(tokens, TokenType.NORMAL)
    for token in added:
        is_control = bool(token.get("special"))
        text = token["content"] if is_control or not unescape else token["content"].replace(SPACE, " ")
        tokens[token["id"]] = text
        types[token["id"]] = TokenType.CONTROL if is_control else TokenType.USER_DEFINED
    if tokens and max(tokens) >= rows:
        raise TokenizerUnsupported(f"The tokenizer has token {max(tokens)} but the model has {rows} embeddings.")
    for unused in set(range(rows)) - set(tokens):
        tokens[unused], types[unused] = f"[PAD{unused}]", TokenType.UNUSED
    names = [tokens[i] for i in range(rows)]
    if len(set(names)) != rows:
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise TokenizerUnsupported(f"The token {twice!r} has two ids, which llama.cpp does not load.")
    return names, [int(types[i]) for i in range(rows)]


def stripping(added: list[dict[str, Any]], special: set[str]) -> tuple[bool, list[str]]:
    """(whether special tokens take white space as llama.cpp makes Phi-3's do, notes about options that it does not have)."""
    takers = {token["content"] for token in added if token.get("rstrip")}
    others = [token["content"] for token in added if token.get("lstrip") or token.get("single_word")]
    is_phi = bool(takers) and "</s>" in takers and takers == special - {"<unk>", "<s>", "<|endoftext|>"}
    ignored = others if is_phi else [*takers, *others]
    notes = []
    if ignored:
        shown = ", ".join(repr(text) for text in sorted(ignored)[:5])
        notes.append(f"llama.cpp does not take the white space beside a token; the tokenizer does beside {shown}.")
    return is_phi, notes
