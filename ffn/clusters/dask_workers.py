"""Workers of a Dask cluster: an existing one, or one on this machine for the time of a run.

Dask sends functions and results as pickles, and every machine that takes part unpickles what it
receives, this one included. A cluster is therefore as trusted as this process: what is sent here is
the name of a function and bytes, and what comes back is bytes, but only TLS makes sure that the
scheduler is the one that was meant. The cluster of a run has certificates of its own, so that other
users of this machine cannot reach it.
"""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ffn.clusters.dask_connection import (
    own_dask_cluster,
    quiet_dask,
    said_by_dask,
    tls_of_dask,
)
from ffn.clusters.likeness import own_likeness, unlikeness
from ffn.clusters.workers import RemoteTask
from ffn.errors import ClusterError, FFNError
from ffn.settings.service_settings import RunnerSettings, seconds_of

__all__ = ["dask_workers"]

_MOMENT = 0.2
_SECONDS_BETWEEN_LOOKS = 2.0
_CONNECT_SECONDS = 10.0
_CONFIGURATION = {
    "distributed.comm.timeouts.connect": f"{_CONNECT_SECONDS}s",
    # What is sent is bounded by ``payload_mb``; by default 10 MB give a warning.
    "distributed.admin.large-graph-warning-threshold": "4GB",
    # Looks at the stacks of workers a hundred times a second, for a page that nobody opens: a
    # cluster of a run has none. Clusters of others have settings of their own.
    "distributed.worker.profile.enabled": False,
    # How late the event loop is, looked at fifty times a second by default by each process of a
    # cluster, for the same page.
    "distributed.admin.tick.interval": "1s",
}
# Packages that are compared before anything of ours is run: a worker may not have it.
_PACKAGES = {"ffn-pipeline": "packages.ffn", "numpy": "packages.numpy"}


@contextlib.contextmanager
def dask_workers(runner: RunnerSettings, folder: Path, left: str) -> Iterator[_DaskWorkers]:
    """Connect to a Dask cluster, or start one on this machine for the time of the block.

    Parameters
    ----------
    runner
        Settings with the address, if there is one.
    folder
        Folder of the settings, to which paths are relative.
    left
        Sentence on what is left if the cluster is lost.

    Raises
    ------
    ClusterError
        There is no scheduler, it has no workers in time, or they are unlike this process.
    SettingsError
        A file of TLS cannot be read.
    """
    import dask
    import distributed

    with (
        quiet_dask(),
        dask.config.set(_CONFIGURATION),
        contextlib.ExitStack() as stack,
    ):
        if runner.dask_address is None:
            name = "the Dask cluster of this run"
            cluster: Any = stack.enter_context(own_dask_cluster(runner, name))
            security = cluster.security
            address = cluster.scheduler_address
        else:
            name = f"the Dask cluster at {runner.dask_address}"
            address, security = runner.dask_address, tls_of_dask(runner, folder)
        try:
            with warnings.catch_warnings():
                # Of versions that differ: they are refused instead.
                warnings.simplefilter("ignore")
                client = distributed.Client(
                    address, security=security, timeout=_CONNECT_SECONDS, set_as_default=False
                )
        except Exception as error:
            raise ClusterError(
                f"{name}: no scheduler answers ({said_by_dask(error)}). Start it, or correct the "
                "address."
            ) from None
        workers = _DaskWorkers(client, name, seconds_of(runner.wait), left)
        stack.callback(workers.close)
        workers.check_all()
        yield workers


