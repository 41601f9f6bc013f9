"""Write a model in other formats: ``python -m tunesmith.ml.export RUN_DIR``.

Everything that can be refused is refused before the first byte is written. Each output appears under its name only when it is
complete. torch and transformers are loaded for ONNX, MLX and importance matrices only.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.kit.errors import TunesmithError, Unsupported
from tunesmith.kit.paths import folder_size_bytes
from tunesmith.ml.export_task import Task, Writer
from tunesmith.ml.gguf import prepare
from tunesmith.ml.mlx_writer import check_installed as check_mlx
from tunesmith.ml.mlx_writer import write_mlx
from tunesmith.ml.onnx_writer import check_installed as check_onnx
from tunesmith.ml.onnx_writer import write_onnx
from tunesmith.ml.report import EXIT_FAILED, Reporter
from tunesmith.ml.tensors import Array
from tunesmith.ml.weights import ModelWeights
from tunesmith.ml.writers import (
    NoAdapter,
    modelfile,
    write_adapter,
    write_gguf,
    write_hf,
    write_merged,
    write_ollama,
    write_zip,
)
from tunesmith.wire.checkpoint import sha256_file
from tunesmith.wire.formats import WITH_GGUF, artefact_name
from tunesmith.wire.gguf_methods import GGUF_METHODS
from tunesmith.wire.spec import ExportSpec

REPORT_EVERY_BYTES = 64 * 2**20
WRITERS: dict[str, Writer] = {
    "gguf": write_gguf,
    "merged": write_merged,
    "hf": write_hf,
    "adapter": write_adapter,
    "onnx": write_onnx,
    "ollama": write_ollama,
    "mlx": write_mlx,
    "zip": write_zip,
}


class Cancelled(Exception):
    """The job was cancelled while a file was being written."""


def main(run_dir: str) -> int:
    """Run the export that ``spec.json`` describes; answers the exit code."""
    with Reporter(run_dir) as report:
        spec = ExportSpec.model_validate(report.spec)
        try:
            report.finished({"exports": export(spec, report)})
        except Cancelled:
            report.finished({"exports": []}, stopped=True)
        except TunesmithError as error:
            report.failed("CONFIGURATION_ERROR", error.message, code=error.code, hint=error.hint)
            return EXIT_FAILED
    return 0


def export(spec: ExportSpec, report: Reporter) -> list[dict[str, Any]]:
    """Write every output of ``spec`` into the run's artifacts; answers what was written."""
    model, adapter = Path(spec.model_path), Path(spec.adapter_path) if spec.adapter_path else None
    _check(model, adapter, spec.outputs)
    importance = _importance(spec, model, adapter, report)
    written = []
    for number, output in enumerate(spec.outputs):
        kind, method = str(output["format"]), output.get("method")
        what = f"{kind} {method or ''}".strip()
        report.progress(number, len(spec.outputs), f"writing {what}")
        target = report.run.artifacts / artefact_name(spec.name, kind, method)
        _remove(target)  # what an earlier start of this job left
        task = Task(
            model=model,
            adapter=adapter,
            target=target,
            method=method,
            name=spec.name,
            title=spec.title or spec.name,
            base_model=spec.base_model or str(model),
            card=spec.card,
            importance=importance,
            max_shard_bytes=output.get("max_shard_bytes"),
            tell=_teller(report, what, number, len(spec.outputs)),
            log=report.log,
        )
        WRITERS[kind](task)
        size_bytes = folder_size_bytes(target) if target.is_dir() else target.stat().st_size
        sha256 = folder_sha256(target) if target.is_dir() else sha256_file(target)
        path = str(target.relative_to(report.run.path))
        written.append({"format": kind, "method": method, "path": path, "size_bytes": size_bytes, "sha256": sha256})
    report.progress(len(spec.outputs), len(spec.outputs), "written")
    return written


def _check(model: Path, adapter: Path | None, outputs: list[dict[str, Any]]) -> None:
    with ModelWeights(model, adapter) as weights:
        for output in outputs:
            kind, method = output["format"], output.get("method")
            if kind not in WRITERS:
                raise Unsupported(f"{kind!r} is none of the formats {', '.join(WRITERS)}.")
            if kind in WITH_GGUF:
                if method not in GGUF_METHODS:
                    raise Unsupported(f"{method!r} is none of the GGUF methods {', '.join(GGUF_METHODS)}.")
                prepare(model, weights, str(method))
            if kind == "ollama":
                modelfile(model, "model.gguf")
            if kind == "adapter" and adapter is None:
                raise NoAdapter(f"{model.name} has no adapter: all of its weights were trained, or none.")
            if kind in ("onnx", "mlx"):
                (check_onnx if kind == "onnx" else check_mlx)()


def _remove(target: Path) -> None:
    shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)


def _importance(spec: ExportSpec, model: Path, adapter: Path | None, report: Reporter) -> Mapping[str, Array] | None:
    """The importance matrix: the one that is given, or one measured now on the calibration rows."""
    if spec.importance_path is None and spec.calibration_path is None:
        return None
    from tunesmith.ml import imatrix

    if spec.importance_path is not None:
        return imatrix.read(Path(spec.importance_path))

    def tell(done: int, total: int) -> None:
        if report.end_requested():
            raise Cancelled
        report.progress(done, total, f"measuring importance: row {done} of {total}")

    target = report.run.path / "importance.gguf"
    rows = Path(str(spec.calibration_path))
    return imatrix.measure(model, adapter, rows, target, rows=spec.calibration_rows, on_row=tell)


def _teller(report: Reporter, what: str, number: int, total: int) -> Callable[[int], None]:
    told = 0

    def tell(size_bytes: int) -> None:
        nonlocal told
        if report.end_requested():
            raise Cancelled
        if size_bytes - told >= REPORT_EVERY_BYTES:
            told = size_bytes
            report.progress(number, total, f"writing {what}: {size_bytes / 1e6:.0f} MB")

    return tell


def folder_sha256(folder: Path) -> str:
    """SHA-256 of the folder's list of files, as ``sha256sum *`` prints it."""
    lines = (f"{sha256_file(file)}  {file.name}\n" for file in sorted(folder.iterdir()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
