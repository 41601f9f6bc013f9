"""Byte-level BPE: recognised by its splitting rules, for llama.cpp keeps those in its source and only a name of them in the file.

A tokenizer with rules that llama.cpp does not have is refused, since a guess would split text differently without a word.
"""

from __future__ import annotations

import json
from typing import Any

from tunesmith.ml.gguf_tokens import TokenizerUnsupported

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA_3 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + _TAIL
_QWEN_2 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _TAIL
_QWEN_35 = (
    _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CASED_TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_TEKKEN = rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*|\p{{N}}" + _CASED_TAIL
_GPT_4O = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTIONS}?|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTIONS}?"
    r"|\p{N}{1,3}" + _CASED_TAIL
)

PRE_TOKENIZERS: dict[str, tuple[tuple[str, object], ...]] = {
    "gpt-2": (("bytes", "split"),),
    "smollm": (("digits", True), ("bytes", "split")),
    "llama-bpe": (("regex", _LLAMA_3), ("bytes", "whole")),
    "dbrx": (("regex", _LLAMA_3), ("bytes", "whole")),
    "qwen2": (("regex", _QWEN_2), ("bytes", "whole")),
    "qwen35": (("regex", _QWEN_35), ("bytes", "whole")),
    "tekken": (("regex", _TEKKEN), ("bytes", "whole")),
    "gpt-4o": (("regex", _GPT_4O), ("bytes", "whole")),
}
"""llama.cpp's name of each set of rules that is recognised."""

TAKES_WHOLE_WORDS = {"llama-bpe", "tekken"}
"""Where llama.cpp takes a word that is a token as it is, without merging (``ignore_merges``)."""

APPROXIMATED = {"tekken", "gpt-4o"}
"""Where llama.cpp tells upper from lower case by the Latin letters only, and knows no combining marks."""


def recognise(content: dict[str, Any]) -> str:
    """llama.cpp's name of the tokenizer's rules; raises TokenizerUnsupported."""
    model, normalizer = content["model"], content.get("normalizer")
    for option in ("continuing_subword_prefix", "end_of_word_suffix", "dropout"):
        if model.get(option):
            raise TokenizerUnsupported(f"The tokenizer uses {option}, which llama.cpp does not have.")
    if normalizer and normalizer != {"type": "NFC"} and normalizer.get("normalizers") != []:
        raise TokenizerUnsupported(f"The tokenizer normalises text ({normalizer.get('type')}); llama.cpp does not.")
    rules = _rules(content.get("pre_tokenizer"))
    ignores = bool(model.get("ignore_merges"))
    for name, known in PRE_TOKENIZERS.items():
        if rules == known and ignores == (name in TAKES_WHOLE_WORDS):
            return name
    if ignores and rules == PRE_TOKENIZERS["gpt-4o"]:
        return "gpt-4o"  # a word that is a token is what its merges give, in a vocabulary that was trained
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


def notes(content: dict[str, Any], pre: str) -> list[str]:
    """What llama.cpp does a little differently."""
    found = []
    if content.get("normalizer"):
        found.append("llama.cpp does not compose Unicode (NFC) before it splits; send composed text.")
    if pre in APPROXIMATED:
        found.append("llama.cpp tells upper from lower case by the Latin letters only when it splits text.")
    return found
