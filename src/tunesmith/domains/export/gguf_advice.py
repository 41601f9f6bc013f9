"""Which GGUF method to take: the table of the ten, and a recommendation by the size of the model and the free memory."""

from __future__ import annotations

from pydantic import BaseModel, Field

from tunesmith.wire.gguf_methods import GGUF_METHODS, TEN, find_method, variants_of

FULL_BITS = 16
OVERHEAD = 1.2
"""Memory to answer with a file, as a multiple of its size."""
_BORDERS = ((50.0, "Q2_K"), (30.0, "Q3_K"), (15.0, "Q4_0"), (8.0, "Q4_K"), (4.0, "Q5_K"), (1.0, "Q6_K"), (0.0, "Q8_0"))
"""From this size (10⁹ bytes at 16 bits) on; the next larger border is not reached."""


class GgufMethodInfo(BaseModel):
    """One of the ten methods."""

    name: str = Field(description="Name; a plain K name writes the middle variant.", examples=["Q4_K"])
    writes: str = Field(description="Method that is written under this name.", examples=["Q4_K_M"])
    variants: list[str] = Field(description="Every method of this kind, the smallest first.")
    bits_per_weight: float = Field(description="Bits for each weight, on average.")
    quality: int = Field(ge=1, le=9, description="1 (least) to 9 (the source itself).")
    size_class: int = Field(ge=1, le=7, description="1 (smallest) to 7 (largest).")
    estimated_size_gb: float = Field(description="Size of the file in 10⁹ bytes, for `model_size_gb`.")
    description: str = Field(description="What it is.")
    recommended_for: str = Field(description="When to take it.")


class GgufMethodList(BaseModel):
    """The methods, from the smallest to the largest."""

    methods: list[GgufMethodInfo] = Field(description="The ten.")
    model_size_gb: float = Field(description="Size at 16 bits that sizes were estimated for, in 10⁹ bytes.")
    total: int = Field(description="How many methods there are.")


class GgufAlternative(BaseModel):
    """Another method that one may take."""

    method: str = Field(description="Name of the method.")
    reason: str = Field(description="What speaks for it.")
    estimated_size_gb: float = Field(description="Size of the file in 10⁹ bytes.")
    fits_in_memory: bool = Field(description="Whether answering with it fits the free memory.")


class GgufRecommendation(BaseModel):
    """The method to take."""

    method: str = Field(description="Name of the method.", examples=["Q4_K"])
    reason: str = Field(description="Why.")
    alternatives: list[GgufAlternative] = Field(description="Others, those that fit the free memory first.")
    memory_considered: bool = Field(description="Whether the free memory of this machine was looked at.")
    model_size_gb: float = Field(description="Size of the model at 16 bits, in 10⁹ bytes.")
    estimated_size_gb: float = Field(description="Size of the file in 10⁹ bytes.")
    available_memory_gb: float | None = Field(description="Memory that is free now, in 10⁹ bytes.")
    fits_in_memory: bool | None = Field(description="Whether answering with the recommended method fits it.")


def method_table(model_size_gb: float) -> GgufMethodList:
    """The ten, with sizes for a model of that size at 16 bits."""
    methods = []
    for name in TEN:
        found = find_method(name)
        if found is None:
            raise LookupError(name)
        methods.append(
            GgufMethodInfo(
                name=name,
                writes=found.name,
                variants=variants_of(name),
                bits_per_weight=found.bits_per_weight,
                quality=found.quality,
                size_class=found.size_class,
                estimated_size_gb=estimated_gb(name, model_size_gb),
                description=found.description,
                recommended_for=found.recommended_for,
            )
        )
    return GgufMethodList(methods=methods, model_size_gb=model_size_gb, total=len(GGUF_METHODS))


def estimated_gb(method: str, model_size_gb: float) -> float:
    """Size of a file of that method, for a model of that size at 16 bits."""
    found = find_method(method)
    bits = found.bits_per_weight if found else FULL_BITS
    return round(model_size_gb * bits / FULL_BITS, 4)


def recommend(model_size_gb: float, available_gb: float | None) -> GgufRecommendation:
    """The method for a model of that size at 16 bits; the free memory orders the alternatives."""
    method = next(name for border, name in _BORDERS if model_size_gb >= border)
    size = estimated_gb(method, model_size_gb)
    fits = None if available_gb is None else size * OVERHEAD <= available_gb
    reason = f"A model of {model_size_gb:g} GB at 16 bits becomes about {size:.2f} GB with {method}: {_why(method)}"
    if available_gb is not None:
        reason += f" About {size * OVERHEAD:.1f} GB are needed to answer with it; {available_gb:.1f} GB are free."
        smaller = _smaller_that_fits(method, model_size_gb, available_gb)
        if not fits:
            reason += f" {smaller} would fit." if smaller else " No method fits this machine's free memory now."
    return GgufRecommendation(
        method=method,
        reason=reason,
        alternatives=_alternatives(method, model_size_gb, available_gb),
        memory_considered=available_gb is not None,
        model_size_gb=model_size_gb,
        estimated_size_gb=size,
        available_memory_gb=available_gb,
        fits_in_memory=fits,
    )


def _why(method: str) -> str:
    found = find_method(method)
    text = found.description if found else ""
    return text[:1].lower() + text[1:]


def _fits(name: str, model_size_gb: float, available_gb: float | None) -> bool:
    return available_gb is None or estimated_gb(name, model_size_gb) * OVERHEAD <= available_gb


def _smaller_that_fits(method: str, model_size_gb: float, available_gb: float) -> str | None:
    by_size = sorted(TEN, key=lambda name: -estimated_gb(name, 1.0))
    smaller = by_size[by_size.index(method) + 1 :]
    return next((name for name in smaller if _fits(name, model_size_gb, available_gb)), None)


def _alternatives(method: str, model_size_gb: float, available_gb: float | None) -> list[GgufAlternative]:
    by_size = sorted(TEN, key=lambda name: estimated_gb(name, 1.0))
    at = by_size.index(method)
    named = [name for name in (*by_size[max(0, at - 2) : at], *by_size[at + 1 : at + 3]) if name != method]
    if available_gb is not None and not _fits(method, model_size_gb, available_gb):
        smaller = _smaller_that_fits(method, model_size_gb, available_gb)
        named = [*named, smaller] if smaller and smaller not in named else named
    if method == "Q5_K":
        named = ["Q5_0", *(name for name in named if name != "Q5_0")]
    found = [
        GgufAlternative(
            method=name,
            reason="smaller, with more loss" if by_size.index(name) < at else "closer to the source, larger",
            estimated_size_gb=estimated_gb(name, model_size_gb),
            fits_in_memory=_fits(name, model_size_gb, available_gb),
        )
        for name in named
    ]
    if method == "Q5_K":
        found[0].reason = "the older form of 5 bits, for programs without K formats"
    return sorted(found, key=lambda alternative: not alternative.fits_in_memory)
