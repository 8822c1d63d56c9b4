"""``ffn VERB PIPELINE ...``: the command line."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from ffn.errors import FFNError
from ffn.pipelines.interruption import end_on_signals
from flows.cli.arguments import build_parser
from flows.cli.commands.common import print_refusal

__all__ = ["main"]

EXIT_REFUSED = 1


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
    if options.verb == "score" and options.json and options.output == "-":
        parser.error("--json and --output - would both write to standard output")
    end_on_signals()
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except FFNError as error:
        print_refusal(error)
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
        print_refusal(error)
        return EXIT_REFUSED
    return code
