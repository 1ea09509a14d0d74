"""Disks that can lose power, fill up or fail, made of files; they need root and a Linux kernel.

Power is cut as follows: the disk is an image file on a file system that is itself an image. What a
program has written and not flushed is only in the kernel's memory for the inner one; while the
outer one is frozen, the inner image is copied as it lies there. The copy is what a machine would
find after its power came back.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import pytest

from localstack.processes import wait_until

TOOLS: Final = ("mkfs.ext4", "fsfreeze", "mount", "umount")
OUTER_MB: Final = 1_600
INNER_MB: Final = 640
TRACED_S_MAX: Final = 20.0


def needs_disks() -> None:
    """Skip where images cannot be mounted."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing or not Path("/dev/loop-control").exists():
        pytest.skip("needs root, loop devices and " + ", ".join(TOOLS))


def run(*command: str | Path) -> None:
    """Run a tool; what it says is shown when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stderr.strip()}"


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of its own in `directory`; `mount` is where it is."""

    directory: Path

    @property
    def mount(self) -> Path:
        """Where the disk is mounted."""
        return self.directory / "disk"

    @property
    def _outer(self) -> Path:
        return self.directory / "outer"

    @contextlib.contextmanager
    def cut(self) -> Iterator[Path]:
        """Where the disk is mounted as it was when the power went, at the moment of entering."""
        image, found = self.directory / "found.img", self.directory / "found"
        run("fsfreeze", "-f", self._outer)
        try:
            run("cp", "--sparse=always", self._outer / "disk.img", image)
        finally:
            run("fsfreeze", "-u", self._outer)
        with mounted(image, found):
            yield found
        image.unlink()


@contextlib.contextmanager
def disk(directory: Path) -> Iterator[Disk]:
    """A disk whose power can be cut."""
    made = Disk(directory)
    with (
        mounted(formatted(directory / "outer.img", OUTER_MB), directory / "outer"),
        mounted(formatted(directory / "outer" / "disk.img", INNER_MB), made.mount),
    ):
        yield made


def formatted(image: Path, megabytes: int) -> Path:
    """A new, empty file system in a file."""
    with image.open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    run("mkfs.ext4", "-q", "-F", image)
    return image


@contextlib.contextmanager
def mounted(image: Path, at: Path) -> Iterator[None]:
    """An image as a directory."""
    at.mkdir()
    run("mount", "-o", "loop", image, at)
    try:
        yield
    finally:
        run("umount", "--lazy", at)
        at.rmdir()


@contextlib.contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[None]:
    """A disk in memory that is soon full; see `grow`."""
    at.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", at)
    try:
        yield
    finally:
        run("umount", "--lazy", at)
        at.rmdir()


def grow(at: Path, megabytes: int) -> None:
    """Give a small disk more room, as an operator would."""
    run("mount", "-o", f"remount,size={megabytes}m", at)


@contextlib.contextmanager
def failing_flushes(parent: int) -> Iterator[None]:
    """While it lasts, the first flush of a process and of each of its children fails with EIO."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    pids = [parent, *(child.pid for child in psutil.Process(parent).children(recursive=True))]
    fault = "fdatasync,fsync:error=EIO:when=1"
    traced = subprocess.Popen(
        [
            *("strace", "-f", "-qq", "-o", "/dev/null"),
            *("-e", "trace=fdatasync,fsync", "-e", f"inject={fault}"),
            *(argument for pid in pids for argument in ("-p", str(pid))),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: all(_traced(pid) for pid in pids), TRACED_S_MAX), "no strace"
        yield
    finally:
        traced.terminate()
        traced.wait()


def _traced(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()
    return True
