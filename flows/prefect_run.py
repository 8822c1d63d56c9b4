"""Runs the flows from the command line: one server, quiet logs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flows.outcomes import FilesRefusedError, RetrainOutcome, ScoreOutcome, SkippedOutcome

if TYPE_CHECKING:
    from flows.retrain import Runner

__all__ = ["configure", "retrain", "score", "score_inbox"]

# Read by Prefect at its import. A refusal is told once, in one line, by the command line; the
# dashboard has every log line all the same.
_SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # A server that Prefect starts by itself outlives a process that is killed.
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
}


def retrain(
    pipeline: str, root: Path, *, runner: Runner, workers: int, force: bool
) -> RetrainOutcome | SkippedOutcome:
    """Run the retrain flow with this task runner."""
    configure()
    from flows import retrain as module
    from flows.server import server

    with server(root):
        flow = module.retrain.with_options(task_runner=module.task_runner(runner, workers))
        # Prefect's types do not see that a flow may return a state, and gives what is in it.
        return cast(RetrainOutcome | SkippedOutcome, flow(pipeline, str(root), force))


def score(
    pipeline: str, root: Path, files: list[tuple[Path, Path]], options: dict[str, Any]
) -> ScoreOutcome:
    """Run the score flow."""
    configure()
    from flows import score as module
    from flows.server import server

    with server(root):
        try:
            return module.score(pipeline, files, str(root), options)
        except FilesRefusedError as refused:
            return refused.outcome


def score_inbox(pipeline: str, root: Path, options: dict[str, Any]) -> ScoreOutcome:
    """Run the flow that scores what is new in the inbox."""
    configure()
    from flows import score_inbox as module
    from flows.server import server

    with server(root):
        try:
            return cast(ScoreOutcome, module.score_inbox(pipeline, str(root), options))
        except FilesRefusedError as refused:
            return refused.outcome


def configure() -> None:
    """Set what Prefect reads at its import, unless it is set."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
