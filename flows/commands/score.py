"""``ffn score PIPELINE [FILE.csv ...]``: label CSV files with the model in production."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffn.errors import SettingsError
from flows.commands.common import (
    VerbParser,
    Verbs,
    delimiter,
    find,
    first_stage,
    print_json,
    real_path,
    reference,
)

if TYPE_CHECKING:
    from ffn.models.pipeline import Pipeline

__all__ = ["add", "run"]

# What scoring writes beside an output.
_BESIDE = (".rejects.csv", ".manifest.json")


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb."""
    score = verbs.add_parser(
        "score", parents=parents, help="label CSV files with the model in production"
    )
    score.add_argument("pipeline", metavar="PIPELINE")
    score.add_argument(
        "files",
        metavar="FILE.csv",
        nargs="*",
        type=Path,
        help="(default: every CSV in the pipeline's inbox)",
    )
    score.add_argument(
        "--output", type=Path, help="of a single FILE (default: artifacts/PIPELINE/predictions/)"
    )
    score.add_argument("--probabilities", action="store_true", help="add a column for every class")
    score.add_argument(
        "--max-reject-rate",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="refuse a file with a larger share of rejected rows (default: %(default)s)",
    )
    score.add_argument(
        "--delimiter", type=delimiter, help="between fields (default: the pipeline's)"
    )
    return score


def run(options: argparse.Namespace) -> int:
    """Score, directly or through Prefect, and print what became of each file."""
    root, pipeline = find(options)
    files = _inputs_and_outputs(options, pipeline)
    from flows import terminal

    scoring: dict[str, Any] = {
        "probabilities": options.probabilities,
        "max_reject_rate": options.max_reject_rate,
        "delimiter": options.delimiter or pipeline.settings.data.delimiter,
    }
    with terminal.scoring_bars(first_stage(options)):
        if options.direct:
            from flows import direct

            outcome = direct.score(pipeline, files, scoring)
        else:
            from flows import prefect_run

            outcome = prefect_run.score(reference(pipeline, root), root, files, scoring)
    if options.json:
        print_json(outcome.to_json())
    else:
        terminal.print_scoring(outcome)
    outcome.check()
    return 0


def _inputs_and_outputs(options: argparse.Namespace, pipeline: Pipeline) -> list[tuple[Path, Path]]:
    inbox = pipeline.folder / "inbox"
    files = options.files or sorted(inbox.glob("*.csv"))
    if not files:
        raise SettingsError(f"no FILE given, and no CSV in {inbox}.")
    if options.output and len(files) > 1:
        raise SettingsError(f"--output is for a single FILE; {len(files)} were given.")
    outputs = [options.output or pipeline.predictions / file.name for file in files]
    written: dict[Path, Path] = {}
    for file, output in zip(files, outputs, strict=True):
        for suffix in ("", *_BESIDE):
            path = output.with_name(output.name + suffix)
            if path in written:
                raise SettingsError(
                    f"{written[path]} and {file} would both be written to {path}. "
                    "Score them one by one with --output."
                )
            written[path] = file
    # Resolved, ".." behind a folder that is yet to be made cannot lead back onto the input.
    return [
        (real_path(file), real_path(output.parent) / output.name)
        for file, output in zip(files, outputs, strict=True)
    ]
