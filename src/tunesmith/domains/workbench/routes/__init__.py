"""The workbench over HTTP: a module for each “current …”."""

from __future__ import annotations

from fastapi import APIRouter

from tunesmith.domains.workbench.routes import chat, dataset, gguf, model, train

router = APIRouter()
for _current in (model, dataset, train, chat, gguf):
    router.include_router(_current.router)
