"""The flows on a real server: what runs, what it is called, what the dashboard is given."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import io
import json
import logging
import re
import shutil

import pytest
from prefect import flow, runtime
from prefect.artifacts import create_progress_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterId,
)
from prefect.client.schemas.sorting import FlowRunSort
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_LOGGING_TO_API_ENABLED,
    get_current_settings,
    temporary_settings,
)
from prefect.states import Completed
from prefect.types import DateTime

from ffn.pipelines.progress import leaders
from ffn.racing.standings import Standing
from ffn.training import candidate_training
from flows.progress_artifacts import forget_progress, live_leaderboard, training_progress
from flows.retrain_flow import retrain
from flows.server.ephemeral import server as used_server
from flows.task_executor import TaskExecutor
from flows.uneventful_runs import forget_uneventful
from tests.helpers.command_line import Done, listing, run_apart, run_here
from tests.helpers.waiting import wait_for

OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")


@pytest.fixture(autouse=True, scope="module")
def _settings(server):
    with temporary_settings({PREFECT_API_URL: server, PREFECT_LOGGING_TO_API_ENABLED: False}):
        yield


@pytest.fixture
def logged():
    """What the runs of a test log, as Prefect's own handlers would write it, with tracebacks."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    loggers = [logging.getLogger(f"prefect.{name}") for name in ("flow_runs", "task_runs")]
    for logger in loggers:
        logger.addHandler(handler)
    yield out
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.fixture
def client(server):
    with get_client(sync_client=True) as client:
        yield client


