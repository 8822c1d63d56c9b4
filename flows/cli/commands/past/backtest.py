"""``ffn backtest PIPELINE --every 1mo``: what scheduled retraining would have done."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from flows.cli.commands.common import find, print_json
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    backtest = verbs.add_parser(
        "backtest",
        parents=parents,
        help="say what scheduled retraining would have done over the history of the table",
    )
    backtest.add_argument("pipeline", metavar="PIPELINE")
    backtest.add_argument(
        "--every",
        default="1mo",
        metavar="LENGTH[,LENGTH...]",
        help="how often to retrain, such as 1d, 2w, 1mo, 3mo, 1y; several are compared "
        "(default: 1mo; never retraining is always compared)",
    )
    backtest.add_argument(
        "--from",
        dest="first",
        metavar="LENGTH",
        help="history before the first model, such as 1y (default: until half of the rows are "
        "known)",
    )
    backtest.add_argument(
        "--window",
        metavar="LENGTH",
        help="how far back every training reaches (default: the whole history)",
    )
    return backtest


def run(options: argparse.Namespace) -> int:
    """Walk through the history, and print periods, schedules and the recommendation."""
    root, pipeline = find(options)
    from ffn.backtesting.backtest_run import run_backtest
    from flows.cli.display.progress_bars import training_bars
    from flows.server.run_flow import read_secrets_as_needed

    read_secrets_as_needed(root)
    with training_bars("reading the data"):
        found = run_backtest(
            pipeline, every=options.every, first=options.first, window=options.window
        )
    if options.json:
        print_json(found.to_json())
    else:
        from flows.cli.display.backtest_table import print_backtest

        print_backtest(found)
    return 0
