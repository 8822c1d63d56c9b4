"""``ffn serve``: one service for all tests here, since a server takes seconds to start."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import shutil
import signal
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from ffn.settings.pipeline import find_pipeline
from ffn.storage.pipeline_locks import retraining_lock
from tests.helpers.command_line import run_apart
from tests.helpers.prefect_home import started_before
from tests.helpers.service import Service, quicken, serving
from tests.helpers.waiting import wait_for

HOOK = "http://hook.example/hook"
SETTINGS = """
[gate]
mode = "always"

[schedule]
retrain = [{{ cron = "0 3 * * *", timezone = "Europe/Berlin" }}]
retrain_on = ["data", "drift"]

[inbox]
look_every = "1s"
settle = "1s"

[notify]
webhook = "{webhook}"
on = ["failure", "promoted"]
"""


@pytest.fixture(scope="module")
def told():
    """What a webhook receives that a proxy alone can reach; and where that proxy is."""
    received: list[dict[str, str]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            # As a proxy is asked, with the whole address.
            assert self.path == HOOK
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    received_at = f"http://127.0.0.1:{server.server_port}"
    yield received_at, received
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def service(tmp_path_factory, repository, told):
    home = tmp_path_factory.mktemp("serve")
    root = home / "root"
    shutil.copytree(repository / "data/iris", root / "data/iris")
    (root / "data/iris/outcomes").mkdir()
    started_before(root / "artifacts/.serve")
    quicken(root, SETTINGS.format(webhook="$HOOK"))
    with serving(root, home, HOOK=HOOK, HTTP_PROXY=told[0], NO_PROXY="") as found:
        yield found


def inbox(service: Service, name: str, content: str) -> None:
    (service.root / "data/iris/inbox" / name).write_text(content)


def flowers(service: Service) -> str:
    return (service.root / "data/iris/inbox/new_flowers.csv").read_text()


def test_a_new_pipeline_is_trained_and_its_inbox_scored(service):
    def done():
        return {("retrain-iris-v0001", "Completed"), ("score-iris-v0001", "Completed")} <= set(
            service.states()
        )

    wait_for(done, why=service.said)
    manifest = service.root / "artifacts/iris/predictions/new_flowers.csv.manifest.json"
    assert json.loads(manifest.read_bytes())["scored"] == 12
    assert "iris: 1 file scored with version 1: 12 of 12 rows." in service.said


def test_the_schedule_gives_runs_at_its_times(service):
    times = service.rows(
        "SELECT expected_start_time FROM flow_run WHERE state_type = 'SCHEDULED' AND auto_scheduled"
    )
    assert len(times) >= 3
    berlin = datetime.timezone(datetime.timedelta(hours=1))
    for (text,) in times:
        time = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
        summer = 3 < time.month < 10
        assert (time.astimezone(berlin).hour, time.minute) == (2 if summer else 3, 0) or (
            time.month in (3, 10)
        )


def test_strangers_get_nothing(service):
    api = f"{service.dashboard}/api"
    assert service.password not in service.said
    assert (service.root / "artifacts/.serve/auth").stat().st_mode & 0o777 == 0o600
    assert (service.root / "artifacts/.serve").stat().st_mode & 0o777 == 0o700
    user, _, word = service.password.partition(":")
    with httpx.Client(trust_env=False) as client:
        assert client.get(f"{api}/admin/version").status_code == 401
        assert client.get(f"{api}/admin/version", auth=(user, word)).status_code == 200
        assert client.get(f"{api}/admin/version", auth=(user, word + "x")).status_code == 401
        # A page of another origin may make a browser send the password, but not the token.
        asked = client.post(f"{api}/flow_runs/filter", json={}, auth=(user, word))
        assert (asked.status_code, asked.json()["detail"]) == (403, "Missing CSRF token.")
        preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
        answer = client.options(f"{api}/flow_runs/filter", headers=preflight)
        assert "access-control-allow-origin" not in answer.headers
        for foreign in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            answer = client.get(f"{api}/admin/version", auth=(user, word), headers=foreign)
            assert answer.status_code == 403
        page = client.get(service.dashboard, follow_redirects=True)
        assert "connect-src 'self'; img-src 'self' data:" in page.headers["content-security-policy"]
        settings = client.get(f"{service.dashboard}/ui-settings").json()
        assert (settings["api_url"], settings["auth"], settings["csrf_enabled"]) == (
            "/api",
            "BASIC",
            True,
        )


def test_a_second_service_is_refused_with_the_address_of_the_first(service):
    done = run_apart(service.home, "serve", "--root", service.root, "--port", "1")
    assert f"served already, at {service.dashboard}." in done.refusal


def test_a_file_put_into_the_inbox_is_scored_and_a_bad_one_told(service, told):
    inbox(service, "more.csv", flowers(service))
    inbox(service, "bad.csv", "x\n1\n")
    predictions = service.root / "artifacts/iris/predictions"
    wait_for((predictions / "more.csv.manifest.json").exists, why=service.said)
    wait_for(lambda: ("score-iris-v0001", "Failed") in service.states())
    reason = r'bad\.csv has no column "sepal_length"'
    notice = wait_for(lambda: [n for n in told[1] if "failure" in n["subject"]])[0]
    assert notice["subject"] == "ffn: iris: failure"
    # What Slack shows.
    assert notice["text"] == f"{notice['subject']}\n{notice['body']}"
    assert re.search(rf"^score-iris-v0001 Failed: .*{reason}", notice["body"])
    status = run_apart(service.home, "status", "iris", "--root", service.root)
    assert re.search(rf"^  refused  bad\.csv: .*{reason}", status.out, re.MULTILINE)
    plain = reason.replace('"', ".*")
    shown = wait_for(lambda: "bad.csv" in (s := service.artifact("status-iris")) and s)
    assert re.search(rf"\| bad\.csv \| .*{plain}", shown)
    page = service.artifact("scored-iris")
    assert re.search(rf"### Refused files\n\n.*\n.*\n\| bad\.csv \| .*{plain}", page)
    # The process of the run, too, reports the refusal in a line; Prefect sends logs a moment later.
    select = (
        "SELECT l.level, l.message FROM log l JOIN flow_run r ON r.id = l.flow_run_id "
        "WHERE r.state_name = 'Failed' AND l.level >= 40"
    )
    lines = wait_for(lambda: (found := service.rows(select)) and len(found) >= 3 and found)
    assert [text for _, text in lines if not re.search(reason, text)] == []
    assert not any("\n" in text or "Traceback" in text for _, text in lines)
    assert "Traceback" not in service.said
    wait_for(lambda: not service.rows("SELECT id FROM artifact WHERE type = 'progress'"))


def test_changed_data_is_trained_on_and_a_promotion_scores_everything_again(service, told):
    path = service.root / "data/iris/train.csv"
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *lines[:-3]]) + "\n")
    wait_for(lambda: service.production() == 2, why=service.said)
    manifest = service.root / "artifacts/iris/predictions/more.csv.manifest.json"

    def scored_by() -> int | None:
        # While the output is replaced, there is no manifest.
        with contextlib.suppress(FileNotFoundError):
            return int(json.loads(manifest.read_bytes())["model_version"])
        return None

    wait_for(lambda: scored_by() == 2, why=service.said)
    wait_for(lambda: any("promoted" in n["subject"] for n in told[1]))
    assert ("retrain-iris-v0002", "Completed") in service.states()


def test_a_run_from_a_terminal_is_on_the_same_dashboard(service):
    before = len(service.states())
    processes = ("--runner", "process", "--workers", "2")
    words = ("retrain", "iris", "--root", service.root, "--json", "--force", *processes)
    done = run_apart(service.home, *words)
    assert (done.code, done.err) == (0, "")
    version = json.loads(done.out)["version"]
    made = f"retrain-iris-v{version:04d}"
    wait_for(lambda: (made, "Completed") in service.states())
    assert len(service.states()) > before

    # What its processes tell goes there, too, and Prefect started no server of its own for it.
    def trained():
        return service.rows(
            "SELECT t.name FROM task_run t JOIN flow_run f ON f.id = t.flow_run_id "
            "WHERE f.name = ? AND t.name LIKE 'train-%' AND t.state_type = 'COMPLETED'",
            made,
        )

    wait_for(lambda: len(trained()) == 4, why=str(trained()))
    assert not (service.home / ".prefect/prefect.db").exists()


def test_two_retrainings_at_once_are_refused(service):
    pipeline = find_pipeline("iris", service.root)
    with retraining_lock(pipeline.artifacts):
        done = run_apart(service.home, "retrain", "iris", "--root", service.root)
        assert "iris is already being retrained by process" in done.refusal


def test_a_file_put_into_the_outcomes_folder_is_evaluated(service):
    version = service.production()
    header, *lines = (service.root / "data/iris/train.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines]
    moved = [",".join([f"{float(row[0]) + 0.013:g}", *row[1:]]) for row in rows]
    labelled = "\n".join([header, *moved]) + "\n"
    (service.root / "data/iris/outcomes/april.csv").write_text(labelled)
    made = f"evaluate-iris-v{version:04d}"
    wait_for(lambda: (made, "Completed") in service.states(), why=service.said)
    told = f"iris: {len(moved)} of {len(moved)} rows with labels joined; version"
    wait_for(lambda: told in service.said, why=service.said)
    assert "realised accuracy 0." in service.artifact("outcomes-iris")


def test_drift_is_told_and_retrained_on(service):
    version = (service.production() or 0) + 1
    # Other settings: of equal data, settings and code, a retraining would be skipped.
    settings = service.root / "data/iris/pipeline.toml"
    settings.write_text(settings.read_text().replace("epochs = 15", "epochs = 16"))
    header, *lines = flowers(service).splitlines()
    assert header.split(",")[3] == "petal_length"
    rows = [line.split(",") for line in lines]
    longer = [",".join([*row[:3], f"{10 * float(row[3]):.1f}", *row[4:]]) for row in rows]
    inbox(service, "march.csv", "\n".join([header, *longer * 4]) + "\n")
    made = f"retrain-iris-v{version:04d}"
    wait_for(lambda: (made, "Completed") in service.states(), why=service.said)
    assert service.production() == version
    ((by,),) = service.rows("SELECT created_by FROM flow_run WHERE name = ?", made)
    assert json.loads(by)["type"] == "AUTOMATION"
    # Every file may have been scored again meanwhile, with the new version.
    found = r"in 1 of 1 file \(20..-..-.. ..:.., version \d+\): march\.csv, unlike training: "
    status = run_apart(service.home, "status", "iris", "--root", service.root)
    assert re.search(rf'^  drift    {found}"petal_length" \(PSI \d', status.out, re.MULTILINE)
    assert re.search(rf"^Drift: {found}", service.artifact("status-iris"), re.MULTILINE)


def test_it_ends_with_its_deployments_ready(service):
    service.end(signal.SIGTERM)
    assert service.said.endswith("Ended.\n")
    # Of libraries, it passes on no warnings.
    assert "Warning" not in service.said
    assert service.rows("SELECT name, paused FROM deployment ORDER BY name") == [
        ("evaluate-iris", 0),
        ("retrain-iris", 0),
        ("score-iris", 0),
    ]
    assert not (service.root / "artifacts/.serve/serving.json").exists()
