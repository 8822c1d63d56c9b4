"""What a server says of a run is never loaded, by whatever serialiser, from wherever it says."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

import flows
from flows.closed_prefect import ForeignResultError
from tests.helpers.command_line import environment
from tests.helpers.hostile_server import ending_runs, stored_pickle
from tests.helpers.waiting import LAST_RESORT

PICKLE, JSON = {"type": "pickle"}, {"type": "json", "object_decoder": "builtins.print"}
PLAIN_PREFECT = "from prefect import flow\n@flow\ndef ours():\n    return 1\nprint(ours())"


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "unpickled"


@contextlib.contextmanager
def told_by(hostile):
    with hostile as url, temporary_settings({PREFECT_API_URL: url}):
        yield


def ended(tmp_path, marker, serializer, kind="COMPLETED"):
    where = stored_pickle(tmp_path, marker, serializer)
    data = {"storage_key": str(where)} | ({"serializer": serializer} if serializer else {})
    return {"type": kind, "name": kind.title(), "data": data}


def test_prefect_itself_loads_what_the_server_names(server, tmp_path, marker):
    """The attack is one: without our changes the pickle is run."""
    with ending_runs(server, ended(tmp_path, marker, PICKLE)) as url:
        subprocess.run(
            [sys.executable, "-P", "-c", PLAIN_PREFECT],
            env=environment(tmp_path, PREFECT_API_URL=url),
            capture_output=True,
            check=False,
            timeout=LAST_RESORT,
        )
    assert marker.exists()


@pytest.mark.parametrize(
    ("serializer", "kind"),
    [(PICKLE, "COMPLETED"), (None, "COMPLETED"), (JSON, "COMPLETED"), (PICKLE, "FAILED")],
    ids=["pickle", "none named", "JSON with a decoder", "failed"],
)
def test_a_stored_result_is_refused_in_one_line(
    server, root, tmp_path, ffn, marker, serializer, kind
):
    with told_by(ending_runs(server, ended(tmp_path, marker, serializer, kind))):
        done = ffn("retrain", "iris", "--root", root)
    assert "names a stored result. Runs of ours store none; it was not read" in done.refusal
    assert not marker.exists()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"type": "COMPLETED", "data": "a text"}, "this process did not end it"),
        ({"type": "COMPLETED", "data": {"version": 7}}, "this process did not end it"),
        ({"type": "COMPLETED"}, "ended the run by itself (MissingResult"),
        ({"type": "CANCELLED", "message": "by hand"}, "by itself (CancelledRun: by hand)"),
    ],
)
def test_a_run_that_others_ended_is_told_in_one_line(server, root, ffn, state, said):
    with told_by(ending_runs(server, state)):
        done = ffn("retrain", "iris", "--root", root)
    assert said in done.refusal


def test_no_serializer_is_left_that_reads():
    """By name, as a server gives it, and by class, as Prefect's own code does."""
    assert flows
    from prefect.serializers import (
        CompressedJSONSerializer,
        CompressedPickleSerializer,
        JSONSerializer,
        PickleSerializer,
        Serializer,
    )

    named = [
        Serializer(type=name, picklelib="antigravity")
        for name in ("pickle", "json", "compressed", "compressed/pickle", "compressed/json")
    ]
    made = [
        kind()
        for kind in (
            CompressedJSONSerializer,
            CompressedPickleSerializer,
            JSONSerializer,
            PickleSerializer,
        )
    ]
    for serializer in [*named, *made]:
        with pytest.raises(RuntimeError, match="deserialization cannot be performed"):
            serializer.loads(b"1")
    assert "antigravity" not in sys.modules


def test_no_store_reads():
    from prefect.results import ResultStore

    with pytest.raises(ForeignResultError, match="it was not read"):
        ResultStore().read("anything")
