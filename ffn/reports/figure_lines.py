"""Held-out figures beside accuracy as plain text and JSON: ranking metrics, recall by class."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from ffn.errors import one_line, quote
from ffn.evaluation.class_figures import ClassFigures, share_of_class
from ffn.evaluation.inference.statistics import Interval
from ffn.promotion.overview import HeldOutRecord
from ffn.quantities import counted, interval
from ffn.reports.held_out import class_table, shown_name
from ffn.reports.pictures.canvas import middle_cut

__all__ = [
    "bounds_json",
    "class_lines",
    "ranking_sentence",
    "record_json",
    "record_lines",
    "record_markdown",
    "recorded_sentence",
    "wrapped",
]

_WIDTH = 80
# With the columns before the name, a line has at most 80 characters.
_NAME_LETTERS = 23


def ranking_sentence(
    auc: Interval,
    average_precision: Interval,
    balanced_accuracy: Interval,
    positive: str,
    classes: Sequence[ClassFigures],
    shown: Callable[[str], str] = quote,
) -> str:
    """Return the metrics that a rare class shows in, with what they mean, without a full stop.

    Parameters
    ----------
    auc, average_precision, balanced_accuracy
        The figures, with intervals.
    positive
        Of two classes the one that average precision is of; empty if the figures are means.
    classes
        Figures of all classes.
    shown
        Makes the text for a class of its name; by default it is put in quotes, for a terminal.
    """
    if positive:
        what = f"average precision of {shown(positive)}"
        own = share_of_class(classes, positive)
        chance, means = "" if math.isnan(own) else f" (by chance {own:.3f})", ""
    else:
        what, chance = "average precision", ""
        means = f"; means over {counted(len(classes), 'class', 'classes')}, each against the others"
    return (
        f"ROC-AUC {interval(auc)}, {what} {interval(average_precision)}{chance}, "
        f"balanced accuracy {interval(balanced_accuracy)}{means}"
    )


def recorded_sentence(record: HeldOutRecord, shown: Callable[[str], str] = quote) -> str:
    """Return `ranking_sentence` of a registered version; empty if an earlier release wrote it.

    Parameters
    ----------
    record
        The metrics of the version.
    shown
        As for `ranking_sentence`.
    """
    auc, precision = record.auc, record.average_precision
    if auc is None or precision is None or record.balanced_accuracy is None:
        return ""
    return ranking_sentence(
        auc, precision, record.balanced_accuracy, record.positive, record.classes, shown
    )


def record_lines(record: HeldOutRecord, *, most: int) -> list[str]:
    """Return a record as lines of the status, or none if nothing is known.

    Parameters
    ----------
    record
        The metrics of a registered version.
    most
        Largest number of classes shown.
    """
    said = recorded_sentence(record)
    lines = wrapped(said, "  held out ") if said else []
    return lines + (class_lines(record.classes, most=most) if record.classes else [])


def wrapped(text: str, label: str) -> list[str]:
    """Return ``text`` after ``label`` in lines of 80 characters that leave no interval divided."""
    kept = re.sub(r" \[[^]\[]{1,40}]", _unbroken, one_line(text))
    lines = textwrap.wrap(
        kept,
        _WIDTH,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_on_hyphens=False,
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _unbroken(found: re.Match[str]) -> str:
    return found[0].replace(" ", "\N{NO-BREAK SPACE}")


def record_markdown(record: HeldOutRecord) -> list[str]:
    """Return a record as paragraphs of Markdown: a sentence, and a table of all classes."""
    said = recorded_sentence(record, shown_name)
    parts = [f"Held out: {said}."] if said else []
    return parts + ([class_table(record.classes)] if record.classes else [])


def record_json(record: HeldOutRecord) -> dict[str, Any]:
    """Return a record as JSON values: a figure is a list of value, low and high, or null."""
    return {
        "balanced_accuracy": bounds_json(record.balanced_accuracy),
        "auc": bounds_json(record.auc),
        "average_precision": bounds_json(record.average_precision),
        "positive": record.positive,
        "classes": [
            {
                "name": one.name,
                "rows": one.rows,
                "recall": bounds_json(one.recall),
                "precision": bounds_json(one.precision),
                "auc": bounds_json(one.auc),
                "average_precision": bounds_json(one.average_precision),
            }
            for one in record.classes
        ],
        "missed": record.missed,
    }


def bounds_json(figure: Interval | None) -> list[float] | None:
    """Return value, low and high of a figure; None if it has no value."""
    if figure is None or math.isnan(figure.value):
        return None
    return [figure.value, figure.low, figure.high]


def class_lines(classes: Sequence[ClassFigures], *, most: int) -> list[str]:
    """Return recall and precision by class as lines of at most 80 characters, with a heading.

    Parameters
    ----------
    classes
        Figures of all classes, in the order in which they are shown if they all are.
    most
        Largest number of classes shown; if there are more, these are the ones with the lowest
        recall, the lowest first, and a last line has the number of the others.
    """
    shown, hidden = list(classes), list[ClassFigures]()
    if len(shown) > most:
        # Without held-out rows there is no recall, which is no reason to come first.
        shown.sort(key=lambda one: (not one.rows, one.recall.value if one.rows else 0.0))
        shown, hidden = shown[:most], shown[most:]
    lines = [f"{'rows':>10}  {'recall':<20}  {'precision':<20}  class"]
    lines += [
        f"{one.rows:>10,}  {interval(one.recall):<20}  {interval(one.precision):<20}  "
        f"{one_line(middle_cut(one.name, _NAME_LETTERS))}"
        for one in shown
    ]
    if hidden:
        others = counted(len(hidden), "class", "classes")
        equal = "equal or " if hidden[0].recall.value == shown[-1].recall.value else ""
        lines.append(f"{'':>10}  and {others} of {equal}higher recall")
    return lines
