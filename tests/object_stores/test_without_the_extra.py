"""What needs the extra says how to install it; what is wrong before that is said before that."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import ffn
from ffn.errors import SettingsError
from ffn.extraction.extracted_table import dialect_of, extract_objects
from ffn.mirroring.pulling import pull
from ffn.mirroring.pushing import push
from ffn.object_stores.object_address import as_path
from ffn.scoring.score_file import score_csv
from ffn.settings.document import check_settings
from ffn.storage.cache import Cache
from tests.helpers.command_line import run_here
from tests.helpers.scorers import TenthsScorer

INSTALL = (
    r"^s3://, gs:// and az:// need the package obstore, which is not installed\. Install it: "
    r"pip install 'ffn-pipeline\[cloud\]'$"
)
missing = pytest.mark.skipif(
    importlib.util.find_spec("obstore") is not None, reason="the extra is installed"
)


@missing
def test_each_use_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b"size,colour\n7,red\n")
    settings = check_settings({"data": {"source": "s3://bkt/t.csv", "target": "y"}}, "x")
    uses = [
        lambda: score_csv(TenthsScorer(), as_path("s3://bkt/in.csv"), tmp_path / "out.csv"),
        lambda: score_csv(TenthsScorer(), tmp_path / "in.csv", as_path("gs://bkt/out.csv")),
        lambda: extract_objects("az://bkt/t.csv", Cache(tmp_path), dialect_of(settings.data)),
        lambda: ffn.load("s3://bkt/models/iris"),
        lambda: push(tmp_path, "s3://bkt/models/iris"),
        lambda: pull(tmp_path, "s3://bkt/models/iris"),
    ]
    for use in uses:
        with pytest.raises(SettingsError, match=INSTALL):
            use()
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@missing
def test_the_command_says_so_in_one_line(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["push", "iris", "s3://bkt/models/iris", "--root", repository]
    assert run_here(arguments) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("ffn: s3://, gs:// and az:// need the package obstore")
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"source": "s3://u:SECRET@bkt/t.csv"}, r'^x: "data\.source": .*holds a user, a passw'),
        ({"source": "s3://bkt/t?X-Amz-Signature=SECRET"}, r"holds a user, a password or a sign"),
        ({"source": "s3://bkt/a/../t.csv"}, r"has an empty part"),
        ({"source": "s3:/bkt/t.csv"}, r"begins with s3://, with two slashes"),
        ({"source": "s3a://bkt/t.csv"}, r"the address of a database begins with"),
        ({"source": "s3://bkt/t.csv", "query": "SELECT 1"}, r'"query" needs a "source" such as'),
    ],
)
def test_a_source_that_is_no_address_of_objects(data: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        check_settings({"data": {"target": "y"} | data}, "x")
    assert "SECRET" not in str(error.value)


def test_a_source_in_a_store_is_shown_as_it_was_given(tmp_path: Path) -> None:
    from ffn.settings.pipeline import Pipeline

    document = {"data": {"source": "s3://bkt/history/", "target": "y"}}
    found = Pipeline(
        name="far",
        settings=check_settings(document, "x"),
        folder=tmp_path,
        artifacts=tmp_path / "artifacts",
    )
    assert found.shown_source == "s3://bkt/history/"
    assert str(found.source) == "s3://bkt/history"
    assert found.settings.of_training()["data"]["source"] == "s3://bkt/history/"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["score", "iris", "s3://k:SECRET@bkt/a.csv"], "holds a user, a password or a signature"),
        (["score", "iris", "https://x/a.csv?sig=SECRET"], "is no address of objects"),
        (["score", "iris", "--output", "s3://bkt/o?sig=SECRET"], "holds a user, a password"),
        (["score", "iris", "s3://bkt/in/", "--partitioned"], "s3://bkt/in/* is in an object store"),
        (
            ["score", "iris", "data", "--partitioned", "--output", "s3://bkt/out"],
            "s3://bkt/out is in an object store, and parts are scored on this machine's disk.",
        ),
        (
            ["score", "iris", "data", "--partitioned", "--output", "s3://k:SECRET@bkt/out"],
            "holds a user, a password or a signature",
        ),
        (["evaluate", "iris", "s3://bkt/l.csv"], "is in an object store, and a file is needed."),
        (["push", "iris", "s3://bkt"], "is a whole bucket. Give a folder in it"),
        (
            ["push", "iris", "models/iris"],
            "an address of objects begins with s3://, gs:// or az://.",
        ),
        (["pull", "iris", "http://SECRET@x/y"], "an address of objects begins with s3://"),
        (["pull", "iris", "s3://k:SECRET@bkt/m"], "holds a user, a password or a signature"),
    ],
)
def test_wrong_addresses_on_the_command_line(
    arguments: list[str], told: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    direct = ["--direct"] if arguments[0] in ("score", "evaluate") else []
    assert run_here([*arguments, *direct, "--root", repository]) == 1
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.count("\n") == 1
    assert told in found.err
    assert "SECRET" not in found.err
