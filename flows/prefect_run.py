"""Runs the flows from the command line: one server, quiet logs, whole shutdown."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.outcomes import FilesRefusedError, RetrainOutcome, ScoreOutcome

if TYPE_CHECKING:
    from flows.retrain import Runner

__all__ = ["retrain", "score"]

# Read by Prefect at its import. A refusal is told once, in one line, by the command line; the
# dashboard has every log line all the same.
_SETTINGS = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def retrain(pipeline: str, root: Path, *, runner: Runner, workers: int) -> RetrainOutcome:
    """Run the retrain flow with this task runner."""
    with _server():
        from flows import retrain as module

        flow = module.retrain.with_options(task_runner=module.task_runner(runner, workers))
        return flow(pipeline, str(root))


def score(
    pipeline: str, root: Path, files: list[tuple[Path, Path]], options: dict[str, Any]
) -> ScoreOutcome:
    """Run the score flow."""
    with _server():
        from flows import score as module

        try:
            return module.score(pipeline, files, str(root), options)
        except FilesRefusedError as refused:
            return refused.outcome


@contextlib.contextmanager
def _server() -> Iterator[None]:
    """Use the configured server, or one of our own for as long as the block runs.

    Prefect would start one by itself, but then each worker process starts another, and a
    process that is killed leaves its server behind.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    from prefect.server.api.server import SubprocessASGIServer
    from prefect.settings import PREFECT_API_URL, temporary_settings

    if PREFECT_API_URL.value():
        yield
        return
    server = SubprocessASGIServer()
    # It registers its own end for the interpreter's exit, which comes after Prefect has sent
    # its last logs and events; ended here, those would be waited for in vain.
    server.start()
    with temporary_settings({PREFECT_API_URL: server.api_url}):
        yield
