"""What a model can be exported to: formats, their methods, and how each looks on disk."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from tunesmith.kit.ids import slugify


class ExportFormat(StrEnum):
    """What a version can be exported to."""

    MERGED = "merged"
    GGUF = "gguf"
    HF = "hf"
    ADAPTER = "adapter"
    ONNX = "onnx"
    OLLAMA = "ollama"
    MLX = "mlx"
    ZIP = "zip"


FORMATS = tuple(known.value for known in ExportFormat)
WITH_GGUF = ("gguf", "ollama", "zip")
"""Formats that hold a GGUF file; their methods are those of GGUF."""
SINGLE_FILES = ("gguf", "zip")
"""Formats that are one file; the others are a folder of files."""
NUMBERS = {"fp32": "F32", "bf16": "BF16", "fp16": "F16"}
"""Number formats of a merged folder, and safetensors' names for them."""
_SPELLINGS = {"f32": "fp32", "float32": "fp32", "f16": "fp16", "float16": "fp16", "bfloat16": "bf16"}
METHODS = {"merged": tuple(NUMBERS), "hf": tuple(NUMBERS), "onnx": ("fp32",), "mlx": ("bf16", "8bit", "4bit")}
"""Methods of the formats without a GGUF file; a format that is not here has none."""


def method_in(kind: str, method: str | None, gguf_method: Callable[[str | None], str]) -> str | None:
    """``method`` of the format in our spelling, the default where it is None.

    Raises ValueError with the list of what there is, and what ``gguf_method`` raises.
    """
    if kind in WITH_GGUF:
        return gguf_method(method)
    known = METHODS.get(kind, ())
    if method is None:
        return known[0] if kind in ("onnx", "mlx") else None
    name = _SPELLINGS.get(method.lower(), method.lower())
    if name not in known:
        if not known:
            raise ValueError(f"{kind} has no methods; leave method out")
        raise ValueError(f"{method!r} is none of the methods of {kind}: {', '.join(known)}")
    return name


def artefact_name(stem: str, kind: str, method: str | None) -> str:
    """Name of the file or folder that an export is written to."""
    if kind == "gguf":
        return f"{stem}-{method}.gguf"
    if kind == "zip":
        return f"{stem}-{method}.zip"
    return f"{stem}-{kind}" if method is None or kind == "onnx" else f"{stem}-{kind}-{method}"


def file_stem(reference: str) -> str:
    """What the files of a model's exports are called: ``guide-1.0.0`` of ``guide@1.0.0``."""
    name, at, version = reference.partition("@")
    if at:
        return f"{slugify(name, 'model')}-{version}"
    return slugify(reference.rstrip("/").rsplit("/", 1)[-1].replace("run:", "run-"), "model")
