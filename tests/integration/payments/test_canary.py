"""Names, numbers and accounts go to the partners and stand nowhere in payments."""

from __future__ import annotations

from datetime import date

from libs.chassis.settings import Settings
from tests.integration.payments.houses import House, books_of, houses
from tests.integration.payments.office import Office
from tests.servers import Postgres

VILLAGE = [*houses(5), House(6, "BTN", closed_since=date(2023, 4, 5))]


def everything_in(postgres: Postgres, database: str) -> str:
    """Every row of every table of a database, as text."""
    tables = postgres.run_sql(
        """SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
           WHERE schemaname NOT IN ('pg_catalog', 'information_schema')""",
        database,
    ).split()
    rows = [postgres.run_sql(f"SELECT t::text FROM {table} AS t", database) for table in tables]
    assert len(tables) > 10
    return "\n".join(rows)


async def test_no_table_holds_a_name_a_number_or_an_account_in_clear(
    office: Office, postgres: Postgres, settings: Settings
) -> None:
    office.world.accounts.update(books_of(VILLAGE))

    await office.paid(VILLAGE, failed=VILLAGE[:1])

    name = settings.database_url.partition("?")[0].rpartition("/")[2]
    held = everything_in(postgres, name)
    sent = b"".join(body for bodies in office.world.files.values() for body in bodies).decode()
    for house in VILLAGE:
        assert house.payment() in held
        for secret in (house.nik, house.name, house.account_no):
            assert secret in sent
            assert secret not in held
