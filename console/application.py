"""The console as a program beside the projection's interface, with a gate of its own.

A request is a visit: its session is found, its token is believed as everywhere, and it may ask as
often as any client. A page answers within the reader's regions; whom it tells of is written down
first (decision 0069). Whatever is refused is a page too.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pkgutil import iter_modules
from types import SimpleNamespace
from typing import Final
from urllib.parse import parse_qsl, urlencode

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console import pages, static_files
from console.field import shell
from console.page import (
    Download,
    Leads,
    OtherSilent,
    Page,
    PageRefused,
    Sent,
    Show,
    Visit,
)
from console.rendering import LANGUAGE, LIGHT, LIGHTS, NO_FRAME, Frame, language_of, rendered
from console.sealing import Seal
from console.sessions import ABSOLUTE, ID_BYTES, IDLE, NO_TOKENS, Session, Sessions, Tokens
from console.signing_in import (
    HOME,
    MINUTES_MAX,
    IdentityProvider,
    NoAnswer,
    SignInFailed,
    local,
)
from console.words import LANGUAGES, Words
from libs.chassis.auth import NOBODY, Principal
from libs.chassis.csv_download import download
from libs.chassis.noting import Noting
from libs.chassis.problems import BUSY_DATABASE, Refusal, status_of
from libs.chassis.rates import TooManyRequests
from libs.chassis.settings import Settings
from libs.chassis.sign_in import SignIn
from libs.chassis.tokens import IssuerSilent, TokenRefused
from libs.events.domain.errors import DomainError
from libs.events.domain.persons import folded_name
from libs.events.store.faults import LOST
from libs.events.store.model import Context

PATH: Final = "/console"
FIELDS_MAX: Final = 200
CSRF: Final = "csrf"
YEAR_S: Final = 365 * 24 * 3600
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing of another place, and no script or style within a page."""
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}

audit = structlog.get_logger("audit")
log = structlog.get_logger("console")

Endpoint = Callable[[Request], Awaitable[Response]]


def found_pages() -> tuple[Page, ...]:
    """Every PAGE of console/pages, in the order of the menu."""
    names = sorted(module.name for module in iter_modules(pages.__path__))
    found = [import_module(f"{pages.__name__}.{name}").PAGE for name in names]
    return tuple(sorted(found, key=lambda page: (page.menu is None, page.menu or 0, page.path)))


PAGES: Final = found_pages()


def console(settings: Settings) -> ASGIApp:
    """The program for one process."""
    return _guarded(_Console(settings).routes())


# -- The last wall --------------------------------------------------------------------------------


def _guarded(router: Router) -> ASGIApp:
    """A refusal becomes a page, and every answer has the headers that browsers heed."""

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        # The interface around us would answer a refusal itself, for programs.
        scope.pop("starlette.exception_handlers", None)
        try:
            await router(scope, receive, sending)
        except (HTTPException, DomainError, PageRefused, TooManyRequests) as refused:
            await _refusal(Request(scope), refused)(scope, receive, sending)
        except (IssuerSilent, NoAnswer, OtherSilent, *LOST, *BUSY_DATABASE) as fault:
            log.warning("a page has to wait", kind=type(fault).__name__)
            await refusal_page(Request(scope), 503, "not_now")(scope, receive, sending)
        except Exception:  # whatever a page does, whoever asked is answered with a page
            log.exception("a page failed")
            await refusal_page(Request(scope), 500, "our_fault")(scope, receive, sending)

    return answering


def _refusal(request: Request, refused: Exception) -> Response:
    match refused:
        case PageRefused(status=status, word=word):
            return refusal_page(request, status, word)
        case TooManyRequests(retry_after=seconds):
            response = refusal_page(request, 429, "too_often")
            response.headers["Retry-After"] = str(seconds)
            return response
        case Refusal(status_code=status, kind=kind):
            return refusal_page(request, status, kind.replace("-", "_"))
        case HTTPException(status_code=status):
            word = {404: "unknown_page", 405: "unknown_page"}.get(status, "bad_request")
            return refusal_page(request, status, word)
        case DomainError():
            word = "not_found" if status_of(type(refused)) == 404 else "refused_by_rule"
            return refusal_page(request, status_of(type(refused)), word)
        case _:
            return refusal_page(request, 500, "our_fault")


