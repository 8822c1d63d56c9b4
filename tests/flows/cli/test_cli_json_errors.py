"""``--json`` says on standard output, too, why a command failed: of every verb, and only once."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess

import pytest

from flows.cli.arguments import build_parser
from tests.helpers.command_line import command, environment

# What each verb is given so that it refuses; the root of the test has no pipeline.
REFUSED = {
    "backtest": ("nowhere",),
    "capacity": ("--daily", "much"),
    "compare": ("nowhere", "1", "2"),
    "evaluate": ("nowhere",),
    "init": ("new", "--from", "no.csv", "--target", "label"),
    "models": ("nowhere",),
    "promote": ("nowhere", "1"),
    "prune": ("nowhere", "--keep", "1"),
    "pull": ("nowhere", "s3://bucket/models/nowhere"),
    "push": ("nowhere", "s3://bucket/models/nowhere"),
    "reproduce": ("nowhere", "1"),
    "retrain": ("nowhere",),
    "rollback": ("nowhere",),
    "score": ("nowhere",),
    "serve": (),
    "status": (),
    "verify": ("nowhere",),
    "watch": ("nowhere",),
}


@pytest.fixture(scope="module")
def iris(_trained, tmp_path_factory):
    return shutil.copytree(_trained, tmp_path_factory.mktemp("errors") / "root")


def verbs():
    """The verbs, as the first line of ``ffn --help`` is made from them."""
    found = (action.choices for action in build_parser()._actions if action.dest == "verb")
    return set(next(found))


def test_every_verb_is_refused_below():
    assert set(REFUSED) == verbs()


@pytest.mark.parametrize("verb", REFUSED)
def test_a_refusal_is_an_object_on_stdout_and_the_line_on_stderr(ffn, tmp_path, verb):
    plain = ffn(verb, *REFUSED[verb], "--root", tmp_path)
    done = ffn(verb, *REFUSED[verb], "--root", tmp_path, "--json")
    assert (done.code, done.err) == (plain.code, plain.err) == (1, f"ffn: {plain.refusal}\n")
    kind = "DataError" if verb == "init" else "SettingsError"
    assert json.loads(done.out) == {"error": {"kind": kind, "message": plain.refusal}}
    assert done.out.count("\n") == 1


def test_an_error_of_the_system_is_told_the_same_way(ffn, root):
    (root / "artifacts").write_text("no folder")
    done = ffn("retrain", "iris", "--direct", "--root", root, "--json")
    error = json.loads(done.out)["error"]
    assert (done.code, done.err) == (1, f"ffn: {error['message']}\n")
    assert error["message"] == f"{root}/artifacts/iris: {os.strerror(errno.ENOTDIR)}."
    assert error["kind"] == "OSError"


@pytest.mark.parametrize("verb", REFUSED)
def test_wrong_usage_is_told_as_well(ffn, verb):
    done = ffn(verb, *REFUSED[verb], "--json", "--no-such-option")
    assert done.code == 2
    error = json.loads(done.out)["error"]
    assert error["kind"] == "UsageError"
    assert done.err.endswith(f"error: {error['message']}\n")
    assert "--no-such-option" in error["message"]


def test_options_that_exclude_each_other_are_told_of_as_well(ffn):
    done = ffn("retrain", "iris", "--direct", "--workers", "2", "--json")
    error = json.loads(done.out)["error"]
    assert (done.code, error["kind"]) == (2, "UsageError")
    assert done.err.endswith(f"error: {error['message']}\n")


def test_what_was_done_and_what_was_refused_are_one_object(ffn, iris, tmp_path):
    (tmp_path / "bad.csv").write_text("colour\nred\n")
    good = iris / "data/iris/inbox/new_flowers.csv"
    words = ("score", "iris", tmp_path / "bad.csv", good, "--direct", "--root", iris, "--json")
    done = ffn(*words)
    found = json.loads(done.out)
    assert done.code == 1
    assert found["error"]["kind"] == "FilesRefusedError"
    assert done.err.endswith(f"ffn: {found['error']['message']}\n")
    assert [one["source"] for one in found["refused"]] == [str(tmp_path / "bad.csv")]
    assert len(found["files"]) == 1
    del found["error"]
    fine = json.loads(ffn("score", "iris", good, "--direct", "--root", iris, "--json").out)
    assert fine.keys() == found.keys()


def test_damages_of_a_registry_are_listed_beside_the_error(ffn, iris):
    whole = json.loads(ffn("verify", "iris", "--root", iris, "--json").out)
    (iris / "artifacts/iris/models/0001/metrics.json").write_text("{}")
    done = ffn("verify", "iris", "--root", iris, "--json")
    found = json.loads(done.out)
    assert (done.code, whole["damages"]) == (1, [])
    assert found["error"]["kind"] == "RegistryError"
    assert done.err == f"ffn: {found['error']['message']}\n"
    assert found.keys() == {*whole, "error"}
    assert len(found["damages"]) == 1


def test_a_closed_pipe_does_not_change_the_line_or_the_code(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command("models", "nowhere", "--root", tmp_path, "--json"),
        env=environment(tmp_path),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr.startswith(b'ffn: pipeline "nowhere": no file ')
    assert done.stderr.count(b"\n") == 1
