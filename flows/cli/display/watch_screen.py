"""A view of trainings on the terminal, drawn again while they go on."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from rich.live import Live
from rich.text import Text

from ffn.registry.live_runs import LiveRun
from ffn.watching.live_view import LiveView, running_retraining
from ffn.watching.publication import watching
from ffn.watching.view import View
from ffn.watching.watch_page import page_lines, plain_text
from flows.cli.display.terminal import plain_console

__all__ = ["look_once", "print_view", "watch_on", "watched"]

_SECONDS_BETWEEN = 0.25
# Longer than a training takes to notice that somebody watches, unless its epochs are long.
_PATIENCE = 10.0
_NARROWEST = 80


def print_view(view: View) -> None:
    """Print a view once, in colour if standard output is a terminal.

    Parameters
    ----------
    view
        What to show.
    """
    if not sys.stdout.isatty():
        sys.stdout.write(plain_text(page_lines(view)))
        return
    console = plain_console(sys.stdout)
    console.print(_text(view, console.width), soft_wrap=True)


def look_once(artifacts: Path) -> View:
    """Return the view of a running retraining, as soon as there is one; else what is known.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """
    live, end = LiveView(artifacts), time.monotonic() + _PATIENCE
    with watching(artifacts):
        while True:
            run = running_retraining(artifacts)
            view = live.read(_title(artifacts, run))
            if view is not None:
                return view
            if run is None or time.monotonic() > end:
                return _nothing_yet(artifacts, run)
            time.sleep(_SECONDS_BETWEEN)


def watch_on(artifacts: Path) -> None:
    """Show a running retraining until it ends or the user presses Ctrl-C, which ends only this.

    The last picture stays on the terminal.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """
    # As from a pager: to leave is no failure, and nothing is said of finished work.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        _draw(artifacts, sys.stdout, lambda: running_retraining(artifacts) is None)


@contextlib.contextmanager
def watched(artifacts: Path) -> Iterator[None]:
    """Show the retraining of the block on standard error; nothing if that is no terminal.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """
    if not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()
    # Where it cannot be watched, as on a full disk, it is retrained all the same.
    thread = threading.Thread(target=_draw_beside, args=(artifacts, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _draw_beside(artifacts: Path, ended: threading.Event) -> None:
    # The first retraining makes the folder once it has begun; a refused one leaves none.
    while not artifacts.is_dir():
        if ended.wait(_SECONDS_BETWEEN):
            return
    with contextlib.suppress(OSError):
        _draw(artifacts, sys.stderr, ended.is_set)


def _draw(artifacts: Path, file: TextIO, ended: Callable[[], bool]) -> None:
    """Draw again and again until the retraining has ended; the last picture stays."""
    console, live = plain_console(file), LiveView(artifacts)
    view = _nothing_yet(artifacts, running_retraining(artifacts))
    with (
        watching(artifacts),
        Live(
            _text(view, console.width),
            console=console,
            auto_refresh=False,
            redirect_stderr=False,
            redirect_stdout=False,
            vertical_overflow="crop",
        ) as screen,
    ):
        while not ended():
            run = running_retraining(artifacts)
            # Between two trainings the last picture is more than none.
            view = live.read(_title(artifacts, run)) or view
            screen.update(_text(view, console.width), refresh=True)
            time.sleep(_SECONDS_BETWEEN)
        # What it published is gone; the last picture is not.
        view = replace(view, title=f"{artifacts.name}: the retraining has ended")
        screen.update(_text(view, console.width), refresh=True)


def _title(artifacts: Path, run: LiveRun | None) -> str:
    begun = run.begun[11:19] if run else ""
    return f"{artifacts.name}: retraining{f', begun {begun} UTC' if begun else ''}"


def _nothing_yet(artifacts: Path, run: LiveRun | None) -> View:
    note = "no network is in training at this moment" if run else "the retraining has ended"
    return View(title=_title(artifacts, run), notes=[note])


def _text(view: View, width: int) -> Text:
    text = Text(no_wrap=True, overflow="crop")
    for number, line in enumerate(page_lines(view, max(width, _NARROWEST))):
        if number:
            text.append("\n")
        for piece, style in line:
            text.append(piece, style=style or None)
    return text
