"""``ffn init NAME --from FILE --target COLUMN``: create a pipeline from a table."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ffn.errors import SettingsError, one_line, quote
from ffn.storage.real_path import real_path
from flows.cli.commands.common import delimiter, encoding, print_json, root_folder
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

if TYPE_CHECKING:
    from ffn.durations.retraining_time import Estimate

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    init = verbs.add_parser(
        "init", parents=parents, help="create a pipeline from a table with a label column"
    )
    init.add_argument("pipeline", metavar="NAME")
    init.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="FILE",
        help="a CSV or Parquet file, a folder, or a quoted pattern; with --query, a database",
    )
    init.add_argument(
        "--query",
        metavar="SELECT",
        help="what to select from a database such as sqlite:///shop.db (no copy is made)",
    )
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
        help='how a column writes 1234.5, such as "price=1,234.50", or a date, such as '
        '"day=%%d/%%m/%%Y" (may be repeated)',
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
    from ffn.tabular.cell_forms import cell_form, form_text

    column, _, example = text.rpartition("=")
    if not column:
        raise argparse.ArgumentTypeError(f"{quote(text)} is not COLUMN=EXAMPLE")
    try:
        return column, form_text(cell_form(example))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{quote(text)}: {error}") from None


def _source(options: argparse.Namespace) -> Path | str:
    """Return the path of the table in full, or the address of the database with such a path."""
    from ffn.databases.address import is_address, parse_address
    from ffn.object_stores.object_address import is_object_address, parse_object_address
    from ffn.storage.source import refuse_pipe

    if is_object_address(options.source) and options.query is None:
        parse_object_address(options.source)
        return str(options.source)
    if is_address(options.source) and not is_object_address(options.source):
        address = parse_address(options.source, real_path(Path()))
        if options.query is None:
            raise SettingsError("--from names a database: give --query SELECT as well.")
        return address.absolute
    if options.query is not None:
        raise SettingsError("--query needs --from with a database, such as sqlite:///shop.db.")
    path = Path(options.source)
    # Before the path is resolved: the real name of a pipe is not a path.
    refuse_pipe(path)
    return real_path(path)


def run(options: argparse.Namespace) -> int:
    """Profile the table and write the new pipeline's folder."""
    from ffn.profiling.scaffold import create_pipeline
    from flows.server.run_flow import read_secrets_as_needed

    root = root_folder(options)
    read_secrets_as_needed(root)
    estimates: list[Estimate] = []
    settings, notices = create_pipeline(
        options.pipeline,
        source=_source(options),
        query=options.query,
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
        on_estimate=estimates.append,
    )
    if options.json:
        found = {"pipeline": options.pipeline, "settings": str(settings), "notices": notices}
        print_json(found | {"estimate": estimates[0].to_json()})
        return 0
    lines = [
        f"Wrote {settings}",
        *(f"Note: {notice}." for notice in notices),
        *(one.sentence for one in estimates),
    ]
    print("\n".join(map(one_line, lines)))  # noqa: T201
    here = real_path(Path())
    elsewhere = "" if root == here else f" --root {shlex.quote(str(options.root))}"
    print(f"Next: ffn retrain {options.pipeline}{elsewhere}")  # noqa: T201
    return 0
