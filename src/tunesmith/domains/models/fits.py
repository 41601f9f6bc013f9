"""Will it fit here: what answering with a model and tuning it takes, against the free memory of this machine's device.

In bytes, for ``n`` parameters and one sequence of 2048 tokens; answering as in ``memory``:

    answer      = ``memory.inference_bytes``
    activations = 48 × sqrt(n) × 2048
    lora        = answer + 0.16 × n + activations                   (adapter of 1 % with gradient and two moments, float32)
    qlora       = 0.6 × n + 0.16 × n + activations + 350 × 10⁶      (weights in 4 bits, their constants, and what stays wide)
    full        = 16 × n + activations + 350 × 10⁶                  (weight, gradient and two moments, all float32)
"""

from __future__ import annotations

import math

from pydantic import BaseModel, Field

from tunesmith.domains.models import memory

ACTIVATION_BYTES = 48 * memory.TOKENS
QLORA_BYTES_PER_NUMBER = 0.6
ADAPTER_BYTES_PER_NUMBER = 0.16
FULL_BYTES_PER_NUMBER = 16


class Need(BaseModel):
    """What one use of a model takes."""

    needed_bytes: int = Field(description="Estimated memory.")
    fits: bool = Field(description="Whether that much is free now.")


class FitsHere(BaseModel):
    """Whether a model fits on this machine now: the estimate for each use against the free memory."""

    device: str = Field(description="Device that models run on: `mps`, `cuda` or `cpu`.")
    available_bytes: int = Field(description="Free memory of that device.")
    fits: bool = Field(description="Whether answering fits; the same as `inference.fits`.")
    inference: Need = Field(description="Answering.")
    lora: Need = Field(description="Training a LoRA adapter on it, one sequence of 2048 tokens at a time.")
    qlora: Need = Field(description="The same with its weights in 4 bits.")
    full: Need = Field(description="Training all of its weights.")


def fits_here(
    num_parameters: int,
    *,
    device: str,
    available_bytes: int,
    cache_bytes_per_token: int = 0,
    context_length: int | None = None,
) -> FitsHere:
    """The estimates for a model of this size."""

    def need(size_bytes: float) -> Need:
        return Need(needed_bytes=int(size_bytes), fits=size_bytes <= available_bytes)

    answering = memory.inference_bytes(num_parameters, device, cache_bytes_per_token, context_length)
    activations = ACTIVATION_BYTES * math.sqrt(num_parameters)
    training = activations + memory.PROCESS_BYTES
    inference = need(answering)
    return FitsHere(
        device=device,
        available_bytes=available_bytes,
        fits=inference.fits,
        inference=inference,
        lora=need(answering + ADAPTER_BYTES_PER_NUMBER * num_parameters + activations),
        qlora=need((QLORA_BYTES_PER_NUMBER + ADAPTER_BYTES_PER_NUMBER) * num_parameters + training),
        full=need(FULL_BYTES_PER_NUMBER * num_parameters + training),
    )
