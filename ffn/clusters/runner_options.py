"""The options of a command that stand for keys of ``[runner]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ffn.errors import SettingsError, quote
from ffn.settings.document import check_settings
from ffn.settings.service_settings import RunnerSettings

__all__ = ["check_runner_table", "override_runner"]


def check_runner_table(table: Mapping[str, Any]) -> RunnerSettings:
    """Return the settings of ``[runner]`` that the options of a command, or of a run, make.

    Parameters
    ----------
    table
        Its keys and values.

    Raises
    ------
    SettingsError
        A key is unknown or a value invalid.
    """
    # A document with nothing else that could be wrong.
    data = {"source": "none", "target": "none"}
    return check_settings({"data": data, "runner": dict(table)}, "the options").runner


def override_runner(table: RunnerSettings, given: Mapping[str, Any]) -> RunnerSettings:
    """Return ``[runner]`` with what the options of a command say instead.

    Parameters
    ----------
    table
        What the settings say.
    given
        Options by the name of the key that they stand for; None for those that were not given.
        An address says of which kind the cluster is.

    Raises
    ------
    SettingsError
        A value is invalid, or the options do not go together.
    """
    said = {key: value for key, value in given.items() if value is not None}
    for kind in ("dask", "ray"):
        if f"{kind}_address" in said and said.setdefault("kind", kind) != kind:
            raise SettingsError(
                f"--{kind}-address goes with --runner {kind}, not with {said['kind']}. Leave one "
                "of them out."
            )
    found = check_runner_table(table.model_dump() | said)
    address = {"dask": found.dask_address, "ray": found.ray_address}.get(found.kind)
    if "workers" in said and address is not None:
        raise SettingsError(
            f"--workers are processes of this machine, and the cluster at {quote(address, 100)} "
            "has its own. Leave the option out."
        )
    return found
