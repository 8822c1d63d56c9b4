"""``ffn score PIPELINE [FILE ...]``: label tables with the model in production."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffn.errors import DataError, SettingsError, quote
from flows.cli.commands.common import (
    count,
    delimiter,
    encoding,
    find,
    first_stage,
    print_checked,
    read_blocks,
    share,
)
from flows.cli.commands.options.database_query import add_query, refuse_files_beside_query
from flows.cli.commands.options.runner_choice import add_addresses, given_runner, runner_of_scoring
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

if TYPE_CHECKING:
    from ffn.pipelines.outcomes import ScoreOutcome
    from ffn.scoring.inputs import FileToScore
    from ffn.settings.pipeline import Pipeline
    from ffn.settings.service_settings import RunnerSettings

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    score = verbs.add_parser(
        "score", parents=parents, help="label CSV and Parquet files with the model in production"
    )
    score.add_argument("pipeline", metavar="PIPELINE")
    score.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        default=[],
        help="a table, a folder of tables, a pattern, an address such as s3://bucket/in.csv, or - "
        "for stdin (default: the inbox)",
    )
    score.add_argument(
        "--output",
        metavar="PATH",
        help="a file, a folder, an address, or - for stdout (default: "
        "artifacts/PIPELINE/predictions/)",
    )
    score.add_argument(
        "--probabilities", action="store_true", help="add a probability column per class"
    )
    score.add_argument(
        "--explain",
        nargs="?",
        type=_reasons,
        const=3,
        metavar="N",
        help="add the N columns that moved each answer most, 3 if N is not given; write --explain=N"
        " (default: from pipeline.toml)",
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
        type=share,
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
        metavar="N",
        help="number of processes for one long file, with --direct also for several files "
        "(default: 1)",
    )
    score.add_argument(
        "--runner",
        choices=("dask", "ray"),
        help="score long files on a cluster (default: as [runner] says, on this machine)",
    )
    add_addresses(score, "score long files")
    score.add_argument(
        "--partitioned",
        nargs="?",
        const="same",
        choices=("same", "csv", "parquet"),
        help="score a folder of partitions, or a long file, into a folder of parts with one "
        "manifest; parts that are unchanged are kept (default format: that of the input)",
    )
    score.add_argument(
        "--force",
        action="store_true",
        help="score even if the output for this input and version already exists",
    )
    add_query(score)
    score.add_argument(
        "--new",
        action="store_true",
        help="score only files in the inbox that the version in production has not scored yet",
    )
    return score


def _reasons(text: str) -> int:
    """Return the value of --explain; a file may follow it by mistake."""
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise argparse.ArgumentTypeError(
            f"{quote(text)} is not a number of reasons: write --explain=3, or put --explain after "
            "the files"
        )
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Score, directly or through Prefect, and print the result of each file."""
    root, pipeline = find(options)
    if options.new and (options.files or options.output):
        raise SettingsError("--new is for the inbox, without FILE and --output.")
    if options.partitioned and (options.new or options.query is not None or options.output == "-"):
        raise SettingsError("--partitioned is for files, and writes a folder.")
    if options.new and (asked := given_runner(options)):
        raise SettingsError(f"{asked} is for files that are named: the inbox is scored here.")
    if options.query is not None:
        return _run_query(options, root, pipeline)
    if options.database or options.table or options.new_by:
        raise SettingsError("--database, --table and --new-by are for --query.")
    files = [] if options.new else _files(options, pipeline)
    outcome = _score(options, root, pipeline, files)
    if options.json:
        return print_checked(outcome.to_json(), outcome.check)
    return _tell(options, outcome)


def _run_query(options: argparse.Namespace, root: Path, pipeline: Pipeline) -> int:
    """Score the rows of a query, and append them to a table if one is named."""
    refuse_files_beside_query(options)
    from ffn.object_stores.object_address import is_object_address
    from ffn.scoring.query_rows import PLAIN, queried_csv, query_to_score, write_back

    asked = query_to_score(pipeline, options.query, options.database, options.table, options.new_by)
    if asked.table is not None and options.output and is_object_address(options.output):
        raise SettingsError(
            "--table takes its rows from the output, which has to be a file then. Give --output a "
            "path, or leave it out."
        )
    read_blocks(options, asked.address.blocks, root)
    for name, value in PLAIN.items():
        setattr(options, name, value)
    with queried_csv(asked, pipeline) as csv:
        options.files = [str(csv)]
        files = [file._replace(name=asked.name) for file in _files(options, pipeline)]
        outcome = _score(options, root, pipeline, files)
    written = None if outcome.refusals else write_back(asked, outcome.results[0])
    if options.json:
        table = {"table": written.to_json()} if written else {}
        return print_checked(outcome.to_json() | table, outcome.check)
    return _tell(options, outcome, written.sentence() if written else None)


