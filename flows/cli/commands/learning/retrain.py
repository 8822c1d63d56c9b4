"""``ffn retrain PIPELINE``: train the candidates, select the best, register it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import AbstractContextManager

from flows.cli.commands.common import count, find, first_stage, print_json
from flows.cli.commands.options.runner_choice import add_addresses, chosen_runner
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    retrain = verbs.add_parser(
        "retrain",
        parents=parents,
        help="train the candidates, select the best and register it as a new version",
    )
    retrain.add_argument("pipeline", metavar="PIPELINE")
    retrain.add_argument(
        "--runner",
        choices=("thread", "process", "dask", "ray"),
        help="train in threads or processes of this machine, or on a cluster (default: as "
        "[runner] says, thread)",
    )
    retrain.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="number of threads or processes (default: one per core)",
    )
    add_addresses(retrain, "train")
    retrain.add_argument(
        "--force",
        action="store_true",
        help="train even if nothing has changed since an existing version",
    )
    retrain.add_argument(
        "--watch",
        action="store_true",
        help="show the networks on the terminal while they learn, instead of progress bars",
    )
    return retrain


def run(options: argparse.Namespace) -> int:
    """Retrain, directly or through Prefect, and print the result."""
    root, pipeline = find(options)
    runner = None if options.direct else chosen_runner(options, pipeline.settings.runner)
    if options.watch:
        from flows.cli.display.watch_screen import watched

        shown: AbstractContextManager[None] = watched(pipeline.artifacts)
    else:
        from flows.cli.display.progress_bars import training_bars

        shown = training_bars(first_stage(options))
    with shown:
        if runner is None:
            from ffn.pipelines import retraining

            outcome = retraining.retrain(pipeline, force=options.force)
        else:
            from ffn.settings.pipeline import reference
            from flows.server import run_flow

            outcome = run_flow.retrain(
                reference(pipeline, root),
                root,
                runner=runner,
                force=options.force,
            )
    if options.json:
        print_json(outcome.to_json())
    else:
        from flows.cli.display.terminal import print_retraining

        print_retraining(outcome)
    return 0
