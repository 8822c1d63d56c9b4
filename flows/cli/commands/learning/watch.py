"""``ffn watch PIPELINE``: see networks learn, or how those of a version did."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ffn.errors import RegistryError
from flows.cli.commands.common import find, print_json, version_number
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    watch = verbs.add_parser(
        "watch",
        parents=parents,
        help="show the networks of a running retraining while they learn",
    )
    watch.add_argument("pipeline", metavar="PIPELINE")
    watch.add_argument(
        "--version",
        type=version_number,
        metavar="N",
        help="show how the networks of a finished version learned instead",
    )
    return watch


def run(options: argparse.Namespace) -> int:
    """Show a view once, or again and again on a terminal until the retraining ends."""
    _, pipeline = find(options)
    if options.version is not None:
        from ffn.reproduction.version_view import version_view

        view = version_view(pipeline, options.version)
        if options.json:
            print_json({"pipeline": pipeline.name, "version": options.version, **view.to_json()})
        else:
            from flows.cli.display.watch_screen import print_view

            print_view(view)
        return 0
    from ffn.registry.versions import versions
    from ffn.watching.live_view import running_retraining
    from flows.cli.display.watch_screen import look_once, watch_on

    if running_retraining(pipeline.artifacts) is None:
        there = versions(pipeline.artifacts)
        last = ""
        if there:
            last = (
                f", or see how the last one went: ffn watch {pipeline.name} --version {there[-1]}"
            )
        raise RegistryError(
            f"{pipeline.name}: no retraining is running. Start one in another terminal: "
            f"ffn retrain {pipeline.name}{last}"
        )
    if options.json or not sys.stdout.isatty():
        view = look_once(pipeline.artifacts)
        if options.json:
            print_json({"pipeline": pipeline.name, **view.to_json()})
        else:
            from flows.cli.display.watch_screen import print_view

            print_view(view)
        return 0
    watch_on(pipeline.artifacts)
    return 0
