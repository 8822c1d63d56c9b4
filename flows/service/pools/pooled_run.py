"""A run in a work pool, in its own process: refused on a foreign version, else Prefect's engine.

A worker starts this with the id of the run in ``PREFECT__FLOW_RUN_ID``.
"""

from __future__ import annotations

import io
import os
import runpy
import sys
import warnings
from typing import TYPE_CHECKING

from ffn.version import __version__

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["main", "own_entrypoint"]

# In a checkout, and in a wheel, which renames it.
_PACKAGES = ("flows", "ffn_flows")


class _Heedless(io.RawIOBase):
    """A file descriptor that may be written to when its reader is gone; what is written is lost.

    A worker reads what its runs print. A run survives its worker, and must not end because of what
    it prints, as the library that prints Prefect's logs would otherwise have it do.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, content: Buffer, /) -> int:
        try:
            return os.write(self._descriptor, content)
        except BrokenPipeError:
            return memoryview(content).nbytes


def _print_heedlessly() -> None:
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = io.TextIOWrapper(
            io.BufferedWriter(_Heedless(descriptor)), errors="backslashreplace", line_buffering=True
        )
        setattr(sys, name, stream)


def main() -> None:
    """Run the flow of the run, or end the run as failed if this version is not the service's."""
    _print_heedlessly()
    # As for the command line: set before NumPy and pydantic are loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    os.environ["PYTHONSAFEPATH"] = "1"
    from flows.server.run_flow import configure

    # Before anything else imports Prefect, which then reads its settings.
    configure()
    from flows.recorded_runs import SERVED
    from flows.service.pools.work_pool import SERVICE_VERSION

    os.environ[SERVED] = "1"
    service = os.environ.get(SERVICE_VERSION, __version__)
    if service != __version__:
        _refuse(
            f"This worker has ffn-pipeline {__version__}, and the service that deployed the run "
            f"{service}. Install the same version on both."
        )
        return
    if entrypoint := own_entrypoint(_deployed_entrypoint()):
        os.environ["PREFECT__FLOW_ENTRYPOINT"] = entrypoint
    warnings.filterwarnings("ignore", "'prefect.engine' found", RuntimeWarning)
    # Importing this package has applied `closed_prefect`; the engine's own command would not.
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


def own_entrypoint(deployed: str) -> str | None:
    """Return the entry point of a flow in this package; None if it is of another one.

    A service of a checkout calls the package by another name than a worker that has the wheel.

    Parameters
    ----------
    deployed
        Entry point of the deployment, a module and a function, divided by dots or a colon.
    """
    service, _, flow = deployed.partition(".")
    own, _, _ = (__package__ or "").partition(".")
    return f"{own}.{flow}" if service in _PACKAGES else None


def _deployed_entrypoint() -> str:
    from uuid import UUID

    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(os.environ["PREFECT__FLOW_RUN_ID"]))
        if run.deployment_id is None:
            return ""
        return client.read_deployment(run.deployment_id).entrypoint or ""


def _refuse(why: str) -> None:
    from uuid import UUID

    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import State
    from prefect.states import Failed

    print(why, flush=True)  # noqa: T201
    failed: State[None] = Failed(message=why)
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(os.environ["PREFECT__FLOW_RUN_ID"]), failed, force=True)


if __name__ == "__main__":
    main()
