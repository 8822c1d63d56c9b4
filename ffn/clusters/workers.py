"""The workers of a cluster: what is asked of them, whatever software runs them, and who may be."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from ffn.errors import SettingsError, quote
from ffn.extras import how_to_install, is_installed
from ffn.settings.service_settings import RunnerSettings

__all__ = ["LEFT_BY_RETRAINING", "RemoteTask", "Workers", "check_runner", "open_workers"]

LEFT_BY_RETRAINING = (
    "Nothing was registered; candidates that had finished are kept for the next retraining."
)
"""What a retraining that has lost its cluster leaves behind."""

_PACKAGES = {"dask": "distributed", "ray": "ray"}


class RemoteTask(NamedTuple):
    """What a worker is asked to compute: a function of two pieces of bytes.

    Attributes
    ----------
    function
        A function of a module, which the worker imports.
    request
        The first piece.
    key
        Name of the second piece, which tasks may share.
    shared
        Returns the second piece; called once for each ``key``.
    """

    function: Callable[[bytes, bytes], bytes]
    request: bytes
    key: str
    shared: Callable[[], bytes]


class Workers(Protocol):
    """Workers that compute functions of bytes, which are bytes.

    Attributes
    ----------
    name
        What messages call the cluster.
    """

    name: str

    @property
    def slots(self) -> int:
        """How many tasks the workers compute at the same time, as far as is known."""
        ...

    def compute(self, task: RemoteTask, check: Callable[[], None]) -> bytes:
        """Return what a worker computes.

        A worker that is lost is replaced by another one. Called from several threads.

        Parameters
        ----------
        task
            The function and its arguments.
        check
            Called again and again while waiting; what it raises ends the wait.

        Raises
        ------
        ClusterError
            The cluster is lost or has no workers, or the function did not return.
        """
        ...


def check_runner(runner: RunnerSettings) -> None:
    """Raise an error if workers of this kind cannot be had, or not be trusted; imports nothing.

    Parameters
    ----------
    runner
        The settings.

    Raises
    ------
    SettingsError
        A package is not installed, or the cluster is on other machines and not protected by TLS.
    """
    if runner.kind == "thread" or runner.kind == "process":
        return
    package = _PACKAGES[runner.kind]
    if not is_installed(runner.kind):
        raise SettingsError(
            f"--runner {runner.kind} needs the package {package}, which is not installed. Install "
            f"it: {how_to_install(runner.kind)}"
        )
    address = runner.dask_address if runner.kind == "dask" else runner.ray_address
    if address is None or runner.trust_network or address.startswith("tls://"):
        return
    if not _is_here(address.removeprefix("tcp://").rpartition(":")[0]):
        remedy = "Take a tls:// address" if runner.kind == "dask" else "Protect it with Ray's TLS"
        raise SettingsError(
            f"{quote(address, 100)} is another machine, reached without TLS: whoever is on that "
            f"network could run programs here. {remedy}, or set trust_network = true in [runner] "
            "where nobody else is."
        )


@contextlib.contextmanager
def open_workers(
    runner: RunnerSettings, folder: Path, *, left: str = LEFT_BY_RETRAINING
) -> Iterator[Workers]:
    """Connect to the workers that the settings name, or start some for the time of the block.

    Parameters
    ----------
    runner
        The settings; its kind is ``dask`` or ``ray``.
    folder
        Folder of the settings, to which paths are relative.
    left
        Sentence on what is left if the cluster is lost; by default that of a retraining.

    Raises
    ------
    ClusterError
        There is no cluster, it has no workers, or they are unlike this process.
    SettingsError
        As for `check_runner`.
    """
    check_runner(runner)
    if runner.kind == "dask":
        from ffn.clusters.dask_workers import dask_workers

        with dask_workers(runner, folder, left) as workers:
            yield workers
    else:
        from ffn.clusters.ray_workers import ray_workers

        with ray_workers(runner, left) as ray:
            yield ray


def _is_here(host: str) -> bool:
    """Say whether a host is this machine, or the name of the cluster that it belongs to."""
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
