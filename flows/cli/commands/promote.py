"""``ffn promote PIPELINE VERSION``: put a version into production, whatever the gate decided."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ffn.errors import one_line
from flows.cli.commands.common import export_what_scores, find, print_json, version_number
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    promote = verbs.add_parser(
        "promote",
        parents=parents,
        help="put a version into production, whatever the gate decided",
    )
    promote.add_argument("pipeline", metavar="PIPELINE")
    promote.add_argument(
        "version", metavar="VERSION", type=version_number, help="its number, such as 3"
    )
    promote.add_argument(
        "--reason", default="by hand", help='reason for the history (default: "%(default)s")'
    )
    promote.add_argument(
        "--sign",
        action="store_true",
        help="first sign its bundle with FFN_SIGNING_KEY, replacing any older signature",
    )
    return promote


def run(options: argparse.Namespace) -> int:
    """Check the version, move the production pointer, and export the model for notebooks."""
    _, pipeline = find(options)
    from ffn.bundles.contents import sign_version
    from ffn.evaluation.missed_classes import class_warning
    from ffn.promotion.overview import accuracy_and_record
    from ffn.promotion.verdict import all_warnings
    from ffn.registry.pointer import promote
    from ffn.registry.production import read_pointer
    from ffn.registry.versions import require_version
    from flows.cli.display.terminal import plain_console, print_paths

    artifacts, version = pipeline.artifacts, options.version
    if options.sign:
        sign_version(require_version(artifacts, version), pipeline=pipeline.name, version=version)
    before = read_pointer(artifacts).promotion
    entry = promote(artifacts, version, reason=options.reason)
    export = export_what_scores(pipeline, version)
    changed, warning = entry != before, all_warnings(artifacts, version)
    missed = accuracy_and_record(artifacts, version)[1].missed
    if options.json:
        found = {"pipeline": pipeline.name, "changed": changed, "export": export and str(export)}
        told = {"missed": missed, "warning": warning}
        print_json({**found, **(entry.to_json() if entry else {}), **told})
        return 0
    console = plain_console(sys.stdout)
    if missed:
        console.print(one_line(class_warning(version, missed)))
    was = f"version {before.version} was before" if before else "none was before"
    console.print(
        f"{pipeline.name}: version {version} is in production now; {was}."
        if changed
        else f"{pipeline.name}: version {version} is in production already; nothing changed."
    )
    if warning:
        console.print(f"Warning: {one_line(warning)}")
    if export:
        print_paths(console, {"for notebooks": export})
    return 0
