"""Passwords that a scheduler keeps, such as a Secret block of Prefect.

This package never imports the scheduler: whoever runs steps under it says how a block is read.
"""

from __future__ import annotations

from collections.abc import Callable

from ffn.errors import SettingsError

__all__ = ["PREFIX", "block_secret", "read_blocks_with"]

PREFIX = "prefect:"
"""What the name of a block begins with in an address: ``${prefect:shop-password}``."""

_readers: list[Callable[[str], str]] = []


def read_blocks_with(reader: Callable[[str], str] | None) -> None:
    """Say how blocks are read in this process from now on.

    Parameters
    ----------
    reader
        Returns the value of the block that it is given the name of; None if they cannot be read,
        as it is at first.
    """
    _readers[:] = [] if reader is None else [reader]


def block_secret(name: str) -> str:
    """Return the value of the block ``name``.

    Raises
    ------
    SettingsError
        No scheduler is in use, or it has no such block.
    """
    if not _readers:
        raise SettingsError(
            f"the address of the database names the Prefect block {name}, and this command runs "
            "without Prefect. Leave out --direct if it is there; otherwise name a variable of the "
            "environment instead: ${NAME}."
        )
    return _readers[0](name)
