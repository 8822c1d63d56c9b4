"""The grammar of the command line: ``ffn VERB PIPELINE ...``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import ffn

__all__ = ["build_parser"]


class _VerbParser(argparse.ArgumentParser):
    """Takes options anywhere among the positionals: ``ffn score iris --direct a.csv``.

    Plain argparse gives a list such as ``FILE.csv ...`` what directly follows ``PIPELINE``,
    which may be nothing, and then refuses the files behind the option.
    """

    _intermixed = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse intermixed; that method calls this one for its two passes."""
        if self._intermixed:
            return super().parse_known_args(args, namespace)
        self._intermixed = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._intermixed = False


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; its result has ``verb`` and that verb's options."""
    parser = argparse.ArgumentParser(
        prog="ffn",
        description="Retrain tabular classifiers and score CSV files.",
        epilog="PIPELINE is a name under data/, or a path to a folder or a pipeline.toml.",
    )
    parser.add_argument("--version", action="version", version=f"ffn {ffn.__version__}")
    common = _VerbParser(add_help=False)
    common.add_argument(
        "--root",
        type=Path,
        default=Path(os.environ.get("FFN_ROOT", ".")),
        help="folder of data/ and artifacts/ (default: $FFN_ROOT, or the current folder)",
    )
    common.add_argument(
        "--json", action="store_true", help="print one JSON object on stdout and nothing else"
    )
    run = _VerbParser(add_help=False)
    run.add_argument(
        "--direct", action="store_true", help="run the same steps without Prefect: fast, no server"
    )
    verbs = parser.add_subparsers(
        dest="verb", metavar="VERB", required=True, parser_class=_VerbParser
    )

    retrain = verbs.add_parser(
        "retrain",
        parents=[common, run],
        help="train the candidates, keep the best, register it as a new version",
    )
    retrain.add_argument("pipeline", metavar="PIPELINE")
    retrain.add_argument(
        "--runner",
        choices=("thread", "process"),
        help="what runs Prefect's training tasks in parallel (default: thread)",
    )
    retrain.add_argument(
        "--workers", type=_count, metavar="N", help="how many of them (default: one a core)"
    )

    retrain.add_argument(
        "--force", action="store_true", help="train also where nothing changed since a version"
    )

    score = verbs.add_parser(
        "score", parents=[common, run], help="label CSV files with the model in production"
    )
    score.add_argument("pipeline", metavar="PIPELINE")
    score.add_argument(
        "files",
        metavar="FILE.csv",
        nargs="*",
        type=Path,
        help="(default: every CSV in the pipeline's inbox)",
    )
    score.add_argument(
        "--output", type=Path, help="of a single FILE (default: artifacts/PIPELINE/predictions/)"
    )
    score.add_argument("--probabilities", action="store_true", help="add a column for every class")
    score.add_argument(
        "--max-reject-rate",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="refuse a file with a larger share of rejected rows (default: %(default)s)",
    )
    score.add_argument(
        "--delimiter", type=_delimiter, help="between fields (default: the pipeline's)"
    )

    init = verbs.add_parser(
        "init", parents=[common], help="make a pipeline from a CSV with a label column"
    )
    init.add_argument("pipeline", metavar="NAME")
    init.add_argument("--from", dest="source", type=Path, required=True, metavar="FILE.csv")
    init.add_argument("--target", required=True, metavar="COLUMN", help="the label column")
    init.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="COLUMN",
        help="not a feature (may be given several times)",
    )
    init.add_argument(
        "--missing",
        action="append",
        default=[],
        metavar="TEXT",
        help='a cell text that means "no value" (may be given several times)',
    )
    init.add_argument(
        "--delimiter", type=_delimiter, default=",", help="between fields (default: a comma)"
    )
    return parser


def _delimiter(text: str) -> str:
    return "\t" if text in ("\\t", "tab") else text


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)
