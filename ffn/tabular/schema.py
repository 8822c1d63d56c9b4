"""Schema of a training table, which every table to score must match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from ffn.errors import BundleError, quote
from ffn.tabular.cell_forms import CellForm, cell_form
from ffn.tabular.clock_form import ClockForm
from ffn.tabular.date_form import DateForm
from ffn.tabular.number_format import NumberFormat

__all__ = [
    "Feature",
    "Kind",
    "Schema",
    "TextEncoder",
    "is_constant",
    "prediction_columns",
    "set_column",
]

Kind = Literal["numeric", "categorical", "text"]
"""``text``: short texts, most of them different, of which parts recur."""
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


class TextEncoder(Protocol):
    """How columns of texts are read as numbers, learnt from the training part."""

    @property
    def width(self) -> int:
        """Number of components of each column."""
        ...

    def components(self, column: int, cells: Sequence[str | None]) -> npt.NDArray[np.float64]:
        """Return the components of texts, float64 [n, width]; NaN for missing ones.

        Parameters
        ----------
        column
            Position of the column among those of texts.
        cells
            Trimmed texts [n], None for missing.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One input column as it was in training.

    Attributes
    ----------
    name
        Header of the column; tables to score may have their columns in any order.
    kind
        ``"numeric"`` (finite decimal numbers), ``"categorical"`` (texts, each of which is a value
        of its own) or ``"text"`` (texts that are alike if parts of them are).
    missing
        Whether training rows had missing values here. Only then may a row to score have one.
    minimum, maximum
        Range of a numeric column in the training part; None for another one.
    categories
        Texts of a categorical column in training, sorted; empty for another one.
    format
        How a numeric column writes its values, for `cell_form`; None for plain numbers. Dates are
        seconds since 1970, times of day seconds since midnight, truth values 0 and 1.
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
        """The same, if the column has numbers; None for plain ones and all else."""
        return self.form if isinstance(self.form, NumberFormat) else None

    @property
    def date_form(self) -> DateForm | None:
        """How the column writes its dates; None if it has none."""
        return self.form if isinstance(self.form, DateForm) else None

    @property
    def clock_form(self) -> ClockForm | None:
        """How the column writes its times of day; None if it has none."""
        return self.form if isinstance(self.form, ClockForm) else None

    @property
    def fingerprint_kind(self) -> Kind:
        """The kind as which its cells are part of a row's fingerprint: texts are compared whole."""
        return "numeric" if self.kind == "numeric" else "categorical"

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
    encoder
        How the columns of texts are read; None, the default, without such columns, or before it is
        learnt. It is stored with the preparation, and no part of the schema's JSON.
    """

    features: tuple[Feature, ...]
    target: str
    classes: tuple[str, ...]
    missing_values: tuple[str, ...] = ("",)
    encoder: TextEncoder | None = field(default=None, compare=False, repr=False)

    @property
    def numeric(self) -> tuple[Feature, ...]:
        """The numeric features, in order."""
        return tuple(feature for feature in self.features if feature.kind == "numeric")

    @property
    def categorical(self) -> tuple[Feature, ...]:
        """The categorical features, in order."""
        return tuple(feature for feature in self.features if feature.kind == "categorical")

    @property
    def texts(self) -> tuple[Feature, ...]:
        """The features that are texts, in order."""
        return tuple(feature for feature in self.features if feature.kind == "text")

    @property
    def components(self) -> int:
        """How many numbers the texts of a row are read as; 0 without an encoder."""
        return 0 if self.encoder is None else len(self.texts) * self.encoder.width

    def without_encoder(self) -> Schema:
        """Return the schema for what needs no texts; they take longer to read than all else."""
        return replace(self, encoder=None)

    def to_json(self) -> dict[str, Any]:
        """Return the schema as JSON values; the inverse of `from_json`."""
        value = asdict(self.without_encoder())
        del value["encoder"]
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
        known = {one.name for one in fields(cls)} - {"encoder"}
        names = [feature.name for feature in schema.features]
        for what, texts in (("feature", names), ("class", schema.classes)):
            if len(set(texts)) < len(texts):
                raise BundleError(f"schema: not a schema of this format (a {what} is repeated).")
        if not isinstance(schema.target, str) or set(value) != known:
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
    sound = sound and (feature.kind == "categorical" or not feature.categories)
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