def run(*arguments):
    """Run the command line here, as its own process would, and keep what it printed."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        code = run_here(arguments)
    return Done(code, out.getvalue(), err.getvalue())


def latest(client):
    return client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)[0]


def tasks_now(client, flow_run):
    runs = client.read_task_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run.id]))
    )
    return {task_run.name: task_run for task_run in runs}


def tasks_of(client, flow_run):
    """Task runs by name; the server hears of their ends by events, a moment later."""

    def ended():
        found = tasks_now(client, flow_run)
        return all(run.state and run.state.is_final() for run in found.values())

    wait_for(ended)
    return tasks_now(client, flow_run)


def artifacts_of(client, flow_run):
    chosen = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run.id]))
    return {artifact.key: artifact for artifact in client.read_artifacts(artifact_filter=chosen)}


@pytest.fixture(scope="module")
def retrained(tmp_path_factory, repository, _settings):
    """A root where Iris was retrained through Prefect, what was printed, and the run."""
    root = tmp_path_factory.mktemp("retrained") / "root"
    shutil.copytree(repository / "data/iris", root / "data/iris")
    done = run("retrain", "iris", "--root", root, "--json")
    with get_client(sync_client=True) as client:
        return root, done, latest(client)


def bundle(root, version):
    return listing(root / f"artifacts/iris/models/{version:04d}/bundle")


def test_a_retraining_through_prefect_prints_what_a_direct_one_prints(retrained, client):
    root, done, flow_run = retrained
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    assert flow_run.name == "retrain-iris-v0001"
    assert flow_run.state.is_completed()
    assert flow_run.state.message == "Version 1 is promoted: no version was in production."
    found = json.loads(done.out)
    assert (found["version"], found["failures"]) == (1, {})
    direct = json.loads(run("retrain", "iris", "--direct", "--force", "--root", root, "--json").out)
    assert set(direct) == set(found)
    for key in ("winner", "test", "examination", "bundle_sha256", "reason", "notices"):
        assert direct[key] == found[key]
    made = json.loads((root / "artifacts/iris/models/0001/provenance.json").read_bytes())
    promoted = json.loads((root / "artifacts/iris/production.json").read_bytes())
    assert made["by"]["flow_run"] == promoted["by"]["flow_run"] == str(flow_run.id)
    assert 0 < made["seconds"] < found["seconds"]


def test_threads_processes_and_no_prefect_give_the_same_bytes(retrained, server, tmp_path):
    root = shutil.copytree(retrained[0], tmp_path / "root")
    shutil.rmtree(root / "artifacts")
    assert run("retrain", "iris", "--direct", "--root", root).code == 0
    done = run_apart(
        tmp_path,
        *("retrain", "iris", "--root", root, "--runner", "process", "--workers", "2", "--force"),
        PREFECT_API_URL=server,
    )
    assert (done.code, done.err) == (0, "")
    assert bundle(retrained[0], 1) == bundle(root, 1) == bundle(root, 2)
    assert bundle(root, 1).keys() == {
        "arrays.safetensors",
        "manifest.json",
        "model.json",
        "reference.json",
    }


def test_the_steps_are_named(retrained, client):
    _, done, flow_run = retrained
    found = tasks_of(client, flow_run)
    winner = json.loads(done.out)["winner"]
    steps = (
        "load",
        "split",
        "normalise",
        "keep-data",
        "find-leaks",
        "audit",
        "select-best",
        "evaluate",
        "decide",
        "examine",
        "serialise",
        "export",
    )
    names = {
        *steps,
        "report",
        "promote",
        f"refit-{winner}",
        *(f"train-{name}" for name in OPTIMIZERS),
    }
    assert set(found) == names
    assert all(task_run.state.is_completed() for task_run in found.values())
    # A tag would have every run of the task ask a busy server for a slot.
    assert not any(task_run.tags for task_run in found.values())
    starts = [found[f"train-{name}"].start_time for name in OPTIMIZERS]
    ends = [found[f"train-{name}"].end_time for name in OPTIMIZERS]
    # More than one at a time: the second began before the first of all had ended.
    assert sorted(starts)[1] < min(ends)


def test_the_dashboard_gets_the_leaderboard(retrained, client):
    _, done, flow_run = retrained
    artifact = artifacts_of(client, flow_run)["leaderboard-iris"]
    assert artifact.type == "table"
    rows = json.loads(artifact.data)
    found = json.loads(done.out)
    assert {row["optimizer"].split()[0] for row in rows} == set(OPTIMIZERS)
    assert rows[0]["optimizer"].split()[0] == next(iter(found["optimizers"]))
    assert all(re.match(r"\d\.\d+ \[\d\.\d+, \d\.\d+\]$", row["accuracy"]) for row in rows)
    assert artifact.description == found["reason"]


def test_the_dashboard_gets_the_report_with_pictures_and_baselines(retrained, client):
    artifact = artifacts_of(client, retrained[2])["retrain-iris"]
    assert artifact.type == "markdown"
    pictures = re.findall(r"!\[[^]]+\]\(data:image/png;base64,([A-Za-z0-9+/=]+)\)", artifact.data)
    reports = retrained[0] / "artifacts/iris/reports/0001"
    names = (
        "loss_by_rate",
        "learning_curves",
        "confusion_matrix",
        "reliability",
        "feature_importance",
    )
    assert [base64.b64decode(picture, validate=True) for picture in pictures] == [
        (reports / f"{name}.png").read_bytes() for name in names
    ]
    for heading in ("Calibration", "Confusion matrix", "Baselines"):
        assert f"\n## {heading}\n" in artifact.data
    examination = json.loads(retrained[1].out)["examination"]
    for baseline in examination["baselines"]:
        assert f"\n| {baseline['name']} | " in artifact.data
    assert len(artifact.data) < 350_000


def test_the_dashboard_gets_the_verdict_and_automations_an_event(retrained, client):
    root, done, flow_run = retrained
    shown = artifacts_of(client, flow_run)["gate-iris"].data
    assert shown.startswith("Version 1 is promoted: no version was in production.")
    verdict = json.loads((root / "artifacts/iris/models/0001/verdict.json").read_bytes())
    assert json.loads(done.out)["verdict"] == verdict
    wanted = {"filter": {"event": {"name": ["model.promoted", "model.kept"]}}}
    events = wait_for(
        lambda: client.request("POST", "/events/filter", json=wanted).json()["events"]
    )
    first = min(events, key=lambda event: event["occurred"])
    assert (first["event"], first["payload"]["version"]) == ("model.promoted", 1)
    assert first["resource"]["prefect.resource.id"] == "ffn.pipeline.iris"


def test_progress_is_shown_while_it_is_made_and_deleted_afterwards(retrained, client):
    """Of the finished run what it found is left, and no bar at 100 percent."""
    assert set(artifacts_of(client, retrained[2])) == {
        "leaderboard-iris",
        "retrain-iris",
        "gate-iris",
        "status-iris",
    }

    @flow(name="showing")
    def showing(fails):
        with contextlib.suppress(ZeroDivisionError), training_progress("iris", "adam"):
            found = artifacts_of(client, runtime.flow_run)
            assert [(key, bar.type) for key, bar in found.items()] == [
                ("training-iris-adam", "progress")
            ]
            assert 1 / (not fails)
        return artifacts_of(client, runtime.flow_run)

    assert showing(fails=False) == showing(fails=True) == {}


def test_what_becomes_known_between_steps_is_in_the_log_of_the_run(logged):
    @flow(name="racing")
    def racing():
        TaskExecutor().log("1 of 3 candidates dropped: adamw 2")

    racing()
    assert "INFO 1 of 3 candidates dropped: adamw 2\n" in logged.getvalue()


def test_a_search_is_shown_while_it_trains_and_not_after(client):
    told = [
        Standing(candidate="adamw 32", figure=0.1, resamples=4, of=8),
        Standing(candidate="adamw 2", figure=0.6, resamples=4, of=8, dropped=True),
    ]

    @flow(name="searching")
    def searching(fails):
        with contextlib.suppress(ZeroDivisionError), live_leaderboard("oak"):
            leaders(told)
            ((key, board),) = artifacts_of(client, runtime.flow_run).items()
            assert (key, board.type) == ("candidates-oak", "table")
            assert [row["candidate"] for row in json.loads(board.data)] == ["adamw 32", "adamw 2"]
            assert board.description == "leading: 1. adamw 32 0.1 (4 of 8); 1 dropped"
            assert 1 / (not fails)
        return artifacts_of(client, runtime.flow_run)

    assert searching(fails=False) == searching(fails=True) == {}


def test_a_table_of_a_search_that_was_killed_is_deleted_by_the_next_run(client):
    @flow(name="leaving")
    def leaving():
        create_table_artifact([{"candidate": "adam"}], key="candidates-elm")
        create_table_artifact([{"candidate": "adam"}], key="candidates-elm-2")

    @flow(name="forgetting")
    def forgetting():
        forget_progress("elm")

    leaving()
    forgetting()
    chosen = ArtifactFilter(key=ArtifactFilterKey(like_="candidates-elm%"))
    found = client.read_artifacts(artifact_filter=chosen)
    assert {artifact.key for artifact in found} == {"candidates-elm-2"}


def test_bars_that_were_left_are_deleted_and_those_of_active_runs_stay(client):
    keys = ("training-tulip-adam", "scoring-tulip-new-csv", "training-rose-adam", "tulip-adam")

    @flow(name="leaving")
    def leaving():
        for key in keys:
            create_progress_artifact(40.0, key=key)

    @flow(name="forgetting")
    def forgetting():
        create_progress_artifact(1.0, key="scoring-tulip-mine-csv")
        forget_progress("tulip")
        return artifacts_of(client, runtime.flow_run)

    @flow(name="working")
    def working():
        create_progress_artifact(1.0, key="training-tulip-sgd")
        leaving()
        own = forgetting()
        return own, artifacts_of(client, runtime.flow_run)

    own, others = working()
    assert (own, set(others)) == ({}, {"training-tulip-sgd"})
    chosen = ArtifactFilter(key=ArtifactFilterKey(any_=list(keys)))
    found = client.read_artifacts(artifact_filter=chosen)
    assert {artifact.key for artifact in found} == {"training-rose-adam", "tulip-adam"}


def test_a_bar_that_cannot_be_deleted_does_not_fail_the_run(client, logged):
    @flow(name="losing")
    def losing():
        with training_progress("lily", "adam"):
            (bar,) = artifacts_of(client, runtime.flow_run).values()
            client.delete_artifact(bar.id)

    assert losing(return_state=True).is_completed()
    assert logged.getvalue().count("WARNING not shown: ") == 1


def test_a_score_run_shows_its_files(retrained, client, tmp_path):
    root = shutil.copytree(retrained[0], tmp_path / "root")
    inbox = root / "data/iris/inbox"
    header, *records = (inbox / "new_flowers.csv").read_text().splitlines()
    (inbox / "[two] & <b>_.csv").write_text("\n".join([header, records[0], "1,2,3,4"]) + "\n")
    done = run("score", "iris", "--root", root, "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert (found["rows"], found["scored"], found["rejected"]) == (14, 13, 1)
    flow_run = latest(client)
    assert (flow_run.name, flow_run.state.is_completed()) == ("score-iris-v0001", True)
    assert set(tasks_of(client, flow_run)) == {
        "batch-predict-new_flowers.csv",
        "batch-predict-[two] & <b>_.csv",
    }
    shown = artifacts_of(client, flow_run)
    assert set(shown) == {"score-iris", "scored-iris", "status-iris"}
    rows = json.loads(shown["score-iris"].data)
    assert [(row["file"], row["rows"], row["scored"], row["rejected"]) for row in rows] == [
        ("[two] & <b>_.csv", "2", "1", "1"),
        ("new_flowers.csv", "12", "12", "0"),
    ]
    assert re.fullmatch(r"wrong_field_count:? 1", rows[0]["reasons"])
    page = artifacts_of(client, flow_run)["scored-iris"].data
    assert "**2 files scored: 13 of 14 rows; 1 row rejected.**" in page
    assert re.search(r"\| wrong_field_count \| .*two.* line 3: 1,2,3,4 \| 1 \|", page)
    assert re.search(r"\| Iris-setosa \| \d \| \d+\.\d\s% \| 33\.3\s% \|", page)
    counts = re.findall(r"Iris-\w+:? (\d+)", rows[1]["classes"])
    assert sum(map(int, counts)) == 12


def test_drift_is_shown_and_automations_get_an_event(retrained, client, tmp_path):
    """Sepals in metres: the file is scored, and the day's event names its column."""
    root = shutil.copytree(retrained[0], tmp_path / "root")
    header, *records = (root / "data/iris/train.csv").read_text().splitlines()
    cells = [line.split(",") for line in records]
    lines = [",".join([f"{float(first) / 100:g}", *others]) for first, *others in cells]
    (tmp_path / "metres.csv").write_text("\n".join([header, *lines]) + "\n")
    done = run("score", "iris", tmp_path / "metres.csv", "--root", root, "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["files"][0]["drift"]["detected"]
    (row,) = json.loads(artifacts_of(client, latest(client))["score-iris"].data)
    assert row["drift"].startswith('unlike training: "sepal_length" (PSI ')
    (status,) = json.loads(run("status", "iris", "--root", root, "--json").out)
    assert (status["drift"]["judged"], status["drift"]["detected"]) == (1, 1)
    wanted = {"filter": {"event": {"name": ["drift.detected"]}}}
    events = wait_for(
        lambda: client.request("POST", "/events/filter", json=wanted).json()["events"]
    )
    assert events[0]["resource"]["prefect.resource.id"] == "ffn.pipeline.iris"
    assert "sepal_length" in events[0]["payload"]["columns"]
    assert "100 times too small" in events[0]["payload"]["files"]["metres.csv"]


def test_outcomes_are_shown_and_automations_get_an_event_once(retrained, client, tmp_path):
    """Sixty flowers, each with the label of another species: accuracy is near 0."""
    root = shutil.copytree(retrained[0], tmp_path / "root")
    header, *records = (root / "data/iris/train.csv").read_text().splitlines()
    cells = [line.split(",") for line in records]
    lines = [
        ",".join([f"{float(first) + 0.013:g}", *others[:-1], cells[(n + 50) % 150][-1]])
        for n, (first, *others) in enumerate(cells)
        if n % 50 < 20
    ]
    labelled = tmp_path / "labelled.csv"
    labelled.write_text("\n".join([header, *lines]) + "\n")
    done = run("evaluate", "iris", labelled, "--root", root, "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert (found["rows"], found["joined"]) == (60, 60)
    flow_run = latest(client)
    assert (flow_run.name, flow_run.state.is_completed()) == ("evaluate-iris-v0001", True)
    assert set(tasks_of(client, flow_run)) == {
        "take-up-predictions",
        "evaluate-labelled.csv",
        "conclude",
    }
    page = artifacts_of(client, flow_run)["outcomes-iris"].data
    assert f"**Version 1: {found['versions'][0]['sentence']}.**".split(" [")[0] in page
    assert (
        "Quality: accuracy is shown to be below"
        in artifacts_of(client, flow_run)["status-iris"].data
    )
    wanted = {"filter": {"event": {"name": ["quality.fell"]}}}

    def told():
        return client.request("POST", "/events/filter", json=wanted).json()["events"]

    (event,) = wait_for(told)
    assert event["resource"]["prefect.resource.id"] == "ffn.pipeline.iris"
    assert event["payload"]["reason"] == found["alert"]
    # Looked at again, it is no news; and a file that is refused fails the run.
    (tmp_path / "bad.csv").write_text("species\nIris-setosa\n")
    done = run("evaluate", "iris", tmp_path / "bad.csv", "--root", root)
    assert done.code == 1
    assert re.fullmatch(r"ffn: .*/?bad\.csv has no column .*\n", done.err)
    assert latest(client).state.is_failed()
    assert len(told()) == 1


REFUSAL = r'.*/bad\.csv has no column "sepal_length".*'


@pytest.mark.parametrize("of_the_inbox", [False, True], ids=["files", "inbox"])
def test_a_refused_file_fails_the_run_and_not_the_others(
    retrained, client, tmp_path, logged, of_the_inbox
):
    """In red the run, with file and reason in a line, and the task of that file alone."""
    root = shutil.copytree(retrained[0], tmp_path / "root")
    settings = root / "data/iris/pipeline.toml"
    settings.write_text(settings.read_text() + '\n[inbox]\nsettle = "1s"\n')
    (root / "data/iris/inbox/bad.csv").write_text("x\n1\n")
    new, task = (["--new"], "score") if of_the_inbox else ([], "batch-predict")
    done = run("score", "iris", *new, "--root", root, "--json")
    assert done.code == 1
    assert re.fullmatch(r"ffn: 1 of 2 files refused: .*/bad\.csv has no column .*\n", done.err)
    assert json.loads(done.out)["scored"] == 12
    flow_run = latest(client)
    # Automations and the list of runs go by the name.
    assert (flow_run.state.is_failed(), flow_run.state.name) == (True, "Failed")
    assert re.fullmatch(f"1 of 2 files refused: {REFUSAL}", flow_run.state.message)
    found = tasks_of(client, flow_run)
    refused = found[f"{task}-bad.csv"].state
    assert (refused.is_failed(), refused.name) == (True, "Failed")
    assert re.fullmatch(REFUSAL, refused.message)
    assert found[f"{task}-new_flowers.csv"].state.is_completed()
    lines = logged.getvalue().splitlines()
    assert re.fullmatch(f"ERROR 1 of 2 files refused: {REFUSAL}", lines[-2])
    assert sum(re.fullmatch(f"ERROR {REFUSAL}", line) is not None for line in lines) == 3
    assert {line.split()[0] for line in lines} == {"INFO", "ERROR"}
    rows = json.loads(artifacts_of(client, flow_run)["score-iris"].data)
    assert rows[-1]["file"] == "bad.csv"
    assert "has no column" in rows[-1]["reasons"]


def test_a_table_that_cannot_be_read_fails_the_run_in_one_line(root, client, logged):
    (root / "data/iris/train.csv").write_text("")
    before = listing(root)
    assert "train.csv is empty" in run("retrain", "iris", "--root", root).refusal
    flow_run = latest(client)
    assert flow_run.state.is_failed()
    loading = tasks_of(client, flow_run)["load"]
    for state in (flow_run.state, loading.state):
        assert re.fullmatch(r"\S+train\.csv is empty.*", state.message)
    assert {line.split()[0] for line in logged.getvalue().splitlines()} <= {"INFO", "ERROR"}
    assert listing(root) == before


def test_a_training_that_breaks_leaves_the_others(root, client, monkeypatch):
    train_until = candidate_training.train_until

    def break_adam(prepared, pipeline, optimizer, *rest):
        if optimizer == "adam":
            raise MemoryError("no room\nleft")
        return train_until(prepared, pipeline, optimizer, *rest)

    monkeypatch.setattr(candidate_training, "train_until", break_adam)
    done = run("retrain", "iris", "--root", root)
    assert (done.code, done.err) == (0, "")
    assert "\nNote: adam is not in the comparison: no room\\nleft.\n" in done.out
    flow_run = latest(client)
    assert flow_run.state.is_completed()
    assert flow_run.state.name == "CompletedWithLosses"
    assert flow_run.state.message.endswith(r" adam is lost: no room\nleft")
    found = tasks_of(client, flow_run)
    assert found["train-adam"].state.is_failed()
    assert found["train-adamw"].state.is_completed()
    rows = json.loads(artifacts_of(client, flow_run)["leaderboard-iris"].data)
    assert {row["optimizer"].split()[0] for row in rows} == {"sgd", "momentum", "adamw"}


def test_when_every_training_breaks_the_run_fails_in_one_line(root, client, monkeypatch):
    def fail(*_):
        raise MemoryError("no room")

    monkeypatch.setattr(candidate_training, "train_until", fail)
    refusal = run("retrain", "iris", "--root", root).refusal
    assert refusal.startswith("every training task failed (sgd: no room; momentum: no room;")
    assert latest(client).state.is_failed()
    assert not (root / "artifacts/iris/models").exists()


def test_a_schedule_gives_scheduled_runs(client, root):
    """With an SQLAlchemy that Prefect cannot use, the deployment looks ready and none appears."""
    deployment = retrain.to_deployment(
        name="hourly",
        interval=datetime.timedelta(hours=1),
        parameters={"pipeline": "iris", "root": str(root)},
    )
    deployment_id = deployment.apply()
    ours = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]))
    scheduled = wait_for(lambda: client.read_flow_runs(flow_run_filter=ours))
    assert {flow_run.state.type.value for flow_run in scheduled} == {"SCHEDULED"}
    times = sorted(flow_run.expected_start_time for flow_run in scheduled)
    assert times[1] - times[0] == datetime.timedelta(hours=1)
    client.delete_deployment(deployment_id)


