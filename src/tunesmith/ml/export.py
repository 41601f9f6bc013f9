"""Write a model in other formats: ``python -m tunesmith.ml.export RUN_DIR``.

Everything that can be refused is refused before the first byte is written. Each output appears under its name only when it is
complete. Neither torch nor transformers is loaded.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunesmith.kit.errors import TunesmithError, Unsupported
from tunesmith.kit.paths import folder_size_bytes
from tunesmith.ml.gguf import convert, prepare
from tunesmith.ml.merge import merge
from tunesmith.ml.report import EXIT_FAILED, Reporter
from tunesmith.ml.weights import ModelWeights
from tunesmith.wire.checkpoint import sha256_file
from tunesmith.wire.recipe import GGUF_METHODS
from tunesmith.wire.spec import ExportSpec

REPORT_EVERY_BYTES = 64 * 2**20


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
    wanted = [(output["format"] or "", output.get("method")) for output in spec.outputs]
    _check(model, adapter, wanted)
    written = []
    for number, (kind, method) in enumerate(wanted):
        report.progress(number, len(wanted), f"writing {kind} {method or ''}".strip())
        tell = _teller(report, f"{kind} {method or ''}".strip(), number, len(wanted))
        if kind == "gguf":
            target = report.run.artifacts / f"{spec.name}-{method}.gguf"
            done = convert(model, target, str(method), adapter=adapter, name=spec.name, on_bytes=tell)
            for note in done.notes:
                report.log(note, "warning")
            size_bytes, sha256 = done.size_bytes, done.sha256
        else:
            target = report.run.artifacts / f"{spec.name}-merged"
            merge(model, adapter, target, on_bytes=tell)
            size_bytes, sha256 = folder_size_bytes(target), folder_sha256(target)
        path = str(target.relative_to(report.run.path))
        written.append({"format": kind, "method": method, "path": path, "size_bytes": size_bytes, "sha256": sha256})
    report.progress(len(wanted), len(wanted), "written")
    return written


def _check(model: Path, adapter: Path | None, wanted: list[tuple[str, str | None]]) -> None:
    for kind, method in wanted:
        if kind not in ("merged", "gguf"):
            raise Unsupported(f"{kind!r} is none of the formats merged, gguf.")
        if kind == "gguf" and method not in GGUF_METHODS:
            raise Unsupported(f"{method!r} is none of the GGUF methods {', '.join(GGUF_METHODS)}.")
    with ModelWeights(model, adapter) as weights:
        for kind, method in wanted:
            if kind == "gguf":
                prepare(model, weights, str(method))


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
