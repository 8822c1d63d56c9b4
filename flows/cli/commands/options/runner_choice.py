"""The options that say where to work: ``--runner``, ``--dask-address``, ``--ray-address``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.cli.commands.options.verb_parser import VerbParser

if TYPE_CHECKING:
    from ffn.settings.service_settings import RunnerSettings

__all__ = ["add_addresses", "chosen_runner", "given_runner", "runner_of_scoring"]


def add_addresses(verb: VerbParser, doing: str) -> None:
    """Declare the options that name a cluster.

    Parameters
    ----------
    verb
        The verb.
    doing
        What it does there, such as ``"train"``.
    """
    verb.add_argument(
        "--dask-address",
        metavar="ADDRESS",
        help=f"{doing} on the Dask cluster of this scheduler, such as tls://scheduler.example:8786",
    )
    verb.add_argument(
        "--ray-address",
        metavar="ADDRESS",
        help=f'{doing} on this Ray cluster, such as head.example:6379, or "auto"',
    )


def given_runner(options: argparse.Namespace) -> str | None:
    """Return the first of the options that names where to work; None if there is none.

    Parameters
    ----------
    options
        The parsed options.
    """
    names: Sequence[str] = ("runner", "dask_address", "ray_address")
    given = [name for name in names if getattr(options, name) is not None]
    return f"--{given[0].replace('_', '-')}" if given else None


def chosen_runner(options: argparse.Namespace, settings: RunnerSettings) -> RunnerSettings:
    """Return where to work: what the options say, and the settings where they say nothing.

    Parameters
    ----------
    options
        The parsed options.
    settings
        The table ``[runner]``.

    Raises
    ------
    SettingsError
        The options do not go together, or such workers cannot be had or trusted.
    """
    from ffn.clusters.runner_options import override_runner
    from ffn.clusters.workers import check_runner

    given = {
        "kind": options.runner,
        "workers": options.workers,
        "dask_address": options.dask_address,
        "ray_address": options.ray_address,
    }
    chosen = override_runner(settings, given)
    check_runner(chosen)
    return chosen


def runner_of_scoring(
    options: argparse.Namespace, settings: RunnerSettings
) -> RunnerSettings | None:
    """Return where to score if the options say so; None for what the settings say.

    Parameters
    ----------
    options
        The parsed options. If they name a cluster, ``workers`` is the number of its workers.
    settings
        The table ``[runner]``.

    Raises
    ------
    SettingsError
        As for `chosen_runner`.
    """
    if given_runner(options):
        return chosen_runner(options, settings)
    if options.workers is not None:
        # Processes of this machine, whatever the settings say.
        return type(settings)()
    return None
