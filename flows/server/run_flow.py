"""Runs the flows for the command line, with one server and without log output."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ffn.pipelines.outcomes import FilesRefusedError, RetrainOutcome, ScoreOutcome, SkippedOutcome
from flows.closed_prefect import ForeignResultError, unread_settings
from flows.server.prefect_database import prefect_settings

if TYPE_CHECKING:
    from ffn.monitoring.evaluate_outcome import EvaluateOutcome
    from ffn.scoring.inputs import FileToScore
    from ffn.settings.service_settings import RunnerSettings

__all__ = [
    "configure",
    "evaluate_outcomes",
    "read_secrets",
    "read_secrets_as_needed",
    "retrain",
    "score",
    "score_inbox",
]

T = TypeVar("T")

# Read by Prefect when it is imported. The command line prints an error once, in one line; the
# dashboard still has every log line.
_SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # A server started by Prefect itself would outlive a process that is killed.
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
}


def retrain(
    pipeline: str, root: Path, *, runner: RunnerSettings, force: bool
) -> RetrainOutcome | SkippedOutcome:
    """Run the retrain flow.

    Parameters
    ----------
    pipeline, root, force
        As for ``flows.retrain_flow.retrain``.
    runner
        Where the candidates are trained.
    """
    configure()
    from flows import retrain_flow as module
    from flows.server.ephemeral import server

    given = runner.model_dump(mode="json", exclude_defaults=True)
    with server(root):
        outcome = module.retrain(pipeline, str(root), force, given)
        if isinstance(outcome, SkippedOutcome):
            return outcome
        return _ours(outcome, RetrainOutcome)


def score(
    pipeline: str,
    root: Path,
    files: Sequence[FileToScore],
    options: dict[str, Any],
    runner: RunnerSettings | None = None,
) -> ScoreOutcome:
    """Run the score flow.

    Parameters
    ----------
    pipeline, root, files, options
        As for ``flows.score_flow.score``.
    runner
        Where long files are scored; None, the default, for what the settings say.
    """
    configure()
    from flows import score_flow as module
    from flows.server.ephemeral import server

    given = None if runner is None else runner.model_dump(mode="json", exclude_defaults=True)
    with server(root):
        try:
            return _ours(
                module.score(pipeline, list(files), str(root), options, given), ScoreOutcome
            )
        except FilesRefusedError as refused:
            return refused.outcome


def score_inbox(pipeline: str, root: Path, options: dict[str, Any]) -> ScoreOutcome:
    """Run the flow that scores new files in the inbox.

    Parameters
    ----------
    pipeline, root, options
        As for ``flows.inbox_flow.score_inbox``.
    """
    configure()
    from flows import inbox_flow as module
    from flows.server.ephemeral import server

    with server(root):
        try:
            return _ours(module.score_inbox(pipeline, str(root), options), ScoreOutcome)
        except FilesRefusedError as refused:
            return refused.outcome


def evaluate_outcomes(
    pipeline: str, root: Path, files: Sequence[Path] | None, version: int | None
) -> EvaluateOutcome:
    """Run the flow that compares predictions with labels.

    Parameters
    ----------
    pipeline, root, files, version
        As for ``flows.evaluate_flow.evaluate_outcomes``.
    """
    configure()
    from ffn.monitoring.evaluate_outcome import EvaluateOutcome, LabelsRefusedError
    from flows import evaluate_flow as module
    from flows.server.ephemeral import server

    given = None if files is None else list(files)
    with server(root):
        try:
            return _ours(
                module.evaluate_outcomes(pipeline, str(root), given, version), EvaluateOutcome
            )
        except LabelsRefusedError as refused:
            return refused.outcome


def read_secrets(names: Sequence[str], root: Path) -> None:
    """Read blocks of Prefect that a database is reached with, for the rest of this process.

    Another block is read when it is needed, which may start a server once more.

    Parameters
    ----------
    names
        Names of Secret blocks; of none, no server is asked.
    root
        The folder with ``data/`` and ``artifacts/``.
    """
    if names:
        _read_as_needed(root, _values_of(names, root))


def read_secrets_as_needed(root: Path) -> None:
    """Read blocks of Prefect when an address needs them, for the rest of this process.

    For commands that run without Prefect: no server is started where no block is named, or where
    the table was kept and no database is asked.

    Parameters
    ----------
    root
        The folder with ``data/`` and ``artifacts/``.
    """
    _read_as_needed(root, {})


def _read_as_needed(root: Path, values: dict[str, str]) -> None:
    from ffn.databases.secret_blocks import read_blocks_with

    def value_of(name: str) -> str:
        if name not in values:
            values.update(_values_of([name], root))
        return values[name]

    read_blocks_with(value_of)


def _values_of(names: Sequence[str], root: Path) -> dict[str, str]:
    configure()
    from flows.blocks.prefect_secrets import prefect_secret
    from flows.server.ephemeral import server

    with server(root):
        return {name: prefect_secret(name) for name in names}


def _ours(outcome: object, kind: type[T]) -> T:
    """Return the result of a flow if this process created it.

    If the server says that the run has already ended, Prefect returns the result from the server.
    """
    if isinstance(outcome, kind):
        return outcome
    raise ForeignResultError(
        "Prefect's server says that the run has ended, but this process did not end it. Check who "
        "has access to that server, and run again."
    )


def configure() -> None:
    """Set defaults for settings that Prefect reads when it is imported, and import it.

    Raises
    ------
    DatabaseError
        One of the user's settings for Prefect is wrong.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    unread = unread_settings()
    if unread:
        print(  # noqa: T201
            f"ffn: settings of Prefect in {', '.join(unread)} of this folder are not read. Set "
            "them in the environment, or in Prefect's profile.",
            file=sys.stderr,
        )
    prefect_settings()
