"""``ffn init NAME --from FILE.csv --target COLUMN``: create a pipeline from a CSV."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from ffn.errors import one_line, quote
from ffn.storage.real_path import real_path
from flows.cli.commands.common import (
    VerbParser,
    Verbs,
    delimiter,
    encoding,
    print_json,
    root_folder,
)

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    init = verbs.add_parser(
        "init", parents=parents, help="create a pipeline from a CSV with a label column"
    )
    init.add_argument("pipeline", metavar="NAME")
    init.add_argument("--from", dest="source", type=Path, required=True, metavar="FILE.csv")
    init.add_argument("--target", required=True, metavar="COLUMN", help="the label column")
    init.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="COLUMN",
        help="exclude this column from the features (may be repeated)",
    )
    init.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="COLUMN",
        help="use this column although it looks like an ID or a date (may be repeated)",
    )
    init.add_argument(
        "--missing",
        action="append",
        default=[],
        metavar="TEXT",
        help='a cell text that means "no value" (may be repeated)',
    )
    init.add_argument(
        "--format",
        dest="formats",
        type=_format,
        action="append",
        default=[],
        metavar="COLUMN=EXAMPLE",
        help='how a column writes 1234.5, such as "price=1,234.50" (may be repeated)',
    )
    init.add_argument(
        "--label",
        action="append",
        nargs=2,
        default=[],
        metavar=("TEXT", "CLASS"),
        help='read the label TEXT as CLASS; an empty CLASS, "", means no label (may be repeated)',
    )
    init.add_argument(
        "--delimiter", type=delimiter, default=",", help="field separator (default: a comma)"
    )
    init.add_argument(
        "--decimal", choices=(".", ","), default=".", help="decimal separator (default: a point)"
    )
    init.add_argument(
        "--encoding", type=encoding, help="text encoding, such as cp1252 (default: UTF-8)"
    )
    return init


def _format(text: str) -> tuple[str, str]:
    from ffn.tabular.number_format import NumberFormat

    column, _, example = text.rpartition("=")
    if not column:
        raise argparse.ArgumentTypeError(f"{quote(text)} is not COLUMN=EXAMPLE")
    try:
        return column, NumberFormat.of(example).example
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{quote(text)}: {error}") from None


def run(options: argparse.Namespace) -> int:
    """Profile the CSV and write the new pipeline's folder."""
    from ffn.profiling.scaffold import create_pipeline
    from ffn.storage.source import refuse_pipe

    # Before the path is resolved: the real name of a pipe is not a path.
    refuse_pipe(options.source)
    root = root_folder(options)
    settings, notices = create_pipeline(
        options.pipeline,
        source=real_path(options.source),
        target=options.target,
        root=root,
        delimiter=options.delimiter,
        decimal=options.decimal,
        encoding=options.encoding,
        exclude=options.exclude,
        missing=options.missing,
        keep=options.keep,
        formats=dict(options.formats),
        labels=[(text, label) for text, label in options.label],
    )
    if options.json:
        found = {"pipeline": options.pipeline, "settings": str(settings), "notices": notices}
        print_json(found)
        return 0
    lines = [f"Wrote {settings}", *(f"Note: {notice}." for notice in notices)]
    print("\n".join(map(one_line, lines)))  # noqa: T201
    here = real_path(Path())
    elsewhere = "" if root == here else f" --root {shlex.quote(str(options.root))}"
    print(f"Next: ffn retrain {options.pipeline}{elsewhere}")  # noqa: T201
    return 0
