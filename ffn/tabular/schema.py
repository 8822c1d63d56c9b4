"""The contract between a training table and every table scored later."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from ffn.errors import BundleError, quote
from ffn.tabular.number_format import NumberFormat

__all__ = ["Feature", "Kind", "Schema", "is_constant", "prediction_columns"]

Kind = Literal["numeric", "categorical"]
# Numbers closer than this have a variance that float64 rounds to nothing, or to few digits.
_LEAST_SPREAD = 1e-150
# Of the largest of them: what is less apart differs by how it was rounded.
_LEAST_SHARE = 8 * float(np.finfo(np.float64).eps)


def is_constant(low: float, high: float) -> bool:
    """Whether numbers between these bounds differ by no more than rounding."""
    return high - low <= max(_LEAST_SPREAD, _LEAST_SHARE * max(-low, high))


def prediction_columns(target: str) -> tuple[str, str]:
    """Return the headers of the two columns that scoring always adds."""
    return f"predicted_{target}", "confidence"


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One input column as it was at training.

    Attributes
    ----------
    name
        Header of the column; features are found by it, in any order.
    kind
        ``"numeric"`` (finite decimal numbers) or ``"categorical"`` (text).
    missing
        True if training rows had empty cells here. Only then may a row to score have one.
    minimum, maximum
        Range of a numeric column over the training part; None for a categorical one.
    categories
        Texts seen in a categorical column in training, sorted; empty for a numeric one.
    format
        How a numeric column writes its numbers, as an example that `NumberFormat.of` takes; None
        where they are plain.
    """

    name: str
    kind: Kind
    missing: bool = False
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] = ()
    format: str | None = None

    @cached_property
    def number_format(self) -> NumberFormat | None:
        """``format``, understood."""
        return None if self.format is None else NumberFormat.of(self.format)

    @property
    def constant(self) -> bool:
        """Whether training knew a single number, and gaps."""
        low, high = self.minimum, self.maximum
        return low is not None and high is not None and is_constant(low, high)


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Features in the order the network takes them, target, classes, and what counts as missing.

    Attributes
    ----------
    features
        The input columns.
    target
        Header of the label column; it need not be in a table to score.
    classes
        Labels, sorted; index ``c`` is the network's output ``c``.
    missing_values
        Cell texts that mean "no value" (compared after trimming spaces and tabs).
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
        """Return plain lists, dicts, strings and numbers; ``from_json`` is the way back."""
        value = asdict(self)
        for feature in value["features"]:
            # Written only where it says something: bundles of plain numbers keep their bytes.
            if feature["format"] is None:
                del feature["format"]
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Schema:
        """Rebuild a schema.

        Raises
        ------
        BundleError
            A field is missing, unknown or of the wrong type.
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
                raise BundleError(f"schema: not a schema of this format (a {what} stands twice).")
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
        return feature.number_format is not None
    except ValueError:
        return False


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{quote(value)} is no list")
    return list(value)


def _texts(value: Any) -> tuple[str, ...]:
    texts = tuple(_list(value))
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{quote(value)} are no texts")
    return texts
