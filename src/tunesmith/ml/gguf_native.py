"""Blocks of numbers as ggml packs them, by the library inside xllamacpp's wheel: no compiler, all formats, all cores.

The wheel's extension exports ``ggml_quantize_chunk``. It is called from threads (ctypes lets go of the interpreter lock), each
with rows of its own, so that the bytes do not depend on how many there are.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import quantize

from tunesmith.kit.errors import Unsupported
from tunesmith.kit.machine import processor_count
from tunesmith.ml.tensors import Array

BY_PACKAGE = {GGMLQuantizationType.F32, GGMLQuantizationType.F16}
"""Formats that numpy writes as fast."""
_FLOATS = ctypes.POINTER(ctypes.c_float)


class QuantizerMissing(Unsupported):
    """The library that packs numbers is not installed."""

    code, title = "quantizer-missing", "The library for this GGUF method is not installed"
    hint = "Install tunesmith[export], which brings the xllamacpp wheel; no compiler is needed."


@functools.cache
def _library() -> Any:
    found = importlib.util.find_spec("xllamacpp")
    places = list(found.submodule_search_locations or []) if found else []
    for folder in places:
        for file in sorted(Path(folder).glob("xllamacpp*")):
            if file.suffix in (".so", ".pyd"):
                library = ctypes.CDLL(str(file))
                function = getattr(library, "ggml_quantize_chunk", None)
                if function is not None:
                    function.restype = ctypes.c_size_t
                    function.argtypes = [ctypes.c_int, _FLOATS, ctypes.c_void_p, *([ctypes.c_int64] * 3), _FLOATS]
                    return library
    raise QuantizerMissing("xllamacpp, whose wheel packs the K formats, is not installed or does not export them.")


def check_available(types: set[GGMLQuantizationType]) -> None:
    """Raise QuantizerMissing when one of ``types`` cannot be written here."""
    if types - BY_PACKAGE:
        _library()


class Packer:
    """Packs rows of float32 numbers; use it as a context, which keeps its threads."""

    def __init__(self) -> None:
        self._threads = min(8, processor_count())
        self._pool = ThreadPoolExecutor(self._threads)

    def __enter__(self) -> Packer:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def pack(self, values: Array, kind: GGMLQuantizationType, importance: Array | None = None) -> Array:
        """The bytes of rows (n, columns); ``importance`` (columns,) says how much each column counts."""
        if kind in BY_PACKAGE:
            with np.errstate(over="ignore"):
                return quantize(np.ascontiguousarray(values), kind)
        rows = np.ascontiguousarray(values, np.float32).reshape(-1, values.shape[-1])
        block_elements, block_bytes = GGML_QUANT_SIZES[kind]
        packed = np.empty((len(rows), rows.shape[1] // block_elements * block_bytes), np.uint8)
        share = -(-len(rows) // self._threads)
        parts = [(start, min(start + share, len(rows))) for start in range(0, len(rows), share)]
        weights = None if importance is None else np.ascontiguousarray(importance, np.float32)
        for done in [self._pool.submit(_pack, rows, packed, kind, part, weights) for part in parts]:
            done.result()
        return packed


def _pack(
    rows: Array, packed: Array, kind: GGMLQuantizationType, part: tuple[int, int], importance: Array | None
) -> None:
    start, stop = part
    _library().ggml_quantize_chunk(
        int(kind),
        rows[start:stop].ctypes.data_as(_FLOATS),
        packed[start:stop].ctypes.data_as(ctypes.c_void_p),
        0,
        stop - start,
        rows.shape[1],
        None if importance is None else importance.ctypes.data_as(_FLOATS),
    )
