"""Rows of typed values, and what a model says of them, worked out one by one.

The model is a checksum: the share of each class follows from all bits of the values of the row, so
that an answer is right only if every value is. What follows from the shares (labels, label sets,
reasons) is worked out from the user's pages.
"""

from __future__ import annotations

import itertools
import math
import random
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from fuzz.mixed.cell_oracle import MISSING, UNKNOWN, WRONG, components_of, value_of
from fuzz.mixed.columns import Column, make_columns

__all__ = ["HUGE", "NOTHING", "Answer", "Task", "make_task", "shares_of"]

# What the model sees where there is no number, and from where on a number is too large for it.
NOTHING, HUGE = -7e77, 1e100
_CLASSES = (("large", 'small, "tiny"'), ("0", "1", "10"), ("a|b", "no", "yes"))
_MISSING_VALUES = (
    ("", "NA"),
    ("", "NA"),
    ("", "NA", "-999", "1900-01-01", "null"),
    ("", "NaN", "true", "$0", "31/01/2025", "0"),
    ("NA",),
)

Value = float | int | str | None


def shares_of(inputs: bytes, classes: int) -> list[float]:
    """Return the share of each class, by the bytes of a row of inputs."""
    parts = [1 + zlib.crc32(inputs, c) % 9_999 for c in range(classes)]
    return [part / sum(parts) for part in parts]


@dataclass(frozen=True)
class Answer:
    """What is said of one row.

    Attributes
    ----------
    label
        The label; None where the model abstains.
    confidence, shares
        In units of 1/10,000.
    possible
        The label set; None where the model has none.
    reasons
        Columns with their values in units of 1/10,000, the largest first.
    """

    label: str | None
    confidence: int
    shares: tuple[int, ...]
    possible: tuple[str, ...] | None = None
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Task:
    """A model, and what is asked of it.

    Attributes
    ----------
    columns
        The model's columns.
    missing_values
        Texts that mean "no value".
    classes
        Labels, sorted.
    costs, thresholds, abstain_below, set_limits
        The decision rule; None and 0 for none.
    width
        Numbers that each text is read as.
    medians, usual
        The reference row: the number of each numeric column, and the code of each other one.
    probabilities, explain, on_unknown
        Options of scoring.
    """

    columns: tuple[Column, ...]
    missing_values: tuple[str, ...]
    classes: tuple[str, ...]
    costs: tuple[tuple[float, ...], ...] | None = None
    thresholds: tuple[float | None, ...] | None = None
    abstain_below: float = 0.0
    set_limits: tuple[float, ...] | None = None
    width: int = 1
    medians: tuple[int, ...] = ()
    usual: tuple[int, ...] = ()
    probabilities: bool = False
    explain: int = 0
    on_unknown: str = "score"

    def of_kind(self, kind: str) -> list[Column]:
        """Return the columns that are ``numeric``, ``categorical`` or ``text``, in order."""
        known = {"category": "categorical", "text": "text"}
        return [own for own in self.columns if known.get(own.kind, "numeric") == kind]

    @property
    def in_order(self) -> list[Column]:
        """The columns in the order in which their cells are looked at."""
        return [own for kind in ("numeric", "categorical", "text") for own in self.of_kind(kind)]

    @property
    def added(self) -> list[str]:
        """Names of the columns that scoring adds."""
        names = ["predicted_y", "confidence"]
        names += [f"probability_{label}" for label in self.classes if self.probabilities]
        names += ["possible_y"] if self.set_limits else []
        for number in range(1, min(self.explain, len(self.columns)) + 1):
            names += [f"reason_{number}", f"reason_{number}_value"]
        return names

    def of_row(self, row: dict[str, str], decimal: str) -> tuple[str, str, Sequence[str]]:
        """Return column and reason of a reject, or the cells that are added to the row."""
        column, reason, values = self.read(row, decimal)
        if reason:
            return column, reason, ()
        return "", "", self.cells(self.answer(values))

    def read(self, row: dict[str, str], decimal: str) -> tuple[str, str, list[Value]]:
        """Return column and reason of a reject, or the values of ``in_order``."""
        values: list[Value] = []
        for column in self.in_order:
            value = value_of(column, row[column.name], self.missing_values, decimal)
            if isinstance(value, float) and math.isnan(value):
                return column.name, WRONG[column.kind], []
            absent = value is None or (column.kind == "category" and value == MISSING)
            if absent and not column.missing:
                return column.name, "missing_value", []
            if column.kind == "category" and value == UNKNOWN and self.on_unknown == "reject":
                return column.name, "unknown_category", []
            values.append(value)
        if any(isinstance(value, float) and abs(value) > HUGE for value in values):
            return "", "not_finite", []
        return "", "", values

    def answer(self, values: Sequence[Value]) -> Answer:
        """Return what the model says of typed values, in the order of ``in_order``."""
        inputs = self._inputs(values)
        shares = shares_of(_bytes_of(inputs), len(self.classes))
        place = self._label(shares)
        confidence = round(shares[place] * 10_000)
        possible = None
        if self.set_limits:
            possible = tuple(
                name
                for c, name in enumerate(self.classes)
                if c == place or shares[c] >= self.set_limits[c]
            )
        return Answer(
            None if confidence / 10_000 < self.abstain_below else self.classes[place],
            confidence,
            tuple(round(share * 10_000) for share in shares),
            possible,
            self._reasons(inputs, place) if self.explain else (),
        )

    def cells(self, answer: Answer) -> list[str]:
        """Return an answer as the cells that are added to a row."""
        cells = [answer.label or "", f"{answer.confidence / 10_000:.4f}"]
        if self.probabilities:
            cells += [f"{share / 10_000:.4f}" for share in answer.shares]
        if answer.possible is not None:
            cells.append("|".join(answer.possible))
        for place in range(min(self.explain, len(self.columns))):
            reason = answer.reasons[place] if place < len(answer.reasons) else None
            cells += [reason[0], f"{reason[1] / 10_000:.4f}"] if reason else ["", ""]
        return cells

    def _label(self, shares: list[float]) -> int:
        every = range(len(shares))
        if self.costs:
            expected = [sum(p * self.costs[i][j] for i, p in enumerate(shares)) for j in every]
            return min(every, key=lambda j: expected[j])
        if self.thresholds:
            limits = self.thresholds
            reached = [c for c in every if limits[c] is not None and shares[c] >= limits[c]]
            if reached:
                return max(reached, key=lambda c: shares[c] / limits[c])
            free = [c for c in every if limits[c] is None]
            if free:
                return max(free, key=lambda c: shares[c])
            return max(every, key=lambda c: shares[c] / limits[c])
        return max(every, key=lambda c: shares[c])

    def _inputs(self, values: Sequence[Value]) -> list[tuple[float, ...]]:
        """Return the numbers that the model sees, column by column of ``in_order``."""
        found: list[tuple[float, ...]] = []
        for column, value in zip(self.in_order, values, strict=True):
            if column.kind == "text":
                parts = components_of(value, self.width)  # type: ignore[arg-type]
                found.append(tuple(NOTHING if math.isnan(part) else part for part in parts))
            else:
                found.append((NOTHING if value is None else float(value),))
        return found

    def _reasons(self, inputs: list[tuple[float, ...]], label: int) -> tuple[tuple[str, int], ...]:
        """Return the Shapley values against the reference row, over all orders of the columns."""
        usual = [
            *((float(number),) for number in self.medians),
            *((float(code),) for code in self.usual),
            *((0.0,) * self.width for _ in self.of_kind("text")),
        ]
        n = len(inputs)
        worth = {}
        for some in itertools.product((False, True), repeat=n):
            mixed = [inputs[i] if some[i] else usual[i] for i in range(n)]
            worth[some] = Fraction(shares_of(_bytes_of(mixed), len(self.classes))[label])
        values = []
        for i in range(n):
            total = Fraction(0)
            for some, without in worth.items():
                if not some[i]:
                    size = sum(some)
                    weight = math.factorial(size) * math.factorial(n - size - 1)
                    total += weight * (worth[(*some[:i], True, *some[i + 1 :])] - without)
            values.append(total / math.factorial(n))
        names = [column.name for column in self.in_order]
        units = {name: round(value * 10_000) for name, value in zip(names, values, strict=True)}
        told = [(column.name, units[column.name]) for column in self.columns]
        told = sorted((one for one in told if one[1]), key=lambda one: -abs(one[1]))
        return tuple(told[: self.explain])


