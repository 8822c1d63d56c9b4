"""``ffn prune PIPELINE --keep N``: delete old versions."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from flows.cli.commands.common import count, find, print_json
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    prune = verbs.add_parser(
        "prune",
        parents=parents,
        help="delete old versions, but never the one in production or its predecessor",
    )
    prune.add_argument("pipeline", metavar="PIPELINE")
    prune.add_argument(
        "--keep", type=count, required=True, metavar="N", help="number of newest versions to keep"
    )
    prune.add_argument("--dry-run", action="store_true", help="only print what would be deleted")
    return prune


def run(options: argparse.Namespace) -> int:
    """Delete old versions and print which."""
    _, pipeline = find(options)
    from ffn.quantities import counted, size
    from ffn.registry.pruning import prune
    from flows.cli.display.terminal import plain_console

    found = prune(pipeline.artifacts, keep=options.keep, dry_run=options.dry_run)
    if options.json:
        counts = {"removed": list(found.removed), "kept": list(found.kept)}
        more = {
            "protected": list(found.protected),
            "training_tables": found.tables,
            "bytes": found.bytes,
        }
        print_json({"pipeline": pipeline.name, "dry_run": options.dry_run, **counts, **more})
        return 0
    console = plain_console(sys.stdout)
    done = "would remove" if options.dry_run else "removed"
    parts = [f"versions {_listed(found.removed)}"] if found.removed else []
    parts += [counted(found.tables, "training table")] if found.tables else []
    removed = " and ".join(parts) or "nothing"
    console.print(
        f"{pipeline.name}: {done} {removed} ({size(found.bytes)}); {len(found.kept)} kept."
    )
    if found.protected:
        console.print(
            f"Older, and kept: {_listed(found.protected)}, in production or next to roll back to."
        )
    return 0


def _listed(numbers: Sequence[int]) -> str:
    """Return ``1-3, 5``: runs of numbers by their ends."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)
