"""The entry point of the command line: parses arguments, runs a verb, reports errors."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from ffn.errors import FFNError
from ffn.extras import require
from ffn.pipelines.interruption import end_on_signals
from flows.cli.arguments import build_parser
from flows.cli.commands.common import EXIT_REFUSED, print_error, print_refusal

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        The arguments after ``ffn``; None: those of this process.

    Returns
    -------
    int
        The exit code: 0 for success, 1 if refused or failed. Wrong usage exits with 2.
    """
    # A closed stream is None here, and the next opened file would get its descriptor.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A class may be named "花" on a terminal that supports only ASCII.
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.verb == "retrain" and options.direct and _places_tasks(options):
        parser.error(
            "--runner, --workers, --dask-address and --ray-address say where Prefect's tasks run "
            "and cannot be used with --direct"
        )
    if options.verb == "score" and options.json and options.output == "-":
        # Who reads the table from standard output must not take the object for it.
        parser.as_json = False
        parser.error("--json and --output - would both write to standard output")
    end_on_signals()
    try:
        _require_prefect(options)
        code: int = options.run(options)
        sys.stdout.flush()
    except FFNError as error:
        return _refuse(error, as_json=options.json)
    except SystemExit as end:
        if end.code != EXIT_REFUSED:
            print("ffn: interrupted; finished work is kept.", file=sys.stderr)  # noqa: T201
        raise
    except BrokenPipeError:
        _discard_stdout()
        return EXIT_REFUSED
    except OSError as error:
        return _refuse(error, as_json=options.json)
    return code


def _require_prefect(options: argparse.Namespace) -> None:
    """Refuse a verb that runs through Prefect where that is not installed."""
    verb = f"ffn {options.verb}"
    if options.verb == "serve":
        require("service", f"{verb} runs on Prefect")
    elif not getattr(options, "direct", True):
        require("service", f"{verb} runs through Prefect", "add --direct, to run the same without")


def _places_tasks(options: argparse.Namespace) -> bool:
    return any((options.runner, options.workers, options.dask_address, options.ray_address))


def _refuse(error: FFNError | OSError, *, as_json: bool) -> int:
    """Report ``error`` on standard error, with ``--json`` also on standard output."""
    print_refusal(error)
    if as_json:
        try:
            print_error(error)
            sys.stdout.flush()
        except OSError:
            # The reader has closed the pipe, or the disk is full; the line above is told.
            _discard_stdout()
    return EXIT_REFUSED


def _discard_stdout() -> None:
    """Keep Python from flushing to a standard output that takes no more when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
