"""Options of scoring."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from ffn.errors import SettingsError, quote
from ffn.tabular.cells import DECIMALS
from ffn.tabular.csv.charsets import encoding_named
from ffn.tabular.csv.header import DELIMITERS

__all__ = ["Options"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Everything besides model and input that determines the output.

    Attributes
    ----------
    probabilities
        Whether to add a column ``probability_<class>`` for every class; by default only label and
        confidence are added.
    max_reject_rate
        Largest share of rejected rows, 0 to 1, for which the output is written; 1 by default, so
        that only a file whose rows are all rejected is refused.
    delimiter
        Character between fields, in input and output.
    decimal
        Decimal mark of numbers, in input and output.
    encoding
        Encoding of input and output; None, the default, for UTF-8 or what a byte order mark says.
    on_unknown
        ``"score"`` rows with a category that was not in training, as by default, or ``"reject"``
        them.
    only_id
        The one column of the input to keep in the output; None, the default, for all of them.
    escape_formulas
        Whether to put an apostrophe before cells that a spreadsheet would evaluate; off by
        default, since it changes the data.
    drift
        ``"warn"`` about drift, as by default; ``"hold"`` such a file, so that nothing is
        published; or ``"off"``.
    drift_psi
        PSI above which a difference matters; 0.25 is the customary threshold of a major shift.
    drift_min_rows
        Smallest number of rows for a drift test; with fewer it has too little power.
    explain
        Number of reasons to add to each row: the columns that moved its answer most, at most one
        for each feature. None by default, since they take many times as long as the label.

    Raises
    ------
    SettingsError
        A value is invalid.
    """

    probabilities: bool = False
    max_reject_rate: float = 1.0
    delimiter: str = ","
    decimal: str = "."
    encoding: str | None = None
    on_unknown: str = "score"
    only_id: str | None = None
    escape_formulas: bool = False
    drift: str = "warn"
    drift_psi: float = 0.25
    drift_min_rows: int = 30
    explain: int = 0

    def __post_init__(self) -> None:
        if self.encoding is not None:
            try:
                object.__setattr__(self, "encoding", encoding_named(self.encoding))
            except ValueError as error:
                raise SettingsError(f"{error}.") from None
        if not 0 <= self.max_reject_rate <= 1:
            raise SettingsError(
                f"max_reject_rate is {self.max_reject_rate}; give a share from 0 to 1."
            )
        if not 0 < self.drift_psi < math.inf:
            raise SettingsError(f"drift_psi is {self.drift_psi}; give a finite number above 0.")
        if not 0 <= self.drift_min_rows < math.inf:
            raise SettingsError(f"drift_min_rows is {self.drift_min_rows}; give a count of rows.")
        if type(self.explain) is not int or self.explain < 0:
            raise SettingsError(
                f"explain is {quote(self.explain)}; give a number of reasons from 0 up."
            )
        for name, value, known in (
            ("delimiter", self.delimiter, DELIMITERS),
            ("decimal", self.decimal, DECIMALS),
            ("on_unknown", self.on_unknown, ("score", "reject")),
            ("drift", self.drift, ("warn", "hold", "off")),
        ):
            if value not in known:
                raise SettingsError(
                    f"{name} {quote(value)} is not one of {' '.join(map(quote, known))}."
                )

    def to_json(self) -> dict[str, bool | float | str | None]:
        """Return the options as they are stored in a manifest; equal objects mean equal outputs."""
        found = asdict(self)
        if self.encoding is None:
            del found["encoding"]
        if not self.explain:
            del found["explain"]
        return found
