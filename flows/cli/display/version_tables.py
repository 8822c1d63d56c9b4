"""Terminal output of versions: a list, one in detail, two side by side."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ffn.errors import one_line
from ffn.evaluation.statistics import Interval
from ffn.promotion.comparison import Paired, VersionComparison
from ffn.promotion.overview import Detail, Summary, table_in
from ffn.quantities import NOTHING, counted, difference, interval, p_equals, seconds, size
from ffn.tabular.splitting.split_figures import recorded_figures
from flows.cli.display.terminal import plain_console

__all__ = ["paired_sentence", "print_comparison", "print_detail", "print_versions"]

_WIDTH = 80
_LABEL = 12
# Enough digits of a digest to distinguish any two that a person compares.
_DIGITS = 16
_WARNINGS_SHOWN = 5


def print_versions(pipeline: str, found: Sequence[Summary]) -> None:
    """Print a line for each version, and which one is in production.

    Parameters
    ----------
    pipeline
        Name of the pipeline.
    found
        The versions, oldest first.
    """
    console = plain_console(sys.stdout)
    if not found:
        console.print(f"{pipeline}: no versions yet. Make one with: ffn retrain {pipeline}")
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("version", "made (UTC)", "winner", "accuracy", "rows", "verdict"):
        right = heading in ("version", "rows")
        table.add_column(heading, no_wrap=True, justify="right" if right else "left")
    for one in found:
        table.add_row(
            f"{'* ' if one.production else ''}{one.version}",
            _date(one.created_at),
            one_line(one.winner) or NOTHING,
            _figure(one.accuracy),
            NOTHING if one.rows is None else f"{one.rows:,}",
            {True: "promote", False: "keep", None: NOTHING}[one.promote],
            style="bold" if one.production else None,
        )
    console.print(table)
    scoring = [one.version for one in found if one.production]
    console.print(
        f"* in production: version {scoring[0]}." if scoring else "None is in production."
    )
    for one in found:
        if one.next_back:
            console.print(f"ffn rollback {pipeline} would go to version {one.version}.")
    for text in _warnings(found):
        lines = textwrap.wrap(one_line(text), _WIDTH, break_on_hyphens=False)
        console.print("\n".join(lines), soft_wrap=True)
    if not all(map(_is_whole, found)):
        console.print(f"Some files are missing or changed. To list them: ffn verify {pipeline}")


def _warnings(found: Sequence[Summary]) -> Iterator[str]:
    """Yield the warning of each version that has one, the newest few."""
    warned = [one for one in found if one.warning]
    for one in warned[-_WARNINGS_SHOWN:]:
        yield f"Version {one.version}: {one.warning}"
    if len(warned) > _WARNINGS_SHOWN:
        others = counted(len(warned) - _WARNINGS_SHOWN, "older version")
        yield f"A simpler model is shown to be better than {others}, too."


def print_detail(pipeline: str, found: Detail) -> None:
    """Print a version's provenance, figures, verdict, and promotions.

    Parameters
    ----------
    pipeline
        Name of the pipeline.
    found
        The version.
    """
    one, made = found.summary, found.provenance
    place = "in production" if one.production else "not in production"
    lines = [f"{pipeline}, version {one.version}: {place}", ""]
    by, rows, packages = (table_in(made, key) for key in ("by", "rows", "packages"))
    code = ", ".join(f"{name} {number}" for name, number in packages.items())
    who = f"by {by.get('user')} on {by.get('host')}: {by.get('command')}" if by else ""
    run = f", flow run {by['flow_run']}" if by.get("flow_run") else ""
    without_label = f", {rows['unlabelled']} without a label" if rows.get("unlabelled") else ""
    took, split = made.get("seconds"), recorded_figures(made.get("split"))
    facts = {
        "made": f"{_date(one.created_at)} UTC {who}{run}"
        + (f", in {seconds(took)} s" if isinstance(took, int | float) else ""),
        "data": f"{made.get('source', NOTHING)}, {_count(rows.get('train'), 'row')} to train and "
        f"{_count(rows.get('test'))} held out{without_label}, "
        f"{_digest(made.get('source_sha256'))}",
        **({"split": split.sentence()} if split else {}),
        "settings": f"seed {made.get('seed', NOTHING)}, {_digest(made.get('settings_sha256'))}",
        "code": f"{_digest(made.get('code_sha256'))}; Python {made.get('python', NOTHING)}, {code}",
        "winner": f"{one.winner or NOTHING}, {_count(found.metrics.get('epochs'), 'epoch')}",
        "accuracy": f"{_figure(one.accuracy)} on {_count(one.rows, 'held-out row')}",
        "log-loss": _figure(one.log_loss),
        "verdict": f"{'promote' if one.promote else 'keep'}: {one.reason or NOTHING}",
        **({"warning": one.warning} if one.warning else {}),
        "bundle": _digest(one.bundle_sha256),
        "size": f"{counted(found.files, 'file')}, {size(one.bytes)}",
    }
    for label, text in facts.items():
        lines += _fact(label, text)
    if not _is_whole(one):
        lines += _fact("damage", f"some files are missing or changed: ffn verify {pipeline}")
    for text in _contract(found):
        lines += _fact("contract", text)
    for entry in found.history:
        was = f"version {entry.replaced}" if entry.replaced else "none"
        said = f"{_date(entry.at)} UTC by {entry.by}, in place of {was}: {entry.reason}"
        lines += _fact("promoted" if entry.action == "promote" else "rolled back", said)
    plain_console(sys.stdout).print("\n".join(lines), soft_wrap=True)


def _is_whole(one: Summary) -> bool:
    return bool(one.bundle_sha256 and one.created_at and one.accuracy)


def _contract(found: Detail) -> Iterator[str]:
    """Yield each difference of the training table from production's, with the policy."""
    changes = found.verdict.get("contract")
    for change in changes if isinstance(changes, list) else ():
        if isinstance(change, dict):
            yield f"{change.get('text', NOTHING)} ({change.get('policy', NOTHING)})"


