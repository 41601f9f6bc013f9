"""``training.compile``: the layers of the model as kernels of their own, made by torch's compiler at the first update.

Layers are compiled one by one and for every width, so a model costs one compilation; attention stays as it is. Nothing is read
from or written to a cache of compiled code: that is a cache of pickles.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from tunesmith.ml.attention import attends_by_document, base_model
from tunesmith.ml.policy import Policy
from tunesmith.ml.report import Reporter
from tunesmith.wire.recipe import Recipe


def quicken(recipe: Recipe, policy: Policy, device: torch.device, reporter: Reporter) -> None:
    """Do what the recipe asks for besides, and tell how the model attends; what cannot be done is told and off in the recipe."""
    plan = recipe.training
    reporter.log("attention document by document" if attends_by_document(policy.model) else "attention by mask")
    if plan.offload_activations and device.type != "cuda":
        plan.offload_activations = False
        what = f"training.offload_activations does nothing on {device.type}: activations are in main memory anyway."
        reporter.log(what, "warning")
    if plan.compile:
        _ = policy.has_plain_head  # looks at the model without gradients: that needs no kernels
        reporter.progress(0, message="compiling")
        if reason := compile_layers(policy.model, policy.autocast_dtype):
            plan.compile = False
            reporter.log(f"training.compile is left out: {reason}. The run goes on without it.", "warning")


def compiler_missing(device: torch.device) -> str | None:
    """What the compiler lacks for ``device`` on this machine; None when it may be there."""
    if device.type == "cuda":
        from importlib.util import find_spec

        return None if find_spec("triton") else "triton is not installed"
    named = os.environ.get("CXX", "")
    found = any(shutil.which(name) for name in (named, "g++", "clang++") if name)
    return None if found else "there is no C++ compiler (g++ or clang++) on this machine"


def compile_layers(model: Any, compute: torch.dtype | None) -> str | None:
    """Compile the layers of ``model`` and try them forward and backward; answers why it did not work, with the layers as before."""
    whole = base_model(model)
    device = next(whole.parameters()).device
    layers = [module for module in whole.modules() if isinstance(module, GradientCheckpointingLayer)]
    missing = compiler_missing(device) if layers else "this model has no layers that can be compiled one by one"
    if missing:
        return missing
    import torch._inductor.config as inductor

    inductor.force_disable_caches = True
    inductor.compile_threads = 1
    torch._dynamo.config.cache_size_limit = max(64, 4 * len(layers))
    for layer in layers:
        layer.compile(dynamic=True)
    try:
        _try(whole, device, compute)
    except Exception as error:  # the compiler raises whatever the tools below it raise
        for layer in layers:
            layer._compiled_call_impl = None
        return (
            f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error).strip() else 'no reason'}"
        )
    return None


def _try(whole: Any, device: torch.device, compute: torch.dtype | None) -> None:
    """Two widths, forward and backward; gradients are thrown away."""
    vocabulary = whole.get_input_embeddings().num_embeddings
    body = getattr(whole, whole.base_model_prefix)
    for width in (24, 40):
        ids = (torch.arange(width, device=device)[None] * 7 + 3) % vocabulary
        positions = (torch.arange(width, device=device) % 16)[None]
        with torch.autocast(device.type, compute, enabled=compute is not None):
            states = body(input_ids=ids, position_ids=positions, use_cache=False).last_hidden_state
        states.float().square().sum().backward()
    whole.zero_grad(set_to_none=True)
