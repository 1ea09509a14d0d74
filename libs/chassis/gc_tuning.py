"""Garbage collection of a long-lived process: fewer, larger collections."""

from __future__ import annotations

import gc
from typing import Final

GARBAGE_OBJECTS: Final = 20_000
"""New objects before the collector looks for cycles. A batch makes some ten thousand that live
until its commit and hold no cycle; by the default of 700 they are searched again and again."""


def settle() -> None:
    """Freeze what is loaded by now, and collect garbage in larger steps."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, 20, 20)
