"""``ffn compare PIPELINE VERSION VERSION``: two versions side by side."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from flows.cli.commands.common import find, print_json, version_number
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    compare = verbs.add_parser(
        "compare",
        parents=parents,
        help="compare two versions side by side, and paired on rows that neither was trained on",
    )
    compare.add_argument("pipeline", metavar="PIPELINE")
    for place in ("first", "second"):
        compare.add_argument(
            place, metavar="VERSION", type=version_number, help=f"number of the {place} version"
        )
    return compare


def run(options: argparse.Namespace) -> int:
    """Compare the two versions and print the result."""
    _, pipeline = find(options)
    from ffn.blas_threads import one_blas_thread
    from ffn.promotion.comparison import compare
    from ffn.promotion.register import jsonable
    from flows.cli.display.comparison_table import print_comparison

    with one_blas_thread():
        found = compare(pipeline, options.first, options.second)
    if options.json:
        print_json({"pipeline": pipeline.name, **jsonable(found)})
    else:
        print_comparison(found)
    return 0
