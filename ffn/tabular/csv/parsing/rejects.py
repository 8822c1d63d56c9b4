"""Rejected records and their reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["DETAILS", "NOT_AS_WRITTEN", "Reason", "Reject", "shorten"]

_VALUE_LIMIT = 200


class Reason(StrEnum):
    """Stable codes of reasons, used in reject files and manifests; their meaning never changes.

    The first eight concern a whole raw record, the others a cell or the record's numbers.
    ``docs/scoring.md`` explains each of them.
    """

    WRONG_FIELD_COUNT = "wrong_field_count"
    BARE_QUOTE = "bare_quote"
    TEXT_AFTER_QUOTE = "text_after_quote"
    UNCLOSED_QUOTE = "unclosed_quote"
    RECORD_TOO_LONG = "record_too_long"
    STRAY_LINE_END = "stray_line_end"
    NUL_BYTE = "nul_byte"
    UNDECODABLE = "undecodable"
    MISSING_VALUE = "missing_value"
    UNKNOWN_CATEGORY = "unknown_category"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_DATE = "not_a_date"
    NOT_A_TIME = "not_a_time"
    NOT_TRUE_OR_FALSE = "not_true_or_false"
    NOT_FINITE = "not_finite"


DETAILS = {
    Reason.WRONG_FIELD_COUNT: "{found} cells where the header has {expected}",
    Reason.BARE_QUOTE: "a quote inside an unquoted cell",
    Reason.TEXT_AFTER_QUOTE: "text after a closing quote",
    Reason.UNCLOSED_QUOTE: "a quote that is never closed",
    Reason.RECORD_TOO_LONG: "in or after a record too long to be one; a quote never closed?",
    Reason.STRAY_LINE_END: "beside a line end that is not of the header's kind",
    Reason.NUL_BYTE: "a NUL byte",
    Reason.UNDECODABLE: "bytes that are no text in the file's encoding",
    Reason.MISSING_VALUE: "no value, in a column that had none missing in training",
    Reason.UNKNOWN_CATEGORY: "a category that training never saw",
    Reason.NOT_A_NUMBER: "not a finite decimal number",
    Reason.NOT_A_DATE: "not a date written as in training",
    Reason.NOT_A_TIME: "not a time of day written as in training",
    Reason.NOT_TRUE_OR_FALSE: "not true or false, in one of their spellings",
    Reason.NOT_FINITE: "numbers too large to score",
}

NOT_AS_WRITTEN = frozenset(
    {Reason.NOT_A_NUMBER, Reason.NOT_A_DATE, Reason.NOT_A_TIME, Reason.NOT_TRUE_OR_FALSE}
)
"""Reasons for which a cell is rejected that another format of its column might read."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One rejected record.

    Attributes
    ----------
    row
        Row number, 1 = first data record; rejected records count, blank lines do not.
    line
        Physical line on which the record begins, 1 = first line of the file; 0 in a file without
        lines, such as Parquet.
    lines
        Number of lines that the record spans, including those lost with a damaged record.
    column
        Header of the invalid cell; empty if the whole record is invalid.
    value
        Text of the cell or record, shortened to 200 characters.
    reason
        Code of the reason.
    detail
        The reason in words, to follow "row 7 (line 9): ".
    """

    row: int
    line: int
    lines: int
    column: str
    value: str
    reason: Reason
    detail: str


def shorten(text: str | bytes) -> str:
    """Return ``text`` shortened to 200 characters, with escapes for NULs and undecodable bytes."""
    if isinstance(text, bytes):
        # A character has at most four bytes, so cutting one here cannot be visible.
        text = text[: 8 * _VALUE_LIMIT].decode("utf-8", "backslashreplace")
    text = text.replace("\0", r"\x00")
    return text if len(text) <= _VALUE_LIMIT else text[: _VALUE_LIMIT - 1] + "…"
