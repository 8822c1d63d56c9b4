"""Runs the flows from the command line: one server, quiet logs, whole shutdown."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffn.errors import FFNError
from flows.outcomes import FilesRefusedError, RetrainOutcome, ScoreOutcome

if TYPE_CHECKING:
    from flows.retrain import Runner

__all__ = ["ServerError", "retrain", "score"]

# Read by Prefect at its import. A refusal is told once, in one line, by the command line; the
# dashboard has every log line all the same.
_SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}
# A first start, which makes the database, takes 8 to 20 s here; small machines are slower.
_STARTUP_SECONDS = 60


class ServerError(FFNError):
    """Prefect's server does not answer, or not us."""


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
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    url = PREFECT_API_URL.value()
    if url:
        try:
            with get_client(sync_client=True) as client:
                client.raise_for_api_version_mismatch()
        except (RuntimeError, httpx.HTTPError) as error:
            raise ServerError(
                f"Prefect's server at {url} cannot be used ({_first_line(error)}). Start or repair "
                "it, unset PREFECT_API_URL to have one started for the run, or add --direct."
            ) from None
    else:
        from prefect.server.api.server import SubprocessASGIServer

        _check_home(PREFECT_HOME.value())
        server = SubprocessASGIServer()
        try:
            # It registers its own end for the interpreter's exit, which comes after Prefect has
            # sent its last logs and events; ended here, those would be waited for in vain.
            server.start(timeout=_STARTUP_SECONDS)
        except (RuntimeError, httpx.HTTPError) as error:
            raise ServerError(
                f"Prefect's server does not start ({_first_line(error)}). See what "
                "`prefect server start` says, or add --direct to run without Prefect."
            ) from None
        url = server.api_url
    with temporary_settings({PREFECT_API_URL: url}):
        try:
            yield
        except httpx.HTTPError as error:
            raise ServerError(
                f"Prefect's server at {url} was lost ({_first_line(error)}). Run again."
            ) from None


def _check_home(home: Path) -> None:
    """Refuse a folder without which the server would only fail after its whole time to start."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(home, os.W_OK) else "not writable"
    except OSError as error:
        reason = str(error.strerror)
    if reason:
        raise ServerError(
            f"Prefect's folder {home} cannot be used ({reason}). Set PREFECT_HOME to one that can "
            "be written to, or add --direct to run without Prefect."
        )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
