"""Workers of a Ray cluster: an existing one, or one on this machine for the time of a run.

Ray sends functions and results as pickles, and every machine that takes part unpickles what it
receives, this one included. A cluster is therefore as trusted as this process. Ray's servers listen
on all interfaces of a machine; those of the cluster of a run ask for a token that Ray makes up.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ffn.clusters.likeness import own_likeness, unlikeness
from ffn.errors import ClusterError, FFNError, one_line
from ffn.settings.service_settings import RunnerSettings, seconds_of

__all__ = ["ray_workers"]

_MOMENT = 0.2
_SECONDS_BETWEEN_LOOKS = 2.0
_CONNECT_SECONDS = 10.0
# How often a task is tried again whose worker or machine was lost.
_MOST_LOSSES = 3
# Read by Ray when it is imported: no statistics for its makers, and no lines of its own on standard
# error, which it writes past Python.
_VARIABLES = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_USAGE_STATS_ENABLED": "0",
}


@contextlib.contextmanager
def ray_workers(runner: RunnerSettings) -> Iterator[_RayWorkers]:
    """Connect to a Ray cluster, or start one on this machine for the time of the block.

    Parameters
    ----------
    runner
        Settings with the address, if there is one.

    Raises
    ------
    ClusterError
        There is no cluster, it has no workers in time, or they are unlike this process.
    """
    for variable, value in _VARIABLES.items():
        os.environ.setdefault(variable, value)
    address, own = runner.ray_address, {}
    if address is None:
        os.environ["RAY_AUTH_MODE"] = "token"
        name = "the Ray cluster of this run"
        own = {"num_cpus": runner.workers or os.cpu_count() or 1, "include_dashboard": False}
    else:
        name = f"the Ray cluster at {address}"
        _require_answer(address, name)
    import ray

    try:
        ray.init(
            address or "local",
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            **own,
        )
    except Exception as error:
        raise ClusterError(
            f"{name}: cannot be joined ({_told(error)}). Start it, or correct the address."
        ) from None
    workers = _RayWorkers(name, seconds_of(runner.wait))
    try:
        workers.check_all()
        yield workers
    finally:
        workers.close()
        with contextlib.suppress(Exception):
            ray.shutdown()


class _RayWorkers:
    """The workers behind Ray's driver, as `ffn.clusters.workers.Workers` describes them."""

    def __init__(self, name: str, patience: float) -> None:
        self.name = name
        self._patience = patience
        self._lock = threading.Lock()
        self._sent: dict[str, Any] = {}
        self._next_look = 0.0
        self._last_seen = time.monotonic()
        self._closed = False

    def check_all(self) -> None:
        """Wait for a worker, and raise `ClusterError` if a machine is unlike this process."""
        own = own_likeness()
        try:
            for host, found in self._likenesses().items():
                self._compare(own, found, host)
        except FFNError:
            raise
        except Exception as error:
            raise ClusterError(
                f"{self.name}: its workers cannot be asked what they are ({_told(error)}). Look "
                "into their logs."
            ) from None
        self._last_seen = time.monotonic()

    def _likenesses(self) -> dict[str, dict[str, str]]:
        """Ask a worker on each machine what it is like, as soon as there is one."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        while not (nodes := _nodes()):
            if time.monotonic() - self._last_seen > self._patience:
                raise self._no_workers()
            time.sleep(_MOMENT)
        ask = ray.remote(num_cpus=0)(own_likeness)
        asked = {
            host: ask.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)
            ).remote()
            for node, host in nodes.items()
        }
        return {host: ray.get(one, timeout=self._patience) for host, one in asked.items()}

    def _compare(self, own: dict[str, str], found: dict[str, str], host: str) -> None:
        difference = unlikeness(own, found, f"the worker on {host}")
        if difference is not None:
            raise ClusterError(f"{self.name}: {difference}")

    def compute(
        self,
        function: Callable[[bytes, bytes], bytes],
        request: bytes,
        key: str,
        shared: Callable[[], bytes],
        check: Callable[[], None],
    ) -> bytes:
        """Return what a worker computes.

        Parameters
        ----------
        function, request, key, shared, check
            As for `ffn.clusters.workers.Workers`.
        """
        import ray

        reference: Any = None
        try:
            with self._lock:
                if key not in self._sent:
                    self._sent[key] = ray.put(shared())
            task = ray.remote(max_retries=_MOST_LOSSES, num_cpus=1)(function)
            reference = task.remote(request, self._sent[key])
            while not ray.wait([reference], timeout=_MOMENT)[0]:
                check()
                self._look()
            return bytes(ray.get(reference, timeout=self._patience))
        except FFNError:
            raise
        except Exception as error:
            raise self._ended(error) from None
        except BaseException:
            with contextlib.suppress(Exception):
                ray.cancel(reference, force=True)
            raise

    def close(self) -> None:
        """End all waits."""
        self._closed = True

    def _look(self) -> None:
        """Raise `ClusterError` if there has been no worker for long."""
        if self._closed:
            raise self._ended(None)
        with self._lock:
            if time.monotonic() < self._next_look:
                return
            self._next_look = time.monotonic() + _SECONDS_BETWEEN_LOOKS
            if _nodes():
                self._last_seen = time.monotonic()
        if time.monotonic() - self._last_seen > self._patience:
            raise self._no_workers()

    def _no_workers(self) -> ClusterError:
        return ClusterError(
            f"{self.name} has had no worker for {self._patience:,.0f} s. Start some, or raise "
            "runner.wait if they need longer."
        )

    def _ended(self, error: BaseException | None) -> ClusterError:
        import ray

        lost = (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError)
        if isinstance(error, lost):
            return ClusterError(
                f"{self.name}: every worker that was given a task was lost, {_MOST_LOSSES + 1} of "
                "them. Their logs say why; often it is their memory."
            )
        if error is None or not isinstance(error, ray.exceptions.RayTaskError):
            return ClusterError(
                f"{self.name} is gone{f' ({_told(error)})' if error else ''}. Nothing was "
                "registered; candidates that had finished are kept for the next retraining."
            )
        return ClusterError(f"{self.name}: a worker failed ({_told(error)}).")


def _nodes() -> dict[str, str]:
    """Return the machines that take tasks: their addresses by id."""
    import ray

    return {
        node["NodeID"]: node["NodeManagerAddress"]
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
    }


def _require_answer(address: str, name: str) -> None:
    """Raise `ClusterError` if nothing listens; Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"{name}: nothing answers ({_told(error)}). Start it, or correct the address."
        ) from None


def _told(error: BaseException) -> str:
    """Return the last line of what Ray says of an error, which is the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return one_line(lines[-1].rstrip(".") if lines else type(error).__name__)[:300]
