"""The registry service: families, their facts, and the lists that payments rest on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import httpx

from libs.chassis.description import Parts, Service
from libs.chassis.import_jobs import Imports
from libs.chassis.metrics import Seldom
from libs.chassis.noting import count_from_zero
from libs.chassis.service import Running
from libs.privacy.days import Days
from libs.privacy.rotation import KEK, Rewrapper, retire_older
from services.registry.consumers import subscriptions
from services.registry.contract import ERASURE, FAMILY, FAMILY_TOPIC, LISTING
from services.registry.contract import SERVICE as NAME
from services.registry.http import (
    adjudications,
    changes,
    erasures,
    families,
    groups,
    key_versions,
    lists,
    member_numbers,
    reopenings,
    take_backs,
)
from services.registry.http.csv_commands import CsvImport
from services.registry.http.openapi_examples import EXAMPLES
from services.registry.partners.payments import TIMEOUT_S, Payments
from services.registry.policy import load_rule_sets
from services.registry.policy.look_ups import load_look_ups
from services.registry.tables.identity_rows import lives
from services.registry.tables.waiting_changes import change_readings
from services.registry.workers.eraser import ERASER, Eraser
from services.registry.workers.job_progress import (
    LISTER,
    LISTINGS,
    REWRAPPER,
    UNLISTER,
    WIDE_MESSAGES,
)
from services.registry.workers.lister import Lister
from services.registry.workers.reviewer import Reviewer
from services.registry.workers.shared_payees import SharedPayees
from services.registry.workers.token_change import TOKEN_CHANGE, TokenChange, retire_tokens
from services.registry.workers.unlister import Unlister
from services.registry.workers.wide_messages import WideMessages

RULE_SETS: Final = load_rule_sets()
LOOK_UPS: Final = load_look_ups()


async def parts(running: Running) -> Parts:
    """Lists families when a closing is announced, takes cancelled lists back, erases families."""
    keys, settings = await running.keys(), running.settings
    last_day = running.topics.ends[FAMILY_TOPIC]
    for store in filter(None, (running.store, running.requests)):
        store.opener = Days(keys).of
        store.wide_until = last_day
    running.looks.append(Seldom(partial(change_readings, running.store)))
    await retire_older(keys.pool, KEK, keys.wrapper.kek)
    eraser = await running.eraser()
    count_from_zero(LOOK_UPS.purposes)
    client = await running.closing.enter_async_context(httpx.AsyncClient(timeout=TIMEOUT_S))
    payments = Payments(
        client, settings.addresses["payments"], settings.service_token_file or Path()
    )
    await retire_tokens(running.store, keys.pool, settings.token_key)
    recognition = await running.recognition()
    csv_import = CsvImport(keys, recognition, Reviewer(keys, RULE_SETS))
    payees = SharedPayees(keys, recognition, RULE_SETS)
    workers = {
        LISTER: Lister(running.store, keys, payees, RULE_SETS).step,
        UNLISTER: Unlister(running.store, RULE_SETS).step,
        ERASER: Eraser(running.store, eraser, payments).step,
        WIDE_MESSAGES: WideMessages(running.store, last_day).step,
    }
    if len(keys.wrapper.kek.numbers) > 1:
        workers[REWRAPPER] = Rewrapper(keys.pool, eraser.pool, keys.wrapper).step
    if recognition.newest > 1:
        workers[TOKEN_CHANGE] = TokenChange(running.store, keys, recognition).step
    resources = {
        "keys": keys,
        "csv_import": csv_import,
        "payments": payments,
        "payees": payees,
        "look_ups": LOOK_UPS,
        "recognition": recognition,
    }
    return Parts(subscriptions(RULE_SETS), workers, resources)


SERVICE: Final = Service(
    NAME,
    [
        *(families.router, member_numbers.router, adjudications.router, changes.router),
        groups.router,
        *(reopenings.router, take_backs.router, lists.router, erasures.router, key_versions.router),
    ],
    parts,
    streams=[ERASURE, FAMILY, LISTING],
    jobs=[Imports(), LISTINGS],
    lives=lives,
    jobs_scopes=["registry:import", "registry:read"],
    rule_sets=RULE_SETS.listed,
    examples=EXAMPLES,
)

if __name__ == "__main__":
    SERVICE.run()
