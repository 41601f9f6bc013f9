"""A Hugging Face tokenizer as llama.cpp understands it, with its special tokens and its chat template."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gguf import TokenType
from tokenizers import Tokenizer

from tunesmith.ml import gguf_bpe
from tunesmith.ml.gguf_pieces import is_pieces, read_pieces
from tunesmith.ml.gguf_tokens import SPACE, TokenizerUnsupported, Vocabulary, ordered, stripping

_SPECIAL = {TokenType.CONTROL, TokenType.USER_DEFINED, TokenType.UNKNOWN}


def read_vocabulary(folder: Path, embedding_rows: int) -> Vocabulary:
    """Read the tokenizer of a model whose embedding has ``embedding_rows`` rows; raises TokenizerUnsupported."""
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise TokenizerUnsupported(f"{folder.name}: there is no tokenizer.json.")
    content = json.loads(file.read_text(encoding="utf-8"))
    template = read_chat_template(folder)
    if is_pieces(content):
        vocabulary = _pieces(folder, content, embedding_rows, template)
    elif content["model"].get("type") == "BPE":
        vocabulary = _byte_level(folder, content, embedding_rows, template)
    else:
        raise TokenizerUnsupported(f"The tokenizer is {content['model'].get('type')}, not BPE or Unigram.")
    return vocabulary


def _byte_level(folder: Path, content: dict[str, Any], rows: int, template: str | None) -> Vocabulary:
    pre = gguf_bpe.recognise(content)
    added = content.get("added_tokens", [])
    tokens, types = ordered(content["model"]["vocab"], added, rows, unescape=False)
    special_ids = _special_ids(folder, {token: i for i, token in enumerate(tokens)})
    adds_bos, adds_eos = _added_ends(folder / "tokenizer.json", special_ids)
    strips_right, notes = stripping(added, _special_tokens(tokens, types))
    return Vocabulary(
        "gpt2",
        pre,
        tokens,
        types,
        special_ids,
        adds_bos,
        adds_eos,
        template,
        merges=[merge if isinstance(merge, str) else " ".join(merge) for merge in content["model"]["merges"]],
        strips_right=strips_right,
        notes=[*gguf_bpe.notes(content, pre), *notes],
    )


def _pieces(folder: Path, content: dict[str, Any], rows: int, template: str | None) -> Vocabulary:
    added = content.get("added_tokens", [])
    content = _as_transformers_loads(folder, content)
    pieces = read_pieces(content, rows, starts_special=_starts_special(template, added))
    special_ids = _special_ids(folder, {token: i for i, token in enumerate(pieces.tokens)})
    if pieces.unknown_id is not None:
        special_ids["unknown"] = pieces.unknown_id
    adds_bos, adds_eos = _added_ends(folder / "tokenizer.json", special_ids)
    strips_right, notes = stripping(added, _special_tokens(pieces.tokens, pieces.types))
    return Vocabulary(
        pieces.model,
        "default",
        pieces.tokens,
        pieces.types,
        special_ids,
        adds_bos,
        adds_eos,
        template,
        scores=pieces.scores,
        flags=pieces.flags,
        character_map=pieces.character_map,
        strips_right=strips_right,
        notes=[*pieces.notes, *notes],
    )


def _as_transformers_loads(folder: Path, content: dict[str, Any]) -> dict[str, Any]:
    """transformers makes a Llama's own tokenizer anew from words and merges, and so the rule for the space before a text."""
    config = _read_json(folder / "tokenizer_config.json")
    is_llama = _read_json(folder / "config.json").get("model_type") == "llama"
    if not is_llama or config.get("tokenizer_class") not in ("LlamaTokenizer", "LlamaTokenizerFast"):
        return content
    prefix = "always" if config.get("legacy") else "first"
    if config.get("add_prefix_space") is False:
        prefix = "never"
    space = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": prefix, "split": False}
    return {**content, "normalizer": None, "pre_tokenizer": space}


def _starts_special(template: str | None, added: list[dict[str, Any]]) -> bool:
    """Whether prompts begin with a special token, as far as their template shows."""
    if template is None:
        return False
    return "bos_token" in template or any(token.get("special") and token["content"] in template for token in added)


def _special_tokens(tokens: list[str], types: list[int]) -> set[str]:
    return {token for token, kind in zip(tokens, types, strict=True) if kind in _SPECIAL}


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
