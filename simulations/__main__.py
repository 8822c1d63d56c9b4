"""``python -m simulations``: simulate, print, and write tables and pictures into the pages."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def main() -> None:
    """Run the simulations."""
    parser = argparse.ArgumentParser(prog="python -m simulations", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="the same code in seconds; writes nothing"
    )
    parser.add_argument("--workers", type=int, help="processes (default: one a core)")
    names = [
        *(
            "gate",
            "drift",
            "months",
            "texts",
            "selection",
            "warnings",
            "splits",
            "sequences",
            "ranking",
        ),
        *("audits", "orders", "backtests", "metrics", "sets", "slices", "searches"),
    ]
    parser.add_argument("which", nargs="*", metavar="|".join(names), help="by default all")
    options = parser.parse_args()
    # Read by the library when NumPy is imported: many processes, each with one thread.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    which = options.which or names
    if "gate" in which:
        _gate(options.workers, quick=options.quick)
    if "drift" in which:
        _drift(quick=options.quick)
    if "months" in which:
        _months(quick=options.quick)
    if "texts" in which:
        _texts(quick=options.quick)
    if "selection" in which:
        _selection(quick=options.quick)
    if "warnings" in which:
        _warnings(options.workers, quick=options.quick)
    if "splits" in which:
        _splits(quick=options.quick)
    if "sequences" in which:
        _sequences(quick=options.quick)
    if "ranking" in which:
        _ranking(quick=options.quick)
    if "audits" in which:
        _audits(options.workers, quick=options.quick)
    if "backtests" in which:
        _backtests(quick=options.quick)
    if "orders" in which:
        _orders(quick=options.quick)
    if "metrics" in which:
        _metrics(quick=options.quick)
    if "sets" in which:
        _sets(quick=options.quick)
    if "slices" in which:
        _slices(quick=options.quick)
    if "searches" in which:
        _searches(quick=options.quick)


def _gate(workers: int | None, *, quick: bool) -> None:
    from ffn.storage.atomic import write_bytes
    from simulations.page import draw, section
    from simulations.runs import FULL, QUICK, simulate

    found = simulate(QUICK if quick else FULL, workers)
    _show("gate.md", section(found), quick=quick)
    if not quick:
        write_bytes(_ROOT / "docs" / "images" / "gate_simulation.png", draw(found))


def _drift(*, quick: bool) -> None:
    from simulations.drift import FULL, QUICK, drift_section
    from simulations.seasons import FULL_SEASONS, QUICK_SEASONS, seasons_section

    kinds = drift_section(QUICK if quick else FULL)
    seasons = seasons_section(QUICK_SEASONS if quick else FULL_SEASONS)
    _show("drift.md", f"{kinds}\n\n{seasons}", quick=quick)


def _months(*, quick: bool) -> None:
    from simulations.months import FULL_MONTHS, QUICK_MONTHS, months_section

    text = months_section(QUICK_MONTHS if quick else FULL_MONTHS)
    _show("drift.md", text, quick=quick, name="months")


def _texts(*, quick: bool) -> None:
    from simulations.text_drift import FULL_TEXTS, QUICK_TEXTS, texts_section

    text = texts_section(QUICK_TEXTS if quick else FULL_TEXTS)
    _show("drift.md", text, quick=quick, name="texts")


def _selection(*, quick: bool) -> None:
    from simulations.selection import FULL, QUICK, selection_section, simulate_selection

    found = simulate_selection(QUICK if quick else FULL)
    _show("decisions/0003-tie-rule.md", selection_section(found), quick=quick)


def _splits(*, quick: bool) -> None:
    from simulations.drifting import DriftingSize, drifting_section, kept_promises
    from simulations.splits import FULL_SPLITS, QUICK_SPLITS, simulate_splits, splits_section

    found = simulate_splits(QUICK_SPLITS if quick else FULL_SPLITS)
    tables = DriftingSize(2, 300) if quick else DriftingSize(20, 3_000)
    promises = drifting_section(tables, *kept_promises(tables))
    _show("splits.md", f"{splits_section(found)}\n\n{promises}", quick=quick)


def _warnings(workers: int | None, *, quick: bool) -> None:
    from simulations.false_warnings import FULL_WARNINGS, QUICK_WARNINGS, warnings_section

    size = QUICK_WARNINGS if quick else FULL_WARNINGS
    _show("evaluation.md", warnings_section(size, workers), quick=quick)


def _sequences(*, quick: bool) -> None:
    from simulations.sequences import FULL_SEQUENCES, QUICK_SEQUENCES, sequences_section

    _show(
        "outcomes.md", sequences_section(QUICK_SEQUENCES if quick else FULL_SEQUENCES), quick=quick
    )


def _audits(workers: int | None, *, quick: bool) -> None:
    from simulations.split_audits import FULL_AUDITS, QUICK_AUDITS, audits_section

    size = QUICK_AUDITS if quick else FULL_AUDITS
    _show("split_audit.md", audits_section(size, workers), quick=quick)


def _backtests(*, quick: bool) -> None:
    from ffn.backtesting.backtest_picture import backtest_picture
    from ffn.storage.atomic import write_bytes
    from simulations.backtests import (
        FULL_BACKTESTS,
        QUICK_BACKTESTS,
        backtests_section,
        example_backtest,
        example_section,
        simulate_backtests,
    )

    size = QUICK_BACKTESTS if quick else FULL_BACKTESTS
    _show("backtest.md", backtests_section(size, simulate_backtests(size)), quick=quick)
    if not quick:
        example = example_backtest()
        _show("backtest.md", example_section(example), quick=quick, name="example")
        write_bytes(_ROOT / "docs" / "images" / "backtest.png", backtest_picture(example))


def _orders(*, quick: bool) -> None:
    from simulations.orders import FULL_ORDERS, QUICK_ORDERS, orders_section

    text = orders_section(QUICK_ORDERS if quick else FULL_ORDERS)
    _show("split_audit.md", text, quick=quick, name="orders")


def _metrics(*, quick: bool) -> None:
    from simulations.metric_gates import FULL_METRICS, QUICK_METRICS, metric_gates_section

    text = metric_gates_section(QUICK_METRICS if quick else FULL_METRICS)
    _show("decision_rules.md", text, quick=quick, name="metric")


def _sets(*, quick: bool) -> None:
    from simulations.set_coverage import FULL_SETS, QUICK_SETS, sets_section

    _show(
        "decision_rules.md",
        sets_section(QUICK_SETS if quick else FULL_SETS),
        quick=quick,
        name="sets",
    )


def _slices(*, quick: bool) -> None:
    from simulations.slices import FULL_SLICES, QUICK_SLICES, slices_section

    _show("slices.md", slices_section(QUICK_SLICES if quick else FULL_SLICES), quick=quick)


def _searches(*, quick: bool) -> None:
    from simulations.searches import FULL_SEARCHES, QUICK_SEARCHES, searches_section

    text = searches_section(QUICK_SEARCHES if quick else FULL_SEARCHES)
    _show("how-to/search.md", text, quick=quick)


def _ranking(*, quick: bool) -> None:
    from simulations.ranking import FULL_RANKING, QUICK_RANKING, ranking_section

    text = ranking_section(QUICK_RANKING if quick else FULL_RANKING)
    _show("evaluation.md", text, quick=quick, name="ranking")


def _show(page_name: str, text: str, *, quick: bool, name: str = "") -> None:
    """Print a section, and put it into its page; ``name`` tells it from others there."""
    from ffn.storage.atomic import write_bytes
    from simulations.page import with_section

    sys.stdout.write(f"{text}\n")
    if not quick:
        page = _ROOT / "docs" / page_name
        write_bytes(page, with_section(page.read_text("utf-8"), text, name).encode())


if __name__ == "__main__":
    main()