def print_comparison(found: VersionComparison) -> None:
    """Print the comparison ``found`` of two versions: differences, figures and paired tests."""
    console = plain_console(sys.stdout)
    first, second = found.first.summary, found.second.summary
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", max_width=26, overflow="fold")
    for one in (first, second):
        table.add_column(f"version {one.version}", max_width=25, overflow="fold")
    for row in _side_by_side(found):
        table.add_row(*map(one_line, row))
    console.print(table)
    console.print(
        "Accuracy and log-loss are each on the version's own held-out rows.", soft_wrap=True
    )
    said = (
        paired_sentence(first.version, second.version, found.paired)
        if found.paired
        else (f"They cannot be compared on common rows: {found.why_not}.")
    )
    lines = textwrap.wrap(one_line(said), _WIDTH, break_on_hyphens=False)
    console.print("\n".join(lines), soft_wrap=True)


def _side_by_side(found: VersionComparison) -> Iterator[tuple[str, str, str]]:
    one, other = found.first.summary, found.second.summary
    yield "made (UTC)", _date(one.created_at), _date(other.created_at)
    yield "winner", one.winner or NOTHING, other.winner or NOTHING
    yield "accuracy", _figure(one.accuracy), _figure(other.accuracy)
    yield "log-loss", _figure(one.log_loss), _figure(other.log_loss)
    yield "held-out rows", _count(one.rows), _count(other.rows)
    made = (found.first.provenance, found.second.provenance)
    trained = [_count(table_in(document, "rows").get("train")) for document in made]
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


def _count(number: object, what: str = "") -> str:
    """Return a count from a document, with an optional noun; a dash if it is missing."""
    if type(number) is not int:
        return f"{NOTHING} {what}s" if what else NOTHING
    return counted(number, what) if what else f"{number:,}"


def _figure(figure: Interval | None) -> str:
    return NOTHING if figure is None else interval(figure)


def _date(text: str) -> str:
    """Return an ISO 8601 date in the form ``2026-03-01 04:00``."""
    return one_line(text[:16].replace("T", " ")) or NOTHING


def _digest(value: object) -> str:
    return f"SHA-256 {value[:_DIGITS]}" if isinstance(value, str) and value else NOTHING


def _digests(one: object, other: object) -> tuple[str, str]:
    """Return two digests; the second is "the same" if they are equal."""
    shown = [str(value)[:_DIGITS] if value else NOTHING for value in (one, other)]
    return shown[0], "the same" if one and one == other else shown[1]


def _fact(label: str, text: str) -> list[str]:
    """Return the lines of a label with its text, wrapped."""
    indent = " " * (_LABEL + 2)
    return textwrap.wrap(
        one_line(text),
        _WIDTH,
        initial_indent=f"  {label:<{_LABEL}}",
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
