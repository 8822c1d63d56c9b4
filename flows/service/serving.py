"""``ffn serve``: starts a server, serves deployments and watches inboxes until a signal."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from ffn.quantities import counted
from ffn.settings.pipeline import Pipeline
from flows.server.managed import Address, own_server
from flows.server.overview_app import HERE
from flows.server.prefect_database import PrefectDatabase, client_settings, prefect_database
from flows.server.proxies import direct_to
from flows.server.run_flow import configure
from flows.server.service_home import ServiceError, ServiceHome

__all__ = ["serve", "sqlite_in_words"]

_SECONDS_TO_EXIT = 7.0
# Of each flow.
_AT_ONCE_WITH_SQLITE = 4


def serve(
    pipelines: Sequence[Pipeline],
    root: Path,
    *,
    host: str | None = None,
    port: int | None = None,
    authenticate: bool = True,
    names: Sequence[str] = (),
    at_once: int | None = None,
    work_pool: str | None = None,
) -> int:
    """Serve ``pipelines`` until a signal; return the exit code.

    Parameters
    ----------
    pipelines
        The pipelines to serve.
    root
        The folder with ``data/`` and ``artifacts/``.
    host, port
        Address of the server to start, by default 127.0.0.1 and 4200. Not allowed if
        ``PREFECT_API_URL`` names a server.
    authenticate
        Require the password. Without it, the server must listen on loopback.
    names
        Further host names of the server to start.
    at_once
        Number of runs of one flow to execute at a time; None, the default: 4 if the server to
        start has SQLite, otherwise any number.
    work_pool
        Name of the work pool whose workers execute the runs; None, the default: this process does.

    Raises
    ------
    DatabaseError
        Prefect's settings are wrong, or the database that they name cannot be used.
    ServiceError
        The server cannot be started, or schedules do not fire.
    """
    # Prefect reads its settings when it is imported, here and in the runs' processes.
    configure()
    # The watch reports an unreachable server once; Prefect would report it for each log line.
    logging.raiseExceptions = False
    home = ServiceHome.of(root)
    database = prefect_database()
    served = _served_by(home, host, port, names, database, authenticate=authenticate)
    with home.held(), served as (api, dashboard), direct_to(api, own=dashboard is not None):
        from flows.service import supervisor

        own = dashboard is not None
        home.announce(api=api, dashboard=dashboard or api, ours=own)
        if own and not database.is_postgresql:
            at_once = _AT_ONCE_WITH_SQLITE if at_once is None else at_once
            if told := sqlite_in_words(len(pipelines), at_once, work_pool):
                tell(told)
        work = supervisor.Service(
            pipelines,
            root,
            home,
            tell,
            at_once=at_once,
            work_pool=work_pool,
            watched_database=api if own and database.is_postgresql else None,
        )
        code = 1
        try:
            asyncio.run(work.run(ready=lambda: _tell_where(dashboard, api)))
            code = 0
        except (httpx.HTTPError, ImportError) as error:
            # An ImportError means that the configured kind of proxy needs another package.
            said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            raise ServiceError(f"Prefect's server at {api} cannot be used ({said}).") from None
        finally:
            _end_soon(code)
    tell("Ended.")
    return 0


def sqlite_in_words(pipelines: int, at_once: int, work_pool: str | None) -> str:
    """Return what SQLite, which has one writer at a time, cannot do; empty if it does all.

    Parameters
    ----------
    pipelines
        Number of pipelines served.
    at_once
        Number of runs of a flow that this process executes at a time.
    work_pool
        Name of the work pool whose workers execute the runs; None if this process does.
    """
    writes = "Prefect's database is SQLite, which has one writer at a time"
    if work_pool is not None:
        return (
            f"{writes}: limit the workers (prefect worker start --limit {_AT_ONCE_WITH_SQLITE}), "
            "or use PostgreSQL."
        )
    if pipelines <= at_once:
        return ""
    return (
        f"{writes}: at most {counted(at_once, 'retraining')} and as many scoring runs are at work, "
        "others wait."
    )


def _tell_where(dashboard: str | None, api: str) -> None:
    if dashboard is not None:
        tell(f"All pipelines: {dashboard}{HERE}")
    tell(f"The dashboard: {dashboard or api}")


def _end_soon(code: int) -> None:
    """Exit with this code within seconds, even if threads of Prefect are still waiting.

    They try for minutes to send their last messages to a server that is being stopped.
    """
    last = threading.Timer(_SECONDS_TO_EXIT, os._exit, (code,))
    last.daemon = True
    last.start()


@contextlib.contextmanager
def _served_by(
    home: ServiceHome,
    host: str | None,
    port: int | None,
    names: Sequence[str],
    database: PrefectDatabase,
    *,
    authenticate: bool,
) -> Iterator[tuple[str, str | None]]:
    """Use the configured server or run one; yield its API URL, and the dashboard's if ours."""
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    configured: str | None = PREFECT_API_URL.value()
    if configured:
        if host or port or names:
            raise ServiceError(
                "--host, --port and --allow-host are for a server of our own, and PREFECT_API_URL "
                f"names {configured}. Unset it, or leave them out."
            )
        yield configured, None
        return
    address = Address(host=host or "127.0.0.1", port=port or 4200, names=tuple(names))
    secret = _secret(home, address, authenticate=authenticate)
    with_database = f" Its database: {database}." if database.given else ""
    tell(f"Starting Prefect's server.{with_database}")
    with (
        own_server(address, home, secret, database, tell),
        temporary_settings(
            {PREFECT_API_URL: address.api, PREFECT_API_AUTH_STRING: secret, **client_settings()}
        ),
    ):
        if secret is not None:
            tell(f"Its password is the line in {home.auth_file}")
        yield address.api, address.dashboard


def _secret(home: ServiceHome, address: Address, *, authenticate: bool) -> str | None:
    """Return the server's password; None only if it listens on loopback."""
    if authenticate:
        given = os.environ.get("PREFECT_SERVER_API_AUTH_STRING")
        return given or home.secret()
    if not address.is_loopback:
        raise ServiceError(
            f"{address.host} can be reached by others, and --no-auth would let them run and read "
            "everything. Omit --no-auth or --host."
        )
    return None


def tell(text: str) -> None:
    """Print ``text`` as a line of the service's output, with the time."""
    print(f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S}  {text}", flush=True)  # noqa: T201
