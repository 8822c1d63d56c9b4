"""``ffn models PIPELINE [VERSION]``: list all versions, or show one in detail."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from flows.cli.commands.common import find, print_json, version_number
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    models = verbs.add_parser(
        "models", parents=parents, help="list the versions, or show one with its provenance"
    )
    models.add_argument("pipeline", metavar="PIPELINE")
    models.add_argument(
        "version",
        metavar="VERSION",
        nargs="?",
        type=version_number,
        help="the version to show (default: list all)",
    )
    return models


def run(options: argparse.Namespace) -> int:
    """Print the list of versions, or one version."""
    _, pipeline = find(options)
    from ffn.lineage.kept_data import kept_tables
    from ffn.promotion.overview import describe_version, summaries
    from ffn.promotion.register import jsonable
    from flows.cli.display.version_tables import print_detail, print_versions

    if options.version is not None:
        one = describe_version(pipeline.artifacts, options.version)
        if options.json:
            print_json({"pipeline": pipeline.name, **jsonable(one)})
        else:
            print_detail(pipeline.name, one)
        return 0
    found, tables = summaries(pipeline.artifacts), kept_tables(pipeline.artifacts)
    if options.json:
        scoring = next((one.version for one in found if one.production), None)
        listed = {
            "production": scoring,
            "versions": jsonable(found),
            "training_tables": jsonable(tables),
        }
        print_json({"pipeline": pipeline.name, **listed})
    else:
        print_versions(pipeline.name, found, tables)
    return 0
