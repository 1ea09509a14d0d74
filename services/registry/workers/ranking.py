"""Members who share a birth date, in order of their NIK: the edge alone may open the numbers."""

from __future__ import annotations

from collections.abc import Mapping

from libs.events.store.transaction import Transaction
from libs.privacy.errors import PrivacyError
from libs.privacy.keys import KeyRing
from libs.privacy.sealing import Sealer
from services.registry.domain.family.roster import rank_by_nik, sharing_birth_date
from services.registry.domain.family.state import Family
from services.registry.tables import identity_rows


async def nik_orders(
    unit: Transaction, keys: KeyRing, families: Mapping[str, Family]
) -> tuple[dict[str, dict[int, int]], dict[str, PrivacyError]]:
    """The NIK order of those who share a birth date, and whose numbers cannot be opened.

    Nobody else's number is opened. Who has no order is refused only where a line needs one.
    """
    sharing = {
        family: members
        for family, state in families.items()
        if (members := sharing_birth_date(state))
    }
    orders: dict[str, dict[int, int]] = {}
    closed: dict[str, PrivacyError] = {}
    if not sharing:
        return orders, closed
    sealer = Sealer(await keys.fetch_each(list(sharing)))
    for family, niks in (await identity_rows.sealed_niks(unit, sharing)).items():
        try:
            clear = {member: sealer.unseal(family, "nik", nik) for member, nik in niks.items()}
        except PrivacyError as error:
            closed[family] = error
        else:
            orders[family] = rank_by_nik(clear)
    return orders, closed
