"""What a worker makes of a base job template and of what the service deploys; prints JSON.

::

    check_template docker|kubernetes TEMPLATE VARIABLES

Runs with the packages of the workers, which the tests' own environment does not have. TEMPLATE is
a file, VARIABLES the job variables of a deployment as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from uuid import UUID

from prefect.client.schemas.objects import Flow, FlowRun

RUN = UUID(int=7)


def main() -> None:
    kind, template, variables = sys.argv[1:]
    if kind == "docker":
        from prefect_docker.worker import DockerWorker as Worker
    else:
        from prefect_kubernetes.worker import KubernetesWorker as Worker
    asked = json.loads(Path(template).read_text())
    configuration = asyncio.run(
        Worker.job_configuration.from_template_and_values(asked, json.loads(variables))
    )
    flow = Flow(id=UUID(int=1), name="retrain")
    configuration.prepare_for_flow_run(
        FlowRun(id=RUN, flow_id=flow.id, name="retrain-iris"), flow=flow
    )
    told = {
        "configuration": configuration.model_dump(mode="json", exclude={"cluster_config"}),
        "default": Worker.get_default_base_job_template(),
        "type": Worker.type,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
