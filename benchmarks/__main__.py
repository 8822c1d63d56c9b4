"""``python -m benchmarks [SUITE ...]``: measure, check, print, and write the page's tables."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.machine import one_thread
from benchmarks.section import with_section
from ffn.storage.atomic import write_bytes

_HERE = Path(__file__).parent
_ROOT = _HERE.parent

SUITES = {
    "training": "benchmarks.training.suite",
    "growth": "benchmarks.growth.suite",
    "scoring": "benchmarks.scoring.suite",
    "accuracy": "benchmarks.accuracy.suite",
    "estimates": "benchmarks.estimates",
    "scale": "benchmarks.scale.suite",
}
"""Modules with ``FULL``, ``QUICK``, ``missing`` and ``run``; each has its section of the page."""

# Each has an environment of its own.
_ONLY_IF_NAMED = {"accuracy", "scale"}
# Whole retrainings, and whole clusters, which have no quick form.
_NOT_QUICK = {"estimates", "scale"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites named, by default those of speed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "suites",
        nargs="*",
        metavar="SUITE",
        help=f"of {', '.join(SUITES)}; default: all but accuracy and scale",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="the same code in seconds, with those peers that are installed; writes nothing",
    )
    parser.add_argument(
        "--hours",
        type=float,
        help="time for accuracy (default: 2); 0 writes its page of what earlier runs kept",
    )
    options = parser.parse_args(arguments)
    if options.hours is not None and options.suites != ["accuracy"]:
        parser.error("--hours is for the suite accuracy alone")
    left_out = _NOT_QUICK if options.quick else _ONLY_IF_NAMED
    names = options.suites or [name for name in SUITES if name not in left_out]
    if unknown := [name for name in names if name not in SUITES]:
        parser.error(f'there is no suite "{unknown[0]}"; there are {", ".join(SUITES)}')
    # Read by each library when it is imported, hence before any suite is.
    os.environ.update(one_thread())
    for name in names:
        suite = importlib.import_module(SUITES[name])
        if not options.quick and (gone := suite.missing()):
            sys.stderr.write(
                f"benchmarks {name}: {', '.join(gone)} not installed. `make benchmark` makes an "
                "environment that has everything; --quick runs without.\n"
            )
            return 1
        extent = suite.QUICK if options.quick else suite.FULL
        if options.hours is not None:
            extent = replace(extent, hours=options.hours)
        section = suite.run(_ROOT, extent)
        sys.stdout.write(f"{section.text}\n")
        if not options.quick:
            page = _HERE / "README.md"
            text = with_section(page.read_text("utf-8"), name, section.text)
            for file, content in section.pictures.items():
                write_bytes(_HERE / file, content)
            for path, content in section.files.items():
                write_bytes(_ROOT / path, content)
            write_bytes(page, text.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
