"""The workbench over HTTP: a module for each “current …”."""

from __future__ import annotations

from fastapi import APIRouter

from tunesmith.domains.workbench.routes import chat, dataset, gguf, model, train, train_advice

router = APIRouter()
for _current in (model, dataset, train, train_advice, chat, gguf):
    router.include_router(_current.router)
