"""Signs tokens for a deployment without an identity provider, and renews the services' own.

    python -m deploy.issuer /issuer --publish /identity --token payments=/tokens/payments

/issuer keeps the private key; /identity gets the public key set (jwks.json); every NAME=DIR gets
DIR/token, renewed before it ends. With an identity provider leave this process out and point
PKH_ISSUERS_FILE of the services to a file that describes it (docs/identity-providers.md).
"""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import Final

from libs.chassis.catalogue import catalogue
from libs.chassis.dev_issuer import KEY_SET, LIFETIME_S_MAX, Issuer

RENEWAL_S: Final = LIFETIME_S_MAX / 3


def renew(issuer: Issuer, service: str, directory: Path) -> None:
    """Put a fresh token in place of the old one at one stroke."""
    draft = directory / "token.new"
    draft.write_text(issuer.token(service, catalogue().services[service].token_scopes, ["*"]))
    draft.replace(directory / "token")


def named_directory(text: str) -> tuple[str, Path]:
    """NAME=DIR of the command line."""
    name, _, directory = text.partition("=")
    return name, Path(directory)


def main() -> None:
    """Renew until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m deploy.issuer")
    parser.add_argument("directory", type=Path, help="keeps the private key")
    parser.add_argument("--publish", type=Path, required=True, help="gets the public key set")
    parser.add_argument("--token", type=named_directory, action="append", default=[])
    given = parser.parse_args()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    issuer = Issuer.open(given.directory)
    (given.publish / KEY_SET).write_bytes((given.directory / KEY_SET).read_bytes())
    while True:
        for service, directory in given.token:
            renew(issuer, service, directory)
        if stopping.wait(RENEWAL_S):
            return


if __name__ == "__main__":
    main()
