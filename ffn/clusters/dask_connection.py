"""How a Dask cluster is reached: its keys, one of this machine's own, and how little it says."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ffn.errors import ClusterError, SettingsError, one_line
from ffn.settings.service_settings import RunnerSettings

__all__ = ["own_dask_cluster", "quiet_dask", "said_by_dask", "tls_of_dask"]

_FAMILIES = ("distributed", "tornado", "asyncio")
_BELOW = tuple(f"{name}." for name in _FAMILIES)

_CLOSING_SECONDS = 10.0


@contextlib.contextmanager
def own_dask_cluster(runner: RunnerSettings, name: str) -> Iterator[Any]:
    """Start a scheduler and workers on the loopback, which only who has their keys can reach.

    Parameters
    ----------
    runner
        Settings with the number of workers.
    name
        What messages call the cluster.

    Raises
    ------
    ClusterError
        It cannot be started.
    """
    import distributed

    try:
        cluster = distributed.LocalCluster(
            n_workers=runner.workers or os.cpu_count() or 1,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            security=distributed.Security.temporary(),
            dashboard_address=None,
            # As threads and processes of the other runners have none.
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        )
    except Exception as error:
        raise ClusterError(f"{name} cannot be started ({said_by_dask(error)}).") from None
    try:
        yield cluster
    finally:
        with contextlib.suppress(Exception):
            cluster.close(timeout=_CLOSING_SECONDS)


def tls_of_dask(runner: RunnerSettings, folder: Path) -> Any:
    """Return the files of TLS that the settings name; otherwise what Dask's configuration says.

    Parameters
    ----------
    runner
        The settings.
    folder
        Folder of the settings, to which paths are relative.

    Raises
    ------
    SettingsError
        A file cannot be read.
    """
    import distributed

    if runner.tls_ca is None or runner.tls_certificate is None or runner.tls_key is None:
        return distributed.Security()
    files = [folder / name for name in (runner.tls_ca, runner.tls_certificate, runner.tls_key)]
    for path in files:
        try:
            path.open("rb").close()
        except OSError as error:
            raise SettingsError(f"{path}: cannot be read ({error.strerror}).") from None
    authority, certificate, key = map(str, files)
    return distributed.Security(
        tls_ca_file=authority,
        tls_client_cert=certificate,
        tls_client_key=key,
        require_encryption=True,
    )


@contextlib.contextmanager
def quiet_dask() -> Iterator[None]:
    """Keep Dask from telling in many lines what is told in one."""
    # Some below the first have a level of their own.
    known = [name for name in logging.root.manager.loggerDict if name.startswith(_BELOW)]
    loggers = [logging.getLogger(name) for name in (*_FAMILIES, *known)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            # Calls to a scheduler that is gone are dropped half begun.
            warnings.filterwarnings(
                "ignore",
                "coroutine .* was never awaited",
                RuntimeWarning,
                r"(tornado|distributed)\.",
            )
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def said_by_dask(error: BaseException) -> str:
    """Return the first line of what Dask says with ``error``, without its full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return one_line(lines[0].rstrip(".") if lines else type(error).__name__)[:300]
