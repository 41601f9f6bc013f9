"""How close an artefact has to come to its source, by what it is."""

from __future__ import annotations

from dataclasses import dataclass

EXACT = ("F32", "F16", "BF16", "fp32", "fp16", "bf16")


@dataclass(frozen=True)
class Thresholds:
    """What an artefact is held against. ``greedy_answers`` is None where a whole answer may well differ."""

    token_agreement: float
    mean_kl: float
    greedy_answers: float | None = None
    stop_token: float = 0.95


_EXACT = Thresholds(0.99, 1e-3, 0.7)
_BY_BITS = {
    "8": Thresholds(0.98, 0.01, 0.5),
    "6": Thresholds(0.95, 0.03),
    "5": Thresholds(0.95, 0.03),
    "4": Thresholds(0.90, 0.1),
    "3": Thresholds(0.80, 0.3),
    "2": Thresholds(0.60, 1.0),
    "1": Thresholds(0.60, 1.0),
}


def thresholds_of(kind: str, method: str | None) -> Thresholds:
    """Of a format and method. The strictest where the method does not say how many bits it keeps."""
    name = (method or "").upper()
    if method is None or method in EXACT or name in EXACT:
        return _EXACT
    bits = next((letter for letter in name.removeprefix("IQ").removeprefix("TQ") if letter.isdigit()), "")
    return _BY_BITS.get(bits, _EXACT)
