"""One service as a FastAPI application, and the process that serves it.

app = create_app("registry", "Family registry", [api.router], lifespan, READINESS, settings)
serve(app, settings)
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import structlog
import uvicorn
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from libs.chassis import logs, problem_pages, tracing
from libs.chassis.auth import authenticator, gate, refuse_open_doors
from libs.chassis.connections import Idle, LimitedProtocol
from libs.chassis.etag import is_guarded, unchanged
from libs.chassis.gc_tuning import settle
from libs.chassis.health import Check, Readings, health_router
from libs.chassis.idempotency import (
    AlreadyAnswered,
    answered_before,
    makes_idempotent,
    reads_only,
)
from libs.chassis.middleware import limited, observed
from libs.chassis.noting import noted_first
from libs.chassis.openapi import ABOUT, CONTACT, LICENCE, PLACEHOLDER, described, tags
from libs.chassis.problems import HANDLERS
from libs.chassis.query import only_known_parameters
from libs.chassis.rates import Rates
from libs.chassis.settings import Settings
from libs.chassis.spool import Spool
from libs.chassis.wellformed import one_form, well_formed

OPEN_PATHS: Final = ("/health", "/ready", "/openapi.json", problem_pages.ROOT)
STARTUP_FAILED: Final = 3

POST_NEEDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "takes no Idempotency-Key (once: Once)": makes_idempotent,
    "takes no If-Match (seen: IfMatch), and does not say that it is Unconditional": (
        lambda found: is_guarded(found) or found is reads_only
    ),
}
"""The fault of a POST of which no dependency is one of these."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]]
"""Opens what the service needs, yields it by name (see `resource`), closes it."""

log = structlog.get_logger("service")


def create_app(
    name: str,
    title: str,
    routers: Sequence[APIRouter],
    lifespan: Lifespan,
    readiness: Mapping[str, Check],
    settings: Settings,
    *,
    open_paths: Collection[str] = (),
    token_cookie: str | None = None,
    examples: Mapping[str, object] | None = None,
    mounted: Mapping[str, ASGIApp] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """The application of one service. Raises `OpenDoor` when a route lacks its scope.

    `readiness` names the checks of /ready. `open_paths` need no token, beside OPEN_PATHS; one
    that ends in a slash opens all below it. `token_cookie` names a cookie that may hold the token
    of a reading request. `examples` are by name of a field, for the description. `mounted` are
    programs for browsers by their path, each with a gate of its own: they find `authenticate` and
    `rates` in the application's state, and are no part of the description.
    Routers carry their prefix themselves.
    """
    anybody = (*OPEN_PATHS, *open_paths)
    authenticate, rates = authenticator(settings), Rates(settings.limits)
    app = FastAPI(
        title=title,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=_with_resources(lifespan, readiness),
        responses=PLACEHOLDER,
        description=ABOUT,
        contact=CONTACT,
        license_info=LICENCE,
        openapi_tags=tags(name, title),
        servers=[{"url": "/"}],
        exception_handlers={**HANDLERS, AlreadyAnswered: answered_before},
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
        dependencies=[Depends(only_known_parameters), Depends(one_form)],
        # The framework's own spans and log records hold addresses with their queries.
        telemetry={"tracing": False, "logs": False},
        middleware=[
            Middleware(observed),
            Middleware(unchanged),
            Middleware(limited, bytes_max=settings.body_bytes_max, limits=settings.limits),
            Middleware(
                gate,
                authenticate=authenticate,
                open_paths=anybody,
                cookie=token_cookie,
                rates=rates,
                guarded_elsewhere=[path for name in mounted or () for path in (name, f"{name}/")],
            ),
            Middleware(well_formed, bytes_max=settings.body_bytes_max),
            Middleware(noted_first),
        ],
    )
    app.state.name = name
    app.state.settings = settings
    app.state.clock = clock
    app.state.authenticate, app.state.rates = authenticate, rates
    pages = problem_pages.pages_router(settings.contracts_dir.parent / "docs" / "problems")
    for router in (health_router(), pages, *routers):
        app.include_router(router)
    refuse_open_doors(app, anybody, POST_NEEDS)
    _mount(app, mounted or {})
    _documented(app, anybody, examples or {})
    return app


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then let running requests end and close the lifespan."""
    logs.configure(settings.service, settings.log_level)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=partial(LimitedProtocol, Idle(settings.limits)),  # type: ignore[arg-type]  # called as a class is
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=settings.limits.connections_max,
            timeout_keep_alive=settings.limits.idle_s,
            timeout_graceful_shutdown=settings.shutdown_s_max,
        )
    )
    settle()
    with tracing.exported(settings.service), contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(STARTUP_FAILED)


def _with_resources(
    lifespan: Lifespan, readiness: Mapping[str, Check]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with lifespan(app) as resources:
                settings = app.state.settings
                app.state.spool = Spool(settings.limits, settings.spool_dir)
                app.state.readings = Readings(readiness, app.state)
                for name, value in resources.items():
                    setattr(app.state, name, value)
                yield
        except Exception:
            log.exception("stopped by an error")
            raise

    return running


def _mount(app: FastAPI, programs: Mapping[str, ASGIApp]) -> None:
    for path, program in programs.items():
        app.add_route(path, _to_slash, include_in_schema=False)
        app.mount(path, program)


async def _to_slash(request: Request) -> Response:
    """A program's first page stands behind a slash, by which its links are relative."""
    return RedirectResponse(f"{request.url.path}/", 308)


def _operation_id(route: APIRoute) -> str:
    return route.name


def _documented(app: FastAPI, open_paths: Collection[str], examples: Mapping[str, object]) -> None:
    """Complete the OpenAPI document, once, when it is first asked for."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = described(app, generate(), open_paths, examples)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # the framework's own way to extend it
