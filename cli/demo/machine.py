"""On what a run was made, so that nobody compares seconds of two machines unknowingly."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CPU_INFO: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Machine:
    """Processor, the cores that this process may use, memory in bytes, system, Python."""

    processor: str
    cores: int
    memory_bytes: int
    system: str
    python: str

    @classmethod
    def this(cls) -> Machine:
        """The machine that we are on."""
        return cls(
            next(_models(), platform.processor() or platform.machine()),
            len(os.sched_getaffinity(0)),
            os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            f"{platform.system()} {platform.release()}",
            platform.python_version(),
        )


def _models() -> Iterator[str]:
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                yield value.strip()
