"""Terminal output of two versions: side by side, and the paired comparison in words."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ffn.criteria.decision_record import DecisionRecord
from ffn.criteria.recorded_values import table_in
from ffn.errors import one_line, quote
from ffn.evaluation.class_figures import ClassFigures
from ffn.evaluation.missed_classes import class_warning
from ffn.promotion.comparison import Paired, VersionComparison
from ffn.quantities import NOTHING, counted, difference, p_equals
from ffn.reports.decision_record_lines import lowest_coverage, metric_name
from flows.cli.display.record_cells import DIGITS, count_cell, date_cell, figure_cell, print_wrapped
from flows.cli.display.terminal import plain_console

__all__ = ["paired_sentence", "print_comparison"]

_CLASSES_COMPARED = 10


def print_comparison(found: VersionComparison) -> None:
    """Print the comparison ``found`` of two versions: differences, figures and paired tests."""
    console = plain_console(sys.stdout)
    first, second = found.first.summary, found.second.summary
    for one in (first, second):
        if one.missed:
            print_wrapped(console, class_warning(one.version, one.missed))
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", max_width=26, overflow="fold")
    for one in (first, second):
        table.add_column(f"version {one.version}", max_width=25, overflow="fold")
    for row in _side_by_side(found):
        table.add_row(*map(one_line, row))
    console.print(table)
    console.print("Each version's figures are on its own held-out rows.", soft_wrap=True)
    said = (
        paired_sentence(first.version, second.version, found.paired)
        if found.paired
        else (f"They cannot be compared on common rows: {found.why_not}.")
    )
    print_wrapped(console, said)


def _side_by_side(found: VersionComparison) -> Iterator[tuple[str, str, str]]:
    one, other = found.first.summary, found.second.summary
    yield "made (UTC)", date_cell(one.created_at), date_cell(other.created_at)
    yield "winner", one.winner or NOTHING, other.winner or NOTHING
    yield "accuracy", figure_cell(one.accuracy), figure_cell(other.accuracy)
    yield "log-loss", figure_cell(one.log_loss), figure_cell(other.log_loss)
    one_record, other_record = one.held_out, other.held_out
    if one_record.auc or other_record.auc:
        for label, key in (
            ("ROC-AUC", "auc"),
            (_precision_label(one_record.positive, other_record.positive), "average_precision"),
            ("balanced accuracy", "balanced_accuracy"),
        ):
            yield (
                label,
                figure_cell(getattr(one_record, key)),
                figure_cell(getattr(other_record, key)),
            )
    yield from _by_class(one_record.classes, other_record.classes)
    yield from _by_decision(one_record.decision, other_record.decision)
    yield "held-out rows", count_cell(one.rows), count_cell(other.rows)
    made = (found.first.provenance, found.second.provenance)
    trained = [count_cell(table_in(document, "rows").get("train")) for document in made]
    yield "training rows", trained[0], trained[1]
    for label, key in (
        ("data", "source_sha256"),
        ("settings", "settings_sha256"),
        ("code", "code_sha256"),
    ):
        yield (label, *_digests(*(document.get(key) for document in made)))
    yield ("bundle", *_digests(one.bundle_sha256, other.bundle_sha256))
    for key, values in found.settings.items():
        shown = [NOTHING if value is None else str(value) for value in values]
        yield key, shown[0], shown[1]


def paired_sentence(first: int, second: int, found: Paired) -> str:
    """Return the paired comparison of two versions in words.

    Parameters
    ----------
    first, second
        Numbers of the versions.
    found
        The comparison, on rows that neither was trained on.
    """
    rows, labels = found.rows, found.labels
    looks = (
        f" The gate has compared on such rows up to {counted(found.looks, 'time')}, which these "
        "figures do not count."
        if found.looks
        else ""
    )
    of_groups = f", which are of {counted(rows.groups, 'group')}," if rows.groups else ""
    related = (
        f"{rows.related:,} of groups or times that one was trained on, " if rows.related else ""
    )
    test = "sign flips by group" if rows.groups else "exact McNemar"
    method = (
        "with the group as the unit"
        if rows.groups
        else "that of the accuracy by Fay and Lumbard, which agrees with the test"
    )
    return (
        f"Paired, on {rows.fit:,} of {counted(rows.held_out, 'row')} of the training CSV"
        f"{of_groups} (left out: {rows.trained_on:,} that one of the two was trained on, {related}"
        f"and {rows.refused:,} that one would refuse): version {second} is right and {first} wrong "
        f"on {labels.gained:,}, the reverse on {labels.lost:,}. "
        f"Accuracy {difference(found.accuracy)}, {p_equals(found.p_value)} ({test}, "
        f"two-sided); log-loss {difference(found.log_loss)}; version {second} less version "
        f"{first}, 95 % intervals, {method}.{looks}"
    )


def _precision_label(first: str, second: str) -> str:
    return (
        f"average precision of {quote(first)}" if first and first == second else "average precision"
    )


def _by_class(
    ours: Sequence[ClassFigures], theirs: Sequence[ClassFigures]
) -> Iterator[tuple[str, str, str]]:
    """Yield recall and precision by class, those of the lowest recall if there are many."""
    first, second = ({one.name: one for one in found} for found in (ours, theirs))

    def lowest(name: str) -> float:
        known = [found[name].recall.value for found in (first, second) if name in found]
        return min((value for value in known if not math.isnan(value)), default=1.0)

    names = list(first | second)
    if len(names) > _CLASSES_COMPARED:
        names = sorted(names, key=lowest)[:_CLASSES_COMPARED]
    for name in names:
        pair = [found.get(name) for found in (first, second)]
        for what in ("recall", "precision"):
            shown = [figure_cell(getattr(one, what)) if one else NOTHING for one in pair]
            yield f"{what} of {quote(name)}", shown[0], shown[1]
    if hidden := len(first | second) - len(names):
        yield f"{counted(hidden, 'other class', 'other classes')}", "higher recall", "higher recall"


def _by_decision(
    ours: DecisionRecord | None, theirs: DecisionRecord | None
) -> Iterator[tuple[str, str, str]]:
    """Yield the metric of each version, and how often label sets hold the class."""
    pair = (ours, theirs)
    for name in dict.fromkeys(metric_name(one) for one in pair if one and one.metric):
        shown = [
            figure_cell(one.figure if one and metric_name(one) == name else None) for one in pair
        ]
        yield f"metric: {name}", shown[0], shown[1]
    if not any(one and one.coverage for one in pair):
        return
    shown = [
        NOTHING if one is None or one.promised is None else f"{one.promised:g}" for one in pair
    ]
    yield "label sets promise", shown[0], shown[1]
    shown = [figure_cell(one.coverage if one else None) for one in pair]
    yield "sets hold the class", shown[0], shown[1]
    classes = [{of.name: of for of in one.classes} if one else {} for one in pair]
    known = [
        *classes[0].values(),
        *(of for name, of in classes[1].items() if name not in classes[0]),
    ]
    for name in (of.name for of in lowest_coverage(known, _CLASSES_COMPARED)):
        shown = [figure_cell(own[name].coverage if name in own else None) for own in classes]
        yield f"sets hold {quote(name)}", shown[0], shown[1]
    if (hidden := len(known) - _CLASSES_COMPARED) > 0:
        others = f"sets hold {counted(hidden, 'other class', 'other classes')}"
        yield others, "more often", "more often"


def _digests(one: object, other: object) -> tuple[str, str]:
    """Return two digests; the second is "the same" if they are equal."""
    shown = [str(value)[:DIGITS] if value else NOTHING for value in (one, other)]
    return shown[0], "the same" if one and one == other else shown[1]
