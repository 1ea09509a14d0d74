"""The containers of one compose file: brought up, asked, killed and removed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

COMMAND_S_MAX: Final = 600
MEMORY: Final = (
    "memory/docker/{}/memory.max_usage_in_bytes",
    "system.slice/docker-{}.scope/memory.peak",
)
GROUPS: Final = Path("/sys/fs/cgroup")


class Failed(Exception):
    """Something is not as it should be; the text says what."""


class Compose:
    """A compose file in a directory, by the environment that chooses files and names."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory, self.environment = directory, environment

    def run(self, *arguments: str, check: bool = True) -> str:
        """The output of `docker compose`. Raises `Failed` with the end of it."""
        return self._said("docker", "compose", *arguments, check=check)

    def running(self) -> list[str]:
        """The services that run, in any order."""
        names = self.run("ps", "--services", "--status", "running").split()
        random.Random(len(names)).shuffle(names)
        return names

    def kill(self, name: str) -> bool:
        """Kill the first process of a container, as the kernel does when memory runs out.

        `docker kill` would not do: the engine takes it for somebody's wish and leaves the container
        down. False where it was not running.
        """
        held = self.run("ps", "--all", "--quiet", name).split()
        pid = int(self._said("docker", "inspect", "-f", "{{.State.Pid}}", held[0])) if held else 0
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(pid)

    def port(self, name: str, inner: int) -> str:
        """Where a published port of a service answers."""
        return self.run("port", name, str(inner)).strip()

    def peaks(self) -> str:
        """The most memory that each container has had since it began, in MiB."""
        found = []
        for line in self.run("ps", "--no-trunc", "--format", "{{.ID}} {{.Service}}").splitlines():
            held, _, name = line.partition(" ")
            for place in MEMORY:
                with suppress(OSError):
                    found.append(f"{name} {int((GROUPS / place.format(held)).read_text()) >> 20}")
        return "memory at most, MiB: " + ", ".join(sorted(found))

    def remove(self) -> str:
        """Remove everything, the volumes too."""
        profiles = ("--profile", "watch", "--profile", "tools")
        return self.run(*profiles, "down", "--volumes", "--remove-orphans", check=False)

    def _said(self, *command: str, check: bool = True) -> str:
        done = subprocess.run(
            command,
            cwd=self.directory,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_S_MAX,
            check=False,
        )
        if check and done.returncode:
            raise Failed(
                f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}"
            )
        return done.stdout
