"""Dates and times of PostgreSQL that Python has none for: infinity, 24:00, the year 10000."""

from __future__ import annotations

from typing import Any

__all__ = ["MomentBeyond", "let_moments_beyond_pass"]

_TYPES = ("date", "time", "timestamp", "timestamptz")


class MomentBeyond(str):
    """What PostgreSQL wrote for such a value; the driver's refusal would not name its column."""

    __slots__ = ()


def let_moments_beyond_pass(cursor: Any) -> None:
    """Let a cursor return a `MomentBeyond` where its driver would refuse a date or time.

    Parameters
    ----------
    cursor
        Of ``psycopg``; other cursors of its connection are not concerned.
    """
    from psycopg.pq import Format

    known = cursor.connection.adapters
    for name in _TYPES:
        oid = known.types[name].oid
        cursor.adapters.register_loader(oid, _lenient(known.get_loader(oid, Format.TEXT)))


def _lenient(strict: Any) -> Any:
    from psycopg import DataError
    from psycopg.pq import Format

    # What psycopg's protocol of loaders asks for.
    class Lenient:
        format = Format.TEXT

        def __init__(self, oid: int, context: Any = None) -> None:
            self._load = strict(oid, context).load

        def load(self, data: Any) -> Any:
            try:
                return self._load(data)
            except DataError:
                return MomentBeyond(bytes(data).decode())

    return Lenient