def make_task(chance: random.Random, *, ascii_only: bool) -> Task:
    """Return a model with columns of some kinds, and options."""
    columns = make_columns(chance, ascii_only=ascii_only)
    classes = chance.choice(_CLASSES)
    n = len(classes)
    costs = thresholds = limits = None
    how = chance.random()
    if how < 0.15:
        costs = tuple(
            tuple(0.0 if i == j else float(chance.randrange(1, 9)) for j in range(n))
            for i in range(n)
        )
    elif how < 0.3:
        thresholds = tuple(chance.choice((0.1, 0.5, 0.8, None)) for _ in range(n))
        thresholds = thresholds if any(thresholds) else None
    if chance.random() < 0.25:
        limits = tuple(chance.choice((0.0, 0.2, 0.4, 0.9)) for _ in range(n))
    explain = chance.choice((1, 3, 9)) if chance.random() < 0.15 else 0
    kinds = [own.kind for own in columns]
    return Task(
        columns=columns,
        missing_values=chance.choice(_MISSING_VALUES),
        classes=classes,
        costs=costs,
        thresholds=thresholds,
        abstain_below=chance.choice((0.35, 0.6, 0.9)) if chance.random() < 0.2 else 0.0,
        set_limits=limits,
        width=chance.choice((1, 1, 3)),
        medians=tuple(
            chance.randrange(-5, 10) for kind in kinds if kind not in ("category", "text")
        ),
        usual=tuple(chance.randrange(-1, 2) for kind in kinds if kind == "category"),
        probabilities=chance.random() < 0.3,
        explain=explain,
        on_unknown="reject" if chance.random() < 0.25 else "score",
    )


def _bytes_of(inputs: Sequence[tuple[float, ...]]) -> bytes:
    numbers = [number + 0.0 for own in inputs for number in own]
    return struct.pack(f"<{len(numbers)}d", *numbers)
