"""What of the settings determines how a training table is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ffn.tabular.schema import Kind

__all__ = ["Choice"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Settings that determine how a table is read.

    Attributes
    ----------
    target, features, exclude, missing_values, kinds, formats, labels, delimiter, decimal, encoding
        As in `DataSettings`.
    default_exclude
        Columns to leave out if ``exclude`` is None.
    missing_labels
        Cell texts of the target that mean "no label"; None (the default): ``missing_values``.
    time, group, time_format
        As in `SplitSettings`. These columns are features only if ``features`` names them.
    weight
        As in `DataSettings`.
    """

    target: str
    features: Sequence[str] | None = None
    exclude: Sequence[str] | None = None
    default_exclude: Sequence[str] = ()
    missing_values: tuple[str, ...]
    kinds: Mapping[str, Kind]
    formats: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    missing_labels: tuple[str, ...] | None = None
    delimiter: str = ","
    decimal: str = "."
    encoding: str | None = None
    time: str | None = None
    group: str | None = None
    time_format: str | None = None
    weight: str | None = None

    def made_of(self) -> dict[str, Any]:
        """Return all that determines the converted table; what is not set is left out."""
        found = asdict(self)
        for key in ("time", "group", "time_format", "weight"):
            if found[key] is None:
                del found[key]
        return found
