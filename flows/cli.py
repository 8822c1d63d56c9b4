"""``ffn VERB PIPELINE ...``: the command line."""

from __future__ import annotations

import argparse
import io
import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffn.errors import FFNError, SettingsError, one_line, quote
from flows.arguments import build_parser
from flows.interruption import end_on_signals

if TYPE_CHECKING:
    from ffn.models.pipeline import Pipeline

__all__ = ["main"]

EXIT_REFUSED = 1
# What scoring writes beside an output.
_BESIDE = (".rejects.csv", ".manifest.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 refused or failed (2: wrong usage)."""
    # A process started with a stream closed has None there, and files would take its number.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A class may be called "花", and the terminal know ASCII alone.
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.verb == "retrain" and options.direct and (options.runner or options.workers):
        parser.error("--runner and --workers are for Prefect's tasks; --direct has none")
    end_on_signals()
    try:
        code = _COMMANDS[options.verb](options)
        sys.stdout.flush()
    except FFNError as error:
        print(f"ffn: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_REFUSED
    except SystemExit as end:
        if end.code != EXIT_REFUSED:
            print("ffn: interrupted; what was finished stays.", file=sys.stderr)  # noqa: T201
        raise
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
    root, pipeline = _find(options)
    from flows import terminal

    with terminal.training_bars(_first_stage(options)):
        if options.direct:
            from flows import direct

            outcome = direct.retrain(pipeline, force=options.force)
        else:
            from flows import prefect_run

            outcome = prefect_run.retrain(
                _reference(pipeline, root),
                root,
                runner=options.runner or "thread",
                workers=options.workers or os.cpu_count() or 1,
                force=options.force,
            )
    if options.json:
        _print_json(outcome.to_json())
    else:
        terminal.print_retraining(outcome)
    return 0


def _score(options: argparse.Namespace) -> int:
    root, pipeline = _find(options)
    files = _inputs_and_outputs(options, pipeline)
    from flows import terminal

    scoring: dict[str, Any] = {
        "probabilities": options.probabilities,
        "max_reject_rate": options.max_reject_rate,
        "delimiter": options.delimiter or pipeline.settings.data.delimiter,
    }
    with terminal.scoring_bars(_first_stage(options)):
        if options.direct:
            from flows import direct

            outcome = direct.score(pipeline, files, scoring)
        else:
            from flows import prefect_run

            outcome = prefect_run.score(_reference(pipeline, root), root, files, scoring)
    if options.json:
        _print_json(outcome.to_json())
    else:
        terminal.print_scoring(outcome)
    outcome.check()
    return 0


def _init(options: argparse.Namespace) -> int:
    from ffn.models.new_pipeline import initialise

    root = _root(options)
    settings, notices = initialise(
        options.pipeline,
        source=_real(options.source),
        target=options.target,
        root=root,
        delimiter=options.delimiter,
        exclude=options.exclude,
        missing=options.missing,
    )
    if options.json:
        found = {"pipeline": options.pipeline, "settings": str(settings), "notices": notices}
        _print_json(found)
        return 0
    lines = [f"Wrote {settings}", *(f"Note: {notice}." for notice in notices)]
    print("\n".join(map(one_line, lines)))  # noqa: T201
    elsewhere = "" if root == _real(Path()) else f" --root {shlex.quote(str(options.root))}"
    print(f"Next: ffn retrain {options.pipeline}{elsewhere}")  # noqa: T201
    return 0


def _first_stage(options: argparse.Namespace) -> str:
    return "starting" if options.direct else "starting Prefect"


def _root(options: argparse.Namespace) -> Path:
    if not options.root.is_dir():
        raise SettingsError(f"--root {quote(options.root, 300)} is not a folder.")
    return _real(options.root)


def _find(options: argparse.Namespace) -> tuple[Path, Pipeline]:
    from ffn.models.pipeline import find_pipeline

    root = _root(options)
    return root, find_pipeline(options.pipeline, root)


def _reference(pipeline: Pipeline, root: Path) -> str:
    """Return what finds the pipeline again from anywhere: its name, or its folder's full path."""
    at_home = pipeline.folder == root / "data" / pipeline.name
    return pipeline.name if at_home else str(pipeline.folder)


def _inputs_and_outputs(options: argparse.Namespace, pipeline: Pipeline) -> list[tuple[Path, Path]]:
    inbox = pipeline.folder / "inbox"
    files = options.files or sorted(inbox.glob("*.csv"))
    if not files:
        raise SettingsError(f"no FILE given, and no CSV in {inbox}.")
    if options.output and len(files) > 1:
        raise SettingsError(f"--output is for a single FILE; {len(files)} were given.")
    outputs = [options.output or pipeline.predictions / file.name for file in files]
    written: dict[Path, Path] = {}
    for file, output in zip(files, outputs, strict=True):
        for suffix in ("", *_BESIDE):
            path = output.with_name(output.name + suffix)
            if path in written:
                raise SettingsError(
                    f"{written[path]} and {file} would both be written to {path}. "
                    "Score them one by one with --output."
                )
            written[path] = file
    # Resolved, ".." behind a folder that is yet to be made cannot lead back onto the input.
    return [
        (_real(file), _real(output.parent) / output.name)
        for file, output in zip(files, outputs, strict=True)
    ]


def _real(path: Path) -> Path:
    """Return ``path`` in full, without links, if JSON, reports and Prefect can name it."""
    # Path.resolve raises RuntimeError for links that lead in a circle.
    real = os.path.realpath(path)
    try:
        real.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"the path {quote(path, 300)} is not valid UTF-8. Rename it.") from None
    return Path(real)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, allow_nan=False))  # noqa: T201


_COMMANDS = {"init": _init, "retrain": _retrain, "score": _score}
