"""``ffn serve``: a server, the deployments, the runs, the watch over inboxes; until a signal."""

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

from ffn.settings.pipeline import Pipeline
from flows.server.managed import Address, own_server
from flows.server.proxies import direct_to
from flows.server.run_flow import configure
from flows.server.service_home import ServiceError, ServiceHome

__all__ = ["serve"]

_SECONDS_TO_EXIT = 7.0


def serve(
    pipelines: Sequence[Pipeline],
    root: Path,
    *,
    host: str | None = None,
    port: int | None = None,
    authenticate: bool = True,
    names: Sequence[str] = (),
) -> int:
    """Serve ``pipelines`` until a signal; returns the exit code.

    Parameters
    ----------
    host, port
        Of a server of our own; the one that ``PREFECT_API_URL`` names has its own.
    authenticate
        Ask for the password; without, only this machine may reach the server.
    names
        By which a server of our own may be addressed besides its own.

    Raises
    ------
    ServiceError
        It cannot be started, or schedules do not fire.
    """
    # Prefect reads its settings when it is imported, here and in the runs' processes.
    configure()
    # That a log line could not be sent is told by the watch, once, and not for each line.
    logging.raiseExceptions = False
    home = ServiceHome.of(root)
    served = _served_by(home, host, port, names, authenticate=authenticate)
    with home.held(), served as (api, dashboard), direct_to(api, own=dashboard is not None):
        from flows.service import supervisor

        home.announce(api=api, dashboard=dashboard or api, ours=dashboard is not None)
        work, code = supervisor.Service(pipelines, root, home, tell), 1
        try:
            asyncio.run(work.run(ready=lambda: tell(f"The dashboard: {dashboard or api}")))
            code = 0
        except (httpx.HTTPError, ImportError) as error:
            # An ImportError: a proxy is set of a kind that needs another package.
            said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            raise ServiceError(f"Prefect's server at {api} cannot be used ({said}).") from None
        finally:
            _end_soon(code)
    tell("Ended.")
    return 0


def _end_soon(code: int) -> None:
    """End this process in seconds with this exit code, whatever Prefect's threads still wait for.

    They send their last words to a server that is about to be gone, for minutes.
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
    *,
    authenticate: bool,
) -> Iterator[tuple[str, str | None]]:
    """Use the configured server, or run one; gives the API's address, and of ours the page's."""
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
    tell("Starting Prefect's server.")
    with (
        own_server(address, home, secret, tell),
        temporary_settings({PREFECT_API_URL: address.api, PREFECT_API_AUTH_STRING: secret}),
    ):
        if secret is not None:
            tell(f"Its password is the line in {home.auth_file}")
        yield address.api, address.dashboard


def _secret(home: ServiceHome, address: Address, *, authenticate: bool) -> str | None:
    """Return the password of a server; None only where this machine alone can reach it."""
    if authenticate:
        given = os.environ.get("PREFECT_SERVER_API_AUTH_STRING")
        return given or home.secret()
    if not address.is_loopback:
        raise ServiceError(
            f"{address.host} can be reached by others, and --no-auth would let them run and read "
            "everything. Leave one of the two out."
        )
    return None


def tell(text: str) -> None:
    """Say what the service is at, with the time."""
    print(f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S}  {text}", flush=True)  # noqa: T201
