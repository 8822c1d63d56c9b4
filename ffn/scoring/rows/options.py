"""What can be asked of scoring."""

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
    """Everything besides model and input that decides what is written.

    Attributes
    ----------
    probabilities
        True to add ``probability_<class>`` for every class.
    max_reject_rate
        Largest share of rejected rows, 0..1, for which the output is written.
    delimiter, decimal
        Between the fields of input and output, and in their numbers.
    encoding
        Of the input, and so of the output; None: UTF-8, or what a byte order mark says.
    on_unknown
        ``"score"`` rows with a category that training never saw, or ``"reject"`` them.
    only_id
        The one column of the input to keep in the output; None for all of them.
    escape_formulas
        True to put an apostrophe before cells that a spreadsheet would run.
    drift
        ``"warn"`` of rows that differ from training's, ``"hold"`` such a file back, or ``"off"``.
    drift_psi, drift_min_rows
        PSI above which a difference matters, and rows of which fewer tell nothing.

    Raises
    ------
    SettingsError
        A value is not one that can be.
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
        """Return what stands in a manifest: equal options give equal files."""
        found = asdict(self)
        if self.encoding is None:
            del found["encoding"]
        return found
