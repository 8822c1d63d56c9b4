"""Terminal output of versions: a list, and one in detail."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ffn.auditing.unseen_figures import UnseenFigures
from ffn.criteria.recorded_values import table_in
from ffn.errors import one_line, quote
from ffn.evaluation.missed_classes import class_warning
from ffn.lineage.kept_data import KeptTable, kept_in_words
from ffn.promotion.overview import Detail, Summary
from ffn.quantities import NOTHING, counted, seconds, size
from ffn.reports.decision_record_lines import metric_words, set_words
from ffn.reports.figure_lines import class_lines, recorded_sentence, wrapped
from ffn.tabular.splitting.split_figures import recorded_figures
from flows.cli.display.record_cells import (
    DIGITS,
    count_cell,
    date_cell,
    digest_cell,
    figure_cell,
    print_wrapped,
)
from flows.cli.display.terminal import plain_console

__all__ = ["print_detail", "print_versions"]

_LABEL = 12
_WARNINGS_SHOWN = 5
_CLASSES_LISTED = 30
_SETS_LISTED = 10


def print_versions(
    pipeline: str, found: Sequence[Summary], tables: Sequence[KeptTable] = ()
) -> None:
    """Print a line for each version, and which one is in production.

    Parameters
    ----------
    pipeline
        Name of the pipeline.
    found
        The versions, oldest first.
    tables
        The training tables that are kept; none by default.
    """
    console = plain_console(sys.stdout)
    if not found:
        console.print(f"{pipeline}: no versions yet. Make one with: ffn retrain {pipeline}")
        return
    for text in _missed(found):
        print_wrapped(console, text)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("version", "made (UTC)", "winner", "accuracy", "rows", "verdict"):
        right = heading in ("version", "rows")
        table.add_column(heading, no_wrap=True, justify="right" if right else "left")
    for one in found:
        table.add_row(
            f"{'* ' if one.production else ''}{one.version}",
            date_cell(one.created_at),
            one_line(one.winner) or NOTHING,
            figure_cell(one.accuracy),
            NOTHING if one.rows is None else f"{one.rows:,}",
            {True: "promote", False: "keep", None: NOTHING}[one.promote],
            style="bold" if one.production else None,
        )
    console.print(table)
    if any(one.held_out.auc for one in found):
        console.print(_ranking_table(found))
        console.print(_precision_sentence(found))
    if any(one.unseen for one in found):
        console.print(_unseen_table(found))
    scoring = [one.version for one in found if one.production]
    console.print(
        f"* in production: version {scoring[0]}." if scoring else "None is in production."
    )
    for one in found:
        if one.next_back:
            console.print(f"ffn rollback {pipeline} would go to version {one.version}.")
    if tables:
        console.print(f"{kept_in_words(tables)}.")
    for text in _warnings(pipeline, found):
        print_wrapped(console, text)
    if not all(map(_is_whole, found)):
        console.print(f"Some files are missing or changed. To list them: ffn verify {pipeline}")


def _ranking_table(found: Sequence[Summary]) -> Table:
    """Return the figures in which a rare class shows; versions of earlier releases have none."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("version", no_wrap=True, justify="right")
    for heading in ("ROC-AUC", "average precision", "balanced accuracy"):
        table.add_column(heading, no_wrap=True)
    for one in found:
        known = one.held_out
        table.add_row(
            f"{'* ' if one.production else ''}{one.version}",
            *map(figure_cell, (known.auc, known.average_precision, known.balanced_accuracy)),
            style="bold" if one.production else None,
        )
    return table


