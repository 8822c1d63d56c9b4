"""Schema of a training table, which every table to score must match."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from ffn.errors import BundleError, quote
from ffn.tabular.cell_forms import CellForm, cell_form
from ffn.tabular.date_form import DateForm
from ffn.tabular.number_format import NumberFormat

__all__ = ["Feature", "Kind", "Schema", "is_constant", "prediction_columns", "set_column"]

Kind = Literal["numeric", "categorical"]
# The variance of numbers closer than this underflows in float64, or loses most digits.
_LEAST_SPREAD = 1e-150
# Relative to the largest number: smaller differences are rounding errors.
_LEAST_SHARE = 8 * float(np.finfo(np.float64).eps)


def is_constant(low: float, high: float) -> bool:
    """Return whether numbers from ``low`` to ``high`` differ by no more than rounding errors."""
    return high - low <= max(_LEAST_SPREAD, _LEAST_SHARE * max(-low, high))


def prediction_columns(target: str) -> tuple[str, str]:
    """Return the headers of the columns that scoring adds: prediction of ``target``, confidence."""
    return f"predicted_{target}", "confidence"


def set_column(target: str) -> str:
    """Return the header of the column of label sets, which scoring adds if the model has them."""
    return f"possible_{target}"


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One input column as it was in training.

    Attributes
    ----------
    name
        Header of the column; tables to score may have their columns in any order.
    kind
        ``"numeric"`` (finite decimal numbers) or ``"categorical"`` (text).
    missing
        Whether training rows had missing values here. Only then may a row to score have one.
    minimum, maximum
        Range of a numeric column in the training part; None for a categorical one.
    categories
        Texts of a categorical column in training, sorted; empty for a numeric one.
    format
        How a numeric column writes its values, for `cell_form`; None for plain numbers. Dates are
        seconds since 1970, truth values 0 and 1.
    """

    name: str
    kind: Kind
    missing: bool = False
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] = ()
    format: str | None = None

    @cached_property
    def form(self) -> CellForm | None:
        """``format``, parsed."""
        return None if self.format is None else cell_form(self.format)

    @property
    def number_format(self) -> NumberFormat | None:
        """The same, if the column has numbers; None for plain ones, dates and truth values."""
        return self.form if isinstance(self.form, NumberFormat) else None

    @property
    def date_form(self) -> DateForm | None:
        """How the column writes its dates; None if it has none."""
        return self.form if isinstance(self.form, DateForm) else None

    @property
    def constant(self) -> bool:
        """Whether all training rows had the same number, or none."""
        low, high = self.minimum, self.maximum
        return low is not None and high is not None and is_constant(low, high)


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Features, target, classes and missing values of a training table.

    Attributes
    ----------
    features
        The input columns, in the order of the network's inputs.
    target
        Header of the label column; optional in a table to score.
    classes
        Labels, sorted; index ``c`` is the network's output ``c``.
    missing_values
        Cell texts that mean "no value", without surrounding spaces and tabs. The default is the
        empty cell.
    """

    features: tuple[Feature, ...]
    target: str
    classes: tuple[str, ...]
    missing_values: tuple[str, ...] = ("",)

    @property
    def numeric(self) -> tuple[Feature, ...]:
        """The numeric features, in order."""
        return tuple(feature for feature in self.features if feature.kind == "numeric")

    @property
    def categorical(self) -> tuple[Feature, ...]:
        """The categorical features, in order."""
        return tuple(feature for feature in self.features if feature.kind == "categorical")

    def to_json(self) -> dict[str, Any]:
        """Return the schema as JSON values; the inverse of `from_json`."""
        value = asdict(self)
        for feature in value["features"]:
            # Omitted if None, so that bundles without formats keep their bytes.
            if feature["format"] is None:
                del feature["format"]
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Schema:
        """Return the schema in ``value``, a result of `to_json`.

        Raises
        ------
        BundleError
            A field is missing, unknown or of the wrong type, or a name is repeated.
        """
        try:
            schema = cls(
                features=tuple(_feature(feature) for feature in _list(value["features"])),
                target=value["target"],
                classes=_texts(value["classes"]),
                missing_values=_texts(value["missing_values"]),
            )
        except (KeyError, TypeError) as error:
            raise BundleError(f"schema: not a schema of this format ({error}).") from None
        names = [feature.name for feature in schema.features]
        for what, texts in (("feature", names), ("class", schema.classes)):
            if len(set(texts)) < len(texts):
                raise BundleError(f"schema: not a schema of this format (a {what} is repeated).")
        if not isinstance(schema.target, str) or set(value) != {f.name for f in fields(cls)}:
            raise BundleError("schema: not a schema of this format (target, or an unknown field).")
        return schema


def _feature(value: dict[str, Any]) -> Feature:
    feature = Feature(**{**value, "categories": _texts(value["categories"])})
    bounds = (feature.minimum, feature.maximum)
    sound = (
        isinstance(feature.name, str)
        and feature.kind in get_args(Kind)
        and isinstance(feature.missing, bool)
        and all(bound is None or type(bound) in (int, float) for bound in bounds)
        and _is_format(feature)
    )
    if not sound or len(set(feature.categories)) < len(feature.categories):
        raise TypeError(f"feature {quote(feature.name)}")
    return feature


def _is_format(feature: Feature) -> bool:
    if feature.format is None:
        return True
    if not isinstance(feature.format, str) or feature.kind != "numeric":
        return False
    try:
        return feature.form is not None
    except ValueError:
        return False


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{quote(value)} is not a list")
    return list(value)


def _texts(value: Any) -> tuple[str, ...]:
    texts = tuple(_list(value))
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{quote(value)} is not a list of texts")
    return texts
