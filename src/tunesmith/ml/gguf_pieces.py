"""SentencePiece tokenizers: BPE with byte fallback (Llama 2, Mistral, Gemma, Phi-3) and Unigram, as llama.cpp runs them.

llama.cpp's SentencePiece knows no list of merges: of two neighbours that form a token, those with the best score are merged first.
So a token's score is the place of its first merge.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from gguf import TokenType

from tunesmith.ml.gguf_tokens import SPACE, TokenizerUnsupported, ordered

_BYTES = {f"<0x{byte:02X}>" for byte in range(256)}
_HARMLESS = ("NFC", "NFKC", "Precompiled")
"""Normalisation that changes no composed text."""
_COLLAPSES = (" {2,}", "\u2581{2,}", r"\s+", r" +")


@dataclass
class _Rules:
    """What happens to a text before it is split into pieces."""

    prefix: str = "never"
    """Where a space is put before a text: `never`, `first` (only at its very beginning), `always` (after special tokens too)."""
    escapes: bool = False
    splits: bool = False
    collapses: bool = False
    """Whether several spaces become one."""
    character_map: bytes = b""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Pieces:
    """What a SentencePiece tokenizer adds to a vocabulary."""

    model: str
    tokens: list[str]
    types: list[int]
    scores: list[float]
    flags: dict[str, bool]
    character_map: bytes
    unknown_id: int | None
    notes: list[str]


def is_pieces(content: dict[str, Any]) -> bool:
    """Whether a ``tokenizer.json`` is SentencePiece's."""
    model = content["model"]
    return model.get("type") == "Unigram" or (model.get("type") == "BPE" and bool(model.get("byte_fallback")))


def read_pieces(content: dict[str, Any], rows: int, *, starts_special: bool) -> Pieces:
    """Read it; ``starts_special``: whether prompts begin with a special token. Raises TokenizerUnsupported."""
    rules = _Rules()
    for step in _flat(content.get("normalizer"), "normalizers"):
        _normalizer(rules, step)
    for step in _flat(content.get("pre_tokenizer"), "pretokenizers"):
        _pre_tokenizer(rules, step)
    if not rules.escapes:
        raise TokenizerUnsupported("The tokenizer has pieces but does not write spaces as '▁', as llama.cpp does.")
    is_unigram = content["model"]["type"] == "Unigram"
    read = _unigram if is_unigram else _bpe
    tokens, types, scores, unknown_id = read(content, rows, rules)
    flags = {"add_space_prefix": _prefix(rules, starts_special=starts_special)}
    if is_unigram:
        flags["remove_extra_whitespaces"] = rules.collapses
    return Pieces(
        "t5" if is_unigram else "llama",
        tokens,
        types,
        scores,
        flags,
        rules.character_map if is_unigram else b"",
        unknown_id,
        rules.notes,
    )


def _flat(step: dict[str, Any] | None, inner: str) -> list[dict[str, Any]]:
    if not step:
        return []
    if step.get("type") == "Sequence":
        return [part for child in step[inner] for part in _flat(child, inner)]
    return [step]


def _normalizer(rules: _Rules, step: dict[str, Any]) -> None:
    kind, pattern = step["type"], step.get("pattern") or {}
    if kind == "Prepend" and step.get("prepend") == SPACE:
        rules.prefix = "always"
    elif kind == "Replace" and pattern.get("String") == " " and step.get("content") == SPACE:
        rules.escapes = True
    elif (
        kind == "Replace" and pattern.get("Regex") in _COLLAPSES and step.get("content") in (" ", SPACE)
    ) or kind == "Strip":
        rules.collapses = True
    elif kind in _HARMLESS:
        if kind == "Precompiled":
            rules.character_map = base64.b64decode(step.get("precompiled_charsmap") or "")
        else:
            rules.notes.append(f"llama.cpp does not compose Unicode ({kind}) before it splits; send composed text.")
    else:
        raise TokenizerUnsupported(f"The tokenizer normalises text ({kind}); llama.cpp does not.")


