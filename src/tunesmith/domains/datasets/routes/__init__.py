"""Training data over HTTP, a module for each use case."""

from __future__ import annotations

from fastapi import APIRouter

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

router = APIRouter()
for _use_case in (  # fixed paths come before /{id}
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
):
    router.include_router(_use_case.router)
