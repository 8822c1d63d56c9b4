"""``ffn score PIPELINE [FILE ...]``: label tables with the model in production."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffn.errors import DataError, SettingsError, UnknownCategoryWarning
from flows.cli.commands.common import (
    VerbParser,
    Verbs,
    count,
    delimiter,
    encoding,
    find,
    first_stage,
    print_json,
    real_path,
)

if TYPE_CHECKING:
    from ffn.settings.pipeline import Pipeline

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb."""
    score = verbs.add_parser(
        "score", parents=parents, help="label CSV and Parquet files with the model in production"
    )
    score.add_argument("pipeline", metavar="PIPELINE")
    score.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        help="a table, a folder of tables, a pattern, or - for stdin (default: the inbox)",
    )
    score.add_argument(
        "--output",
        metavar="PATH",
        help="a file, a folder, or - for stdout (default: artifacts/PIPELINE/predictions/)",
    )
    score.add_argument(
        "--probabilities", action="store_true", help="add a probability column per class"
    )
    score.add_argument("--only-id", metavar="COLUMN", help="keep only this column of the input")
    score.add_argument(
        "--escape-formulas",
        action="store_true",
        help="prefix cells that a spreadsheet would execute with an apostrophe",
    )
    score.add_argument(
        "--on-unknown",
        choices=("score", "reject"),
        help="how to treat categories not seen in training (default: from pipeline.toml)",
    )
    score.add_argument(
        "--drift",
        choices=("warn", "hold", "off"),
        help="how to treat a file unlike the training rows (default: from pipeline.toml)",
    )
    score.add_argument(
        "--max-reject-rate",
        type=float,
        metavar="SHARE",
        help="refuse a file with a larger share of rejected rows (default: from pipeline.toml)",
    )
    score.add_argument(
        "--delimiter", type=delimiter, help="field separator (default: from pipeline.toml)"
    )
    score.add_argument(
        "--decimal", choices=(".", ","), help="decimal separator (default: from pipeline.toml)"
    )
    score.add_argument(
        "--encoding",
        type=encoding,
        help="text encoding, such as cp1252 (default: from pipeline.toml)",
    )
    score.add_argument(
        "--workers",
        type=count,
        default=1,
        metavar="N",
        help="number of processes for one long file, with --direct also for several files "
        "(default: %(default)s)",
    )
    score.add_argument(
        "--force",
        action="store_true",
        help="score even if the output for this input and version already exists",
    )
    score.add_argument(
        "--new",
        action="store_true",
        help="score only files in the inbox that the version in production has not scored yet",
    )
    return score


def run(options: argparse.Namespace) -> int:
    """Score, directly or through Prefect, and print the result of each file."""
    # Printed with the results instead.
    warnings.simplefilter("ignore", UnknownCategoryWarning)
    root, pipeline = find(options)
    if options.new and (options.files or options.output):
        raise SettingsError("--new scores the inbox and cannot be combined with FILE or --output.")
    files = [] if options.new else _inputs_and_outputs(options, pipeline)
    from flows.cli.display import terminal
    from flows.cli.display.summary import print_scoring

    scoring = _scoring(options, pipeline)
    with terminal.scoring_bars(first_stage(options)):
        if options.direct:
            from ffn.pipelines import batch_scoring

            outcome = (
                batch_scoring.score_inbox(pipeline, scoring)
                if options.new
                else batch_scoring.score(pipeline, files, scoring)
            )
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
        sent = options.output == "-"
        print_scoring(outcome, sys.stderr if sent else sys.stdout, sent=sent)
    outcome.check()
    if options.output == "-":
        _send(outcome.results[0].output)
    return 0


def _send(file: Path) -> None:
    """Write a finished output to stdout and delete the file."""
    try:
        with file.open("rb") as content, os.fdopen(os.dup(1), "wb") as stdout:
            shutil.copyfileobj(content, stdout)
    except BrokenPipeError:
        raise DataError("the reader of standard output closed it before the end.") from None
    finally:
        file.unlink()


def _scoring(options: argparse.Namespace, pipeline: Pipeline) -> dict[str, Any]:
    """Return the options of scoring: those of the command line over those of the settings."""
    from ffn.scoring.inbox.inbox_scan import own_options

    asked = {
        "on_unknown": options.on_unknown,
        "drift": options.drift,
        "max_reject_rate": options.max_reject_rate,
        "delimiter": options.delimiter,
        "decimal": options.decimal,
        "encoding": options.encoding,
    }
    return {
        "probabilities": options.probabilities,
        "only_id": options.only_id,
        "escape_formulas": options.escape_formulas,
        "workers": options.workers,
        # Output sent to stdout is not kept, so it cannot be reused.
        "force": options.force or options.output == "-",
        **own_options(pipeline),
        **{name: value for name, value in asked.items() if value is not None},
    }


def _inputs_and_outputs(options: argparse.Namespace, pipeline: Pipeline) -> list[tuple[Path, Path]]:
    from ffn.scoring.inputs import gather, output_of, pair, tables
    from ffn.storage.source import STDIN

    inbox = pipeline.folder / "inbox"
    given = [STDIN if file == "-" else Path(file) for file in options.files]
    files = gather(given or (tables(inbox) if inbox.is_dir() else []))
    if not files:
        raise SettingsError(f"no FILE given, and no table in {inbox}.")
    output = options.output
    if output == "-":
        if len(files) > 1:
            raise SettingsError(f"--output - is for a single FILE; {len(files):,} were given.")
        # Rejects and manifest are kept beside this file.
        output = str(pipeline.predictions / "stdout" / output_of(files[0]))
    pairs = pair(
        files,
        None if output is None else Path(output),
        pipeline.predictions,
        folder=output is not None and output.endswith("/"),
    )
    # Resolved, so that ".." after a folder that does not exist yet cannot lead to the input.
    return [
        (file if file == STDIN else real_path(file), real_path(target.parent) / target.name)
        for file, target in pairs
    ]
