"""Runs the flows from the command line: one server, quiet logs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.outcomes import FilesRefusedError, RetrainOutcome, ScoreOutcome, SkippedOutcome

if TYPE_CHECKING:
    from flows.retrain import Runner

__all__ = ["retrain", "score"]

# Read by Prefect at its import. A refusal is told once, in one line, by the command line; the
# dashboard has every log line all the same.
_SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def retrain(
    pipeline: str, root: Path, *, runner: Runner, workers: int, force: bool
) -> RetrainOutcome | SkippedOutcome:
    """Run the retrain flow with this task runner."""
    _configure()
    from flows import retrain as module
    from flows.server import server

    with server():
        flow = module.retrain.with_options(task_runner=module.task_runner(runner, workers))
        return flow(pipeline, str(root), force)


def score(
    pipeline: str, root: Path, files: list[tuple[Path, Path]], options: dict[str, Any]
) -> ScoreOutcome:
    """Run the score flow."""
    _configure()
    from flows import score as module
    from flows.server import server

    with server():
        try:
            return module.score(pipeline, files, str(root), options)
        except FilesRefusedError as refused:
            return refused.outcome


def _configure() -> None:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
