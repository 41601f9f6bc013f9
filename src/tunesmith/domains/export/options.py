"""What a version can be exported to on this machine, how large it becomes, and what to take."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from tunesmith.domains.export.formats import check_possible
from tunesmith.domains.export.schemas import ExportOption, ExportOptions, ExportOutput
from tunesmith.domains.export.sizes import estimate_bytes, memory_bytes, recommended, weigh
from tunesmith.kit.errors import TunesmithError
from tunesmith.ports.serving import Servable
from tunesmith.wire.formats import FORMATS, METHODS, WITH_GGUF
from tunesmith.wire.recipe import GGUF_METHODS


def export_options(source: Servable, data_dir: Path) -> ExportOptions:
    """Every format with each of its methods; what cannot be written says why."""
    weights = weigh(source.base_path, source.adapter_path)
    free = psutil.virtual_memory().available
    refusals = {kind: _refusal(source, kind) for kind in FORMATS}
    possible = [(output, estimate_bytes(weights, output)) for output in _outputs() if refusals[output.format] is None]
    best = recommended(possible, free)
    options = []
    for output in _outputs():
        size = estimate_bytes(weights, output)
        needed = memory_bytes(size + (weights.size_bytes if output.format == "adapter" else 0))
        error = refusals[output.format]
        options.append(
            ExportOption(
                format=output.format,
                method=output.method,
                size_bytes=size,
                memory_bytes=needed,
                fits=needed <= free,
                recommended=best is not None and best[0] == output,
                refusal=error.message if error else None,
                refusal_code=error.code if error else None,
            )
        )
    return ExportOptions.model_validate(
        {
            "options": options,
            "reason": best[1] if best else None,
            "free_memory_bytes": free,
            "free_disk_bytes": shutil.disk_usage(data_dir).free,
        }
    )


def _outputs() -> Iterator[ExportOutput]:
    for kind in FORMATS:
        methods: tuple[str | None, ...] = tuple(GGUF_METHODS) if kind in WITH_GGUF else METHODS.get(kind, (None,))
        if kind in ("merged", "hf"):
            methods = (None, *methods)
        for method in methods:
            yield ExportOutput(format=kind, method=method)


def _refusal(source: Servable, kind: str) -> TunesmithError | None:
    try:
        check_possible(source, [ExportOutput(format=kind)])
    except TunesmithError as error:
        return error
    return None
