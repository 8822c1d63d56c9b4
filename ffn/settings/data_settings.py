"""``[data]``: which table to learn from, what to predict, and how its cells are read."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from ffn.errors import quote
from ffn.settings.strict import Name, StrictSettings
from ffn.tabular.cells import DECIMALS, trim
from ffn.tabular.csv.charsets import encoding_named
from ffn.tabular.csv.header import DELIMITERS
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.schema import Kind

__all__ = ["DEFAULT_EXCLUDE", "DEFAULT_MISSING", "DataSettings"]

DEFAULT_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
# Row numbers that tools write of themselves; a network would learn them by heart. pandas
# leaves the header of its index empty.
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
    NumberFormat.of(text)
    return text


def _as_labels(labels: dict[str, str]) -> dict[str, str]:
    for text, label in labels.items():
        if labels.get(label, label) != label:
            raise ValueError(
                f"must not read {quote(text)} as {quote(label)}, which is itself read as "
                f"{quote(labels[label])}"
            )
    return labels


Trimmed = Annotated[str, AfterValidator(trim)]


class DataSettings(StrictSettings):
    """``[data]``: what to learn from, and what to predict.

    Attributes
    ----------
    source
        Training CSV, relative to the folder of ``pipeline.toml``.
    target
        Header of the label column.
    features
        Headers to learn from; default: all but the target and ``exclude``.
    exclude
        Headers to leave out, ids above all.
    missing_values
        Cell texts that mean "no value"; spaces and tabs around them do not count.
    kinds
        ``numeric`` or ``categorical`` for columns where the look at the data is to be overruled.
    formats
        1234.5 as a column writes it, by column: units, currencies, marks between thousands.
    labels
        Class by cell text of the target; an empty class means that the row has no label.
    delimiter
        One character between fields.
    decimal
        What stands between a number's whole and its fraction.
    encoding
        Of the training CSV, and of files to score unless the command says otherwise; default:
        UTF-8, or what a byte order mark says.
    """

    source: Name
    target: Name
    features: tuple[Name, ...] | None = None
    exclude: tuple[str, ...] | None = None
    missing_values: tuple[Trimmed, ...] = DEFAULT_MISSING
    kinds: dict[str, Kind] = Field(default={})
    formats: dict[str, Annotated[str, AfterValidator(_as_format)]] = Field(default={})
    labels: Annotated[dict[Trimmed, Trimmed], AfterValidator(_as_labels)] | None = None
    delimiter: Annotated[str, AfterValidator(_as_delimiter)] = ","
    decimal: Annotated[str, AfterValidator(_as_decimal)] = "."
    encoding: Annotated[str, AfterValidator(encoding_named)] | None = None

    @property
    def missing_labels(self) -> tuple[str, ...]:
        """Cell texts of the target that are no label: of the missing values, those set by hand.

        That the default calls "NA" missing is no decision about a class of that name.
        """
        return self.missing_values if "missing_values" in self.model_fields_set else ("",)
