"""The workbench over HTTP: a module for each “current …”."""

from __future__ import annotations

from tunesmith.domains.workbench.routes import chat, dataset, gguf, model, train, train_advice

ROUTERS = tuple(current.router for current in (model, dataset, train, train_advice, chat, gguf))
