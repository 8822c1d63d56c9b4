"""Names of tables: plain ones, so that they can stand in a statement."""

from __future__ import annotations

import re

__all__ = ["check_table_name"]

_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


def check_table_name(name: str) -> str:
    """Return ``name`` if a table can be called that: a plain name, or schema and name.

    Raises
    ------
    ValueError
        It has other characters than letters, digits and ``_``.
    """
    if not _TABLE.fullmatch(name):
        raise ValueError(
            'must be the name of a table, such as "scored" or "shop.scored": letters, digits and _'
        )
    return name
