"""The options of rows that come from a database."""

from __future__ import annotations

import argparse

from ffn.errors import SettingsError
from flows.cli.commands.options.verb_parser import VerbParser

__all__ = ["add_query", "refuse_files_beside_query"]


def add_query(verb: VerbParser) -> None:
    """Declare ``--query`` and what goes with it for ``verb``."""
    verb.add_argument(
        "--query",
        nargs="?",
        const="",
        metavar="SELECT",
        help="score what this selects from a database (without SELECT: from pipeline.toml)",
    )
    verb.add_argument(
        "--database",
        metavar="ADDRESS",
        help="such as sqlite:///shop.db (default: from pipeline.toml)",
    )
    verb.add_argument(
        "--table",
        metavar="NAME",
        help="append the labelled rows to this table of the database, all or none",
    )
    verb.add_argument(
        "--new-by",
        metavar="COLUMN",
        help="leave out rows whose COLUMN is in the table already (default: from pipeline.toml)",
    )


def refuse_files_beside_query(options: argparse.Namespace) -> None:
    """Refuse a query together with what says where else rows are, or how files are written."""
    given = [f"--{name}" for name in ("delimiter", "decimal", "encoding") if getattr(options, name)]
    if options.files or options.new or given:
        what = "FILE" if options.files else "--new" if options.new else given[0]
        raise SettingsError(f"--query and {what} do not go together. Give one of them.")
