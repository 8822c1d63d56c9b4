"""The grammar of the command line: ``ffn VERB PIPELINE ...``."""

from __future__ import annotations

import os
from pathlib import Path

from ffn.version import __version__
from flows.cli.commands import (
    capacity,
    compare,
    evaluate,
    init,
    models,
    promote,
    prune,
    rollback,
    score,
    serve,
    status,
    verify,
)
from flows.cli.commands.learning import retrain, watch
from flows.cli.commands.mirrors import pull, push
from flows.cli.commands.options.verb_parser import CommandParser, VerbParser
from flows.cli.commands.past import backtest, reproduce

__all__ = ["build_parser"]


def build_parser() -> CommandParser:
    """Return the parser; parsed options have ``verb``, ``run`` and the options of that verb."""
    parser = CommandParser(
        prog="ffn",
        description="Retrain tabular classifiers and score CSV and Parquet files.",
        epilog="PIPELINE is a name under data/, or a path to a folder or a pipeline.toml.",
    )
    parser.add_argument("--version", action="version", version=f"ffn {__version__}")
    common = VerbParser(add_help=False)
    common.add_argument(
        "--root",
        type=Path,
        default=Path(os.environ.get("FFN_ROOT", ".")),
        help="folder with data/ and artifacts/ (default: $FFN_ROOT, or the current folder)",
    )
    common.add_argument("--json", action="store_true", help="print only JSON on stdout")
    direct = VerbParser(add_help=False)
    direct.add_argument(
        "--direct", action="store_true", help="run the same steps without Prefect and its server"
    )
    verbs = parser.add_subparsers(
        dest="verb", metavar="VERB", required=True, parser_class=VerbParser
    )
    retrain.add(verbs, [common, direct]).set_defaults(run=retrain.run)
    score.add(verbs, [common, direct]).set_defaults(run=score.run)
    evaluate.add(verbs, [common, direct]).set_defaults(run=evaluate.run)
    init.add(verbs, [common]).set_defaults(run=init.run)
    models.add(verbs, [common]).set_defaults(run=models.run)
    compare.add(verbs, [common]).set_defaults(run=compare.run)
    promote.add(verbs, [common]).set_defaults(run=promote.run)
    rollback.add(verbs, [common]).set_defaults(run=rollback.run)
    prune.add(verbs, [common]).set_defaults(run=prune.run)
    push.add(verbs, [common]).set_defaults(run=push.run)
    pull.add(verbs, [common]).set_defaults(run=pull.run)
    verify.add(verbs, [common]).set_defaults(run=verify.run)
    reproduce.add(verbs, [common]).set_defaults(run=reproduce.run)
    backtest.add(verbs, [common]).set_defaults(run=backtest.run)
    serve.add(verbs, [common]).set_defaults(run=serve.run)
    status.add(verbs, [common]).set_defaults(run=status.run)
    watch.add(verbs, [common]).set_defaults(run=watch.run)
    capacity.add(verbs, [common]).set_defaults(run=capacity.run)
    return parser
