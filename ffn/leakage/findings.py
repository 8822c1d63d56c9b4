"""What the checks of this package found, as sentences made of the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ffn.errors import quote
from ffn.evaluation.inference.statistics import Interval
from ffn.quantities import counted, interval, listed, percent, share_of

__all__ = [
    "AlonePredicts",
    "KnownLate",
    "LabelFollowsTime",
    "LabelUnderAnotherName",
    "Leak",
    "NearRepeats",
    "leak_to_json",
]

_NAMES_SHOWN = 5


class Leak(Protocol):
    """A finding: the column that it is about, its kind, and a sentence without a full stop."""

    @property
    def column(self) -> str:
        """Header of the column."""

    @property
    def kind(self) -> str:
        """Name of the check."""

    @property
    def sentence(self) -> str:
        """What was found, with its figures, and what to do."""


def leak_to_json(leak: Leak) -> dict[str, Any]:
    """Return a ``leak`` as JSON values."""
    return {"column": leak.column, "kind": leak.kind, "text": leak.sentence}


@dataclass(frozen=True, kw_only=True)
class AlonePredicts:
    """A feature that alone predicts the label almost perfectly, which the others do not.

    Attributes
    ----------
    column, target
        Headers of the feature and of the label.
    alone, others
        Share of the rows for which a rule on this column is right, and a model of all other
        columns that are not themselves such features. Both are judged on rows they were not made
        from.
    rows
        Number of these rows.
    values
        Number of distinct values if each is in few rows, so that they name cases; else 0.
    """

    column: str
    target: str
    alone: Interval
    others: Interval
    rows: int
    values: int = 0
    kind: str = "alone"

    @property
    def sentence(self) -> str:
        """The figures, and what to do."""
        found = (
            f"column {quote(self.column)} alone predicts {quote(self.target)} almost perfectly: "
            f"on {counted(self.rows, 'training row')} a rule on it is right for "
            f"{interval(self.alone)}, and a model of the other columns for {interval(self.others)}"
        )
        if self.values:
            return (
                f"{found}. Each of its {self.values:,} values has nearly always one label: if they "
                f"name cases such as customers, set split.group = {quote(self.column)} and add it "
                "to data.exclude"
            )
        return f"{found}. {_remedy(self.column)}"


@dataclass(frozen=True, kw_only=True)
class LabelUnderAnotherName:
    """A feature whose values correspond to the labels one by one.

    Attributes
    ----------
    column, target
        Headers of the feature and of the label.
    pairs
        Each label with its value.
    rows
        Number of rows, all of which agree.
    """

    column: str
    target: str
    pairs: Sequence[tuple[str, str]]
    rows: int
    kind: str = "label"

    @property
    def sentence(self) -> str:
        """The figures, and what to do."""
        shown = ", ".join(
            f"{quote(value)} for {quote(label)}" for label, value in self.pairs[:_NAMES_SHOWN]
        )
        more = ", …" if len(self.pairs) > _NAMES_SHOWN else ""
        return (
            f"column {quote(self.column)} is {quote(self.target)} in other words: in all "
            f"{counted(self.rows, 'training row')} it has {shown}{more}. Add it to data.exclude "
            "unless it will be known before the label"
        )


@dataclass(frozen=True, kw_only=True)
class KnownLate:
    """A feature that has something in most rows of one label, and never in rows of another.

    Attributes
    ----------
    column, target, label
        Headers of the feature and of the label, and the class.
    what
        ``filled``, ``missing``, ``value`` or ``other``, as in `OneLabelValue`.
    value
        The value, if it is about one.
    own, total, of_label
        Of the ``total`` rows in which it is so, ``own`` have the label, which ``of_label`` rows
        have.
    others
        How well a model of the other columns tells these rows from those of other labels: mean of
        the shares that it is right about on either side.
    """

    column: str
    target: str
    label: str
    what: str
    value: str
    own: int
    total: int
    of_label: int
    others: Interval
    kind: str = "late"

    @property
    def sentence(self) -> str:
        """The figures, and what to do."""
        what = {
            "filled": "has a value",
            "missing": "is empty",
            "value": f"is {quote(self.value)}",
            "other": f"is other than {quote(self.value)}",
        }[self.what]
        return (
            f"column {quote(self.column)} {what} in {self.own:,} of the "
            f"{counted(self.of_label, 'training row')} with {quote(self.target)} "
            f"{quote(self.label)} and in {self.total - self.own:,} of all others, which the other "
            f"columns do not explain (they tell these rows apart for {interval(self.others)}, "
            f"chance 0.5). {_remedy(self.column)}"
        )


@dataclass(frozen=True, kw_only=True)
class LabelFollowsTime:
    """A time along which the label changes a few times only.

    Attributes
    ----------
    column, target
        Headers of the time and of the label.
    alone
        Share of the rows for which a rule on the time is right, judged on rows that it was not
        made from.
    rows
        Number of these rows.
    changes, by_chance
        How often the label changes from one row to the next in the order of the time, and how often
        it would in random order.
    """

    column: str
    target: str
    alone: Interval
    rows: int
    changes: int
    by_chance: float
    kind: str = "order"

    @property
    def sentence(self) -> str:
        """The figures, and what to do."""
        name = quote(self.column)
        return (
            f"column {name} orders the label: along it {quote(self.target)} changes "
            f"{counted(self.changes, 'time')} in {counted(self.rows, 'training row')} (about "
            f"{self.by_chance:,.0f} in random order), and a rule on it alone is right for "
            f"{interval(self.alone)}. Whatever else changed with the time tells the labels apart, "
            "and held-out rows drawn at random do not show it. If rows were collected or sorted "
            "label by label, collect each label at all times; if later rows are to be scored, set "
            f"split.time = {name}"
        )


@dataclass(frozen=True, kw_only=True)
class NearRepeats:
    """Rows that repeat others in all but a few columns.

    Attributes
    ----------
    column
        Column whose values differ although the rows agree: an id, or the first that differs.
    differing
        Columns that were not compared.
    rows, of
        How many rows agree with another one, of so many.
    same_label, by_chance
        Share of their pairs with the same label, and of any two rows.
    id_differs
        Whether ``column`` is one that is not a feature: an id.
    """

    column: str
    differing: Sequence[str]
    rows: int
    of: int
    same_label: float
    by_chance: float
    id_differs: bool
    kind: str = "repeats"

    @property
    def sentence(self) -> str:
        """The figures, and what to do."""
        ids = f", under different {quote(self.column)}" if self.id_differs else ""
        return (
            f"{share_of(self.rows, self.of)} of {counted(self.of, 'training row')} repeat another "
            f"one in every column but {listed(list(map(quote, self.differing)))}{ids}, and "
            f"{percent(self.same_label)} of such pairs have the same label (by chance "
            f"{percent(self.by_chance)}): a random split puts one of them on each side. Give rows "
            "of one case the same value in a column and name it in split.group, or remove the "
            "repeats"
        )


def _remedy(column: str) -> str:
    return (
        f"If {quote(column)} is known only after the label, or is made from it, add it to "
        "data.exclude"
    )
