"""Addresses of databases as settings name them, such as ``postgresql://ada@db.example/shop``.

An address never holds a password, because settings are copied into every version: it names a
variable of the environment, ``postgresql://ada:${SHOP_PASSWORD}@db.example/shop``, or a block of
Prefect, ``${prefect:shop-password}``, or nothing, where the driver finds the password by itself
(``PGPASSWORD``, ``~/.pgpass``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from ffn.databases.secret_blocks import PREFIX, block_secret
from ffn.errors import SettingsError, quote

__all__ = ["DatabaseAddress", "Login", "is_address", "parse_address"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# With a slash missing, too: such an address may hold a password, and paths are shown in messages.
_LIKE_ONE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_AFTER_THE_SERVER = re.compile(r"[/?]")
_KINDS = {
    "sqlite": "sqlite",
    "duckdb": "duckdb",
    "postgresql": "postgresql",
    "postgres": "postgresql",
}
_VARIABLE = re.compile(
    r"\$\{([A-Za-z_][A-Za-z0-9_]*|" + PREFIX + r"[a-z0-9]+(?:-[a-z0-9]+)*)\}", re.ASCII
)
# Of PostgreSQL, those that hold no secret.
_OPTIONS = (
    "application_name",
    "channel_binding",
    "connect_timeout",
    "gssencmode",
    "hostaddr",
    "options",
    "service",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
)
_SHOWN_FOR_A_SECRET = "***"  # noqa: S105


class Login(NamedTuple):
    """What a driver needs to connect.

    Attributes
    ----------
    arguments
        Keyword arguments of PostgreSQL's driver; empty for files.
    path
        The file of SQLite or DuckDB; empty for PostgreSQL.
    secrets
        Texts that no message may show.
    """

    arguments: Mapping[str, str]
    path: str
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class DatabaseAddress:
    """Address of a database.

    Attributes
    ----------
    text
        As it was given, with the names of variables in place of their values.
    kind
        ``sqlite``, ``duckdb`` or ``postgresql``.
    folder
        Folder to which the path of a file is relative.
    """

    text: str
    kind: str
    folder: Path

    @property
    def absolute(self) -> str:
        """The address with the path of a file in full, which is the same from any folder."""
        if self.kind == "postgresql":
            return self.text
        scheme, _, path = self.text.partition("://")
        return f"{scheme}:///{self.folder / path.removeprefix('/')}"

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of Prefect's blocks that it takes values from."""
        named = _VARIABLE.findall(self.text)
        return tuple(name.removeprefix(PREFIX) for name in named if name.startswith(PREFIX))

    def login(self) -> Login:
        """Return what a driver needs, with the values of variables and blocks.

        Raises
        ------
        SettingsError
            A variable is not in the environment, or a block is not there.
        """
        rest = self.text.partition("://")[2]
        blocks = {name: block_secret(name) for name in self.blocks}
        kept = tuple(blocks.values())
        if self.kind != "postgresql":
            # Three slashes: no host. Another one begins an absolute path.
            path = self.folder / _expanded(rest.removeprefix("/"), blocks)
            return Login({}, str(path), kept)
        server, _, options = rest.partition("?")
        server, _, database = server.partition("/")
        user, at, host = server.rpartition("@")
        user, _, password = user.partition(":") if at else ("", "", "")
        if host.startswith("["):
            host, _, port = host[1:].partition("]")
        else:
            host, colon, port = host.rpartition(":")
            host, port = (host, port) if colon else (port, "")
        named = {
            "host": host,
            "port": port.removeprefix(":"),
            "user": user,
            "password": password,
            "dbname": database,
        }
        found = {name: _expanded(unquote(value), blocks) for name, value in named.items() if value}
        found |= {name: _expanded(value, blocks) for name, value in parse_qsl(options)}
        return Login(found, "", tuple(filter(None, (found.get("password"), _pgpassword(), *kept))))

    def masked(self, message: object, secrets: tuple[str, ...]) -> str:
        """Return the first line of a driver's ``message``, without any of the ``secrets``."""
        first = next((line.strip() for line in str(message).splitlines() if line.strip()), "")
        for secret in secrets:
            first = first.replace(secret, _SHOWN_FOR_A_SECRET)
        return first.rstrip(".")


def is_address(text: str) -> bool:
    """Say whether a source is the address of a database, and not a path."""
    return bool(_LIKE_ONE.match(text))


def parse_address(text: str, folder: Path = Path()) -> DatabaseAddress:
    """Return the address ``text``.

    Parameters
    ----------
    text
        Such as ``sqlite:///shop.db`` (relative), ``duckdb:////data/shop.duckdb`` (absolute), or
        ``postgresql://ada:${SHOP_PASSWORD}@db.example:5432/shop?sslmode=require``.
    folder
        Folder to which the path of a file is relative; the current one by default.

    Raises
    ------
    SettingsError
        The kind of database is unknown, or the address is incomplete or holds a password. No
        message shows what might be one.
    """
    scheme = _SCHEME.match(text)
    kind = _KINDS.get(scheme[1].lower().partition("+")[0]) if scheme else None
    if scheme is None or kind is None:
        shown = quote(f"{scheme[1]}://") if scheme else quote("without ://")
        raise SettingsError(
            f"the address of a database begins with sqlite:///, duckdb:/// or postgresql://, and "
            f"this one with {shown}."
        )
    rest = text[scheme.end() :]
    if kind != "postgresql":
        if not rest.startswith("/") or rest in ("/", "/:memory:"):
            raise SettingsError(
                f"{kind}:// takes the path of a file: {kind}:///shop.db below the settings' "
                f"folder, {kind}:////data/shop.db anywhere."
            )
        return DatabaseAddress(text, kind, folder)
    options = rest.partition("?")[2]
    server, *more = _AFTER_THE_SERVER.split(rest, maxsplit=1)
    password = server.rpartition("@")[0].partition(":")[2]
    # A password may hold what ends the name of the server.
    if (password and not _VARIABLE.fullmatch(password)) or "@" in "".join(more):
        raise SettingsError(
            "the address of a database holds a password, and settings are copied into every "
            "version. Put ${NAME} there, the name of a variable of the environment, or "
            "${prefect:NAME}, that of a block of Prefect, or leave it out and set PGPASSWORD."
        )
    for name, _ in parse_qsl(options, keep_blank_values=True):
        if name not in _OPTIONS:
            raise SettingsError(
                f"the address of a database has no option {quote(name)}. There are: "
                f"{', '.join(_OPTIONS)}."
            )
    return DatabaseAddress(text, kind, folder)


def _expanded(text: str, blocks: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1].startswith(PREFIX):
            return blocks[found[1].removeprefix(PREFIX)]
        if (known := os.environ.get(found[1])) is None:
            raise SettingsError(
                f"the environment has no {found[1]}, which the address of the database names. Set "
                "it."
            )
        return known

    return _VARIABLE.sub(value, text)


def _pgpassword() -> str:
    return os.environ.get("PGPASSWORD", "")
