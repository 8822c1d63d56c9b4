"""``ffn status [PIPELINE ...]``: show the status of pipelines, without Prefect."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ffn.errors import SettingsError
from flows.cli.commands.common import of_each, print_json, root_folder
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    status = verbs.add_parser(
        "status",
        parents=parents,
        help="show the status of pipelines: production, last runs, inbox, drift",
    )
    status.add_argument(
        "pipelines", metavar="PIPELINE", nargs="*", help="(default: all under data/)"
    )
    return status


def run(options: argparse.Namespace) -> int:
    """Print the status of each pipeline; return 1 if one of them cannot be read."""
    from ffn.reports.status_page import read_status, status_lines
    from ffn.settings.pipeline import pipeline_names

    root = root_folder(options)
    names = options.pipelines or pipeline_names(root)
    if not names:
        raise SettingsError(f"{root / 'data'} has no pipeline. Make one with: ffn init")
    found, troubles = of_each(names, root, read_status)
    if options.json:
        failed = [{"pipeline": name, "problem": text} for name, text in troubles.items()]
        print_json([*(status.to_json() for status in found.values()), *failed])
    elif found:
        print("\n\n".join("\n".join(status_lines(one)) for one in found.values()))  # noqa: T201
    return 1 if troubles else 0
