"""The frame of both simulators: options, health, the ready line, and an end in good order."""

from __future__ import annotations

import argparse
import logging
import socket
import ssl
import sys
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI
from fastapi import Path as InPath

from simulators.refusals import speak_of_refusals
from simulators.signing import Signing, load

STOP_DEADLINE_S = 5

Id = Annotated[str, InPath(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Reference = Annotated[str, InPath(pattern=r"^[A-Za-z0-9-]{1,36}$")]


def options(name: str, about: str) -> argparse.ArgumentParser:
    """The options that README.md lists for both."""
    parser = argparse.ArgumentParser(prog=f"python -m simulators.{name}", description=about)
    parser.add_argument("--books", type=Path, required=True, help="the banks' bank_accounts.csv")
    parser.add_argument("--journal", type=Path, required=True, help="directory of the journals")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--keys", type=Path, help="JWK set of the partners' own keys")
    parser.add_argument("--register", type=Path, help="JWK set with the keys of the programme")
    parser.add_argument("--certificate", type=Path, help="PEM, to serve https")
    parser.add_argument("--certificate-key", type=Path, help="PEM, its private key")
    parser.add_argument("--client-ca", type=Path, help="PEM of the CA of whoever may ask")
    parser.add_argument("--answer-after-asks", type=int, default=0, metavar="N")
    return parser


def signing_of(given: argparse.Namespace) -> dict[str, Signing] | None:
    """The partners' signing, by name; None where no keys are named."""
    return load(given.keys, given.register) if given.keys and given.register else None


def tls_of(given: argparse.Namespace) -> dict[str, Any]:
    """The options by which https is served to who has a certificate of the CA; none over http."""
    if given.certificate is None:
        return {}
    return {
        "ssl_certfile": given.certificate,
        "ssl_keyfile": given.certificate_key,
        "ssl_ca_certs": str(given.client_ca),
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
    }


def new_app(title: str) -> FastAPI:
    """An application that speaks of refusals and says when it is there."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None)
    speak_of_refusals(app)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def serve(name: str, app: FastAPI, given: argparse.Namespace) -> None:
    """Listen, say so on standard output, and serve until told to stop."""
    host, port = given.host, given.port
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # No access log: it would repeat whatever a caller puts into a URL.
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=STOP_DEADLINE_S,
        **tls_of(given),
    )
    with socket.create_server((host, port), family=_family(host), backlog=128) as listening:
        sys.stdout.write(f"{name} ready on {host}:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(config).run(sockets=[listening])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