def _score(
    options: argparse.Namespace, root: Path, pipeline: Pipeline, files: Sequence[FileToScore]
) -> ScoreOutcome:
    """Score files, or with --new those of the inbox, with bars on a terminal."""
    from flows.cli.display.progress_bars import scoring_bars

    runner = runner_of_scoring(options, pipeline.settings.runner)
    scoring = _options(options, pipeline)
    with scoring_bars(first_stage(options)):
        if options.direct:
            return _score_here(pipeline, files, scoring, runner, new=options.new)
        from ffn.settings.pipeline import reference
        from flows.server import run_flow

        where = reference(pipeline, root), root
        if options.new:
            return run_flow.score_inbox(*where, scoring)
        return run_flow.score(*where, files, scoring, runner)


def _tell(options: argparse.Namespace, outcome: ScoreOutcome, more: str | None = None) -> int:
    """Print what became of each file, and ``more``; send the output to stdout if that is asked."""
    from flows.cli.display.summary import print_scoring

    sent = options.output == "-"
    stream = sys.stderr if sent else sys.stdout
    print_scoring(outcome, stream, sent=sent)
    if more:
        print(more, file=stream)
    outcome.check()
    if sent:
        _send(outcome.results[0].output)
    return 0


def _score_here(
    pipeline: Pipeline,
    files: Sequence[FileToScore],
    scoring: dict[str, Any],
    runner: RunnerSettings | None,
    *,
    new: bool,
) -> ScoreOutcome:
    """Score without Prefect: new files of the inbox if ``new``, else ``files``."""
    if new:
        from ffn.pipelines.inbox_scoring import score_inbox

        return score_inbox(pipeline, scoring)
    from ffn.pipelines.batch_scoring import score

    if runner is None or runner.kind in ("thread", "process"):
        # What clusters need brings threads, with which worker processes cannot be forked.
        return score(pipeline, files, scoring)
    from ffn.cluster_scoring.cluster_scoring import cluster_scoring

    with cluster_scoring(runner, pipeline.folder, at_once=True) as elsewhere:
        return score(pipeline, files, scoring, elsewhere)


def _send(file: Path) -> None:
    """Write a finished output to stdout and delete the file."""
    try:
        with file.open("rb") as content, os.fdopen(os.dup(1), "wb") as stdout:
            shutil.copyfileobj(content, stdout)
    except BrokenPipeError:
        raise DataError("the reader of standard output closed it before the end.") from None
    finally:
        file.unlink()


def _options(asked: argparse.Namespace, pipeline: Pipeline) -> dict[str, Any]:
    from ffn.pipelines.batch_scoring import options_for

    names = (
        "probabilities only_id escape_formulas on_unknown drift max_reject_rate "
        "delimiter decimal encoding explain partitioned"
    )
    return options_for(
        pipeline,
        **{name: getattr(asked, name) for name in names.split()},
        # With a cluster, it is the number of its workers.
        workers=None if given_runner(asked) else asked.workers,
        # An output for stdout is deleted afterwards, so an earlier one cannot be reused.
        force=asked.force or asked.output == "-",
    )


def _files(asked: argparse.Namespace, pipeline: Pipeline) -> list[FileToScore]:
    from ffn.object_stores.object_address import as_path
    from ffn.scoring.inputs import files_to_score, folder_to_score
    from ffn.storage.source import STDIN

    files = [STDIN if file == "-" else as_path(file, folder="*") for file in asked.files]
    if asked.partitioned:
        return folder_to_score(pipeline, files, asked.output)
    if asked.output != "-":
        return files_to_score(pipeline, files, asked.output)
    # The rejects and the manifest are kept in this folder.
    found = files_to_score(pipeline, files, f"{pipeline.predictions / 'stdout'}/")
    if len(found) > 1:
        raise SettingsError(f"--output - is for a single FILE; {len(found):,} were given.")
    return found
