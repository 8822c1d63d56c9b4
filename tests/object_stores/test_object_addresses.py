"""Addresses of objects: what they name, and that no secret and no way out of a folder is in one."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import DataError, SettingsError
from ffn.object_stores.aws_profile import shared_profile
from ffn.object_stores.object_address import (
    ObjectAddress,
    as_path,
    is_object_address,
    key_problem,
    parse_object_address,
    require_object,
)
from ffn.object_stores.object_patterns import is_pattern, pattern_folder


@pytest.mark.parametrize(
    ("text", "scheme", "bucket", "key"),
    [
        ("s3://bucket/in/a.csv", "s3", "bucket", "in/a.csv"),
        ("S3://bucket/a.csv", "s3", "bucket", "a.csv"),
        ("gs://my_bucket.example/a b/ü.csv", "gs", "my_bucket.example", "a b/ü.csv"),
        ("az://container/year=2024/p-*.parquet", "az", "container", "year=2024/p-*.parquet"),
        ("s3://bucket/a?b/c=d.csv", "s3", "bucket", "a?b/c=d.csv"),
        ("s3://bucket/in/", "s3", "bucket", "in"),
        ("s3://bucket", "s3", "bucket", ""),
    ],
)
def test_what_an_address_names(text: str, scheme: str, bucket: str, key: str) -> None:
    address = parse_object_address(text)
    assert (address.scheme, address.bucket, address.key) == (scheme, bucket, key)
    assert str(address) == f"{scheme}://{bucket}{'/' if key else ''}{key}"
    assert is_object_address(str(address))


def test_an_address_is_a_path_with_a_name_and_names_beside_it() -> None:
    address = parse_object_address("s3://bucket/out/a.csv")
    assert isinstance(address, Path)
    assert (address.name, str(address.parent)) == ("a.csv", "s3://bucket/out")
    assert str(address.with_name("a.csv.rejects.csv")) == "s3://bucket/out/a.csv.rejects.csv"
    assert str(address.parent / "b.csv") == "s3://bucket/out/b.csv"
    assert str(address.beside("x/y")) == "s3://bucket/x/y"
    assert not address.exists()
    assert pickle.loads(pickle.dumps(address)) == address
    assert str(pickle.loads(pickle.dumps(address))) == "s3://bucket/out/a.csv"


@pytest.mark.parametrize(
    "text",
    [
        "s3://AKIA123:SECRET@bucket/a.csv",
        "s3://SECRET@bucket/a.csv",
        "s3://bucket:SECRET/a.csv",
        "s3://bucket/a.csv?X-Amz-Signature=SECRET",
        "az://container/a.csv?sv=2024&sig=SECRET",
        "s3://bucket?SECRET",
    ],
)
def test_an_address_with_a_secret_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(SettingsError, match=r"holds a user, a password or a signature") as told:
        parse_object_address(text)
    assert "SECRET" not in str(told.value)
    with pytest.raises(SettingsError, match=r"holds a user, a password or a signature"):
        as_path(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("s3:/u:SECRET@bucket/a.csv", r"^an address of objects begins with s3://, with two"),
        ("s3:///a.csv", r'^"s3://" names no bucket: .* Write s3://BUCKET/NAME\.$'),
        ("s3://Bucket/a.csv", r'^"s3://Bucket" names no bucket'),
        ("s3://b/a.csv", r'^"s3://b" names no bucket'),
        ("s3://../a.csv", r"names no bucket"),
        ("s3://bucket//a.csv", r'has an empty part, "\." or "\.\."'),
        ("s3://bucket/a//b.csv", r'has an empty part, "\." or "\.\."'),
        ("s3://bucket/../b.csv", r'has an empty part, "\." or "\.\."'),
        ("s3://bucket/a/./b.csv", r'has an empty part, "\." or "\.\."'),
        ("s3://bucket/a\\b.csv", r"has a backslash or a control character"),
        ("s3://bucket/a\nb.csv", r"has a backslash or a control character"),
        ("s3://bucket/a\0.csv", r"has a backslash or a control character"),
        ("s3://bucket/\udcff.csv", r"has a backslash or a control character"),
        ("s3://bucket/" + "é" * 600, r"is longer than 1,024 bytes"),
    ],
)
def test_an_address_that_names_nothing_is_refused(text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        parse_object_address(text)
    assert "\n" not in str(error.value)
    assert "SECRET" not in str(error.value)


@given(st.text(max_size=40))
def test_a_name_without_a_problem_stays_below_its_folder(key: str) -> None:
    if key_problem(key):
        return
    below = Path("/folder", key)
    assert below.resolve().is_relative_to("/folder")
    assert below.relative_to("/folder").as_posix() == key
    if "?" not in key:
        assert parse_object_address(f"s3://bucket/{key}").key == key


def test_other_addresses_are_not_taken_for_paths(tmp_path: Path) -> None:
    for text in ("https://b.s3.amazonaws.com/a?X-Amz-Signature=SECRET", "s3a://k:SECRET@b/a"):
        with pytest.raises(SettingsError, match=r"is no address of objects: these begin") as told:
            as_path(text)
        assert "SECRET" not in str(told.value)
    assert as_path("a/b.csv") == Path("a/b.csv")
    assert not isinstance(as_path("a/b.csv"), ObjectAddress)
    assert as_path("C:/x") == Path("C:/x")
    assert str(as_path("s3://bucket/in/", folder="*")) == "s3://bucket/in/*"
    assert str(as_path("s3://bucket", folder="*")) == "s3://bucket/*"
    assert str(as_path("s3://bucket/in", folder="*")) == "s3://bucket/in"


def test_a_bucket_is_no_object() -> None:
    with pytest.raises(DataError, match=r"^s3://bucket names no object\."):
        require_object(parse_object_address("s3://bucket"))
    with pytest.raises(DataError, match=r"^a\.csv names no object\."):
        require_object(Path("a.csv"))


def test_the_folder_that_a_pattern_begins_with() -> None:
    for text, folder in (
        ("s3://bucket/a/*/b-?.csv", "s3://bucket/a"),
        ("s3://bucket/*.csv", "s3://bucket"),
        ("s3://bucket/a/**", "s3://bucket/a"),
    ):
        address = parse_object_address(text)
        assert is_pattern(address)
        assert str(pattern_folder(address)) == folder
    assert not is_pattern(parse_object_address("s3://bucket/a.csv"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with AWS's two files, and nothing of AWS in the environment."""
    import os

    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(
        "[default]\naws_access_key_id = D\naws_secret_access_key = d%d\n"
        "[night]\naws_access_key_id=N\naws_secret_access_key=n\naws_session_token=t\n"
    )
    (tmp_path / ".aws/config").write_text(
        "[default]\nregion = eu-west-1\n[profile night]\nendpoint_url = http://x:9000\n"
    )
    return tmp_path


def test_what_a_profile_of_aws_sets(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shared_profile() == {
        "access_key_id": "D",
        "secret_access_key": "d%d",
        "region": "eu-west-1",
    }
    monkeypatch.setenv("AWS_PROFILE", "night")
    night = {"access_key_id": "N", "secret_access_key": "n", "session_token": "t"}
    assert shared_profile() == night | {"endpoint": "http://x:9000"}
    # What the environment has comes first.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "E")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://y:9000")
    assert shared_profile() == {}
    monkeypatch.setenv("AWS_PROFILE", "no-such")
    assert shared_profile() == {}


@pytest.mark.parametrize("content", [b"no section", b"\xff\xfe", b"[default\n", b""])
def test_a_damaged_profile_sets_nothing(content: bytes, home: Path) -> None:
    for name in ("credentials", "config"):
        (home / ".aws" / name).write_bytes(content)
    assert shared_profile() == {}
