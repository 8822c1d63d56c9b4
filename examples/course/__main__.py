"""``python -m examples.course``: check the chapters, write what is printed, measure again."""

from __future__ import annotations

import argparse
import os
import sys

# Read by NumPy's library when it is imported: the arrays here are too small for threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> int:
    """Do what the command line says; return 1 if a chapter is found wrong."""
    parser = argparse.ArgumentParser(prog="python -m examples.course", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("check", help="name everything in the chapters that is not so")
    verbs.add_parser("write", help="write outputs, equations and pictures")
    measure = verbs.add_parser("measure", help="repeat the experiments that take longer")
    measure.add_argument("which", nargs="*", metavar="NAME", help="by default all")
    options = parser.parse_args()

    if options.verb == "measure":
        from examples.course.measured import EXPERIMENTS, measure_again

        for name in options.which:
            if name not in EXPERIMENTS:
                measure.error(f"no experiment is called {name}; there are {', '.join(EXPERIMENTS)}")
        measure_again(options.which)
        return 0
    from examples.course.checking import problems
    from examples.course.execution import run_chapter, unstable_lines
    from examples.course.page import chapters
    from examples.course.writing import write_course, wrong_pictures

    if options.verb == "write":
        write_course()
    found: list[str] = []
    for chapter in chapters():
        run = run_chapter(chapter)
        found += problems(chapter, run.printed)
        if options.verb == "check":
            found += wrong_pictures(chapter, run.names)
            found += unstable_lines(chapter, run.printed)
    for line in found:
        sys.stdout.write(f"{line}\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
