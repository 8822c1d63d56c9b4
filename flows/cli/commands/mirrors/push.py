"""``ffn push PIPELINE ADDRESS``: copy the version in production to a bucket."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from flows.cli.commands.common import find, print_json
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    push = verbs.add_parser(
        "push",
        parents=parents,
        help="copy the version in production to a bucket, from which other machines load it",
    )
    push.add_argument("pipeline", metavar="PIPELINE")
    push.add_argument(
        "address", metavar="ADDRESS", help="a folder in a bucket, such as s3://bucket/models/iris"
    )
    return push


def run(options: argparse.Namespace) -> int:
    """Push, and print what is in production there."""
    _, pipeline = find(options)
    from ffn.mirroring.pushing import push

    done = push(pipeline.artifacts, options.address)
    if options.json:
        print_json({"pipeline": pipeline.name, **done.to_json()})
        return 0
    print(f"{pipeline.name}: {done.sentence()}")  # noqa: T201
    return 0
