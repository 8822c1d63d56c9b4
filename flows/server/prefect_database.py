"""The database of Prefect's server: SQLite in a file, or the user's PostgreSQL.

Prefect's own settings name it, such as ``PREFECT_SERVER_DATABASE_CONNECTION_URL``. The server
examines it when it starts, because Prefect itself would fail with a traceback of a hundred lines.
No text made here holds a password.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ffn.errors import FFNError, one_line, quote

if TYPE_CHECKING:
    from prefect.settings import Settings
    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = [
    "DatabaseError",
    "PrefectDatabase",
    "check_database",
    "client_settings",
    "prefect_database",
    "prefect_settings",
    "refusal_in",
    "telling_refusals",
]

_POSTGRESQL = "postgresql+asyncpg"
_SQLITE = "sqlite+aiosqlite"
_EXPECTED = (
    f"Expected {_POSTGRESQL}://USER@HOST:5432/NAME in PREFECT_SERVER_DATABASE_CONNECTION_URL, or "
    f"PREFECT_SERVER_DATABASE_DRIVER={_POSTGRESQL} with _HOST, _PORT, _USER, _NAME and _PASSWORD"
)
# The oldest that Prefect's documentation allows: "PostgreSQL database version 14.9 or higher".
_OLDEST = 140_009
_MARK = "ffn: "


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


async def check_database(found: PrefectDatabase) -> None:
    """Check that Prefect can use ``found``: it answers, takes the password, and is new enough.

    Parameters
    ----------
    found
        The database; SQLite needs no check.

    Raises
    ------
    DatabaseError
        It cannot be used.
    """
    if not found.is_postgresql:
        return
    from prefect.server.database.configurations import AsyncPostgresConfiguration

    # Prefect's own connection, so that its settings for TLS and timeouts count here, too.
    engine = await AsyncPostgresConfiguration(
        connection_url=found.url.render_as_string(hide_password=False)
    ).engine()
    try:
        with _refusing(found):
            async with engine.connect() as connection:
                await _check_server(found, connection)
                await _check_rights(found, connection)
    finally:
        await engine.dispose()


async def _check_server(found: PrefectDatabase, connection: AsyncConnection) -> None:
    number = int(await _value(connection, "SHOW server_version_num"))
    if number < _OLDEST:
        shown = f"{number // 10_000}.{number % 10_000}"
        raise DatabaseError(
            f"PostgreSQL at {found.server} is version {shown}, and Prefect needs 14.9 or newer. "
            "Upgrade it, or name another server."
        )
    if await _value(connection, "SHOW transaction_read_only") == "on":
        raise DatabaseError(f"{found} is read-only, a standby perhaps. Name the primary server.")
    encoding = await _value(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        raise DatabaseError(
            f"{found} has the encoding {encoding}, which has no place for every name. "
            f"Create it with: createdb --encoding=UTF8 --template=template0 {found.url.database}"
        )


async def _check_rights(found: PrefectDatabase, connection: AsyncConnection) -> None:
    """Check that the first start can create the tables; later ones have them."""
    if await _value(connection, "SELECT to_regclass('alembic_version') IS NOT NULL"):
        return
    user, database = found.url.username or "the user", found.url.database
    if not await _value(connection, "SELECT has_schema_privilege(current_schema(), 'CREATE')"):
        raise DatabaseError(
            f"{found}: {quote(user)} may not create tables there. Make it the owner: "
            f"ALTER DATABASE {database} OWNER TO {user}"
        )
    if not await _value(
        connection, "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'"
    ):
        raise DatabaseError(
            f"PostgreSQL at {found.server} lacks the extension pg_trgm, which Prefect needs. "
            "Install the contributed modules of PostgreSQL there (postgresql-contrib)."
        )


async def _value(connection: AsyncConnection, select: str) -> Any:
    return (await connection.exec_driver_sql(select)).scalar()


@contextlib.contextmanager
def _refusing(found: PrefectDatabase) -> Iterator[None]:
    """Turn what the driver says into one line."""
    import asyncpg
    from sqlalchemy.exc import SQLAlchemyError

    user = quote(found.url.username or "")
    try:
        yield
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise DatabaseError(
            f"PostgreSQL at {found.server} refuses user {user} ({_masked(error, found)}). Correct "
            "PREFECT_SERVER_DATABASE_PASSWORD, PGPASSWORD or the password file, or pg_hba.conf."
        ) from None
    except asyncpg.InvalidCatalogNameError:
        raise DatabaseError(
            f"PostgreSQL at {found.server} has no database {quote(found.url.database or '')}. "
            f"Create it: createdb --owner={found.url.username} {found.url.database}"
        ) from None
    except asyncpg.CannotConnectNowError as error:
        raise DatabaseError(f"{found} is not ready ({_masked(error, found)}). Wait.") from None
    except asyncpg.TooManyConnectionsError:
        raise DatabaseError(
            f"PostgreSQL at {found.server} has no connection left. A server of Prefect takes up to "
            "15: raise max_connections, or lower PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE."
        ) from None
    except (OSError, TimeoutError) as error:
        raise DatabaseError(
            f"PostgreSQL at {found.server} does not answer ({_masked(error, found)}). Start it, or "
            "correct the address of Prefect's database."
        ) from None
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        SQLAlchemyError,
        ValueError,
        TypeError,
    ) as error:
        raise DatabaseError(f"{found} cannot be used ({_masked(error, found)}).") from None


def _masked(error: BaseException, found: PrefectDatabase) -> str:
    """Return the first line of an error, without the password."""
    said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    secret = found.url.password
    return one_line(said.replace(secret, "***") if secret else said) or type(error).__name__


@contextlib.contextmanager
def telling_refusals() -> Iterator[None]:
    """End the process of a server that is refused in the block, with the reason as its last line.

    `refusal_in` finds it there.
    """
    try:
        yield
    except DatabaseError as refusal:
        print(f"{_MARK}{refusal}", file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(1)


def refusal_in(line: str) -> str:
    """Return the reason in ``line``, the last of a server's output; empty if it is none of ours."""
    return line.removeprefix(_MARK) if line.startswith(_MARK) else ""
