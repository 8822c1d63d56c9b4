"""The database of Prefect's server: SQLite in a file, or the user's PostgreSQL.

Prefect's own settings name it, such as ``PREFECT_SERVER_DATABASE_CONNECTION_URL``. No text made
here holds a password.
"""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ffn.errors import FFNError, quote

if TYPE_CHECKING:
    from prefect.settings import Settings
    from sqlalchemy import URL

__all__ = [
    "DatabaseError",
    "PrefectDatabase",
    "client_settings",
    "prefect_database",
    "prefect_settings",
]

_POSTGRESQL = "postgresql+asyncpg"
_SQLITE = "sqlite+aiosqlite"
_EXPECTED = (
    f"Expected {_POSTGRESQL}://USER@HOST:5432/NAME in PREFECT_SERVER_DATABASE_CONNECTION_URL, or "
    f"PREFECT_SERVER_DATABASE_DRIVER={_POSTGRESQL} with _HOST, _PORT, _USER, _NAME and _PASSWORD"
)


class DatabaseError(FFNError):
    """The database that Prefect's settings name cannot be used."""


@dataclass(frozen=True)
class PrefectDatabase:
    """The database that Prefect's settings name.

    Attributes
    ----------
    url
        Its address, with the password, which no text shows.
    given
        Whether the user's settings name it; otherwise it is Prefect's default, a SQLite file.
    """

    url: URL
    given: bool

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL, not SQLite."""
        return self.url.drivername == _POSTGRESQL

    @property
    def server(self) -> str:
        """Host and port of PostgreSQL."""
        host = self.url.host or str(self.url.query.get("host", "localhost"))
        return f"{host}:{self.url.port or 5432}"

    def __str__(self) -> str:
        if not self.is_postgresql:
            return f"SQLite in {self.url.database or 'memory'}"
        return f"PostgreSQL at {self.server}, database {quote(self.url.database or '')}"

    def __repr__(self) -> str:
        return f"<{self}>"


def prefect_settings() -> Settings:
    """Return Prefect's settings.

    Raises
    ------
    DatabaseError
        One of them is wrong.
    """
    said = io.StringIO()
    try:
        # Prefect reads them when it is imported, and says what is wrong with their values in it.
        with contextlib.redirect_stderr(said):
            from prefect.settings import get_current_settings

            settings = get_current_settings()
    except ValueError as error:
        raise DatabaseError(_told_of_settings(error)) from None
    sys.stderr.write(said.getvalue())
    return settings


def prefect_database() -> PrefectDatabase:
    """Return the database that Prefect's settings name: environment, or profile.

    Raises
    ------
    DatabaseError
        The settings are incomplete, or name no database that Prefect can use.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    settings = prefect_settings()
    database = settings.server.database
    text = database.connection_url.get_secret_value() if database.connection_url else ""
    default = f"{_SQLITE}:///{settings.home}/prefect.db"
    given = text != default or "connection_url" in database.model_fields_set
    try:
        # A second "@" is one of a password, whose rest would be taken for the name of a host.
        url = make_url(text if text.count("@") <= 1 else "")
    except (ArgumentError, ValueError):
        # Nothing is quoted, because any part of it may be the password.
        raise DatabaseError(
            "the address of Prefect's database cannot be read; a password in it needs %40 for @. "
            f"{_EXPECTED}."
        ) from None
    if url.drivername not in (_POSTGRESQL, _SQLITE):
        raise DatabaseError(
            f"the address of Prefect's database begins with {quote(url.drivername)}. {_EXPECTED}."
        )
    if url.drivername == _POSTGRESQL and not url.database:
        raise DatabaseError(f"the address of Prefect's database names no database. {_EXPECTED}.")
    return PrefectDatabase(url, given)


def client_settings() -> dict[Any, Any]:
    """Return settings for the clients of a server that is started here.

    While PostgreSQL is away, the server answers 500, which a client would not ask again.

    Raises
    ------
    DatabaseError
        Prefect's settings are wrong.
    """
    from prefect.settings import PREFECT_CLIENT_RETRY_EXTRA_CODES

    secret = prefect_settings().server.database.connection_url
    postgresql = secret is not None and secret.get_secret_value().startswith(_POSTGRESQL)
    if not postgresql or PREFECT_CLIENT_RETRY_EXTRA_CODES.value():
        return {}
    return {PREFECT_CLIENT_RETRY_EXTRA_CODES: str(int(HTTPStatus.INTERNAL_SERVER_ERROR))}


def _told_of_settings(error: ValueError) -> str:
    """Return what is wrong with Prefect's settings, without their values."""
    problems: list[dict[str, Any]] = getattr(error, "errors", list)()
    told = "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'settings'}: {problem['msg']}"
        for problem in problems
    )
    return f"Prefect's settings are wrong ({told or type(error).__name__}). Correct them."
