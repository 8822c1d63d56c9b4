"""The image and the base job templates of ``examples/work-pools``, as Prefect's workers read them.

No container is started: what the workers would start is compared with what is promised.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.settings import PREFECT_API_URL, temporary_settings

from ffn.settings.pipeline import find_pipeline
from flows.server.service_home import ServiceError
from flows.service.deployments import deployments_of
from flows.service.pools.work_pool import deploy, find_or_make_pool
from tests.helpers.command_line import REPOSITORY
from tests.helpers.prefect_server import running_server

EXAMPLES = REPOSITORY / "examples/work-pools"
# The image has the wheel, in which the package has another name.
COMMAND = "python -P -m ffn_flows.service.pools.pooled_run"
KINDS = ["docker", "kubernetes"]


def template(kind):
    return json.loads((EXAMPLES / f"{kind}.json").read_text())


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory, repository):
    root = tmp_path_factory.mktemp("templates") / "root"
    shutil.copytree(repository / "data/iris", root / "data/iris")
    return find_pipeline("iris", root)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that this process uses, and its URL."""
    with (
        running_server(tmp_path_factory.mktemp("server")) as url,
        temporary_settings({PREFECT_API_URL: url}),
    ):
        yield url


def make(name, kind, job_template):
    pool = WorkPoolCreate(name=name, type=kind, base_job_template=job_template)
    with get_client(sync_client=True) as client:
        # The server checks the defaults against the template's own schema.
        client.create_work_pool(pool)


def deployed(pipeline, name):
    """Deploy a pipeline as the service does; return the job variables that the server has then."""
    root = pipeline.folder.parents[1]
    deployments = deployments_of(pipeline, root)

    async def ask():
        async with get_client() as client:
            pool, made = await find_or_make_pool(client, name)
            assert not made
            ids = await deploy(deployments, pool, root)
            found = [await client.read_deployment(one) for one in ids.values()]
            assert {one.work_pool_name for one in found} == {name}
            assert [one.entrypoint for one in found] == [
                "flows.retrain_flow.retrain",
                "flows.inbox_flow.score_inbox",
            ]
            return found[0].job_variables

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_starts_the_run_as_promised(kind, pipeline, server):
    make(kind, kind, template(kind))
    variables = deployed(pipeline, kind)
    # The template's own command is kept.
    assert set(variables) == {"env"}
    arguments = (kind, EXAMPLES / f"{kind}.json", json.dumps(variables))
    script = Path(__file__).parent / "check_template.py"
    done = subprocess.run(
        [REPOSITORY / "build/pools/bin/python", script, *arguments],
        env=os.environ | {"PREFECT_API_URL": server},
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


def test_a_template_without_a_command_of_its_own_gets_one(pipeline, server):
    plain = template("docker")
    del plain["variables"]["properties"]["command"]["default"]
    make("plain", "docker", plain)
    # That of the service itself, which is a checkout here.
    assert deployed(pipeline, "plain")["command"] == COMMAND.replace("ffn_flows", "flows")


@pytest.mark.parametrize("missing", ["command", "env"])
def test_a_template_that_tells_runs_nothing_is_refused(missing, pipeline, server):
    bare = template("docker")
    del bare["variables"]["properties"][missing]
    del bare["job_configuration"][missing]
    make(f"no-{missing}", "docker", bare)
    with pytest.raises(ServiceError, match=rf'pool "no-{missing}" has no variable {missing}, by'):
        deployed(pipeline, f"no-{missing}")


def test_a_pool_that_no_worker_polls_is_refused(pipeline, server):
    make("push", "ecs:push", template("docker"))
    with pytest.raises(ServiceError, match=r'"push": it is of the type ecs:push, which no worker'):
        deployed(pipeline, "push")


@pytest.mark.parametrize("name", ["", "a/b", "50%", "a&b", "<b>", "two\nlines"])
def test_names_that_no_pool_can_have_are_refused(name, pipeline, server):
    with pytest.raises(ServiceError, match="the name of a work pool is not empty"):
        deployed(pipeline, name)


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
