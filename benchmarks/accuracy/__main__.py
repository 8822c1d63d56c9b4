"""``python -m benchmarks.accuracy``: a part of the accuracy benchmark, printed and kept.

What it measured is not measured again by ``make benchmark SUITES=accuracy``, which writes the page.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import one_thread

_ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the tables, peers and seeds that are named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--set", choices=("choosing", "reporting"), default="reporting")
    parser.add_argument("--tables", metavar="NAME,…", help="default: all of the set")
    parser.add_argument("--peers", metavar="NAME,…", help="default: all, ours among them")
    parser.add_argument("--seeds", metavar="N,…", default="0,1,2", help="default: 0,1,2")
    parser.add_argument("--hours", type=float, default=2, help="start nothing later (default: 2)")
    parser.add_argument("--jobs", type=int, default=1, help="at a time (default: 1)")
    options = parser.parse_args(arguments)
    # Read by each library when it is imported.
    os.environ.update(one_thread())
    from benchmarks.accuracy.peers import sides_named
    from benchmarks.accuracy.suite import Extent, measure, section_text
    from benchmarks.accuracy.tables.catalogue import CHOOSING, REPORTING, tables_named

    try:
        extent = Extent(
            tables=tables_named(
                _names(options.tables), CHOOSING if options.set == "choosing" else REPORTING
            ),
            sides=sides_named(_names(options.peers)),
            seeds=tuple(int(seed) for seed in options.seeds.split(",")),
            hours=options.hours,
            workers=options.jobs,
        )
    except ValueError as error:
        parser.error(str(error))
    if gone := [side.package for side in extent.sides if not side.installed]:
        parser.error(f"{gone[0]} is not installed; build/accuracy/bin/python has everything")
    board = measure(_ROOT, extent)
    sys.stdout.write(f"{section_text(board, pictured=False)}\n")
    return 0


def _names(text: str | None) -> list[str] | None:
    return None if text is None else text.split(",")


if __name__ == "__main__":
    sys.exit(main())
