"""Regions are asked for by every route, as of today: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

ATTACKS: Final = "tests/integration/attacks"
ENDED: Final = f"{ATTACKS}/test_participation_ended_by_another_region.py"
ONE_REGION: Final = f"{ATTACKS}/test_a_tahap_decided_by_one_region.py"
PUPIL: Final = f"{ATTACKS}/test_a_pupil_named_to_be_reported_on.py"
MOVE: Final = f"{ATTACKS}/test_sight_by_a_move_to_come.py"

REGIONS: Final = (
    Mutant(
        "foreign-family-shown",
        "nobody asks whose region a family lies in",
        (
            Change(
                "libs/chassis/regions.py",
                "    if region is None or is_outside(asker, region):\n",
                "    if region is None:\n",
            ),
        ),
        f"{ENDED}::test_he_brings_no_finding_and_decides_on_none",
        f"{ENDED}::test_two_people_of_its_region_end_it",
    ),
    Mutant(
        "national-act-of-one-region",
        "whoever may announce at all announces for the whole nation",
        (
            Change(
                "libs/chassis/auth.py",
                "    ensure_may_see(asker, NATION)\n    return asker\n",
                "    return asker\n",
            ),
        ),
        f"{ONE_REGION}::test_he_announces_no_tahap",
        "tests/integration/payments/test_announcement.py"
        "::test_another_person_announces_it_after_what_they_saw",
    ),
    Mutant(
        "move-to-come-gives-sight",
        "a family is where its last reported move says, whenever that is true",
        (
            Change(
                "services/registry/tables/identity_rows.py",
                "roster.region(state, today))",
                "roster.region(state, date.max))",
            ),
        ),
        f"{MOVE}::test_a_move_to_come_shows_him_nothing",
        "tests/integration/registry/test_import_regions.py"
        "::test_a_family_that_has_moved_away_is_its_new_regions",
    ),
    Mutant(
        "reported-on-by-who-named-them-too",
        "facts of a person are taken from the regions of every family that names them",
        (
            Change(
                "services/conditionality/tables/persons.py",
                "USING (family) WHERE rank = 1\n",
                "USING (family)\n",
            ),
        ),
        f"{PUPIL}::test_he_says_nothing_about_the_pupil",
        f"{PUPIL}::test_the_pupil_s_own_school_is_heard",
    ),
    Mutant(
        "closed-by-its-maker",
        "who proposed to close a tahap also closes it",
        (
            Change(
                "services/payments/domain/tahap/runs.py",
                "    require_approval(maker, state.closing.hash, command.checker, command.hash)\n",
                "",
            ),
        ),
        "tests/integration/payments/test_supplementary_runs.py"
        "::test_one_person_does_not_close_a_tahap",
        "tests/integration/payments/test_supplementary_runs.py"
        "::test_a_tahap_closes_when_its_deferred_families_are_named_as_lapsed",
    ),
    Mutant(
        "role-wider-than-its-regions",
        "an officer of a regency has its rights in the whole nation, if the token says so",
        (
            Change(
                "libs/chassis/auth.py",
                "if role is not None and not role.holds(regions):",
                "if False:",
            ),
        ),
        "tests/unit/chassis/test_roles.py"
        "::test_a_role_that_nobody_knows_or_that_is_too_wide_is_no_token"
        "[province-['*']-regions-beyond-role]",
        "tests/unit/chassis/test_roles.py::test_a_role_has_the_scopes_of_its_file",
    ),
)
