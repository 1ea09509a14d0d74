"""Errors of commands, each as one sentence for the person who gave it."""

from __future__ import annotations


class Failed(Exception):
    """The command cannot go on; its text says in a sentence why. It ends with exit code 2."""
