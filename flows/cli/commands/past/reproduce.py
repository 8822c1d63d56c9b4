"""``ffn reproduce PIPELINE VERSION``: make a version again, and say whether it is the same."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from flows.cli.commands.common import find, print_json, version_number
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    reproduce = verbs.add_parser(
        "reproduce",
        parents=parents,
        help="make a version again from its data and settings, and say what differs",
    )
    reproduce.add_argument("pipeline", metavar="PIPELINE")
    reproduce.add_argument(
        "version", metavar="VERSION", type=version_number, help="its number, such as 3"
    )
    return reproduce


def run(options: argparse.Namespace) -> int:
    """Make the version again; return 0 for the same digest, 1 for anything else."""
    root, pipeline = find(options)
    from ffn.reproduction.outcome import reproduction_lines
    from ffn.reproduction.reproduce import reproduce
    from flows.cli.display.progress_bars import training_bars
    from flows.server.run_flow import read_secrets_as_needed

    read_secrets_as_needed(root)
    with training_bars("reading the data"):
        found = reproduce(pipeline, options.version)
    if options.json:
        print_json(found.to_json())
    else:
        print("\n".join(reproduction_lines(found)))  # noqa: T201
    return 0 if found.same else 1
