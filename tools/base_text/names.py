"""Invented names in Korean and in Latin letters, and the Korean particles that follow them."""

from __future__ import annotations

import random

SYLLABLES: list[tuple[str, str]] = [
    ("가", "ga"), ("나", "na"), ("다", "da"), ("라", "ra"), ("마", "ma"), ("바", "ba"), ("사", "sa"), ("아", "a"),
    ("자", "ja"), ("하", "ha"), ("고", "go"), ("노", "no"), ("도", "do"), ("로", "ro"), ("모", "mo"), ("보", "bo"),
    ("소", "so"), ("오", "o"), ("조", "jo"), ("호", "ho"), ("구", "gu"), ("누", "nu"), ("두", "du"), ("루", "ru"),
    ("무", "mu"), ("수", "su"), ("우", "u"), ("주", "ju"), ("기", "gi"), ("니", "ni"), ("디", "di"), ("리", "ri"),
    ("미", "mi"), ("비", "bi"), ("시", "si"), ("이", "i"), ("지", "ji"), ("해", "hae"), ("대", "dae"), ("새", "sae"),
    ("솔", "sol"), ("달", "dal"), ("별", "byeol"), ("물", "mul"), ("한", "han"), ("산", "san"), ("은", "eun"),
    ("온", "on"), ("담", "dam"), ("람", "ram"), ("강", "gang"), ("성", "seong"), ("정", "jeong"), ("여", "yeo"),
    ("연", "yeon"), ("윤", "yun"), ("초", "cho"), ("청", "cheong"), ("금", "geum"), ("빛", "bit"),
]  # fmt: skip


def make_name(rng: random.Random, taken: set[str]) -> tuple[str, str]:
    """Return a new name ``(korean, latin)`` of two or three syllables; ``taken`` grows by its Latin form."""
    while True:
        parts = rng.sample(SYLLABLES, rng.choice((2, 2, 3)))
        korean, latin = "".join(p[0] for p in parts), "".join(p[1] for p in parts).capitalize()
        if latin not in taken:
            taken.add(latin)
            return korean, latin


def ends_in_consonant(word: str) -> bool:
    """Say whether the last Hangul syllable of ``word`` has a final consonant."""
    code = ord(word[-1]) - 0xAC00
    return 0 <= code < 11172 and code % 28 != 0


def with_particles(text: str, slots: dict[str, str]) -> str:
    """Fill ``{x}`` slots; ``{x은}``, ``{x이}``, ``{x을}``, ``{x과}`` and ``{x으로}`` take the fitting particle."""
    pairs = {"은": "는", "이": "가", "을": "를", "과": "와", "으로": "로"}
    for key, value in slots.items():
        for closed, opened in pairs.items():
            if "{" + key + closed + "}" in text:
                final = ends_in_consonant(value)
                if closed == "으로" and final and (ord(value[-1]) - 0xAC00) % 28 == 8:
                    final = False  # after ㄹ: 로
                text = text.replace("{" + key + closed + "}", value + (closed if final else opened))
        text = text.replace("{" + key + "}", value)
    return text
