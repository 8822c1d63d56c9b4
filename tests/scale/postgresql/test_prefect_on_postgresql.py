"""Every flow and ``ffn serve`` with Prefect's runs in PostgreSQL; and what is refused."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time

import pytest

from tests.chaos.conftest import change_data, epochs
from tests.chaos.test_server_lost import check_whole, fill
from tests.helpers.command_line import command, environment, run_apart
from tests.helpers.postgresql import PASSWORD, USER
from tests.helpers.service import processes
from tests.helpers.waiting import wait_for
from tests.scale.postgresql.conftest import PostgreSQLService


@contextlib.contextmanager
def serving(root, home, postgresql, database, *arguments):
    service = PostgreSQLService(root, home, *arguments, **postgresql.settings(database))
    service.database = postgresql, database
    try:
        yield service.start()
    finally:
        service.kill()


def test_every_command_records_its_run_there(root, home, postgresql, database):
    settings = postgresql.settings(database)
    where = ("--root", root)
    assert run_apart(home, "retrain", "iris", *where, **settings).code == 0
    again = ("retrain", "iris", "--force", "--runner", "process")
    assert run_apart(home, *again, *where, **settings).code == 0
    flowers = root / "data/iris/inbox/new_flowers.csv"
    assert run_apart(home, "score", "iris", flowers, *where, **settings).code == 0
    assert run_apart(home, "score", "iris", "--new", *where, **settings).code == 0
    # Flowers that no version was trained on: each a little larger than one of the training table.
    header, *known = (root / "data/iris/train.csv").read_text().splitlines()
    labels = home / "labels.csv"
    larger = [re.sub(r"^([^,]+),(\d+\.\d)", r"\1,\g<2>1", line) for line in known]
    labels.write_text("\n".join([header, *larger]) + "\n")
    assert run_apart(home, "evaluate", "iris", labels, *where, **settings).code == 0
    rows = postgresql.execute("SELECT name, state_name FROM flow_run ORDER BY start_time", database)
    assert [tuple(row) for row in rows] == [
        ("retrain-iris-v0001", "Completed"),
        ("retrain-iris-v0002", "Completed"),
        ("score-iris-v0002", "Completed"),
        ("score-iris-v0002", "Completed"),
        ("evaluate-iris-v0002", "Completed"),
    ]
    tasks = postgresql.execute("SELECT DISTINCT state_type FROM task_run", database)
    assert [tuple(row) for row in tasks] == [("COMPLETED",)]
    # Prefect's default was not used beside it.
    assert not list(home.rglob("*.db"))


def test_a_service_trains_scores_and_tells_nobody_the_password(root, home, postgresql, database):
    with serving(root, home, postgresql, database) as service:
        done = {("retrain-iris-v0001", "Completed"), ("score-iris-v0001", "Completed")}
        wait_for(lambda: done <= set(service.states()), 120, service.said)
        assert f'PostgreSQL at 127.0.0.1:{postgresql.port}, database "{database}"' in service.said
        assert "version 1 of 1" in service.artifact("status-iris").lower()
        # A command with the same root uses the service's server, and needs no password of its own.
        flowers = root / "data/iris/inbox/new_flowers.csv"
        assert run_apart(home, "score", "iris", flowers, "--root", root).code == 0
        wait_for(lambda: len(service.states()) >= 3, 30)
        for line in processes(home).values():
            assert PASSWORD not in line
        assert service.end() < 10
    assert not (root / "artifacts/.serve/prefect.db").exists()
    written = [path for path in home.rglob("*") if path.is_file()]
    assert root / "artifacts/.serve/server.log" in written
    for word in (PASSWORD, "p%40ss"):
        assert not [path for path in written if word.encode() in path.read_bytes()]


def test_a_server_that_goes_away_and_comes_back_loses_no_run(root, home, postgresql, database):
    epochs(root, 5_000)
    with serving(root, home, postgresql, database) as service:
        trains = "SELECT name FROM task_run WHERE name LIKE 'train-%' AND state_type = 'RUNNING'"
        wait_for(lambda: service.rows(trains), 120, service.said)
        postgresql.stop()
        try:
            wait_for(lambda: "PostgreSQL does not answer Prefect's server." in service.said, 60)
            # What is reported meanwhile has to be sent again.
            time.sleep(30)
        finally:
            postgresql.start()
        wait_for(lambda: "PostgreSQL answers again." in service.said, 60, service.said)
        wait_for(lambda: service.production() == 1, 240, service.said)
        done = {("retrain-iris-v0001", "Completed"), ("score-iris-v0001", "Completed")}
        wait_for(lambda: done <= set(service.states()), 120, str(service.states()))
        (lost,) = service.rows("SELECT count(*) FROM task_run WHERE state_type <> 'COMPLETED'")
        assert lost == (0,)
        epochs(root, 15)
        change_data(root)
        wait_for(lambda: service.production() == 2, 120, service.said)
        assert "Traceback" not in service.said
        assert service.end() < 10


def test_a_score_whose_database_is_lost_for_good_is_whole_and_says_so(
    root, home, postgresql, database
):
    """A server of its own that is lost is told in a line; what was written is whole."""
    settings = postgresql.settings(database) | {"PREFECT_CLIENT_MAX_RETRIES": "1"}
    assert run_apart(home, "retrain", "iris", "--direct", "--root", root).code == 0
    rows = fill(home / "big.csv", root)
    output = home / "out.csv"
    run = subprocess.Popen(
        command("score", "iris", home / "big.csv", "--output", output, "--root", root),
        env=environment(home, **settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: list(home.glob(".out.csv.*")))
    postgresql.stop()
    try:
        _, said = run.communicate(timeout=300)
    finally:
        postgresql.start()
    assert run.returncode == 1
    assert said.count("\n") == 1
    assert "That is on the disk and whole; its record is missing: Prefect's server at" in said
    check_whole(output, rows, root, home)


def test_the_password_may_be_in_the_drivers_own_variable(root, home, postgresql, database):
    address = f"postgresql+asyncpg://{USER}@127.0.0.1:{postgresql.port}/{database}"
    settings = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": address, "PGPASSWORD": PASSWORD}
    assert run_apart(home, "retrain", "iris", "--root", root, **settings).code == 0
    (row,) = postgresql.execute("SELECT name FROM flow_run", database)
    assert tuple(row) == ("retrain-iris-v0001",)


VERBS = [("score", "iris"), ("serve",)]


def refusal(root, home, verb, **settings):
    done = run_apart(home, *verb, "--root", root, **settings)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert PASSWORD not in done.err + done.out
    (line,) = done.err.splitlines()
    return line


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
class TestRefusals:
    def test_a_wrong_password(self, root, home, postgresql, database, verb):
        wrong = postgresql.settings(database, password="another one")
        line = refusal(root, home, verb, **wrong)
        assert f'PostgreSQL at 127.0.0.1:{postgresql.port} refuses user "{USER}"' in line
        assert "another one" not in line

    def test_a_database_that_is_not_there(self, root, home, postgresql, verb):
        line = refusal(root, home, verb, **postgresql.settings("nowhere"))
        assert 'has no database "nowhere". Create it: createdb --owner=ada nowhere' in line

    def test_a_server_that_is_not_there(self, root, home, postgresql, database, verb):
        settings = postgresql.settings(database)
        postgresql.stop()
        try:
            line = refusal(root, home, verb, **settings)
        finally:
            postgresql.start()
        assert f"PostgreSQL at 127.0.0.1:{postgresql.port} does not answer (" in line

    def test_a_user_who_may_not_create_tables(self, root, home, postgresql, database, verb):
        postgresql.execute("DROP ROLE IF EXISTS bob")
        postgresql.execute("CREATE ROLE bob LOGIN PASSWORD 'bob'")
        settings = postgresql.settings(database, user="bob", password="bob")
        line = refusal(root, home, verb, **settings)
        assert '"bob" may not create tables there. Make it the owner: ALTER DATABASE' in line

    def test_a_database_that_is_read_only(self, root, home, postgresql, database, verb):
        postgresql.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        line = refusal(root, home, verb, **postgresql.settings(database))
        assert "is read-only, a standby perhaps" in line

    def test_another_encoding(self, root, home, postgresql, database, verb):
        postgresql.execute(f"DROP DATABASE {database}")
        postgresql.execute(
            f"CREATE DATABASE {database} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
        )
        line = refusal(root, home, verb, **postgresql.settings(database))
        assert "has the encoding LATIN1" in line

    def test_a_version_that_is_too_old(self, root, home, old_postgresql, verb):
        line = refusal(root, home, verb, **old_postgresql.settings("postgres"))
        assert "is version 13.23, and Prefect needs 14.9 or newer." in line