def refusal_page(request: Request, status: int, word: str) -> Response:
    """A page that says what is not shown, and why."""
    t = Words(language_of(request), "errors")
    named = word if t.code("title", word) != word else "bad_request"
    data = {"status": status, "heading": t(f"title_{named}"), "why": t(f"why_{named}")}
    frame = getattr(request.state, "frame", NO_FRAME)
    return rendered(request, "errors", "error.html", data, frame, status)


# -- The program ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Console:
    settings: Settings

    def routes(self) -> Router:
        """Sign-in, preferences, files, and every page."""
        return Router(
            [
                Route("/static/{name}", self._open(_file), name="static"),
                Route("/sign-in", self._open(self._begin)),
                Route("/signed-in", self._open(self._finish)),
                Route("/sign-out", self._session_of(self._sign_out), methods=["POST"]),
                Route("/signed-out", self._open(_signed_out)),
                Route("/preferences", self._open(self._prefer)),
                Route("/field-worker.js", self._open(shell.worker)),
                Route("/field.webmanifest", self._open(shell.manifest)),
                *(self._route(page) for page in PAGES),
            ],
            redirect_slashes=False,
        )

    def _route(self, page: Page) -> Route:
        methods = ["GET", "POST"] if page.act else ["GET"]

        async def answer(request: Request, reader: Principal, session: Session) -> Response:
            return await self._page(page, request, reader, session)

        async def open_answer(request: Request) -> Response:
            request.scope["route"] = SimpleNamespace(path=PATH + page.path)
            return await self._public(page, request)

        gated = (
            self._open(open_answer) if page.public else self._session_of(answer, PATH + page.path)
        )
        return Route(page.path, gated, methods=methods)

    async def _public(self, page: Page, request: Request) -> Response:
        """A page for anybody; whoever is signed in is. Others have a visit's id in place of a
        session, so that their forms are theirs too."""
        found = await self._signed_in(request)
        if found is not None:
            reader, session = found
            request.state.principal = reader
            request.state.frame = self._frame(reader, session)
            return await self._page(page, request, reader, session)
        visitor = request.cookies.get(self._visitor_cookie) or secrets.token_urlsafe(ID_BYTES)
        session = Session(visitor, NO_TOKENS)
        request.state.frame = Frame(csrf=self._csrf(session))
        response = await self._page(page, request, NOBODY, session)
        self._keep(response, self._visitor_cookie, visitor, int(IDLE.total_seconds()))
        return response

    # -- Gates

    def _open(self, endpoint: Endpoint) -> Endpoint:
        """For anybody, as often as a stranger may ask."""

        async def answer(request: Request) -> Response:
            request.app.state.rates.stranger(request.client.host if request.client else "")
            return await endpoint(request)

        return answer

    def _session_of(
        self,
        endpoint: Callable[[Request, Principal, Session], Awaitable[Response]],
        template: str = "",
    ) -> Endpoint:
        """For whoever is signed in; others are asked to, and come back to where they wanted."""

        async def answer(request: Request) -> Response:
            request.scope["route"] = SimpleNamespace(path=template or PATH)
            found = await self._signed_in(request)
            if found is None:
                request.app.state.rates.stranger(request.client.host if request.client else "")
                return self._to_sign_in(request)
            reader, session = found
            request.state.principal = reader
            request.state.frame = self._frame(reader, session)
            with request.app.state.rates.client(folded_name(reader.subject)):
                return await endpoint(request, reader, session)

        return answer

    async def _signed_in(self, request: Request) -> tuple[Principal, Session] | None:
        cookie = request.cookies.get(self._cookie)
        provider, now = self._provider(), _now(request)
        if not cookie or provider is None:
            return None

        async def renew(refresh: str) -> Tokens | None:
            return await provider.renew(refresh, now)

        session = await self._sessions(request).find(cookie, now, renew)
        if session is None:
            return None
        try:
            reader: Principal = await request.app.state.authenticate(session.tokens.access)
        except TokenRefused as refused:
            audit.warning("token refused", reason=str(refused), method=request.method)
            await self._sessions(request).end(session.id)
            return None
        return reader, session

    def _to_sign_in(self, request: Request) -> Response:
        query = request.url.query
        wanted = request.url.path + (f"?{query}" if query and request.method == "GET" else "")
        where = f"{PATH}/sign-in?{urlencode({'next': local(wanted)})}"
        if request.headers.get("hx-request") == "true":
            return Response(status_code=401, headers={"HX-Redirect": where})
        return RedirectResponse(where, 303)

    # -- A page

    async def _page(
        self, page: Page, request: Request, reader: Principal, session: Session
    ) -> Response:
        if not page.public and not page.opens_to(reader):
            audit.warning(
                "scope refused",
                subject=reader.subject,
                scope=" ".join((*page.scopes, *page.one_of)),
            )
            raise PageRefused(403, "scope_missing")
        if not page.public and not page.is_for(reader):
            raise PageRefused(403, "nation_only")
        show: Show = page.show
        form: Mapping[str, str] = {}
        if request.method == "POST" and page.act is not None:
            show, form = page.act, await self._form(request, session)
        language = language_of(request)
        words = Words(language, page.name)
        while_open = request.cookies.get(self._open_cookie, "")
        token, csrf = session.tokens.access, self._csrf(session)
        visit = Visit(request, reader, token, language, words, form, session, while_open, csrf)
        shown = await show(visit)
        if isinstance(shown, Leads):
            return RedirectResponse(shown.to, 303)
        context = Context(
            at=_now(request),
            actor=reader.subject,
            trace=request.state.trace,
            cause=request.state.request_id,
        )
        noting = Noting(request, request.app.state.committer, context)
        if isinstance(shown, Download):
            return await _file_of(shown, noting)
        data = shown.data
        if reader is not NOBODY:  # a public page tells a stranger of nobody but themselves
            data = await noting(data)
        if isinstance(shown, Sent):
            return JSONResponse(data, shown.status)
        frame = request.state.frame
        return rendered(request, page.name, shown.template, data, frame, shown.status)

    async def _form(self, request: Request, session: Session) -> Mapping[str, str]:
        """The fields of a form that one of our own pages posted in this session."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise PageRefused(415, "bad_request")
        try:
            text = (await request.body()).decode()
            fields = parse_qsl(text, True, True, max_num_fields=FIELDS_MAX) if text else []
        except ValueError:
            raise PageRefused(422, "bad_request") from None
        form = dict(fields)
        origin = request.headers.get("origin")
        own = self.settings.sign_in and self.settings.sign_in.address
        token = form.pop(CSRF, "")
        if origin not in (None, own) or not hmac.compare_digest(
            token.encode(), self._csrf(session).encode()
        ):
            audit.warning("form refused", path=request.scope["route"].path)
            raise PageRefused(403, "not_our_form")
        return form

    def _frame(self, reader: Principal, session: Session) -> Frame:
        menu = [page for page in PAGES if page.menu is not None and page.is_for(reader)]
        return Frame(reader, menu, self._csrf(session))

    # -- Signing in and out

    async def _begin(self, request: Request) -> Response:
        provider = self._provider()
        if provider is None:
            raise PageRefused(503, "no_sign_in")
        where, cookie = provider.begin(request.query_params.get("next", HOME), _now(request))
        response = RedirectResponse(where, 303)
        self._keep(response, self._begun_cookie, cookie, MINUTES_MAX * 60)
        return response

    async def _finish(self, request: Request) -> Response:
        provider = self._provider()
        if provider is None:
            raise PageRefused(503, "no_sign_in")
        cookie = request.cookies.get(self._begun_cookie, "")
        try:
            answer = dict(request.query_params)
            tokens, leads_to = await provider.finish(answer, cookie, _now(request))
            reader: Principal = await request.app.state.authenticate(tokens.access)
        except (SignInFailed, TokenRefused) as failed:
            audit.warning("sign-in failed", reason=str(failed))
            raise PageRefused(401, "sign_in_failed") from None
        sessions = self._sessions(request)
        if former := request.cookies.get(self._cookie):
            await sessions.end(former)
        session = await sessions.open(tokens, _now(request))
        audit.info("signed in", subject=reader.subject)
        response = RedirectResponse(leads_to, 303)
        self._keep(response, self._cookie, session.id, int(ABSOLUTE.total_seconds()))
        self._keep(response, self._open_cookie, secrets.token_urlsafe(ID_BYTES), None)
        self._keep(response, self._begun_cookie, "", 0)
        return response

    async def _sign_out(self, request: Request, reader: Principal, session: Session) -> Response:
        await self._form(request, session)
        await self._sessions(request).end(session.id)
        audit.info("signed out", subject=reader.subject)
        response = RedirectResponse(f"{PATH}/signed-out", 303)
        response.headers["Clear-Site-Data"] = '"cache"'
        self._keep(response, self._cookie, "", 0)
        self._keep(response, self._open_cookie, "", 0)
        return response

    async def _prefer(self, request: Request) -> Response:
        """Language and light are the browser's, and change nothing that anybody else sees."""
        response = RedirectResponse(local(request.query_params.get("back", HOME)), 303)
        for cookie, name, choices in (
            (LANGUAGE, "language", LANGUAGES),
            (LIGHT, "light", LIGHTS),
        ):
            chosen = request.query_params.get(name)
            if chosen is not None and chosen not in choices:
                raise PageRefused(422, "unknown_filter")
            if chosen is not None:
                self._keep(response, cookie, chosen, YEAR_S)
        return response

    # -- What it stands on

    @property
    def _is_secure(self) -> bool:
        return self.settings.sign_in is not None and self.settings.sign_in.is_secure

    @property
    def _cookie(self) -> str:
        return "__Host-pkh-session" if self._is_secure else "pkh-session"

    @property
    def _begun_cookie(self) -> str:
        return "__Host-pkh-signing-in" if self._is_secure else "pkh-signing-in"

    @property
    def _open_cookie(self) -> str:
        """A cookie that ends with the browser, unlike the session's."""
        return "__Host-pkh-open" if self._is_secure else "pkh-open"

    @property
    def _visitor_cookie(self) -> str:
        return "__Host-pkh-visitor" if self._is_secure else "pkh-visitor"

    def _keep(self, response: Response, name: str, value: str, seconds: int | None) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="lax",
        )

    def _seal(self) -> Seal:
        return Seal(self.settings.cursor_key)

    def _csrf(self, session: Session) -> str:
        return self._seal().word(CSRF, session.id)

    def _sessions(self, request: Request) -> Sessions:
        return Sessions(request.app.state.store.pool, self._seal())

    def _provider(self) -> IdentityProvider | None:
        sign_in: SignIn | None = self.settings.sign_in
        if sign_in is None:
            return None
        [issuer] = [one for one in self.settings.issuers if one.issuer == sign_in.issuer]
        return IdentityProvider(sign_in, issuer, self._seal())


async def _file_of(shown: Download, noting: Noting) -> Response:
    """The answer with a file; where its first part cannot be noted, it never begins."""
    first = await noting(await anext(shown.parts, []))

    async def cells() -> AsyncIterator[list[list[object]]]:
        yield [[row[column] for column in shown.columns] for row in first]
        async for part in shown.parts:
            noted = await noting(part)
            yield [[row[column] for column in shown.columns] for row in noted]

    return download(shown.name, shown.columns, cells())


async def _file(request: Request) -> Response:
    found = static_files.served(request)
    if found is None:
        raise PageRefused(404, "unknown_page")
    return found


async def _signed_out(request: Request) -> Response:
    return rendered(request, "signed_out", "signed_out.html", {})


def _now(request: Request) -> datetime:
    now: datetime = request.app.state.clock()
    return now
