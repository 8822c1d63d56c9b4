"""``ffn rollback PIPELINE``: undo the last promotion that has not been undone yet."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ffn.errors import one_line
from flows.cli.commands.common import export_what_scores, find, print_json
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    rollback = verbs.add_parser(
        "rollback",
        parents=parents,
        help="undo the last promotion; repeated, the one before it",
    )
    rollback.add_argument("pipeline", metavar="PIPELINE")
    rollback.add_argument(
        "--reason", default="by hand", help='reason for the history (default: "%(default)s")'
    )
    return rollback


def run(options: argparse.Namespace) -> int:
    """Move the production pointer back and export the model for notebooks."""
    _, pipeline = find(options)
    from ffn.evaluation.missed_classes import class_warning
    from ffn.promotion.overview import accuracy_and_record
    from ffn.promotion.verdict import all_warnings
    from ffn.registry.pointer import rollback
    from flows.cli.display.terminal import plain_console, print_paths

    entry = rollback(pipeline.artifacts, reason=options.reason)
    export = export_what_scores(pipeline, entry.version)
    warning = all_warnings(pipeline.artifacts, entry.version)
    missed = accuracy_and_record(pipeline.artifacts, entry.version)[1].missed
    if options.json:
        found = {"pipeline": pipeline.name, "export": export and str(export)}
        print_json({**found, **entry.to_json(), "missed": missed, "warning": warning})
        return 0
    console = plain_console(sys.stdout)
    if missed:
        console.print(one_line(class_warning(entry.version, missed)))
    before = f", in place of version {entry.replaced}" if entry.replaced else ""
    console.print(f"{pipeline.name}: version {entry.version} is in production again{before}.")
    if warning:
        console.print(f"Warning: {one_line(warning)}")
    if export:
        print_paths(console, {"for notebooks": export})
    return 0
