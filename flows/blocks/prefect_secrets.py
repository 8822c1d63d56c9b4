"""Read passwords of databases from Secret blocks, when they are needed and not before."""

from __future__ import annotations

from typing import Any, cast

from prefect.blocks.system import Secret

from ffn.errors import DataError, SettingsError, one_line

__all__ = ["prefect_secret"]


def prefect_secret(name: str) -> str:
    """Return the value of the Secret block ``name``.

    Raises
    ------
    SettingsError
        Prefect's server has no such block, or it holds no text.
    DataError
        The server cannot be asked.
    """
    try:
        # Its type leaves out that it may be called from any thread, with or without a loop.
        value = cast(Any, Secret).load(name, _sync=True).get()
    except ValueError:
        # Whatever else is wrong with it; its content is in no message.
        raise SettingsError(
            f"Prefect has no Secret block {name} that can be read, which the address of the "
            "database names. Make one on the page Blocks of its dashboard."
        ) from None
    except Exception as error:
        # The library may raise anything where its server does not answer.
        raise DataError(
            f"the Prefect block {name} cannot be read: {one_line(type(error).__name__)}. Is "
            "Prefect's server running?"
        ) from None
    if not isinstance(value, str) or not value:
        raise SettingsError(f"the Prefect block {name} holds no text. Put the password there.")
    return value
