"""What ``ffn serve`` keeps beside the models: its password, its address, its lock.

::

    artifacts/.serve/
      auth          "ffn:<secret>", readable by its owner alone; made at the first start
      serving.json  address and process of the service that runs, if one does
      lock          held while one does
      prefect.db    Prefect's runs, schedules and artifacts, unless another database is set
      server.log    what Prefect's server says
      alive         its time is when somebody served last
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
    """The service cannot be started, or not be trusted."""


@dataclass(frozen=True)
class ServiceHome:
    """The folder of one root's service."""

    folder: Path

    @classmethod
    def of(cls, root: Path) -> ServiceHome:
        """Return that of a root."""
        return cls(root / "artifacts" / ".serve")

    @property
    def auth_file(self) -> Path:
        """Where the password is."""
        return self.folder / "auth"

    @property
    def log(self) -> Path:
        """Where Prefect's server writes."""
        return self.folder / "server.log"

    @property
    def database(self) -> Path:
        """Prefect's own."""
        return self.folder / "prefect.db"

    def make(self) -> None:
        """Make the folder, for its owner alone.

        Raises
        ------
        ServiceError
            It is a link, or another user's.
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
        """Return the authentication string, making it if there is none.

        Raises
        ------
        ServiceError
            Others may read or write its file.
        """
        self.make()
        if not self.auth_file.exists():
            self._write_secret()
        state = self.auth_file.lstat()
        if state.st_mode & 0o177777 != 0o100600 or state.st_uid != os.geteuid():
            raise ServiceError(
                f"{self.auth_file} is not a file that its owner alone may read. Remove it; the "
                "next start makes a new one."
            )
        secret = self.auth_file.read_text().strip()
        if ":" not in secret or not secret.isprintable():
            raise ServiceError(
                f"{self.auth_file} holds no NAME:PASSWORD. Remove it; the next start makes one."
            )
        return secret

    def _write_secret(self) -> None:
        temporary = self.folder / temporary_name()
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, f"ffn:{secrets.token_urlsafe(32)}\n".encode())
            os.fsync(handle)
            # Not a rename: where two start at once, both use what the first wrote.
            with contextlib.suppress(FileExistsError):
                os.link(temporary, self.auth_file)
        finally:
            os.close(handle)
            temporary.unlink()
        sync_folder(self.folder)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Be the one service of this root while the block runs.

        Raises
        ------
        ServiceError
            Another one is.
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
        """Let other commands find the service; ``ours``: the server takes the password here."""
        write_json(self._address, {"api": api, "dashboard": dashboard, "ours": ours})

    def _serving(self) -> dict[str, str]:
        try:
            found = json.loads(self._address.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def beat(self) -> None:
        """Note that somebody serves now."""
        self._alive.touch()

    def last_alive(self) -> datetime.datetime | None:
        """Return when somebody served last; None if nobody ever did."""
        try:
            return datetime.datetime.fromtimestamp(self._alive.stat().st_mtime, datetime.UTC)
        except FileNotFoundError:
            return None

    @property
    def _alive(self) -> Path:
        return self.folder / "alive"

    def running(self) -> tuple[str, str | None] | None:
        """Return API address and password of the service that runs; None if none does."""
        found = self._serving()
        if "api" not in found:
            return None
        with contextlib.suppress(OSError), (self.folder / "lock").open("r+b") as file:
            if try_lock(file):
                return None
            return found["api"], self.secret() if found.get("ours") else None
        return None
