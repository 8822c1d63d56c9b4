"""``[data]``: the training table, its target and how its cells are read."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from ffn.databases.address import is_address, parse_address
from ffn.errors import SettingsError, quote
from ffn.object_stores.object_address import is_object_address, parse_object_address
from ffn.settings.strict import Name, StrictSettings
from ffn.tabular.cell_forms import cell_form
from ffn.tabular.cells import DECIMALS, trim
from ffn.tabular.csv.charsets import encoding_named
from ffn.tabular.csv.header import DELIMITERS
from ffn.tabular.schema import Kind

__all__ = ["DEFAULT_EXCLUDE", "DEFAULT_MISSING", "DataSettings", "as_address", "as_query"]

DEFAULT_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
# Row numbers that tools add; a network would memorise them. pandas writes its index under an
# empty header.
DEFAULT_EXCLUDE = ("", "id", "Id", "ID", "index", "row_id", "Unnamed: 0")


def _as_delimiter(text: str) -> str:
    if text not in DELIMITERS:
        raise ValueError(f"must be one of {' '.join(map(quote, DELIMITERS))}")
    return text


def _as_decimal(text: str) -> str:
    if text not in DECIMALS:
        raise ValueError(f"must be one of {' '.join(map(quote, DECIMALS))}")
    return text


def _as_format(text: str) -> str:
    cell_form(text)
    return text


def _as_labels(labels: dict[str, str]) -> dict[str, str]:
    for text, label in labels.items():
        if labels.get(label, label) != label:
            raise ValueError(
                f"must not read {quote(text)} as {quote(label)}, which is itself read as "
                f"{quote(labels[label])}"
            )
    return labels


def as_address(text: str) -> str:
    """Return the address of a database; raises ``ValueError``, without what may be a password."""
    try:
        parse_address(text)
    except SettingsError as error:
        raise ValueError(str(error).rstrip(".")) from None
    return text


def _as_source(text: str) -> str:
    if not is_object_address(text):
        return as_address(text) if is_address(text) else text
    try:
        parse_object_address(text)
    except SettingsError as error:
        raise ValueError(str(error).rstrip(".")) from None
    return text


def as_query(text: str) -> str:
    """Return a query; raises ``ValueError`` if it is blank."""
    if not text.strip():
        raise ValueError("must be a SELECT")
    return text


Trimmed = Annotated[str, AfterValidator(trim)]


class DataSettings(StrictSettings):
    """``[data]``: the training table, its features and its target.

    Attributes
    ----------
    source
        The training table, relative to the folder of ``pipeline.toml``: a CSV or Parquet file, a
        folder of such files, or a pattern; the address of such objects in a store, such as
        ``s3://bucket/history/*.parquet``; or the address of a database.
    query
        What to select from that database; None for files.
    target
        Header of the label column.
    features
        Headers of the features; default: all columns except the target and ``exclude``.
    exclude
        Headers to leave out, such as IDs; default: `DEFAULT_EXCLUDE`.
    missing_values
        Cell texts that mean "no value"; surrounding spaces and tabs are ignored.
    kinds
        ``numeric``, ``categorical`` or ``text`` by column, to override what is inferred from the
        data. Texts are never inferred.
    formats
        How a column writes its values, by column: the number 1234.5 for units, currencies and
        thousands separators; ``iso``, ``iso utc`` or directives of ``strptime`` for dates and
        times; ``time`` or ``time am/pm`` for times of day; ``true/false`` for truth values.
    labels
        Class by cell text of the target; an empty class means that the row has no label. Default:
        each text is its own class.
    delimiter
        Character between fields.
    decimal
        Decimal mark of plain numbers.
    encoding
        Character encoding of the training CSV, and of files to score unless the command gives
        another. Default: UTF-8, or the encoding of a byte order mark.
    weight
        Header of a column of row weights, which is no feature: how much each row counts in training
        and in every figure. Default: all rows count alike.
    keep
        Whether the training table of each version is kept, so that the version can be made again.
        Kept by default, because it cannot be kept later; not for data that must not be copied.
    """

    source: Annotated[Name, AfterValidator(_as_source)]
    target: Name
    query: Annotated[Name, AfterValidator(as_query)] | None = None
    features: tuple[Name, ...] | None = None
    exclude: tuple[str, ...] | None = None
    missing_values: tuple[Trimmed, ...] = DEFAULT_MISSING
    kinds: dict[str, Kind] = Field(default={})
    formats: dict[str, Annotated[str, AfterValidator(_as_format)]] = Field(default={})
    labels: Annotated[dict[Trimmed, Trimmed], AfterValidator(_as_labels)] | None = None
    delimiter: Annotated[str, AfterValidator(_as_delimiter)] = ","
    decimal: Annotated[str, AfterValidator(_as_decimal)] = "."
    encoding: Annotated[str, AfterValidator(encoding_named)] | None = None
    weight: Name | None = None
    keep: bool = True

    @model_validator(mode="after")
    def _query_and_database(self) -> DataSettings:
        database = is_address(self.source) and not is_object_address(self.source)
        if self.query is None and database:
            raise ValueError('source is a database, so "query" must say what to select from it')
        if self.query is not None and not database:
            raise ValueError(
                '"query" needs a "source" such as "sqlite:///shop.db" or '
                '"postgresql://ada@db.example/shop"'
            )
        return self

    @property
    def missing_labels(self) -> tuple[str, ...]:
        """Cell texts of the target that mean "no label".

        Only an explicit ``missing_values`` applies to the target: the default must not turn a
        class called "NA" into missing labels.
        """
        return self.missing_values if "missing_values" in self.model_fields_set else ("",)
