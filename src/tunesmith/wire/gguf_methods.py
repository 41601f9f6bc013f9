"""The number formats of GGUF files: their names, what they cost and what they are for. Read by server, command line and child."""

from __future__ import annotations

from typing import NamedTuple


class GgufMethod(NamedTuple):
    """One method. ``bits_per_weight`` is that of a model of usual size; a small one has more, for its embeddings weigh more."""

    name: str
    file_type: int
    """``general.file_type`` of such a file."""
    base: str
    """Name of the block format of most tensors, as ggml calls it."""
    bits_per_weight: float
    quality: int
    """1 (least) to 9 (the source itself)."""
    size_class: int
    """1 (smallest) to 7."""
    description: str
    recommended_for: str


_ALL = (
    GgufMethod("F32", 0, "F32", 32.0, 9, 7, "Single precision: the source itself.", "Reference and further conversion"),
    GgufMethod("F16", 1, "F16", 16.0, 9, 6, "Half precision: practically lossless.", "Small models, further conversion"),
    GgufMethod("Q8_0", 7, "Q8_0", 8.5, 8, 5, "8 bits: no loss that can be noticed.", "Models below 1 GB, enough memory"),
    GgufMethod("Q6_K", 18, "Q6_K", 6.56, 7, 4, "6 bits: very close to the source.", "Models of 1 to 4 GB"),
    GgufMethod("Q5_K_M", 17, "Q5_K", 5.69, 7, 4, "5 bits, 6 where it matters: a small loss.", "Models of 4 to 8 GB"),
    GgufMethod("Q5_K_S", 16, "Q5_K", 5.54, 6, 4, "5 bits throughout.", "A little smaller than Q5_K_M"),
    GgufMethod("Q5_0", 8, "Q5_0", 5.54, 6, 4, "5 bits in the older form.", "Programs without K formats"),
    GgufMethod("Q4_K_M", 15, "Q4_K", 4.85, 6, 3, "4 bits, 6 where it matters: the usual choice.", "Models of 8 to 15 GB"),
    GgufMethod("Q4_K_S", 14, "Q4_K", 4.58, 5, 3, "4 bits, 5 in the first layers.", "A little smaller than Q4_K_M"),
    GgufMethod("Q4_0", 2, "Q4_0", 4.55, 4, 3, "4 bits in the older form: fast on ARM.", "Models of 15 to 30 GB, older programs"),
    GgufMethod("Q3_K_L", 13, "Q3_K", 4.27, 4, 2, "3 bits, 5 where it matters.", "Between Q3_K_M and Q4_K_S"),
    GgufMethod("Q3_K_M", 12, "Q3_K", 3.91, 3, 2, "3 bits, 4 to 5 where it matters: a loss that shows.", "Models of 30 to 50 GB"),
    GgufMethod("Q3_K_S", 11, "Q3_K", 3.50, 2, 2, "3 bits throughout.", "Where Q3_K_M does not fit"),
    GgufMethod("Q2_K", 10, "Q2_K", 3.16, 1, 1, "2 bits, 3 to 4 where it matters: a large loss.", "Models of 50 GB and more"),
    GgufMethod("Q2_K_S", 21, "Q2_K", 2.97, 1, 1, "2 bits: give an importance matrix.", "Where Q2_K does not fit"),
)  # fmt: skip

GGUF_METHODS: dict[str, GgufMethod] = {method.name: method for method in _ALL}
"""By name, from the largest to the smallest."""

ALIASES = {"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}
"""A plain K name means the middle variant."""

TEN = ("Q2_K", "Q3_K", "Q4_0", "Q4_K", "Q5_0", "Q5_K", "Q6_K", "Q8_0", "F16", "F32")
"""The names that people are shown first."""

BY_FILE_TYPE = {method.file_type: method.name for method in _ALL}


def find_method(name: str) -> GgufMethod | None:
    """The method of that name in any spelling, or None."""
    upper = name.strip().upper()
    return GGUF_METHODS.get(ALIASES.get(upper, upper))


def variants_of(name: str) -> list[str]:
    """The methods that one of the ten stands for: itself, and for a K name its `_S`, `_M` and `_L`."""
    family = [method for method in GGUF_METHODS if method == name or method.startswith(f"{name}_")]
    return sorted(family, key=lambda found: GGUF_METHODS[found].bits_per_weight)
