"""The contract between a training table and every table scored later."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ffn.errors import BundleError

__all__ = ["Feature", "Kind", "Schema"]

Kind = Literal["numeric", "categorical"]


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
    """

    name: str
    kind: Kind
    missing: bool = False
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] = ()


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
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Schema:
        """Rebuild a schema.

        Raises
        ------
        BundleError
            A field is missing, unknown or of the wrong type.
        """
        try:
            features = tuple(
                Feature(**{**feature, "categories": tuple(feature["categories"])})
                for feature in value["features"]
            )
            return cls(
                features=features,
                target=value["target"],
                classes=tuple(value["classes"]),
                missing_values=tuple(value["missing_values"]),
            )
        except (KeyError, TypeError) as error:
            raise BundleError(f"schema: not a schema of this format ({error}).") from None
