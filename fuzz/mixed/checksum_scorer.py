"""The model of ``fuzz.mixed.answers``, as scoring asks it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ffn.decision_rules.rule import DecisionRule
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.histograms import Histogram, Reference
from fuzz.mixed.answers import HUGE, NOTHING, Task, shares_of
from fuzz.mixed.cell_oracle import components_of
from fuzz.mixed.columns import Column

__all__ = ["ChecksumScorer"]


@dataclass(frozen=True)
class _Encoder:
    width: int

    def components(self, _column: int, cells: Any) -> Any:
        """Return numbers that tell texts apart."""
        found = [components_of(cell, self.width) for cell in cells]
        return np.array(found, dtype=np.float64).reshape(len(cells), self.width)


@dataclass(frozen=True)
class _Preparation:
    """Inputs are the values themselves: numbers, codes, then components of texts."""

    numbers: int
    codes: int
    texts: int
    width: int
    medians: tuple[int, ...]

    def transform(self, numeric: Any, codes: Any) -> Any:
        """Return inputs; infinite where a number is too large."""
        wide = np.where(np.abs(numeric) > HUGE, np.inf, numeric)
        wide = np.where(np.isnan(wide), NOTHING, wide)
        first = self.numbers
        return np.hstack((wide[:, :first], codes, wide[:, first:])).astype(np.float64)

    def inputs_of_features(self) -> list[slice]:
        """Return the inputs of each column."""
        first = self.numbers + self.codes
        own = [slice(i, i + 1) for i in range(first)]
        return own + [
            slice(first + t * self.width, first + (t + 1) * self.width) for t in range(self.texts)
        ]

    def median_of(self, place: int) -> float:
        """Return the median of a number."""
        return float(self.medians[place])


@dataclass(frozen=True)
class ChecksumScorer:
    """A model whose answer is right only if every value of the row is."""

    task: Task
    pipeline: str = "mixed"
    version: int = 3
    sha256: str = "ef" * 32

    @cached_property
    def schema(self) -> Schema:
        """The columns."""
        return Schema(
            features=tuple(map(_feature, self.task.columns)),
            target="y",
            classes=self.task.classes,
            missing_values=self.task.missing_values,
            encoder=_Encoder(self.task.width) if self.task.of_kind("text") else None,
        )

    @cached_property
    def preparation(self) -> _Preparation:
        """See above."""
        task = self.task
        numbers, codes, texts = (
            len(task.of_kind(kind)) for kind in ("numeric", "categorical", "text")
        )
        return _Preparation(numbers, codes, texts, task.width, task.medians)

    @cached_property
    def reference(self) -> Reference:
        """Histograms from which the reference row follows."""
        return Reference(
            numeric=tuple(
                Histogram(counts=(9,), missing=0, mean=float(median))
                for median in self.task.medians
            ),
            categorical=tuple(
                _usual(len(column.categories), code)
                for column, code in zip(
                    self.task.of_kind("categorical"), self.task.usual, strict=True
                )
            ),
            labels=(5,) * len(self.task.classes),
        )

    @cached_property
    def rule(self) -> DecisionRule:
        """The decision rule."""
        task = self.task
        return DecisionRule(
            costs=task.costs,
            thresholds=task.thresholds,
            abstain_below=task.abstain_below,
            set_limits=task.set_limits,
        )

    def probabilities(self, x: Any) -> Any:
        """Return the shares [n, C]."""
        rows = np.ascontiguousarray(x, dtype="<f8") + 0.0
        classes = len(self.task.classes)
        found = [shares_of(row.tobytes(), classes) for row in rows]
        return np.array(found, dtype=np.float64).reshape(len(rows), classes)


def _feature(column: Column) -> Feature:
    if column.kind == "category":
        return Feature(
            name=column.name,
            kind="categorical",
            missing=column.missing,
            categories=column.categories,
        )
    if column.kind == "text":
        return Feature(name=column.name, kind="text", missing=column.missing)
    return Feature(
        name=column.name,
        kind="numeric",
        missing=column.missing,
        minimum=0.0,
        maximum=1.0 if column.kind == "truth" else 10.0,
        format=column.form or None,
    )


def _usual(categories: int, code: int) -> Histogram:
    counts = [0] * categories
    if code >= 0:
        counts[code] = 5
    return Histogram(counts=tuple(counts), missing=0 if code >= 0 else 5)
