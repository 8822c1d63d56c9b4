"""Files of ``ffn serve``: its password, its address, its lock.

::

    artifacts/.serve/
      auth          "ffn:<secret>", readable only by its owner; created at the first start
      serving.json  address of the running service
      lock          held while a service runs
      prefect.db    Prefect's runs, schedules and artifacts, unless another database is set
      server.log    output of Prefect's server
      alive         its mtime is the time when a service was last alive
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ffn.errors import FFNError
from ffn.storage.atomic import sync_folder, temporary_name
from ffn.storage.documents import write_json
from ffn.storage.locks import try_lock

__all__ = ["ServiceError", "ServiceHome"]


class ServiceError(FFNError):
    """The service cannot be started or trusted."""


@dataclass(frozen=True)
class ServiceHome:
    """The folder of the service of one root.

    Attributes
    ----------
    folder
        Path of the folder.
    """

    folder: Path

    @classmethod
    def of(cls, root: Path) -> ServiceHome:
        """Return the folder of the service of ``root``."""
        return cls(root / "artifacts" / ".serve")

    @property
    def root(self) -> Path:
        """The folder with ``data/`` and ``artifacts/``."""
        return self.folder.parents[1].absolute()

    @property
    def auth_file(self) -> Path:
        """The file with the password."""
        return self.folder / "auth"

    @property
    def log(self) -> Path:
        """The log of Prefect's server."""
        return self.folder / "server.log"

    @property
    def database(self) -> Path:
        """The SQLite database of Prefect's server."""
        return self.folder / "prefect.db"

    def make(self) -> None:
        """Create the folder, accessible only to its owner.

        Raises
        ------
        ServiceError
            The folder is a link, or belongs to another user.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = self.folder.lstat()
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
            raise ServiceError(
                f"{self.folder} is a link, or belongs to another user. Remove it, or serve as "
                "that user."
            )
        if stat.S_IMODE(state.st_mode) & 0o077:
            self.folder.chmod(0o700)

    def secret(self) -> str:
        """Return the authentication string; create it if there is none.

        Raises
        ------
        ServiceError
            Other users can read or write its file.
        """
        self.make()
        if not self.auth_file.exists():
            self._write_secret()
        state = self.auth_file.lstat()
        if state.st_mode & 0o177777 != 0o100600 or state.st_uid != os.geteuid():
            raise ServiceError(
                f"{self.auth_file} must be a file that only its owner can read. Remove it; "
                "the next start creates a new one."
            )
        secret = self.auth_file.read_text().strip()
        if ":" not in secret or not secret.isprintable():
            raise ServiceError(
                f"{self.auth_file} contains no NAME:PASSWORD. Remove it; a restart creates one."
            )
        return secret

    def _write_secret(self) -> None:
        temporary = self.folder / temporary_name()
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, f"ffn:{secrets.token_urlsafe(32)}\n".encode())
            os.fsync(handle)
            # Not a rename: if two start at the same time, both use what the first wrote.
            with contextlib.suppress(FileExistsError):
                os.link(temporary, self.auth_file)
        finally:
            os.close(handle)
            temporary.unlink()
        sync_folder(self.folder)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock of the only service of this root while the block runs.

        Raises
        ------
        ServiceError
            Another service holds it.
        """
        self.make()
        with (self.folder / "lock").open("a+b") as file:
            if not try_lock(file):
                where = self._serving().get("dashboard", "an address not yet known")
                raise ServiceError(
                    f"these pipelines are served already, at {where}. End that service first."
                )
            try:
                yield
            finally:
                self._address.unlink(missing_ok=True)

    @property
    def _address(self) -> Path:
        return self.folder / "serving.json"

    def announce(self, *, api: str, dashboard: str, ours: bool) -> None:
        """Record the address of the service, so that other commands find it.

        Parameters
        ----------
        api, dashboard
            URLs of the API and of the dashboard.
        ours
            True if the service has started the server, which then requires the password here.
        """
        write_json(self._address, {"api": api, "dashboard": dashboard, "ours": ours})

    def _serving(self) -> dict[str, str]:
        try:
            found = json.loads(self._address.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def beat(self) -> None:
        """Record that the service is alive now."""
        self._alive.touch()

    def last_alive(self) -> datetime.datetime | None:
        """Return when a service was last alive; None if there was never one."""
        try:
            return datetime.datetime.fromtimestamp(self._alive.stat().st_mtime, datetime.UTC)
        except FileNotFoundError:
            return None

    @property
    def _alive(self) -> Path:
        return self.folder / "alive"

    def running(self) -> tuple[str, str | None] | None:
        """Return API URL and password of the running service; None if there is none."""
        found = self._serving()
        if "api" not in found:
            return None
        with contextlib.suppress(OSError), (self.folder / "lock").open("r+b") as file:
            if try_lock(file):
                return None
            return found["api"], self.secret() if found.get("ours") else None
        return None
