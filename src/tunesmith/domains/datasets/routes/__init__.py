"""Training data over HTTP, a module for each use case."""

from __future__ import annotations

from fastapi import APIRouter

from tunesmith.domains.datasets.routes import browse, rows, split, upload, validation, versions

router = APIRouter()
for _use_case in (upload, browse, validation, split, rows, versions):  # fixed paths come before /{id}
    router.include_router(_use_case.router)
