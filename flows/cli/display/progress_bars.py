"""Progress bars on the terminal.

The library that draws them is imported only if there is a terminal, because importing it takes
longer than scoring a few rows.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ffn.errors import one_line
from ffn.pipelines.progress import listening

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ffn.racing.standings import Standing

__all__ = ["scoring_bars", "training_bars"]


def training_bars(starting: str) -> contextlib.AbstractContextManager[None]:
    """Show the current stage and a bar for each training while the block runs.

    Nothing is shown if there is no terminal.

    Parameters
    ----------
    starting
        Text of the first stage.
    """
    return _bars(starting, lambda done, total: f"{done:,}/{total:,} epochs", stay=True)


def scoring_bars(starting: str) -> contextlib.AbstractContextManager[None]:
    """Show the current stage and a bar for each file while the block runs.

    Nothing is shown if there is no terminal.

    Parameters
    ----------
    starting
        Text of the first stage.
    """
    return _bars(starting, lambda done, total: f"{done / total:.0%}", stay=False)


@contextlib.contextmanager
def _bars(starting: str, count: Callable[[int, int], str], *, stay: bool) -> Iterator[None]:
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[count]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=not stay) as progress:
        bars = _Bars(progress, starting, count, stay=stay)
        with listening(bars):
            yield
        bars.finish()


class _Bars:
    """A ``Listener`` with a line for the run, and one for each training or file."""

    def __init__(
        self, progress: Progress, starting: str, count: Callable[[int, int], str], *, stay: bool
    ) -> None:
        self._progress = progress
        self._run = progress.add_task(starting, total=None, count="")
        self._count = count
        self._stay = stay
        self._leaders: TaskID | None = None
        self._known: dict[str, TaskID] = {}

    def stage(self, text: str) -> None:
        self._progress.update(self._run, description=one_line(text))

    def notice(self, text: str) -> None:
        self._progress.console.print(f"Note: {one_line(text)}.", markup=False, highlight=False)

    def step(self, label: str, done: int, total: int, note: str) -> None:
        if label not in self._known:
            shown = one_line(label)
            self._known[label] = self._progress.add_task(shown, total=total or None, count="")
        counts = (self._count(done, total) if total else "", note)
        self._progress.update(
            self._known[label],
            completed=done,
            count=", ".join(filter(None, counts)),
            visible=self._stay or done < total or not total,
        )

    def leaders(self, standings: Sequence[Standing]) -> None:
        # Scoring shows bars, too, and has no candidates.
        from ffn.racing.standings import standings_in_words

        if self._leaders is None:
            self._leaders = self._progress.add_task("", total=None, count="")
        self._progress.update(self._leaders, description=one_line(standings_in_words(standings)))

    def finish(self) -> None:
        """Remove the lines of stage and leaders; the bars of finished trainings or files stay."""
        self._progress.update(self._run, visible=False)
        if self._leaders is not None:
            self._progress.update(self._leaders, visible=False)
