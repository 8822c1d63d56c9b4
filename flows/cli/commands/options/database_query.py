"""The options of rows that come from a database."""

from __future__ import annotations

from flows.cli.commands.common import VerbParser

__all__ = ["add_query"]


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
