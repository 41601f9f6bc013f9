"""The application: services behind middleware. ``uvicorn tunesmith.api.app:create_app --factory`` serves it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware

from tunesmith import __version__
from tunesmith.api import errors, machines, openapi, system, ui
from tunesmith.api.idempotency import Idempotency
from tunesmith.api.metrics import MetricsMiddleware, ServerMetrics
from tunesmith.api.middleware import LocalOnly, RequestContext
from tunesmith.bootstrap import Services, build, routers
from tunesmith.db import Access
from tunesmith.kit import logs
from tunesmith.kit.principal import Permission, Principal
from tunesmith.kit.web import problem_responses
from tunesmith.settings import Settings, load_settings

DESCRIPTION = """Turn domain data into a language model that a team can trust, serve and improve.

Errors are `application/problem+json` (RFC 9457) with `detail` (what was wrong) and `hint` (what to do). Every POST honours
`Idempotency-Key`. Work that takes long is a job; `?wait=` waits for it."""


def create_app(settings: Settings | None = None, services: Services | None = None) -> FastAPI:
    """Build the application; its services start with its lifespan."""
    built = services or build(settings or load_settings())
    metrics = ServerMetrics()
    app = FastAPI(
        title="Tunesmith",
        version=__version__,
        description=DESCRIPTION,
        lifespan=_lifespan,
        openapi_url=None,  # served by api.openapi
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        responses=problem_responses(400, 403, 422, 503),
        strict_content_type=False,
    )
    app.state.services = built
    app.state.metrics = metrics
    app.state.authorize = _authorizer(built)
    errors.install(app)
    openapi.install(app)
    gateway, *slices = routers()
    # Tried one after another, and made ready when first tried: what programs ask again and again comes before the pages
    for router in (gateway, system.router, *slices, machines.router, ui.router):
        app.include_router(router)
    # the last one added is the first one met
    app.add_middleware(Idempotency)
    if built.settings.api.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=built.settings.api.cors_origins,
            allow_credentials=True,
            allow_methods=["*"],
            allow_headers=["*"],
        )
    app.add_middleware(LocalOnly, hosts=built.settings.api.allowed_hosts, origins=built.settings.api.cors_origins)
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    app.add_middleware(RequestContext)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    await services.start()
    try:
        yield
    finally:
        await services.close()


def _operation_id(route: APIRoute) -> str:
    return route.name


def _authorizer(services: Services) -> Any:
    """Who is asking: in local mode always the owner. Answers an Access after the permission was checked."""
    owner: Principal | None = None

    async def authorize(request: Request, permission: Permission) -> Access:
        nonlocal owner
        owner = owner or await services.owner()
        owner.require(permission)
        logs.user_id.set(owner.user_id)
        route = request.scope.get("route")
        action = getattr(route, "name", None) or f"{request.method} {request.url.path}"
        return Access(owner, services.database, services.accounts.record, action, request.url.path)

    return authorize
