"""``python -m benchmarks``: measure, check, print, and write the page's table and picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.commands import Timed, time_retraining
from benchmarks.contestants import contests, iris_rows
from benchmarks.machine import describe_machine
from benchmarks.pairs import Measured, check_accuracies, measure
from benchmarks.results import results_markdown, with_results
from ffn.files import write_bytes

_HERE = Path(__file__).parent
_ROOT = _HERE.parent
_LEAST_ACCURACY = 0.9


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all comparisons; ``--quick`` runs the same code for a look, and writes nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--pairs", type=int, default=15, help="runs a side (default: %(default)s)")
    parser.add_argument(
        "--quick", action="store_true", help="two pairs of five epochs, no server; writes nothing"
    )
    options = parser.parse_args(arguments)
    if options.pairs < 2:
        parser.error("--pairs must be 2 or more: the spread is part of the result")
    measured, timed = _quick() if options.quick else _full(options.pairs)
    results = results_markdown(measured, timed, describe_machine())
    sys.stdout.write(results + "\n")
    if not options.quick:
        from benchmarks.picture import picture

        page = _HERE / "README.md"
        write_bytes(_HERE / "iris.png", picture(measured))
        write_bytes(page, with_results(page.read_text("utf-8"), results).encode())
    return 0


def _quick() -> tuple[list[Measured], list[Timed]]:
    """Run everything too shortly for a figure to mean anything."""
    found = [measure(contest, 2) for contest in contests(iris_rows(_ROOT), epochs=5)]
    return found, [time_retraining(_ROOT, 1, direct=True)]


def _full(pairs: int) -> tuple[list[Measured], list[Timed]]:
    rows = iris_rows(_ROOT)
    measured = []
    for contest in contests(rows, epochs=150):
        sys.stderr.write(f"{contest.name}, {contest.optimizer}\n")
        measured.append(measure(contest, pairs))
        check_accuracies(measured[-1], rows=len(rows.held_out), least=_LEAST_ACCURACY)
    sys.stderr.write("whole commands\n")
    return measured, [time_retraining(_ROOT, 5, direct=direct) for direct in (True, False)]


if __name__ == "__main__":
    sys.exit(main())
