"""The database shows no row of another region: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

POLICIES: Final = "services/projection/migrations/010_regions.sql"
ROWS: Final = "tests/integration/attacks/test_rows_of_another_region.py"
RELAY: Final = "tests/integration/attacks/test_a_relays_password.py"
RELAYED: Final = f"{RELAY}::test_it_reads_what_leaves_the_service_and_moves_how_far_that_is"
ROLES: Final = "deploy/postgres/init/10-roles.sh"
SETTINGS: Final = "tests/unit/chassis/test_settings.py"
FILTERS: Final = (
    "tests/integration/projection/test_filters.py"
    "::test_judgements_are_filtered_by_status_reason_and_region"
)

WALLS: Final = (
    Mutant(
        "every-row-is-seen",
        "the role under which requests read sees rows of every region",
        (
            Change(
                POLICIES,
                "FOR SELECT TO ${READER_ROLE} USING (%s OR %s)",
                "FOR SELECT TO ${READER_ROLE} USING (true OR %s OR %s)",
            ),
        ),
        f"{ROWS}::test_a_query_that_forgets_its_regions_finds_nobody_of_another",
        FILTERS,
    ),
    Mutant(
        "unsaid-is-the-nation",
        "who does not say for whom they read sees everybody",
        (
            Change(
                POLICIES,
                "string_to_array(nullif(current_setting('pkh.regions', true), ''), ',')",
                "string_to_array("
                "coalesce(nullif(current_setting('pkh.regions', true), ''), '*'), ',')",
            ),
        ),
        f"{ROWS}::test_who_does_not_say_for_whom_sees_nothing",
        FILTERS,
    ),
    Mutant(
        "said-for-whoever-comes-next",
        "for whom a request read is still said on its connection when the next one takes it",
        (
            Change(
                "libs/chassis/reading.py",
                "SET LOCAL pkh.regions",
                "SET pkh.regions",
            ),
        ),
        f"{ROWS}::test_a_connection_that_was_given_back_has_forgotten_for_whom_it_read",
        FILTERS,
    ),
    Mutant(
        "owner-sees-for-others",
        "through a view of the owner's everybody sees what the owner sees",
        (Change(POLICIES, "' FORCE ROW LEVEL SECURITY'", "' NO FORCE ROW LEVEL SECURITY'"),),
        f"{ROWS}::test_a_view_that_forgets_whom_it_is_for_shows_nothing",
        FILTERS,
    ),
    Mutant(
        "family-wherever-it-lives",
        "whoever names a family sees all of it, wherever it lives",
        (
            Change(
                POLICIES,
                "    WHERE asked_regions()\n          && (",
                "    WHERE true OR asked_regions()\n          && (",
            ),
        ),
        f"{ROWS}::test_a_family_of_another_region_has_no_timeline",
        FILTERS,
    ),
    Mutant(
        "sums-of-every-region",
        "a role that may read sums has those of every region",
        (Change(POLICIES, "FROM reader_region WHERE role = session_user;", "FROM reader_region;"),),
        f"{ROWS}::test_sums_are_of_the_regions_that_a_role_was_given",
        FILTERS,
    ),
    Mutant(
        "relay-reads-what-stays",
        "a relay's role reads every event of its service",
        (
            Change(
                "libs/events/migrations/016_wide_messages.sql",
                "USING (stream_id, version) WHERE topic IS NOT NULL",
                "USING (stream_id, version)",
            ),
        ),
        RELAYED,
        f"{RELAY}::test_nobody_but_the_relay_says_how_far_it_is",
    ),
    Mutant(
        "service-moves-its-relay",
        "the service's role says how far its relay is",
        (
            Change(
                "libs/chassis/migrations.py",
                "REVOKE INSERT, UPDATE ON relay FROM {service};\n",
                "",
            ),
        ),
        f"{RELAY}::test_nobody_but_the_relay_says_how_far_it_is",
        RELAYED,
    ),
    Mutant(
        "said-within-another-statement",
        "a value that became part of a query says for whom it reads",
        (Change(ROLES, "proname ~ '^(set_config|", "proname ~ '^("),),
        f"{ROWS}::test_a_reading_role_is_nobody_else_and_changes_nothing[pkh_projection_reader]",
        f"{ROWS}::test_who_does_not_say_for_whom_sees_nothing",
    ),
    Mutant(
        "log-written-by-a-relay",
        "a role that only reads fills the disk with PostgreSQL's own log",
        (Change(ROLES, "|pg_logical_emit_message", ""),),
        f"{RELAY}::test_it_fills_no_disk_beside_its_tables",
        RELAYED,
    ),
    Mutant(
        "view-without-a-fence",
        "a condition of the relay's own is asked of rows that stay in the service",
        (
            Change(
                "libs/events/migrations/016_wide_messages.sql",
                "CREATE OR REPLACE VIEW outgoing WITH (security_barrier) AS",
                "CREATE OR REPLACE VIEW outgoing WITH (security_barrier = false) AS",
            ),
        ),
        f"{RELAY}::test_no_condition_finds_out_what_stays[named]",
        RELAYED,
    ),
    Mutant(
        "one-role-takes-all",
        "a role has as many connections as there are",
        (Change(ROLES, 'ALTER ROLE :"role" CONNECTION LIMIT :connections;\n', ""),),
        f"{RELAY}::test_no_role_takes_all_connections",
        RELAYED,
    ),
    Mutant(
        "whoever-is-at-the-address",
        "a database is believed by its CA, whatever host it is",
        (Change("libs/chassis/database_tls.py", '"verify-full"', '"verify-ca"'),),
        f"{SETTINGS}::test_a_database_of_another_machine_is_known_by_its_ca_and_host",
        f"{SETTINGS}::test_a_database_of_this_machine_is_asked_as_it_is"
        "[postgresql://registry@127.0.0.1:5432/registry]",
    ),
    Mutant(
        "in-clear-to-another-machine",
        "a database of another machine is asked as one of this machine",
        (
            Change(
                "libs/chassis/database_tls.py",
                "    return all(_host(one) in",
                "    return any(_host(one) in",
            ),
        ),
        f"{SETTINGS}::test_a_database_of_another_machine_is_refused_without_a_ca"
        "[postgresql://registry@localhost,database:5432/registry-more1]",
        f"{SETTINGS}::test_a_database_of_another_machine_is_known_by_its_ca_and_host",
    ),
)
