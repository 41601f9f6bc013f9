"""What the worker does with datasets. Every task may run twice after a kill and then makes nothing twice."""

from __future__ import annotations

from tunesmith.domains.datasets.derivation.service import DerivationService
from tunesmith.domains.datasets.explorations import ExplorationService
from tunesmith.domains.datasets.outputs.service import OutputService
from tunesmith.domains.datasets.semantic import SemanticService
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.tasks import (
    derive,
    diff,
    exploration,
    leakage,
    pack,
    preprocess,
    save,
    semantic,
    split,
    statistics,
    validation,
    xray,
)
from tunesmith.domains.datasets.versions.service import VersionService
from tunesmith.domains.datasets.xray import XrayService
from tunesmith.domains.jobs import JobKind


def kinds(
    datasets: DatasetService,
    derivations: DerivationService,
    versions: VersionService,
    outputs: OutputService,
    explorations: ExplorationService,
    xrays: XrayService,
    semantics: SemanticService,
) -> list[JobKind]:
    """The kinds of jobs that this slice declares."""
    return [
        validation.kind(datasets, xrays),
        xray.kind(xrays),
        semantic.kind(semantics),
        split.kind(datasets),
        leakage.kind(datasets),
        derive.kind(derivations),
        diff.kind(versions),
        *exploration.kinds(explorations),
        statistics.kind(outputs),
        preprocess.kind(outputs),
        pack.kind(outputs),
        save.kind(outputs),
    ]
