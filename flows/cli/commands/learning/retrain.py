"""``ffn retrain PIPELINE``: train the candidates, select the best, register it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

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
    return retrain


def run(options: argparse.Namespace) -> int:
    """Retrain, directly or through Prefect, and print the result."""
    root, pipeline = find(options)
    from flows.cli.display.progress_bars import training_bars

    with training_bars(first_stage(options)):
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
