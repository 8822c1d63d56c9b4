"""``ffn score PIPELINE [FILE ...]``: label tables with the model in production."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffn.errors import DataError, SettingsError
from flows.cli.commands.common import (
    VerbParser,
    Verbs,
    count,
    delimiter,
    encoding,
    find,
    first_stage,
    print_json,
)

if TYPE_CHECKING:
    from ffn.pipelines.outcomes import ScoreOutcome
    from ffn.scoring.inputs import FileToScore
    from ffn.settings.pipeline import Pipeline

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb."""
    score = verbs.add_parser(
        "score", parents=parents, help="label CSV files with the model in production"
    )
    score.add_argument("pipeline", metavar="PIPELINE")
    score.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        help="a table, a folder of them, a pattern, or - (default: the pipeline's inbox)",
    )
    score.add_argument(
        "--output",
        metavar="PATH",
        help="a file, -, or a folder (default: artifacts/PIPELINE/predictions/)",
    )
    score.add_argument("--probabilities", action="store_true", help="add a column for every class")
    score.add_argument(
        "--only-id", metavar="COLUMN", help="keep this column of the input and no other"
    )
    score.add_argument(
        "--escape-formulas",
        action="store_true",
        help="put an apostrophe before cells that a spreadsheet would run",
    )
    score.add_argument(
        "--on-unknown",
        choices=("score", "reject"),
        help="what to do with rows of a category never seen (default: the pipeline's)",
    )
    score.add_argument(
        "--drift",
        choices=("warn", "hold", "off"),
        help="what to do with a file unlike the training rows (default: the pipeline's)",
    )
    score.add_argument(
        "--max-reject-rate",
        type=float,
        metavar="SHARE",
        help="refuse a file with a larger share of rejected rows (default: the pipeline's)",
    )
    score.add_argument(
        "--delimiter", type=delimiter, help="between fields (default: the pipeline's)"
    )
    score.add_argument(
        "--decimal", choices=(".", ","), help="mark in numbers (default: the pipeline's)"
    )
    score.add_argument(
        "--encoding", type=encoding, help="of the text, such as cp1252 (default: the pipeline's)"
    )
    score.add_argument(
        "--workers",
        type=count,
        default=1,
        metavar="N",
        help="processes: for the parts of one long file, with --direct also for several files "
        "(default: %(default)s)",
    )
    score.add_argument(
        "--force",
        action="store_true",
        help="score also where the files of this input and version are there already",
    )
    score.add_argument(
        "--new",
        action="store_true",
        help="of the inbox, only files that the version in production has not scored",
    )
    return score


def run(options: argparse.Namespace) -> int:
    """Score, directly or through Prefect, and print what became of each file."""
    root, pipeline = find(options)
    if options.new and (options.files or options.output):
        raise SettingsError("--new is for the inbox, without FILE and --output.")
    files = [] if options.new else _files(options, pipeline)
    from flows.cli.display.progress_bars import scoring_bars

    scoring = _options(options, pipeline)
    with scoring_bars(first_stage(options)):
        if options.direct:
            outcome = _score_here(pipeline, files, scoring, new=options.new)
        else:
            from ffn.settings.pipeline import reference
            from flows.server import run_flow

            where = reference(pipeline, root), root
            outcome = (
                run_flow.score_inbox(*where, scoring)
                if options.new
                else run_flow.score(*where, files, scoring)
            )
    if options.json:
        print_json(outcome.to_json())
    else:
        from flows.cli.display.summary import print_scoring

        sent = options.output == "-"
        print_scoring(outcome, sys.stderr if sent else sys.stdout, sent=sent)
    outcome.check()
    if options.output == "-":
        _send(outcome.results[0].output)
    return 0


def _score_here(
    pipeline: Pipeline, files: Sequence[FileToScore], scoring: dict[str, Any], *, new: bool
) -> ScoreOutcome:
    """Score without Prefect: what is new in the inbox, or ``files``."""
    if new:
        from ffn.pipelines.inbox_scoring import score_inbox

        return score_inbox(pipeline, scoring)
    from ffn.pipelines.batch_scoring import score

    return score(pipeline, files, scoring)


def _send(file: Path) -> None:
    """Move a finished output to stdout."""
    try:
        with file.open("rb") as content, os.fdopen(os.dup(1), "wb") as stdout:
            shutil.copyfileobj(content, stdout)
    except BrokenPipeError:
        raise DataError("whoever reads standard output closed it before the end.") from None
    finally:
        file.unlink()


def _options(asked: argparse.Namespace, pipeline: Pipeline) -> dict[str, Any]:
    from ffn.pipelines.batch_scoring import options_for

    names = (
        "probabilities only_id escape_formulas on_unknown drift max_reject_rate "
        "delimiter decimal encoding workers"
    )
    return options_for(
        pipeline,
        **{name: getattr(asked, name) for name in names.split()},
        # What is sent to stdout is not kept.
        force=asked.force or asked.output == "-",
    )


def _files(asked: argparse.Namespace, pipeline: Pipeline) -> list[FileToScore]:
    from ffn.scoring.inputs import files_to_score
    from ffn.storage.source import STDIN

    files = [STDIN if file == "-" else Path(file) for file in asked.files]
    if asked.output != "-":
        return files_to_score(pipeline, files, asked.output)
    # The rejects and the manifest stay there.
    found = files_to_score(pipeline, files, f"{pipeline.predictions / 'stdout'}/")
    if len(found) > 1:
        raise SettingsError(f"--output - is for a single FILE; {len(found):,} were given.")
    return found
