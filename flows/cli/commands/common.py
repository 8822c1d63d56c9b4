"""What several verbs share: finding the pipeline, naming paths, printing JSON."""

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
    "VerbParser",
    "Verbs",
    "count",
    "delimiter",
    "encoding",
    "export_what_scores",
    "find",
    "first_stage",
    "of_each",
    "print_json",
    "print_refusal",
    "root_folder",
    "version_number",
]


T = TypeVar("T")


class VerbParser(argparse.ArgumentParser):
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


if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[VerbParser]
else:
    Verbs = object


def root_folder(options: argparse.Namespace) -> Path:
    """Return the folder of ``data/`` and ``artifacts/``."""
    if not options.root.is_dir():
        raise SettingsError(f"--root {quote(options.root, 300)} is not a folder.")
    return real_path(options.root)


def find(options: argparse.Namespace) -> tuple[Path, Pipeline]:
    """Return the root and the pipeline named on the command line."""
    from ffn.settings.pipeline import find_pipeline

    root = root_folder(options)
    return root, find_pipeline(options.pipeline, root)


def of_each(
    names: Sequence[str], root: Path, read: Callable[[Pipeline], T]
) -> tuple[dict[str, T], dict[str, str]]:
    """Return what ``read`` makes of each pipeline, by name; and where it cannot, why, also by name.

    The reasons are printed: one pipeline's trouble must not hide how the others stand.
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
    """Print on standard error, in one line, what was refused or failed; return its text."""
    text = str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        text = f"{one_line(where)}{error.strerror or error}."
    print(f"ffn: {text}", file=sys.stderr)  # noqa: T201
    return text


def first_stage(options: argparse.Namespace) -> str:
    """Return what a run is at before its first step."""
    return "starting" if options.direct else "starting Prefect"


def export_what_scores(pipeline: Pipeline, version: int) -> Path | None:
    """Export ``version``, just promoted, and return the path; or tell why there is no export.

    What scores has changed already: whoever reads of a failure would try to change it again.
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
    """Print one JSON value on one line."""
    print(json.dumps(value, allow_nan=False))  # noqa: T201


def delimiter(text: str) -> str:
    """Read a separator; shells make it hard to give a tab as one."""
    return "\t" if text in ("\\t", "tab") else text


def encoding(text: str) -> str:
    """Read the name of an encoding."""
    from ffn.tabular.csv.charsets import encoding_named

    try:
        return encoding_named(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def count(text: str) -> int:
    """Read a whole number from 1 up."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def version_number(text: str) -> int:
    """Read the number of a version: it becomes a folder's name, so it is digits alone."""
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a version's number, such as 3")
    return int(text)