class _DaskWorkers:
    """The workers behind a Dask client, as `ffn.clusters.workers.Workers` describes them.

    Attributes
    ----------
    name
        What messages call the cluster.
    address
        Where its scheduler listens.
    slots
        Number of the workers' threads, as it was a moment ago.
    """

    def __init__(self, client: Any, name: str, patience: float, left: str) -> None:
        self.name = name
        self.address = str(client.scheduler.address)
        self.slots = 1
        self._client = client
        self._left = left
        self._patience = patience
        self._lock = threading.Lock()
        self._sent: dict[str, Any] = {}
        self._next_look = 0.0
        self._last_seen = time.monotonic()
        self._closed = False

    def check_all(self) -> None:
        """Wait for a worker, and raise `ClusterError` if one of them is unlike this process."""
        import distributed

        try:
            self._client.wait_for_workers(1, timeout=self._patience)
            self._last_seen = time.monotonic()
            self.slots = _threads(self._client.nthreads())
            own = own_likeness()
            versions = self._client.get_versions(packages=list(_PACKAGES))["workers"]
            for worker, found in versions.items():
                self._compare(own, _as_likeness(own, found), worker)
            for worker, found in self._client.run(own_likeness).items():
                self._compare(own, found, worker)
        except FFNError:
            raise
        except distributed.TimeoutError:
            raise self._no_workers() from None
        except Exception as error:
            raise ClusterError(
                f"{self.name}: its workers cannot be asked what they are ({said_by_dask(error)}). "
                "Look into their logs."
            ) from None

    def compute(self, task: RemoteTask, check: Callable[[], None]) -> bytes:
        """Return what a worker computes.

        Parameters
        ----------
        task, check
            As for `ffn.clusters.workers.Workers`.
        """
        future: Any = None
        try:
            sent = self._send(task)
            future = self._client.submit(task.function, task.request, sent, pure=False)
            ended = threading.Event()
            future.add_done_callback(lambda _: ended.set())
            while not ended.wait(_MOMENT):
                check()
                self._look()
            if future.status == "finished":
                return bytes(future.result(timeout=self._patience))
            error = future.exception(timeout=self._patience)
        except FFNError:
            raise
        except Exception as lost:
            error = lost
        finally:
            if future is not None:
                # Withdraws a task that nobody has begun, and does not wait for the scheduler.
                future.release()
        raise self._ended(error)

    def close(self) -> None:
        """End all waits, and disconnect; tasks that wait for a worker are forgotten."""
        self._closed = True
        for sent in self._sent.values():
            sent.release()
        with contextlib.suppress(Exception):
            self._client.close(timeout=_CONNECT_SECONDS)

    def _send(self, task: RemoteTask) -> Any:
        """Return what the workers get once, as a task: it is made again if its worker is lost."""
        with self._lock:
            if task.key not in self._sent:
                self._sent[task.key] = self._client.submit(bytes, task.shared(), pure=False)
            return self._sent[task.key]

    def _look(self) -> None:
        """Raise `ClusterError` if the scheduler is lost, or there has been no worker for long."""
        if self._closed or self._client.status != "running":
            raise self._ended(None)
        with self._lock:
            now = time.monotonic()
            if now < self._next_look:
                return
            self._next_look = now + _SECONDS_BETWEEN_LOOKS
            try:
                there = self._client.nthreads(callback_timeout=_CONNECT_SECONDS)
            except Exception:
                raise self._ended(None) from None
            if there:
                self._last_seen = time.monotonic()
                self.slots = _threads(there)
        if time.monotonic() - self._last_seen > self._patience:
            raise self._no_workers()

    def _compare(self, own: Mapping[str, str], found: Mapping[str, Any], worker: str) -> None:
        difference = unlikeness(own, found, f"the worker {worker}")
        if difference is not None:
            raise ClusterError(f"{self.name}: {difference}")

    def _no_workers(self) -> ClusterError:
        return ClusterError(
            f"{self.name} has had no worker for {self._patience:,.0f} s. Start some, or raise "
            "runner.wait if they need longer."
        )

    def _ended(self, error: BaseException | None) -> ClusterError:
        import distributed

        if isinstance(error, distributed.scheduler.KilledWorker):
            return ClusterError(
                f"{self.name}: every worker that was given a task was lost, "
                f"{error.allowed_failures + 1} of them. Their logs say why; often it is their "
                "memory."
            )
        if self._client.status != "running" or error is None or _is_cancelled(error):
            return ClusterError(
                f"{self.name}: the scheduler does not answer any more. {self._left}"
            )
        return ClusterError(f"{self.name}: a worker failed ({said_by_dask(error)}).")


def _as_likeness(own: Mapping[str, str], versions: Mapping[str, Any]) -> dict[str, str]:
    """Return what Dask says of a worker's packages in the form of `own_likeness`."""
    packages = versions["packages"]
    told = {key: packages.get(name) or "none" for name, key in _PACKAGES.items()}
    # Dask tells five parts of Python's version, such as 3.11.2.final.0.
    python = ".".join(str(packages["python"]).split(".")[:3])
    return {**own, **told, **({} if own["python"].startswith(python) else {"python": python})}


def _threads(workers: Mapping[str, int]) -> int:
    return max(1, sum(workers.values()))


def _is_cancelled(error: BaseException) -> bool:
    from concurrent.futures import CancelledError

    return isinstance(error, CancelledError)
