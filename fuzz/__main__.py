"""``python -m fuzz [--cases N] [--seed S] [--first N]``: try files until one comes out wrong."""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from types import FrameType

from fuzz.containers import made_and_tried
from fuzz.files import make_case
from fuzz.mixed.mixed_trial import mixed_and_tried
from fuzz.trial import try_case

_SECONDS_EACH = 10
_TOLD_EVERY = 50_000
_FAILURES_TOLD = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Try cases; print each that comes out wrong with what makes it again."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    options = parser.parse_args(arguments)
    # CPU time: a machine that is busy with something else is no hang.
    signal.signal(signal.SIGPROF, _too_long)
    started, failures = time.monotonic(), 0
    for number in range(options.first, options.first + options.cases):
        case = make_case(options.seed, number)
        signal.setitimer(signal.ITIMER_PROF, _SECONDS_EACH)
        try:
            wrong = (
                try_case(case)
                or made_and_tried(options.seed, number)
                or mixed_and_tried(options.seed, number)
            )
        except Exception:
            wrong = traceback.format_exc()
        signal.setitimer(signal.ITIMER_PROF, 0)
        if wrong:
            failures += 1
            sys.stdout.write(f"seed {options.seed}, case {number}: {wrong}\n{case}\n\n")
            if failures == _FAILURES_TOLD:
                break
        done = number + 1 - options.first
        if done % _TOLD_EVERY == 0:
            sys.stderr.write(f"{done:,} cases, {time.monotonic() - started:,.0f} s\n")
    done = number + 1 - options.first if options.cases else 0
    sys.stdout.write(f"{done:,} cases of seed {options.seed}, {failures} came out wrong\n")
    return 1 if failures else 0


def _too_long(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {_SECONDS_EACH} CPU seconds")


if __name__ == "__main__":
    sys.exit(main())
