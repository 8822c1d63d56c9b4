"""How long the reasons of rows will take, before they are computed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ffn.attribution.shapley_rows import Explainer
from ffn.errors import FFNError
from ffn.object_stores.object_address import ObjectAddress
from ffn.quantities import seconds as in_seconds
from ffn.storage.compression import compression_of

__all__ = ["explaining_sentence", "rows_about", "seconds_a_row"]

# Rows that are explained to measure the time, and bytes from which the length of rows follows.
_ROWS, _SAMPLE = 2, 2**18
_PARQUET = b"PAR1"
# A shorter run needs no announcement.
_LONG = 60.0
# Nor rows of which a minute explains a million.
_LEAST = _LONG / 1_000_000


def explaining_sentence(
    model: Any,
    files: Iterable[Path],
    workers: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> str:
    """Return how long the reasons of all rows will take; empty if less than a minute.

    Where the number of rows is unknown before they are read, it is said how many take a minute.

    Parameters
    ----------
    model
        The model, as `Explainer` takes it.
    files
        The tables that will be scored.
    workers
        Processes among which the rows are divided. The default is this one alone.
    clock
        As for `seconds_a_row`.
    """
    counts = [rows_about(file) for file in files]
    known = [count for count in counts if count is not None]
    try:
        each = seconds_a_row(Explainer(model), clock) / workers
    except FFNError:
        # What is wrong is said of each file when it is scored.
        return ""
    if each * sum(known) >= _LONG:
        # Imported here, because it needs what trains, and a minute is longer than that takes.
        from ffn.durations.retraining_time import duration_text

        least = "at least" if len(known) < len(counts) else "about"
        rows = float(f"{sum(known):.2g}")
        return (
            f"the reasons of about {rows:,.0f} rows will take {least} "
            f"{duration_text(each * sum(known))} ({in_seconds(each)} s a row)"
        )
    if len(known) < len(counts) and each >= _LEAST:
        pace = f"{_LONG / each:,.0f} rows a minute"
        return f"reasons take about {in_seconds(each)} s a row, which is {pace}"
    return ""


def rows_about(file: Path) -> int | None:
    """Return about how many rows a CSV file has, from its size and its first lines.

    Parameters
    ----------
    file
        The file. None is returned for what is no CSV file, for compressed ones, pipes and folders.
    """
    if isinstance(file, ObjectAddress) or not file.is_file() or compression_of(file.name):
        return None
    try:
        with file.open("rb") as content:
            some = content.read(_SAMPLE)
    except OSError:
        return None
    lines = some.count(b"\n") or some.count(b"\r")
    if some.startswith(_PARQUET) or not lines:
        return None
    # Without the header.
    return max(round(lines * file.stat().st_size / len(some)) - 1, 0)


def seconds_a_row(explainer: Explainer, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the time that a row takes of which all columns differ from the reference row.

    Parameters
    ----------
    explainer
        Of the model.
    clock
        Returns a time in seconds. By default that of a clock on the wall: whoever waits for a
        scoring waits beside everything else that the machine does.
    """
    rows = explainer.unlike_the_reference(_ROWS)
    labels = np.zeros(_ROWS, dtype=np.intp)
    # The first row also draws the coalitions.
    explainer.explain(rows[:1], labels[:1])
    started = clock()
    explainer.explain(rows, labels)
    return (clock() - started) / _ROWS