def _pre_tokenizer(rules: _Rules, step: dict[str, Any]) -> None:
    kind = step["type"]
    if kind == "Metaspace" and step.get("replacement") == SPACE:
        rules.escapes, rules.splits = True, bool(step.get("split", True))
        old = "always" if step.get("add_prefix_space", True) else "never"
        rules.prefix = step.get("prepend_scheme") or old
        if rules.prefix != "never":
            rules.notes.append("llama.cpp puts a space before a text that begins with one; the tokenizer does not.")
    elif kind == "WhitespaceSplit":
        rules.collapses = True
    elif kind == "Split" and (step.get("pattern") or {}).get("String") == " " and rules.escapes:
        return  # Gemma's: no space is left to split at
    else:
        raise TokenizerUnsupported(f"llama.cpp has no pre-tokenizer {kind} for pieces.")


def _prefix(rules: _Rules, *, starts_special: bool) -> bool:
    """llama.cpp puts the space at the beginning and after every special token, or nowhere."""
    if rules.prefix == "first":
        if starts_special:
            rules.notes.append("A text that begins with no special token gets no space before it in llama.cpp.")
            return False
        rules.notes.append("llama.cpp puts a space before a text behind a special token; the tokenizer does not.")
        return True
    return rules.prefix == "always"


def _bpe(content: dict[str, Any], rows: int, rules: _Rules) -> tuple[list[str], list[int], list[float], int | None]:
    model = content["model"]
    vocabulary: dict[str, int] = model["vocab"]
    if missing := sorted(_BYTES - vocabulary.keys()):
        raise TokenizerUnsupported(f"The tokenizer has byte fallback but no token {missing[0]}.")
    merges = [tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge) for merge in model["merges"]]
    place: dict[str, int] = {}
    for number, pair in enumerate(merges):
        place.setdefault("".join(pair), number)
    unlisted = _unlisted(vocabulary, set(merges), place)
    if unlisted:
        rules.notes.append(
            f"{len(unlisted)} tokens ({unlisted[0]!r} …) can be formed in ways that the merges do not list; llama.cpp may "
            "split rare text differently."
        )
    if rules.splits and any(SPACE in token[1:] for token in place):
        rules.notes.append("Some tokens hold a space inside, which the tokenizer never forms; llama.cpp may.")
    tokens, types = ordered(vocabulary, content.get("added_tokens", []), rows, unescape=True)
    last = float(-len(merges) - 1)
    scores = [float(-1 - place[token]) if token in place else last for token in tokens]
    unknown = model.get("unk_token")
    return tokens, _typed(tokens, types, unknown), scores, vocabulary.get(unknown) if unknown else None


def _unlisted(vocabulary: dict[str, int], merges: set[tuple[str, ...]], place: dict[str, int]) -> list[str]:
    """Tokens with a split into two tokens that is no merge."""
    return [
        token
        for token in place
        if any(
            (token[:cut], token[cut:]) not in merges and token[:cut] in vocabulary and token[cut:] in vocabulary
            for cut in range(1, len(token))
        )
    ]


def _unigram(content: dict[str, Any], rows: int, rules: _Rules) -> tuple[list[str], list[int], list[float], int | None]:
    model = content["model"]
    vocabulary = {piece: number for number, (piece, _) in enumerate(model["vocab"])}
    known = {piece: float(score) for piece, score in model["vocab"]}
    if model.get("byte_fallback"):
        rules.notes.append(
            "llama.cpp writes <unk> for a letter that Unigram does not know; the tokenizer writes its bytes."
        )
    tokens, types = ordered(vocabulary, content.get("added_tokens", []), rows, unescape=True)
    unknown_id = model.get("unk_id")
    unknown = None if unknown_id is None else model["vocab"][unknown_id][0]
    return tokens, _typed(tokens, types, unknown), [known.get(token, 0.0) for token in tokens], unknown_id


def _typed(tokens: list[str], types: list[int], unknown: str | None) -> list[int]:
    """The types, with bytes and the unknown token marked."""
    found = list(types)
    for number, token in enumerate(tokens):
        if token == unknown:
            found[number] = int(TokenType.UNKNOWN)
        elif token in _BYTES and types[number] == TokenType.NORMAL:
            found[number] = int(TokenType.BYTE)
    return found
