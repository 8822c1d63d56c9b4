"""The image and the base job templates of ``examples/work-pools``, as Prefect's workers read them.

No container is started: what the workers would start is compared with what is promised.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import jsonschema
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate

from tests.helpers.command_line import REPOSITORY
from tests.helpers.service import serving
from tests.helpers.waiting import wait_for

EXAMPLES = REPOSITORY / "examples/work-pools"
COMMAND = "python -P -m flows.service.pools.pooled_run"
KINDS = ["docker", "kubernetes"]


def template(kind):
    return json.loads((EXAMPLES / f"{kind}.json").read_text())


@pytest.fixture(scope="module")
def deployed(tmp_path_factory, repository):
    """The job variables that the service gives to the deployments in a pool of each template."""
    import shutil

    from tests.helpers.service import quicken

    home = tmp_path_factory.mktemp("templates")
    root = home / "root"
    shutil.copytree(repository / "data/iris", root / "data/iris")
    quicken(root)
    found = {}
    with serving(root, home, "--work-pool", "processes") as service:
        api = f"{service.dashboard}/api"
        from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

        known = {PREFECT_API_URL: api, PREFECT_API_AUTH_STRING: service.password}
        with temporary_settings(known), get_client(sync_client=True) as client:
            for kind in KINDS:
                # The server checks the defaults against the template's own schema.
                client.create_work_pool(
                    WorkPoolCreate(name=kind, type=kind, base_job_template=template(kind))
                )
            bare = {"job_configuration": {}, "variables": {"type": "object", "properties": {}}}
            client.create_work_pool(WorkPoolCreate(name="push", type="ecs:push"))
            client.create_work_pool(
                WorkPoolCreate(name="bare", type="docker", base_job_template=bare)
            )
        service.run.terminate()
        service.run.wait(15)
        for kind in KINDS:
            service.arguments = ("--work-pool", kind)
            service.start()
            assert f'workers of the pool "{kind}" (type {kind}).' in service.said
            rows = wait_for(
                lambda: service.rows("SELECT job_variables FROM deployment WHERE NOT paused")
            )
            (found[kind],) = {row for (row,) in rows}
            service.run.terminate()
            service.run.wait(15)
        for name, why in (
            ("push", "which no worker polls"),
            ("bare", "does not take retrain-iris"),
        ):
            service.arguments = ("--work-pool", name)
            service.launch()
            service.run.wait(90)
            (last,) = service.said.splitlines()[-1:]
            found[name] = last
            assert why in last, service.said
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_starts_the_run_as_promised(kind, deployed):
    arguments = (kind, EXAMPLES / f"{kind}.json", deployed[kind])
    script = Path(__file__).parent / "check_template.py"
    done = subprocess.run(
        [REPOSITORY / "build/pools/bin/python", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["type"] == kind
    ours, theirs = template(kind), told["default"]
    # Every variable of the installed worker is there, with the same meaning.
    for name, schema in theirs["variables"]["properties"].items():
        here = dict(ours["variables"]["properties"][name])
        assert {**here, "default": None} == {**schema, "default": None}, name
    assert set(theirs["job_configuration"]) == set(ours["job_configuration"])
    started = told["configuration"]
    environment = started["env"]
    if kind == "kubernetes":
        spec = started["job_manifest"]["spec"]
        # A second try by Kubernetes would not be counted by the service.
        assert spec["backoffLimit"] == 0
        pod = spec["template"]["spec"]
        assert pod["restartPolicy"] == "Never"
        assert pod["securityContext"]["runAsNonRoot"] is True
        (container,) = pod["containers"]
        assert container["args"] == shlex.split(COMMAND)
        assert container["volumeMounts"] == [{"name": "root", "mountPath": "/srv/ffn"}]
        assert pod["volumes"] == [{"name": "root", "persistentVolumeClaim": {"claimName": "ffn"}}]
        assert container["image"] == "ffn-run"
        environment = {one["name"]: one["value"] for one in container["env"]}
    else:
        assert started["command"] == COMMAND
        assert started["volumes"] == ["/srv/ffn:/srv/ffn"]
        assert started["container_create_kwargs"]["cap_drop"] == ["ALL"]
        assert started["privileged"] is False
    assert environment["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"
    assert environment["FFN_SERVICE_VERSION"]
    assert environment["PREFECT__FLOW_RUN_ID"] == "00000000-0000-0000-0000-000000000007"


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults_are_of_their_schema(kind):
    schema = template(kind)["variables"]
    defaults = {
        name: found["default"]
        for name, found in schema["properties"].items()
        if found.get("default") is not None
    }
    assert defaults["command"] == COMMAND
    jsonschema.validate(defaults, {**schema, "required": []})


def test_pools_that_cannot_run_anything_are_refused(deployed):
    assert deployed["push"].startswith('ffn: --work-pool "push": it is of the type ecs:push')
    assert "needs the variables command and env" in deployed["bare"]


def test_the_image_is_made_of_what_is_there():
    text = (EXAMPLES / "Dockerfile").read_text()
    copied = [word for line in re.findall(r"^COPY (.+) \S+$", text, re.M) for word in line.split()]
    assert {"ffn", "flows", "requirements.txt"} <= set(copied)
    assert [name for name in copied if not (REPOSITORY / name).exists()] == []
    assert "--require-hashes --no-deps --requirement requirements.txt" in text
    # The template names the command; an entry point would come before it.
    assert not re.search(r"^ENTRYPOINT", text, re.M)
    assert re.findall(r"^USER (\S+)$", text, re.M) == ["1000:1000"]
    (command,) = re.findall(r"^CMD (.+)$", text, re.M)
    assert json.loads(command) == shlex.split(COMMAND)
