"""The work pool whose workers execute the runs of ``ffn serve --work-pool``.

Prefect's own workers do so, such as ``prefect worker start --pool NAME``: they start a process, a
container or a Kubernetes job for each run, as the pool's base job template says.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import WorkPool
from prefect.deployments.runner import DeploymentApplyError, RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectHTTPStatusError
from prefect.workers.process import ProcessWorker

from ffn.errors import one_line, quote
from ffn.interpreter import fresh
from ffn.version import __version__
from flows.server.service_home import ServiceError

__all__ = ["HEARTBEAT_SECONDS", "SERVICE_VERSION", "deploy", "find_or_make_pool", "leave_pools"]

SERVICE_VERSION = "FFN_SERVICE_VERSION"
"""Variable with the version of the service that deployed a run; workers compare it with theirs."""

HEARTBEAT_SECONDS = 30
"""Time between two signs of life of a run, the least that Prefect allows."""

_RUN = f"{__package__}.pooled_run"
_NOT_IN_NAMES = "/%&><"


async def find_or_make_pool(client: PrefectClient, name: str) -> tuple[WorkPool, bool]:
    """Return the work pool called ``name``, and whether it was created, for processes.

    Parameters
    ----------
    client
        A client of Prefect's server.
    name
        Name of the pool.

    Raises
    ------
    ServiceError
        No pool can have that name, or the pool of that name is not one that workers poll.
    """
    if not name or any(letter in _NOT_IN_NAMES or not letter.isprintable() for letter in name):
        raise ServiceError(
            f"--work-pool {quote(name)}: the name of a work pool is not empty and has none of "
            f"{' '.join(_NOT_IN_NAMES)} in it."
        )
    try:
        found, made = await client.read_work_pool(name), False
    except ObjectNotFound:
        try:
            found, made = await client.create_work_pool(_processes(name)), True
        except (ObjectAlreadyExists, PrefectHTTPStatusError) as error:
            raise ServiceError(
                f"--work-pool {quote(name)}: Prefect's server does not create it "
                f"({one_line(str(error).splitlines()[0])})."
            ) from None
    if found.is_push_pool or found.is_managed_pool:
        raise ServiceError(
            f"--work-pool {quote(name)}: it is of the type {found.type}, which no worker polls. "
            "Name one of the type process, docker or kubernetes."
        )
    return found, made


def _processes(name: str) -> WorkPoolCreate:
    return WorkPoolCreate(
        name=name,
        type=ProcessWorker.type,
        base_job_template=ProcessWorker.get_default_base_job_template(),
        description="Made by ffn serve --work-pool.",
    )


def _job_variables(pool: WorkPool, asked: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return what a worker of ``pool`` needs to know to run the flows.

    A command that the pool's base job template names by default, among what is ``asked``, is kept.
    """
    processes = pool.type == ProcessWorker.type
    command = fresh(_RUN) if processes else ["python", "-P", "-m", _RUN]
    chosen: dict[str, Any] = {
        "env": {
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
            SERVICE_VERSION: __version__,
        }
    }
    if not asked.get("command", {}).get("default"):
        chosen["command"] = shlex.join(command)
    if processes:
        chosen["working_dir"] = str(root)
    return chosen


async def deploy(
    deployments: Sequence[RunnerDeployment], pool: WorkPool, root: Path
) -> dict[str, UUID]:
    """Register ``deployments`` with the server, for workers of ``pool``; return their ids by name.

    Parameters
    ----------
    deployments
        Of one or several pipelines; they are changed.
    pool
        The work pool.
    root
        The folder with ``data/`` and ``artifacts/``, at the same path on every worker.

    Raises
    ------
    ServiceError
        The pool's base job template does not have the variables that are needed.
    """
    # The server would drop what the template has no variable for, and run Prefect's own command.
    variables = pool.base_job_template.get("variables", {}).get("properties", {})
    for needed in ("command", "env"):
        if needed not in variables:
            raise ServiceError(
                f"the base job template of the work pool {quote(pool.name)} has no variable "
                f"{needed}, by which the runs are told what to do. Add it, or begin with one of "
                "examples/work-pools."
            )
    chosen = _job_variables(pool, variables, root)
    ids: dict[str, UUID] = {}
    for deployment in deployments:
        deployment.work_pool_name = pool.name
        deployment.job_variables = dict(chosen)
        try:
            ids[deployment.name] = await deployment.aapply()
        except (DeploymentApplyError, PrefectHTTPStatusError) as error:
            raise ServiceError(
                f"the work pool {quote(pool.name)} does not take {deployment.name} "
                f"({one_line(str(error).splitlines()[0])}). See its base job template."
            ) from None
    return ids


async def leave_pools(
    client: PrefectClient, deployments: Sequence[RunnerDeployment]
) -> dict[str, str]:
    """Delete those of ``deployments`` that are in a work pool; return its name for each.

    Otherwise workers would go on executing the runs that the service executes itself, and Prefect
    has no way to take a deployment out of a pool. Their runs stay.

    Parameters
    ----------
    client
        A client of Prefect's server.
    deployments
        The deployments that the service is about to register.
    """
    left = {}
    for deployment in deployments:
        try:
            there = await client.read_deployment_by_name(deployment.full_name)
        except ObjectNotFound:
            continue
        if there.work_pool_name:
            await client.delete_deployment(there.id)
            left[deployment.name] = there.work_pool_name
    return left
