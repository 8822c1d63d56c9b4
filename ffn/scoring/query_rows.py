"""Score what a query gives, and append the labelled rows to a table of the same database."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ffn.attribution.reasons import is_reason_value
from ffn.databases.address import DatabaseAddress, is_address, parse_address
from ffn.databases.appended_table import append_rows, without_known
from ffn.databases.table_names import check_table_name
from ffn.errors import SettingsError, quote
from ffn.extraction.extracted_table import extract_query
from ffn.extraction.joined_files import Dialect
from ffn.quantities import counted
from ffn.scoring.output.score_result import ScoreResult
from ffn.settings.pipeline import Pipeline
from ffn.storage.atomic import staging_folder, sweep
from ffn.storage.cache import Cache
from ffn.storage.documents import canonical_json

__all__ = [
    "PLAIN",
    "QueryToScore",
    "WrittenRows",
    "queried_csv",
    "query_to_score",
    "write_back",
]

PLAIN: Mapping[str, str] = {"delimiter": ",", "decimal": ".", "encoding": "utf-8"}
"""Options of scoring with which the rows of a query are read and written as CSV."""

_NAME = "query.csv"

_VERSION_COLUMN = "ffn_version"
_RUN_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class QueryToScore:
    """Rows to score, and where labelled ones go.

    Attributes
    ----------
    address
        Of the database.
    query
        What to select.
    table
        Name of the table to append to; None for none.
    new_by
        Column of query and table by which rows are recognised that are in the table already, and
        are left out; None for none.
    """

    address: DatabaseAddress
    query: str
    table: str | None
    new_by: str | None = None

    @property
    def name(self) -> str:
        """What messages, run log and manifest call its rows."""
        return f"the query {quote(' '.join(self.query.split()))} of {self.address.text}"

    def selection(self) -> str:
        """Return the query, without the rows that are in the table already."""
        if self.new_by is None or self.table is None:
            return self.query
        return without_known(self.address, self.query, self.table, self.new_by)


@dataclass(frozen=True, kw_only=True)
class WrittenRows:
    """What was appended to a table.

    Attributes
    ----------
    table
        Its name.
    rows
        Number of rows.
    repeated
        Whether the rows of this run were there already.
    run
        Identifies what they were made of: rows, model and options.
    """

    table: str
    rows: int
    repeated: bool
    run: str

    def sentence(self) -> str:
        """Return it in words."""
        if self.repeated:
            return f"table {self.table}: the rows of run {self.run} are there already"
        return f"table {self.table}: {counted(self.rows, 'row')} of run {self.run} appended"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)


def query_to_score(
    pipeline: Pipeline,
    query: str = "",
    database: str | None = None,
    table: str | None = None,
    new_by: str | None = None,
    folder: Path = Path(),
) -> QueryToScore:
    """Return what to score, from arguments and, where they are missing, from ``[scoring]``.

    Parameters
    ----------
    pipeline
        The pipeline.
    query
        What to select; empty, the default, for ``scoring.query``.
    database
        Address of the database; None, the default, for ``scoring.database``, or else the one of the
        training data.
    table
        Table to append to; None, the default, for ``scoring.table``.
    new_by
        Column by which new rows are recognised; None, the default, for ``scoring.new_by``.
    folder
        Folder to which the path in ``database`` is relative; the current one by default.

    Raises
    ------
    SettingsError
        Something is missing, or is no address or name of a table.
    """
    scoring, data = pipeline.settings.scoring, pipeline.settings.data
    query = query or scoring.query or ""
    if not query:
        raise SettingsError(
            "neither --query nor scoring.query says what to select. Give --query SELECT."
        )
    place = pipeline.folder if database is None else folder
    database = database or scoring.database or (data.source if is_address(data.source) else None)
    if database is None:
        raise SettingsError(
            "no database is named: the training data is in files. Give --database, such as "
            "sqlite:///shop.db, or scoring.database."
        )
    if table is not None:
        try:
            check_table_name(table)
        except ValueError as error:
            raise SettingsError(f"--table {error}.") from None
    table, new_by = table or scoring.table, new_by or scoring.new_by
    if new_by is not None and table is None:
        raise SettingsError("--new-by needs --table: rows are new that are not in it.")
    return QueryToScore(
        address=parse_address(database, place), query=query, table=table, new_by=new_by
    )


@contextlib.contextmanager
def queried_csv(asked: QueryToScore, pipeline: Pipeline) -> Iterator[Path]:
    """Yield a CSV file with the rows of a query, which is there while the block runs.

    The rows are in an order that follows from their cells, so that equal rows are equal files.

    Parameters
    ----------
    asked
        What to select.
    pipeline
        The pipeline, in whose cache the file is.

    Raises
    ------
    DataError, SettingsError
        As for `extract_query`.
    """
    cache = pipeline.artifacts / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    sweep(cache)
    with staging_folder(cache) as room:
        dialect = Dialect(PLAIN["delimiter"], PLAIN["decimal"], None)
        table = extract_query(
            asked.address,
            asked.selection(),
            Cache(room / "made"),
            dialect,
            asked.name,
            may_be_empty=True,
        )
        yield table.path.rename(room / _NAME)


def write_back(asked: QueryToScore, result: ScoreResult) -> WrittenRows | None:
    """Append the labelled rows of a query to its table, all or none, and each run once.

    Parameters
    ----------
    asked
        What was selected, and the table; None is returned if there is none.
    result
        The scored file.

    Raises
    ------
    DataError, SettingsError
        As for `append_rows`; nothing is written.
    """
    if asked.table is None:
        return None
    manifest = json.loads(result.manifest.read_bytes())
    made_of = {
        "input": manifest["input"]["sha256"],
        "model": manifest["bundle_sha256"],
        "options": manifest["options"],
    }
    run = hashlib.sha256(canonical_json(made_of)).hexdigest()[:_RUN_DIGITS]
    with result.output.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        names = next(rows)
        label = names.index(f"predicted_{manifest['target']}")
        rows_of_run = append_rows(
            asked.address,
            asked.table,
            asked.query,
            names[:label],
            [
                *((name, _type_of(name)) for name in names[label:]),
                (_VERSION_COLUMN, "INTEGER"),
            ],
            ([*(cell or None for cell in row), str(result.version)] for row in rows),
            run,
        )
    return WrittenRows(
        table=asked.table, rows=rows_of_run or 0, repeated=rows_of_run is None, run=run
    )


def _type_of(added: str) -> str:
    """Return the type in SQL of a column that scoring adds."""
    is_number = added == "confidence" or added.startswith("probability_")
    return "DOUBLE PRECISION" if is_number or is_reason_value(added) else "TEXT"
