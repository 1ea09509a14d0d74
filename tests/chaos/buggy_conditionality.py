"""The conditionality service with a bug: it cannot judge the family that a file names.

The file is argv[1]; emptying it is the mended program, without another start.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.conditionality import consumers, main
from services.conditionality.tables.roster import Line
from services.conditionality.workers import judging

NAMED = Path(sys.argv[1])
right = judging.judge


async def judge(unit: Any, policies: Any, lines: Sequence[Line], *more: Any) -> None:
    """As the right one, but for the named family."""
    if named() in {line.family for line in lines}:
        raise ArithmeticError
    await right(unit, policies, lines, *more)


def named() -> str:
    """The family's id; empty once the program is mended."""
    return NAMED.read_text().strip()


if __name__ == "__main__":
    setattr(consumers, "judge", judge)  # noqa: B010  # a bug is no part of the module's interface
    main.SERVICE.run()
