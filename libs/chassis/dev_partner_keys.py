"""Keys of a platform whose treasury and banks are simulated: made once, in a directory of secrets.

`partner-keys.json` is the register of public keys, `signing-keys.json` the programme's own private
key, `simulated-keys.json` those of the simulated partners. Whoever reads the directory can be any
of them, so it serves one machine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import OKPKey

from libs.chassis.durable_files import write_private
from libs.chassis.partner_keys import US

REGISTER: Final = "partner-keys.json"
OWN: Final = "signing-keys.json"
SIMULATED: Final = "simulated-keys.json"


def make_partner_keys(directory: Path, partners: Sequence[str]) -> None:
    """Make the three files for these partners, where they are not there yet."""
    if (directory / SIMULATED).exists():
        return
    day = datetime.now(UTC).date().isoformat()
    public: list[dict[str, Any]] = []
    private: list[dict[str, Any]] = []
    for partner in (US, *partners):
        key = OKPKey.generate_key("Ed25519")
        named = {"partner": partner, "kid": f"{partner.lower()}-1", "valid_from": day}
        public.append({**key.as_dict(private=False), **named})
        private.append({**key.as_dict(private=True), **named})
    # The simulators' last: where it is there, the others are.
    for name, keys in ((REGISTER, public), (OWN, private[:1]), (SIMULATED, private[1:])):
        write_private(directory / name, json.dumps({"keys": keys}, indent=1))
