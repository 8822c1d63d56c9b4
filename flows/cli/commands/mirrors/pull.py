"""``ffn pull PIPELINE ADDRESS``: put what is in production in a bucket into production here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from flows.cli.commands.common import find, print_json
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    pull = verbs.add_parser(
        "pull",
        parents=parents,
        help="put what is in production in a bucket into production here",
    )
    pull.add_argument("pipeline", metavar="PIPELINE")
    pull.add_argument(
        "address", metavar="ADDRESS", help="a folder in a bucket, such as s3://bucket/models/iris"
    )
    return pull


def run(options: argparse.Namespace) -> int:
    """Pull, and print what is in production here."""
    _, pipeline = find(options)
    from ffn.mirroring.pulling import pull

    done = pull(pipeline.artifacts, options.address)
    if options.json:
        print_json({"pipeline": pipeline.name, **done.to_json()})
        return 0
    print(f"{pipeline.name}: {done.sentence()}")  # noqa: T201
    return 0
