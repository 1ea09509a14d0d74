"""The screen while a year runs: bars that move, and a line for what is worth saying."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that takes a while."""

    progress: Progress
    task: TaskID

    def show(self, done: float, text: str, total: float | None) -> None:
        """Set how much is done of how much, and say something about it."""
        self.progress.update(self.task, completed=done, text=text, total=total)

    def finish(self, text: str | None = None) -> None:
        """All of it is done; its clock stops. What was said last stays unless something is told."""
        task = self.progress.tasks[self.progress.task_ids.index(self.task)]
        total, text = task.total or 1, task.fields["text"] if text is None else text
        self.progress.update(self.task, total=total, completed=total, text=text)


class Screen:
    """The live display of a run, as a context; what it shows stays when it ends."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=23)),
            BarColumn(bar_width=12),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[text]}", table_column=Column(ratio=1)),
            console=console,
            expand=True,
            auto_refresh=console.is_terminal,  # elsewhere only the last look is shown
        )

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.stop()

    def say(self, text: str) -> None:
        """A line above the bars."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def bar(self, what: str, total: float | None = None) -> Bar:
        """A new bar; without a total it only shows that something is going on."""
        return Bar(self.progress, self.progress.add_task(what, total=total, text=""))

    def file(self, name: str, size: int) -> Bar:
        """A bar for a file of `size` bytes."""
        return self.bar(name, max(size, 1))