def test_a_run_has_no_heartbeat_to_wait_for_unless_one_is_set(root, monkeypatch):
    with used_server(root):
        assert get_current_settings().flows.heartbeat_frequency is None
    monkeypatch.setenv("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "180")
    with used_server(root):
        assert get_current_settings().flows.heartbeat_frequency == 180


def test_runs_that_found_nothing_to_do_are_forgotten_and_no_others(client, root):
    deployment = retrain.to_deployment(name="forgetful").apply()
    other = retrain.to_deployment(name="another").apply()
    ends = [(deployment, "Unchanged"), (deployment, "NothingNew"), (deployment, "Completed")]
    made = []
    for where, name in [*ends, (other, "Unchanged")]:
        flow_run = client.create_flow_run_from_deployment(where, parameters={"pipeline": "iris"})
        client.set_flow_run_state(flow_run.id, Completed(name=name), force=True)
        made.append(flow_run.id)

    def left_after(before):
        async def forget():
            async with get_client() as found:
                return await forget_uneventful(found, [deployment], before)

        count = asyncio.run(forget())
        chosen = FlowRunFilter(id=FlowRunFilterId(any_=made))
        return count, {run.id for run in client.read_flow_runs(flow_run_filter=chosen)}

    now = DateTime.now("UTC")
    assert left_after(now - datetime.timedelta(hours=1)) == (0, set(made))
    assert left_after(now + datetime.timedelta(hours=1)) == (2, {made[2], made[3]})


def test_a_run_that_found_nothing_to_do_leaves_no_artifact_and_no_line(retrained, client):
    root, _, _ = retrained
    story = (root / "artifacts/iris/runs.jsonl").read_bytes()
    assert run("retrain", "iris", "--root", root).code == 0
    skipped = latest(client)
    assert skipped.state.name == "Unchanged"
    assert artifacts_of(client, skipped) == {}
    assert (root / "artifacts/iris/runs.jsonl").read_bytes() == story
