"""Sums of figures: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

TABLES: Final = "services/projection/migrations/017_area_sums.sql"
ALIKE: Final = (
    "tests/integration/projection/test_sums.py::test_sums_are_their_rows_at_any_moment[0]"
)
COUNTED: Final = "tests/integration/projection/test_figures.py::test_each_model_counts_what_it_says"
ROWS: Final = (
    "tests/integration/attacks/test_rows_of_another_region.py"
    "::test_a_query_that_forgets_its_regions_finds_nobody_of_another"
)

SUMS: Final = (
    Mutant(
        "sums-drift",
        "a cycle that is judged anew leaves the sums of its village as they were",
        (
            Change(
                TABLES, "        ('evaluation', 'unsum_families', '{INSERT,UPDATE,DELETE}'),\n", ""
            ),
        ),
        ALIKE,
        COUNTED,
    ),
    Mutant(
        "sums-beside-the-rows",
        "villages that a step does not come to are taken to be summed",
        (
            Change(
                "services/projection/tables/sums.py",
                "            taken = await self._taken(connection)\n",
                "            taken = await self._taken(connection)\n"
                '            await connection.execute("DELETE FROM unsummed")\n',
            ),
        ),
        ALIKE,
        COUNTED,
    ),
    Mutant(
        "villages-of-every-region",
        "a reader of a regency is shown the sums of every village",
        (
            Change(
                TABLES,
                "    shown text := '(SELECT %1$s && ''{*}'')",
                "    shown text := 'true OR (SELECT %1$s && ''{*}'')",
            ),
        ),
        ROWS,
        COUNTED,
    ),
    Mutant(
        "holds-of-every-region",
        "holds and proposals are shown of families that live elsewhere",
        (
            Change(
                "services/projection/migrations/016_work.sql",
                "    WHERE asked_regions() && ('{*}' || holding(region));",
                "    WHERE region IS NOT NULL;",
            ),
        ),
        ROWS,
        COUNTED,
    ),
)
