"""Prefect's server for ``ffn serve``: protected, restarted if it dies, stopped with the service."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ffn.errors import quote
from ffn.interpreter import fresh
from flows.server.database_check import refusal_in
from flows.server.liveness import comes_up
from flows.server.prefect_database import PrefectDatabase
from flows.server.service_home import ServiceError, ServiceHome

__all__ = ["Address", "own_server"]

_SHUTDOWN_SECONDS = 4.0
_LONGEST_PAUSE = 30.0
_DAY = 86_400
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
# A server on any of these may be addressed by all of them.
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Address:
    """The address of a server.

    Attributes
    ----------
    host, port
        Where it listens.
    names
        Further host names by which it may be addressed, such as that of a proxy.
    """

    host: str
    port: int
    names: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names by which the server may be addressed; empty: any."""
        if self.host in _ANYWHERE and not self.names:
            return ()
        own = _LOOPBACK if self.is_loopback or self.host in _ANYWHERE else ()
        return (*own, *(name.lower() for name in (self.host, *self.names)))

    @property
    def _reachable(self) -> str:
        host = _ANYWHERE.get(self.host, self.host)
        return f"[{host}]" if ":" in host else host

    @property
    def dashboard(self) -> str:
        """URL of the dashboard."""
        return f"http://{self._reachable}:{self.port}"

    @property
    def api(self) -> str:
        """URL of the API, for Prefect's client."""
        return f"{self.dashboard}/api"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def check_free(self) -> None:
        """Raise ``ServiceError`` if nothing can listen at this address."""
        try:
            family, kind, _, _, place = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM
            )[0]
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
        except OSError as error:
            raise ServiceError(
                f"nothing can listen at {quote(self.host)}, port {self.port} ({error.strerror}). "
                "Choose another address with --host and --port."
            ) from None


def _environment(
    address: Address, home: ServiceHome, secret: str | None, database: PrefectDatabase
) -> dict[str, str]:
    """Return the server's environment; only settings unrelated to security can be overridden."""
    closed = {
        "PREFECT_API_URL": address.api,
        "PREFECT_SERVER_API_HOST": address.host,
        "PREFECT_SERVER_API_PORT": str(address.port),
        "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
        # Our own pages need no CORS; no other origin is allowed.
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": address.dashboard,
        # Relative, so that the dashboard works under every name of this machine.
        "PREFECT_SERVER_UI_API_URL": "/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "DO_NOT_TRACK": "1",
    }
    if secret is not None:
        closed["PREFECT_SERVER_API_AUTH_STRING"] = secret
    open_to_change = {
        # Every change of state writes an event: after months the database is mostly events.
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P2D",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(30 * _DAY),
    }
    # The user may name another by any of Prefect's settings, which a URL would override.
    if not database.given:
        name = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
        open_to_change[name] = f"sqlite+aiosqlite:///{home.database}"
    kept = {k: v for k, v in os.environ.items() if k != "PREFECT_SERVER_API_AUTH_STRING"}
    return open_to_change | kept | closed


@contextlib.contextmanager
def own_server(
    address: Address,
    home: ServiceHome,
    secret: str | None,
    database: PrefectDatabase,
    tell: Callable[[str], None],
) -> Iterator[None]:
    """Run a server while the block runs, and restart it if it dies.

    Parameters
    ----------
    address
        Where it listens.
    home
        The folder of its database and log.
    secret
        The password; None: no authentication.
    database
        What the user's settings name; without any, it is SQLite in that folder.
    tell
        Prints a line of the service's output.

    Raises
    ------
    ServiceError
        It does not start.
    """
    address.check_free()
    server = _Server(address, home, _environment(address, home, secret, database), tell)
    try:
        server.wait_until_it_answers()
        server.keep()
        yield
    finally:
        server.stop()


class _Server:
    """The server's process, restarted when it ends unexpectedly."""

    def __init__(
        self,
        address: Address,
        home: ServiceHome,
        environment: dict[str, str],
        tell: Callable[[str], None],
    ) -> None:
        self._address = address
        self._root = home.root
        self._log = home.log
        self._environment = environment
        self._tell = tell
        self._ending = threading.Event()
        self._process = self._spawn()
        self._keeper = threading.Thread(target=self._keep, name="server-keeper", daemon=True)

    def keep(self) -> None:
        """Start restarting the process when it ends."""
        self._keeper.start()

    def _spawn(self) -> subprocess.Popen[bytes]:
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.1"))
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603
                fresh(
                    *(f"{__package__}.server_process", "service", str(self._root)),
                    *(self._address.host, str(self._address.port), *self._address.hosts),
                ),
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C must reach only the service, which stops the server after the runs.
                start_new_session=True,
            )

    def _keep(self) -> None:
        pause = 1.0
        while True:
            started = time.monotonic()
            code = self._process.wait()
            if self._ending.is_set():
                return
            pause = 1.0 if time.monotonic() - started > _LONGEST_PAUSE else pause
            reason = refusal_in(_last_line(self._log)) or f"code {code}"
            self._tell(f"Prefect's server ended ({reason.rstrip('.')}) and is started again.")
            if self._ending.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
            self._process = self._spawn()

    def wait_until_it_answers(self) -> None:
        """Wait until the server answers; raise ``ServiceError`` if it does not start."""
        if not comes_up(self._process, self._address.api):
            last = _last_line(self._log)
            raise ServiceError(
                refusal_in(last)
                or f"Prefect's server does not start ({last.rstrip('.')}). See {self._log}."
            )

    def stop(self) -> None:
        """Terminate the server, and kill it if it takes longer than a few seconds."""
        self._ending.set()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it does not answer"
