"""What Prefect's server examines of its PostgreSQL before it starts.

Prefect itself would fail with a traceback of a hundred lines. The server's process writes the
reason as its last line, and whoever has started it finds it there.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ffn.errors import one_line, quote
from flows.server.prefect_database import DatabaseError, PrefectDatabase

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["check_database", "refusal_in", "telling_refusals"]

# The oldest that Prefect's documentation allows: "PostgreSQL database version 14.9 or higher".
_OLDEST = 140_009
_MARK = "ffn: "


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