def _unseen_table(found: Sequence[Summary]) -> Table:
    """Return what to expect of rows unlike the held-out ones, for the versions that say it."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("version", no_wrap=True, justify="right")
    table.add_column("expected of")
    for heading in ("accuracy", "log-loss"):
        table.add_column(heading, no_wrap=True)
    for one in found:
        for number, unseen in enumerate(one.unseen):
            table.add_row(
                f"{'* ' if one.production else ''}{one.version}" if number == 0 else "",
                one_line(unseen.rows),
                figure_cell(unseen.accuracy),
                figure_cell(unseen.log_loss),
                style="bold" if one.production else None,
            )
    return table


def _precision_sentence(found: Sequence[Summary]) -> str:
    """Say what average precision is of, in the newest version that has one."""
    newest = [one.held_out for one in found if one.held_out.auc][-1]
    if newest.positive:
        return f"Average precision is that of {quote(newest.positive)}."
    return "ROC-AUC and average precision are means over the classes."


def _missed(found: Sequence[Summary]) -> Iterator[str]:
    """Yield the versions that never find a class: production first, then the newest few."""
    missing = sorted(
        (one for one in found if one.missed), key=lambda one: (not one.production, -one.version)
    )
    for one in missing[:_WARNINGS_SHOWN]:
        yield class_warning(one.version, one.missed)
    if len(missing) > _WARNINGS_SHOWN:
        others = counted(len(missing) - _WARNINGS_SHOWN, "older version")
        yield f"Warning: {others} never find one of the classes, either."


def _warnings(pipeline: str, found: Sequence[Summary]) -> Iterator[str]:
    """Yield the warning of each version that has one, the newest few."""
    warned = [one for one in found if one.warning]
    for one in warned[-_WARNINGS_SHOWN:]:
        yield f"Version {one.version}: {one.warning}"
    if len(warned) > _WARNINGS_SHOWN:
        others = counted(len(warned) - _WARNINGS_SHOWN, "older version")
        yield f"There are warnings about {others}, too; ffn models {pipeline} VERSION shows them."


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
    if one.missed:
        said = f"{pipeline}, version {one.version}: {place}; warning: {one.missed}"
        lines = [*wrapped(said, ""), ""]
    by, rows, packages = (table_in(made, key) for key in ("by", "rows", "packages"))
    code = ", ".join(f"{name} {number}" for name, number in packages.items())
    who = f"by {by.get('user')} on {by.get('host')}: {by.get('command')}" if by else ""
    run = f", flow run {by['flow_run']}" if by.get("flow_run") else ""
    without_label = f", {rows['unlabelled']} without a label" if rows.get("unlabelled") else ""
    if rows.get("weightless"):
        without_label += f", {rows['weightless']} of weight 0"
    commit = f", commit {str(made['commit'])[:DIGITS]}" if made.get("commit") else ""
    took, split = made.get("seconds"), recorded_figures(made.get("split"))
    facts = {
        "made": f"{date_cell(one.created_at)} UTC {who}{run}"
        + (f", in {seconds(took)} s" if isinstance(took, int | float) else ""),
        "data": f"{made.get('source', NOTHING)}, "
        f"{count_cell(rows.get('train'), 'row')} to train and "
        f"{count_cell(rows.get('test'))} held out{without_label}, "
        f"{digest_cell(made.get('source_sha256'))}",
        **({"split": split.sentence()} if split else {}),
        "settings": f"seed {made.get('seed', NOTHING)}, {digest_cell(made.get('settings_sha256'))}",
        "code": f"{digest_cell(made.get('code_sha256'))}{commit}; "
        f"Python {made.get('python', NOTHING)}, {code}",
        "winner": f"{one.winner or NOTHING}, {count_cell(found.metrics.get('epochs'), 'epoch')}",
        "accuracy": f"{figure_cell(one.accuracy)} on {count_cell(one.rows, 'held-out row')}",
        "log-loss": figure_cell(one.log_loss),
        **({"held out": ranking} if (ranking := recorded_sentence(one.held_out)) else {}),
        **({"expected": "; ".join(map(_expected, one.unseen))} if one.unseen else {}),
        **({"metric": metric} if (metric := metric_words(one.held_out.decision)) else {}),
        **(
            {"label sets": sets}
            if (sets := set_words(one.held_out.decision, most=_SETS_LISTED))
            else {}
        ),
        "verdict": f"{'promote' if one.promote else 'keep'}: {one.reason or NOTHING}",
        **({"warning": one.warning} if one.warning else {}),
        "bundle": digest_cell(one.bundle_sha256),
        "size": f"{counted(found.files, 'file')}, {size(one.bytes)}",
    }
    for label, text in facts.items():
        lines += _fact(label, text)
    if one.held_out.classes:
        lines += class_lines(one.held_out.classes, most=_CLASSES_LISTED)
    if not _is_whole(one):
        lines += _fact("damage", f"some files are missing or changed: ffn verify {pipeline}")
    for text in _contract(found):
        lines += _fact("contract", text)
    for entry in found.history:
        was = f"version {entry.replaced}" if entry.replaced else "none"
        said = f"{date_cell(entry.at)} UTC by {entry.by}, in place of {was}: {entry.reason}"
        lines += _fact("promoted" if entry.action == "promote" else "rolled back", said)
    plain_console(sys.stdout).print("\n".join(lines), soft_wrap=True)


def _expected(one: UnseenFigures) -> str:
    return (
        f"of {one.rows} accuracy {figure_cell(one.accuracy)}, log-loss {figure_cell(one.log_loss)}"
    )


def _is_whole(one: Summary) -> bool:
    return bool(one.bundle_sha256 and one.created_at and one.accuracy)


def _contract(found: Detail) -> Iterator[str]:
    """Yield each difference of the training table from production's, with the policy."""
    changes = found.verdict.get("contract")
    for change in changes if isinstance(changes, list) else ():
        if isinstance(change, dict):
            yield f"{change.get('text', NOTHING)} ({change.get('policy', NOTHING)})"


def _fact(label: str, text: str) -> list[str]:
    """Return the lines of a label with its text, wrapped."""
    return wrapped(text, f"  {label:<{_LABEL}}")
