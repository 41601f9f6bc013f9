"""Our GGUF files beside those of llama.cpp's own tools: bytes, speed, size and quality, on the same machine.

    python -m benchmarks.gguf --library FOLDER [--converter FOLDER] [--model FOLDER] [--json FILE]

``--library`` holds llama.cpp's shared libraries (for example ``bins/linux-x64`` of the npm package ``@node-llama-cpp/linux-x64``,
release v0.5.0, whose ``llama_model_quantize`` is called by ctypes); ``--converter`` holds ``convert_hf_to_gguf.py``. Both belong to
the machine that measures, never to Tunesmith. Without ``--model`` a random model of 60 million weights is made.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader

from tunesmith.wire.gguf_methods import GGUF_METHODS

OURS = (
    "import resource, sys, time; from pathlib import Path; from tunesmith.ml.gguf import convert; t = time.perf_counter(); "
    "convert(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]); "
    "print(time.perf_counter() - t, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
)


class QuantizeParams(ctypes.Structure):
    """``llama_model_quantize_params`` of llama.cpp v0.5.0."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("nthread", "ftype", "output_tensor_type", "token_embedding_type")),
        *(
            (name, ctypes.c_bool)
            for name in ("allow_requantize", "quantize_output", "only_copy", "pure", "keep_split", "dry_run")
        ),
        *((name, ctypes.c_void_p) for name in ("imatrix", "kv_overrides", "tt_overrides", "prune_layers")),
        ("max_buf_size", ctypes.c_size_t),
    )


def quantizer(folder: Path) -> Any:
    """llama.cpp's own ``llama_model_quantize(source, target, file type)``."""
    for name in ("libggml-base.so", "libggml.v*.so", "libllama.v*.so"):
        library = ctypes.CDLL(str(next(folder.glob(name))), mode=ctypes.RTLD_GLOBAL)
        if name.startswith("libggml.v"):
            library.ggml_backend_load_all_from_path(str(folder).encode())
    library.llama_model_quantize_default_params.restype = QuantizeParams
    log = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
    library.llama_log_set(log, None)

    def run(source: Path, target: Path, file_type: int) -> float:
        params = library.llama_model_quantize_default_params()
        params.ftype, params.nthread = file_type, len(os.sched_getaffinity(0))
        assert log  # keeps it alive while the library may call it
        start = time.perf_counter()
        code = library.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params))
        if code:
            raise RuntimeError(f"llama.cpp refuses file type {file_type} (it asks for an importance matrix for Q2_K_S)")
        return time.perf_counter() - start

    return run


def ours(model: Path, target: Path, method: str) -> tuple[float, int]:
    """(seconds, peak memory in bytes) of our converter in a process of its own."""
    command = [sys.executable, "-c", OURS, str(model), str(target), method]
    seconds, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), int(peak)


def compared(one: Path, other: Path) -> dict[str, Any]:
    """How many tensors have the same format and the same bytes."""
    left = {tensor.name: tensor for tensor in GGUFReader(one).tensors}
    right = {tensor.name: tensor for tensor in GGUFReader(other).tensors}
    formats = [name for name in left if name in right and left[name].tensor_type == right[name].tensor_type]
    same = [name for name in formats if np.array_equal(left[name].data, right[name].data)]
    return {
        "tensors": len(right),
        "same_format": len(formats),
        "same_bytes": len(same),
        "ours_only": len(left.keys() - right.keys()),
    }


def measure(model: Path, library: Path, converter: Path | None, scratch: Path) -> list[dict[str, Any]]:
    """A row for each method."""
    rows = []
    quantize = quantizer(library)
    base = scratch / "ours-F32.gguf"
    for name, method in GGUF_METHODS.items():
        target = scratch / f"ours-{name}.gguf"
        seconds, peak = ours(model, target, name)
        row: dict[str, Any] = {"method": name, "bytes": target.stat().st_size, "seconds": round(seconds, 2)}
        row["peak_mib"] = round(peak / 2**20)
        theirs = scratch / f"theirs-{name}.gguf"
        if converter and name in ("F32", "F16", "Q8_0"):
            command = [sys.executable, str(converter / "convert_hf_to_gguf.py"), str(model)]
            start = time.perf_counter()
            subprocess.run(
                [*command, "--outfile", str(theirs), "--outtype", name.lower()], check=True, capture_output=True
            )
            row["converter_seconds"] = round(time.perf_counter() - start, 2)
            row["converter"] = compared(target, theirs)
        if name != "F32":
            try:
                row["quantizer_seconds"] = round(quantize(base, theirs, method.file_type), 2)
                row["quantizer"] = compared(target, theirs)
            except RuntimeError as error:
                row["quantizer"] = str(error)
        rows.append(row)
        print(json.dumps(row), flush=True)
        if target != base:
            target.unlink()
        theirs.unlink(missing_ok=True)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--converter", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        model = arguments.model
        if model is None:
            from tests.ml.gguf_models import save_case

            wide = {
                "hidden_size": 1024,
                "intermediate_size": 2816,
                "num_hidden_layers": 8,
                "num_attention_heads": 16,
                "num_key_value_heads": 4,
                "head_dim": 64,
            }
            model = save_case(scratch / "model", "qwen3", **wide)
        rows = measure(model, arguments.library, arguments.converter, scratch)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
