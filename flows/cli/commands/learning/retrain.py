"""``ffn retrain PIPELINE``: train the candidates, select the best, register it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager

from flows.cli.commands.common import (
    VerbParser,
    Verbs,
    count,
    find,
    first_stage,
    print_json,
)

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
        choices=("thread", "process"),
        help="run training tasks in parallel in threads or processes (default: thread)",
    )
    retrain.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="number of threads or processes (default: one per core)",
    )
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
    if options.watch:
        from flows.cli.display.watch_screen import watched

        shown: AbstractContextManager[None] = watched(pipeline.artifacts)
    else:
        from flows.cli.display.progress_bars import training_bars

        shown = training_bars(first_stage(options))
    with shown:
        if options.direct:
            from ffn.pipelines import retraining

            outcome = retraining.retrain(pipeline, force=options.force)
        else:
            from ffn.settings.pipeline import reference
            from flows.server import run_flow

            outcome = run_flow.retrain(
                reference(pipeline, root),
                root,
                runner=options.runner or "thread",
                workers=options.workers or os.cpu_count() or 1,
                force=options.force,
            )
    if options.json:
        print_json(outcome.to_json())
    else:
        from flows.cli.display.terminal import print_retraining

        print_retraining(outcome)
    return 0
