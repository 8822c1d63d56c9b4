"""Prefect's server for one command: the configured one, the service's, or a temporary one."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import secrets
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import httpx
from prefect.client.orchestration import get_client
from prefect.context import refresh_global_settings_context
from prefect.exceptions import PrefectException, PrefectSignal
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_KEY,
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_HOME,
    temporary_settings,
)

from ffn.errors import FFNError
from ffn.interpreter import fresh
from flows.recorded_runs import finished
from flows.server.database_check import refusal_in
from flows.server.liveness import comes_up
from flows.server.prefect_database import client_settings
from flows.server.proxies import direct_to
from flows.server.service_home import ServiceHome

__all__ = ["ServerError", "server"]

# A server that is stopped while it creates its database finishes that first.
_SHUTDOWN_SECONDS = 10.0


# By Prefect's folder: the process, the URL and the key of the server that this process started.
_started: dict[Path, tuple[subprocess.Popen[bytes], str, str]] = {}

# Only the run sends requests: there are no pages and no other origins.
_CLOSED = {
    "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
    "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": "",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


class ServerError(FFNError):
    """Prefect's server does not answer, or refuses our requests."""


@contextlib.contextmanager
def server(root: Path) -> Iterator[None]:
    """Use the configured server, the service's, or start a temporary one, while the block runs.

    Prefect would start one itself, but another one in each worker process, and all of them in the
    terminal's foreground: Ctrl-C would end the server first and leave the run waiting for it.

    Parameters
    ----------
    root
        The folder with ``data/`` and ``artifacts/``, whose service may be running.
    """
    # A server or database that is lost is reported once, and not for each log line.
    logging.raiseExceptions = False
    url = PREFECT_API_URL.value()
    # A run would wait a second for its heartbeat thread, whose reports no automation of ours uses.
    # It runs only if the user has set its frequency.
    beats = PREFECT_FLOWS_HEARTBEAT_FREQUENCY
    settings: dict[Any, Any] = {} if beats.name in os.environ else {beats: None}
    configured, key = bool(url), None
    if not configured:
        url, key = ServiceHome.of(root).running() or _temporary()
        # Without a password, a client would send the API key of Prefect Cloud instead.
        settings |= {PREFECT_API_AUTH_STRING: key, PREFECT_API_KEY: None, **client_settings()}
    settings |= {PREFECT_API_URL: url}
    with direct_to(url, own=not configured), _everywhere(settings):
        if configured:
            _check(url)
        try:
            yield
        except httpx.HTTPError as error:
            raise _lost(f"Prefect's server at {url} was lost ({_first_line(error)})") from None
        except (PrefectException, PrefectSignal) as error:
            # Our runs fail with our own errors. These mean that somebody else changed the run.
            told = f"{type(error).__name__}: {_first_line(error)}"
            raise _lost(f"Prefect's server at {url} ended the run by itself ({told})") from None


def _lost(what: str) -> ServerError:
    if finished:
        return ServerError(
            f"{finished[-1]} That is on the disk and whole; its record is missing: {what}."
        )
    return ServerError(f"{what}. Run again.")


@contextlib.contextmanager
def _everywhere(settings: dict[Any, Any]) -> Iterator[None]:
    """Apply settings to all threads, and to processes started in the block, while it runs.

    Prefect's temporary settings apply to one thread. Its thread that forwards logs and events of
    worker processes would not know the server, and would start one.
    """
    texts = {key.name: value for key, value in settings.items()}
    before = {name: os.environ.get(name) for name in texts}
    _set(texts)
    refresh_global_settings_context()
    try:
        with temporary_settings(settings):
            yield
    finally:
        _set(before)
        refresh_global_settings_context()


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _check(url: str) -> None:
    try:
        with get_client(sync_client=True) as client:
            client.raise_for_api_version_mismatch()
    except (RuntimeError, ImportError, httpx.HTTPError) as error:
        # An ImportError means that the configured kind of proxy needs another package.
        raise ServerError(
            f"Prefect's server at {url} cannot be used ({_first_line(error)}). Start or repair "
            "it, unset PREFECT_API_URL to have one started for the run, or add --direct."
        ) from None


def _check_home(home: Path) -> None:
    """Refuse an unusable folder at once; the server would fail only after its startup timeout."""
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


def _temporary() -> tuple[str, str]:
    """Return URL and key of a server that ends with this process, and is started only once."""
    home = PREFECT_HOME.value()
    if home not in _started or _started[home][0].poll() is not None:
        _check_home(home)
        _started[home] = _start()
    _, url, key = _started[home]
    return url, key


def _start() -> tuple[subprocess.Popen[bytes], str, str]:
    """Start a server that ends with this process; return it, its URL and key once it answers."""
    key = f"ffn:{secrets.token_urlsafe(32)}"
    errors = tempfile.TemporaryFile()  # noqa: SIM115
    with socket.socket() as listening:
        # Bound before the server starts, so that no other process can take the port and receive
        # the key.
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
        # A signal between start and registration would leave an orphaned server. The mask is
        # inherited, so the server lifts it.
        signals = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            process = subprocess.Popen(  # noqa: S603
                fresh(f"{__package__}.server_process", "run", str(listening.fileno())),
                # The key is in the environment, which other users cannot read.
                env=os.environ | _CLOSED | {"PREFECT_SERVER_API_AUTH_STRING": key},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=(listening.fileno(),),
                start_new_session=True,
            )
            # Stopped at the exit, not after the block: Prefect sends its last logs and events then.
            atexit.register(_stop, process, errors)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, signals)
    if not comes_up(process, url):
        last = _last_line(errors)
        if reason := refusal_in(last):
            raise ServerError(f"{reason} Or add --direct to run without Prefect.")
        raise ServerError(
            f"Prefect's server does not start ({last.rstrip('.')}). See what "
            "`prefect server start` says, or add --direct to run without Prefect."
        )
    return process, url, key


def _stop(process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_SHUTDOWN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()
    errors.close()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").split("\n")
    written = [line.strip() for line in lines if line.strip()]
    return written[-1] if written else "it does not answer"
