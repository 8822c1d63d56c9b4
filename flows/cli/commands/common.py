"""Functions shared by several verbs: finding a pipeline, reading options, printing JSON."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ffn.errors import FFNError, SettingsError, one_line, quote
from ffn.storage.real_path import real_path

if TYPE_CHECKING:
    from ffn.settings.pipeline import Pipeline

__all__ = [
    "EXIT_REFUSED",
    "count",
    "delimiter",
    "encoding",
    "export_what_scores",
    "find",
    "first_stage",
    "of_each",
    "print_checked",
    "print_error",
    "print_json",
    "print_refusal",
    "read_blocks",
    "root_folder",
    "share",
    "version_number",
]

EXIT_REFUSED = 1

T = TypeVar("T")


def root_folder(options: argparse.Namespace) -> Path:
    """Return the folder with ``data/`` and ``artifacts/``, from the parsed ``options``."""
    if not options.root.is_dir():
        raise SettingsError(f"--root {quote(options.root, 300)} is not a folder.")
    return real_path(options.root)


def find(options: argparse.Namespace) -> tuple[Path, Pipeline]:
    """Return the root folder and the pipeline, from the parsed ``options``."""
    from ffn.settings.pipeline import find_pipeline

    root = root_folder(options)
    return root, find_pipeline(options.pipeline, root)


def read_blocks(options: argparse.Namespace, names: Sequence[str], root: Path) -> None:
    """Read the Prefect blocks ``names``, mostly none, in ``root`` unless ``options`` say direct."""
    if names and not options.direct:
        from flows.server import run_flow

        run_flow.read_secrets(names, root)


def of_each(
    names: Sequence[str], root: Path, read: Callable[[Pipeline], T]
) -> tuple[dict[str, T], dict[str, str]]:
    """Read something of each pipeline; an error in one does not affect the others.

    Parameters
    ----------
    names
        Names or paths of pipelines.
    root
        The folder with ``data/`` and ``artifacts/``.
    read
        Called with each pipeline.

    Returns
    -------
    tuple of dict
        Results by pipeline name, and error messages by name. Messages are also printed.
    """
    from ffn.settings.pipeline import find_pipeline

    found: dict[str, T] = {}
    troubles = {}
    for name in names:
        try:
            pipeline = find_pipeline(name, root)
            found[pipeline.name] = read(pipeline)
        except (FFNError, OSError) as error:
            troubles[name] = print_refusal(error)
    return found, troubles


def print_refusal(error: FFNError | OSError) -> str:
    """Print ``error`` on standard error, in one line, and return its text."""
    text = _told(error)
    print(f"ffn: {text}", file=sys.stderr)  # noqa: T201
    return text


def _told(error: FFNError | OSError) -> str:
    if not isinstance(error, OSError):
        return str(error)
    where = f"{error.filename}: " if error.filename else ""
    return f"{one_line(where)}{error.strerror or error}."


def _kind(error: FFNError | OSError) -> str:
    """Return the name of the error's public class: those of the system are all ``OSError``."""
    return "OSError" if isinstance(error, OSError) else type(error).__name__


def print_error(error: FFNError | OSError | str, message: str = "") -> None:
    """Print what went wrong as a JSON object: ``{"error": {"kind": …, "message": …}}``.

    Parameters
    ----------
    error
        The error; or the kind of one that is no exception, such as ``"UsageError"``.
    message
        Its text, if ``error`` is a kind; otherwise ignored, as the error has one.
    """
    kind, text = (error, message) if isinstance(error, str) else (_kind(error), _told(error))
    print_json({"error": {"kind": kind, "message": one_line(text)}})


def print_checked(value: dict[str, Any], check: Callable[[], None]) -> int:
    """Print the JSON object of a finished command, with its error if a part of it was refused.

    Parameters
    ----------
    value
        What the command found; nothing is added if ``check`` passes.
    check
        Raises ``FFNError`` if the command has to fail all the same.

    Returns
    -------
    int
        The exit code.
    """
    try:
        check()
    except FFNError as error:
        print_json({**value, "error": {"kind": _kind(error), "message": str(error)}})
        print_refusal(error)
        return EXIT_REFUSED
    print_json(value)
    return 0


def first_stage(options: argparse.Namespace) -> str:
    """Return the name of the stage before the first step, given the parsed ``options``."""
    return "starting" if options.direct else "starting Prefect"


def export_what_scores(pipeline: Pipeline, version: int) -> Path | None:
    """Export a version that was just promoted, for notebooks.

    A failure is printed but not raised: the version is in production already, and an error would
    make the user repeat the promotion.

    Parameters
    ----------
    pipeline
        The pipeline.
    version
        Number of the version, for the message.

    Returns
    -------
    Path or None
        The exported file; None if it could not be written.
    """
    from ffn.scoring.export import export_production

    try:
        return export_production(pipeline)
    except (OSError, FFNError) as error:
        told = str(error).rstrip(".")
        if isinstance(error, OSError):
            told = f"{pipeline.export}: {error.strerror or error}"
        note = (
            f"{pipeline.name}: version {version} is in production; the export for notebooks could "
            f"not be written ({told}). When it can be: ffn promote {pipeline.name} {version}"
        )
        print(f"ffn: {one_line(note)}", file=sys.stderr)  # noqa: T201
        return None


def print_json(value: dict[str, Any] | Sequence[Any]) -> None:
    """Print ``value`` as JSON on one line."""
    print(json.dumps(value, allow_nan=False))  # noqa: T201


def delimiter(text: str) -> str:
    r"""Return the separator for ``text``, an option's value: ``tab`` and ``\t`` mean a tab."""
    return "\t" if text in ("\\t", "tab") else text


def encoding(text: str) -> str:
    """Return the canonical name of the encoding called ``text`` in an option."""
    from ffn.tabular.csv.charsets import encoding_named

    try:
        return encoding_named(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def count(text: str) -> int:
    """Return ``text``, an option's value, as a whole number of at least 1."""
    # Nine digits at most: nothing here is counted beyond, and Python refuses thousands of them.
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a whole number from 1 up")
    return int(text)


def share(text: str) -> float:
    """Return ``text``, an option's value, as a number; Python's would read any script's digits."""
    if not re.fullmatch(r"(?=\.?[0-9])[0-9]{0,9}(\.[0-9]{0,30})?([eE]-?[0-9]{1,2})?", text):
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a share from 0 to 1, such as 0.05")
    return float(text)


def version_number(text: str) -> int:
    """Return ``text`` as a version number: digits only, because it names a folder."""
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a version's number, such as 3")
    return int(text)
