"""A run in a work pool, in its own process: refused on a foreign version, else Prefect's engine.

A worker starts this with the id of the run in ``PREFECT__FLOW_RUN_ID``.
"""

from __future__ import annotations

import os
import runpy

from ffn.version import __version__

__all__ = ["main"]


def main() -> None:
    """Run the flow of the run, or end the run as failed if this version is not the service's."""
    # As for the command line: set before NumPy and pydantic are loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    os.environ["PYTHONSAFEPATH"] = "1"
    from flows.recorded_runs import SERVED
    from flows.server.run_flow import configure
    from flows.service.pools.work_pool import SERVICE_VERSION

    os.environ[SERVED] = "1"
    configure()
    service = os.environ.get(SERVICE_VERSION, __version__)
    if service != __version__:
        _refuse(
            f"This worker has ffn-pipeline {__version__}, and the service that deployed the run "
            f"{service}. Install the same version on both."
        )
        return
    # Importing this package has applied `closed_prefect`; the engine's own command would not.
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


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
