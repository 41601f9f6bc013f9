"""Training data over HTTP, a module for each use case."""

from __future__ import annotations

from tunesmith.domains.datasets.routes import (
    browse,
    duplicates,
    exploration,
    leakage,
    mapping,
    outputs,
    parts,
    quality,
    rows,
    search,
    semantic,
    split,
    upload,
    validation,
    versions,
    xray,
)

_USE_CASES = (  # fixed paths come before /{id}
    parts,
    mapping,
    upload,
    browse,
    validation,
    quality,
    xray,
    duplicates,
    semantic,
    split,
    leakage,
    rows,
    search,
    versions,
    exploration,
    outputs,
)
ROUTERS = tuple(use_case.router for use_case in _USE_CASES)
