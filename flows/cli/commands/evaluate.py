"""``ffn evaluate PIPELINE [FILE ...]``: compare predictions with labels that came later."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ffn.errors import SettingsError
from flows.cli.commands.common import find, first_stage, print_checked, version_number
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

if TYPE_CHECKING:
    from ffn.monitoring.evaluate_outcome import EvaluateOutcome
    from ffn.settings.pipeline import Pipeline

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    evaluate = verbs.add_parser(
        "evaluate", parents=parents, help="compare predictions with labels that came later"
    )
    evaluate.add_argument("pipeline", metavar="PIPELINE")
    evaluate.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        default=[],
        help="a table with labels: with ids, or with all features if the settings name no id "
        "column (default: none; what is known is shown)",
    )
    evaluate.add_argument(
        "--version",
        type=version_number,
        metavar="N",
        help="the version to evaluate a table with all features with (default: production)",
    )
    evaluate.add_argument(
        "--new",
        action="store_true",
        help="take up the new files in the pipeline's outcomes folder",
    )
    return evaluate


def run(options: argparse.Namespace) -> int:
    """Take up the labels, directly or through Prefect, and print realised beside promised."""
    root, pipeline = find(options)
    if options.new and (options.files or options.version):
        raise SettingsError("--new is for the outcomes folder, without FILE and --version.")
    from flows.cli.display.progress_bars import scoring_bars

    with scoring_bars(first_stage(options)):
        if options.direct:
            outcome = _evaluate_here(pipeline, options)
        else:
            from ffn.object_stores.object_address import file_path
            from ffn.settings.pipeline import reference
            from flows.server import run_flow

            files = None if options.new else [file_path(file).absolute() for file in options.files]
            outcome = run_flow.evaluate_outcomes(
                reference(pipeline, root), root, files, options.version
            )
    if options.json:
        return print_checked(outcome.to_json(), outcome.check)
    from flows.cli.display.outcome_summary import print_evaluation

    print_evaluation(outcome)
    outcome.check()
    return 0


def _evaluate_here(pipeline: Pipeline, options: argparse.Namespace) -> EvaluateOutcome:
    from ffn.object_stores.object_address import file_path
    from ffn.pipelines.outcome_evaluation import evaluate_folder, evaluate_labels

    if options.new:
        return evaluate_folder(pipeline)
    return evaluate_labels(pipeline, [file_path(file) for file in options.files], options.version)
