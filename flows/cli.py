"""``ffn VERB PIPELINE ...``: the command line."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ffn
from ffn.errors import FFNError, SettingsError, one_line, quote
from flows.interruption import end_on

if TYPE_CHECKING:
    from ffn.models.pipeline import Pipeline

__all__ = ["main"]

EXIT_REFUSED = 1


def build_parser() -> argparse.ArgumentParser:
    """Return the grammar of the command line."""
    parser = argparse.ArgumentParser(
        prog="ffn",
        description="Retrain tabular classifiers and score CSV files.",
        epilog="PIPELINE is a name under data/, or a path to a folder or a pipeline.toml.",
    )
    parser.add_argument("--version", action="version", version=f"ffn {ffn.__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--root",
        type=Path,
        default=Path(os.environ.get("FFN_ROOT", ".")),
        help="folder of data/ and artifacts/ (default: $FFN_ROOT, or the current folder)",
    )
    common.add_argument(
        "--json", action="store_true", help="print one JSON object on stdout and nothing else"
    )
    run = argparse.ArgumentParser(add_help=False)
    run.add_argument(
        "--direct", action="store_true", help="run the same steps without Prefect: fast, no server"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    retrain = verbs.add_parser(
        "retrain",
        parents=[common, run],
        help="train the candidates, keep the best, register it as a new version",
    )
    retrain.add_argument("pipeline", metavar="PIPELINE")
    retrain.add_argument(
        "--runner",
        choices=("thread", "process"),
        default="thread",
        help="what runs the training tasks in parallel (default: %(default)s)",
    )
    retrain.add_argument(
        "--workers", type=_count, default=os.cpu_count() or 1, help="(default: one a core)"
    )
    retrain.set_defaults(run=_retrain)

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
    score.add_argument("--delimiter", default=",", help="between fields (default: a comma)")
    score.set_defaults(run=_score)

    init = verbs.add_parser(
        "init", parents=[common], help="make a pipeline from a CSV with a label column"
    )
    init.add_argument("pipeline", metavar="NAME")
    init.add_argument("--from", dest="source", type=Path, required=True, metavar="FILE.csv")
    init.add_argument("--target", required=True, metavar="COLUMN", help="the label column")
    init.add_argument("--delimiter", default=",", help="between fields (default: a comma)")
    init.set_defaults(run=_init)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 refused or failed (2: wrong usage)."""
    options = build_parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, end_on)
    signal.signal(signal.SIGINT, end_on)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except FFNError as error:
        print(f"ffn: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_REFUSED
    except BrokenPipeError:
        # Whoever read the output has gone; Python must not try to flush into the void.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_REFUSED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"ffn: {one_line(where)}{error.strerror or error}.", file=sys.stderr)  # noqa: T201
        return EXIT_REFUSED
    return code


def _retrain(options: argparse.Namespace) -> int:
    pipeline = _find(options)
    from flows import terminal

    with terminal.training_bars():
        if options.direct:
            from flows import direct

            outcome = direct.retrain(pipeline)
        else:
            from flows import prefect_run

            outcome = prefect_run.retrain(
                _reference(pipeline, options.root),
                options.root.resolve(),
                runner=options.runner,
                workers=options.workers,
            )
    if options.json:
        _print_json(outcome.to_json())
    else:
        terminal.print_retraining(outcome)
    return 0


def _score(options: argparse.Namespace) -> int:
    pipeline = _find(options)
    files = _inputs_and_outputs(options, pipeline)
    from flows import terminal

    scoring: dict[str, Any] = {
        "probabilities": options.probabilities,
        "max_reject_rate": options.max_reject_rate,
        "delimiter": options.delimiter,
    }
    if options.direct:
        from flows import direct

        outcome = direct.score(pipeline, files, scoring)
    else:
        from flows import prefect_run

        outcome = prefect_run.score(
            _reference(pipeline, options.root), options.root.resolve(), files, scoring
        )
    if options.json:
        _print_json(outcome.to_json())
    else:
        terminal.print_scoring(outcome)
    outcome.check()
    return 0


def _init(options: argparse.Namespace) -> int:
    from ffn.models.initialise import initialise

    settings, notices = initialise(
        options.pipeline,
        source=options.source,
        target=options.target,
        root=options.root,
        delimiter=options.delimiter,
    )
    if options.json:
        found = {"pipeline": options.pipeline, "settings": str(settings), "notices": notices}
        _print_json(found)
        return 0
    lines = [f"Wrote {settings}", *(f"Note: {notice}." for notice in notices)]
    print("\n".join(map(one_line, lines)))  # noqa: T201
    print(f"Next: ffn retrain {options.pipeline}")  # noqa: T201
    return 0


def _find(options: argparse.Namespace) -> Pipeline:
    from ffn.models.pipeline import find_pipeline

    if not options.root.is_dir():
        raise SettingsError(f"--root {quote(options.root)} is not a folder.")
    return find_pipeline(options.pipeline, options.root)


def _reference(pipeline: Pipeline, root: Path) -> str:
    """Return what finds the pipeline again from anywhere: its name, or its folder's full path."""
    at_home = pipeline.folder == (root / "data" / pipeline.name).resolve()
    return pipeline.name if at_home else str(pipeline.folder)


def _inputs_and_outputs(options: argparse.Namespace, pipeline: Pipeline) -> list[tuple[Path, Path]]:
    inbox = pipeline.folder / "inbox"
    files = options.files or sorted(inbox.glob("*.csv"))
    if not files:
        raise SettingsError(f"no FILE given, and no CSV in {inbox}.")
    if options.output and len(files) > 1:
        raise SettingsError(f"--output is for a single FILE; {len(files)} were given.")
    outputs = [options.output or pipeline.predictions / file.name for file in files]
    for i, output in enumerate(outputs):
        if output in outputs[:i]:
            raise SettingsError(
                f"two files are called {quote(output.name)} and would be written to {output}. "
                "Score them one by one with --output."
            )
    return [
        (file.resolve(), output.absolute()) for file, output in zip(files, outputs, strict=True)
    ]


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, allow_nan=False))  # noqa: T201
