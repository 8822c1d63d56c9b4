"""What a store refuses is one line without secrets, within seconds, and nothing is written."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from ffn.errors import DataError, OutputError, SettingsError
from ffn.object_stores.buckets import ObjectState, bucket_of, forget_buckets
from ffn.object_stores.object_address import as_path, parse_object_address
from ffn.object_stores.store_connections import connect_to_store
from ffn.object_stores.store_errors import ChangedObjectError
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import TenthsScorer
from tests.object_store.conftest import CREDENTIALS, Store, moto_server

ROWS = b"size,colour\n7,red\n"


def score(source: str, output: str) -> None:
    score_csv(TenthsScorer(), as_path(source), as_path(output))


def refused(source: str, output: str) -> str:
    with pytest.raises(DataError, match=r"^s3://.*\.$") as told:
        score(source, output)
    text = str(told.value)
    assert "\n" not in text
    assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in text
    assert CREDENTIALS["AWS_ACCESS_KEY_ID"] not in text
    return text


def test_a_bucket_that_does_not_exist(cloud: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(ROWS)
    there_is_none = "there is no bucket no-such. Correct the name, or make the bucket."
    assert refused("s3://no-such/in.csv", f"{tmp_path}/o.csv") == (
        f"s3://no-such/in.csv cannot be read: {there_is_none}"
    )
    assert refused(f"{tmp_path}/in.csv", "s3://no-such/o.csv") == (
        f"s3://no-such/o.csv cannot be written: {there_is_none}"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_an_object_that_does_not_exist(store: Store, tmp_path: Path) -> None:
    address = store.address("in.csv")
    assert refused(address, f"{tmp_path}/o.csv") == (
        f"{address} does not exist. Give the address of a table."
    )


def test_a_bucket_alone_is_no_object(store: Store, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(ROWS)
    with pytest.raises(DataError, match=r"names no object\. Give bucket and name"):
        score(f"{tmp_path}/in.csv", f"s3://{store.bucket}")


def test_a_store_that_cannot_be_reached(
    cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        # Bound and not listening: a connection is refused.
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        forget_buckets()
        assert "the store cannot be reached. Check the network" in refused(
            "s3://b12/in.csv", f"{tmp_path}/o.csv"
        )


@pytest.mark.parametrize("size", [1, 40_000_000])
def test_a_store_that_is_lost_while_it_is_written_to(
    size: int, cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(b"x" * size)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        forget_buckets()
        with pytest.raises(OutputError, match=r"^s3://b12/x cannot be written: the store cannot"):
            bucket_of(parse_object_address("s3://b12/x")).put_file("x", tmp_path / "x")


@pytest.mark.parametrize(
    ("address", "told"),
    [("az://box/x", "Set AZURE_STORAGE_ACCOUNT_NAME"), ("gs://b12/x", "GOOGLE_APPLICATION_CRED")],
)
def test_credentials_of_the_other_stores(
    address: str, told: str, cloud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file.json")
    with pytest.raises(DataError, match=rf"cannot be read: .*{told}"):
        bucket_of(parse_object_address(address)).state("x")


def test_credentials_that_are_missing(
    cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    # Where a machine in the cloud asks for its role; here nothing listens.
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://169.254.169.254:1")
    forget_buckets()
    assert refused("s3://b12/in.csv", f"{tmp_path}/o.csv") == (
        "s3://b12/in.csv cannot be read: no credentials were found. Set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
    )


def test_keys_of_a_profile_are_found(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    endpoint = store.client.meta.endpoint_url
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(
        "[night]\naws_access_key_id = a\naws_secret_access_key = b%c\n"
    )
    (tmp_path / ".aws/config").write_text(
        f"[profile night]\nregion = us-east-1\nendpoint_url = {endpoint}\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "night")
    forget_buckets()
    store.put("in.csv", ROWS)
    score(store.address("in.csv"), f"{tmp_path}/o.csv")
    assert (tmp_path / "o.csv").is_file()


def answer(status: int, code: str) -> bytes:
    body = f"<Error><Code>{code}</Code><Message>{CREDENTIALS}</Message></Error>".encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}"
    return f"{head}\r\nConnection: close\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        # As Amazon documents them: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        (400, "ExpiredToken", "the credentials have expired. Renew them."),
        (403, "InvalidAccessKeyId", "the store does not know these credentials"),
        (403, "SignatureDoesNotMatch", "the store does not know these credentials"),
        (403, "AccessDenied", "permission denied"),
        (403, "RequestTimeTooSkewed", "the clock of this machine differs from that of the store."),
        (400, "InvalidRequest", "the store answers InvalidRequest."),
        (501, "NotImplemented", "the store answers NotImplemented."),
    ],
)
def test_what_a_store_answers(
    status: int,
    code: str,
    told: str,
    cloud: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(answer(status, code))
            self.close_connection = True

        do_PUT = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
            forget_buckets()
            (tmp_path / "in.csv").write_bytes(ROWS)
            assert told in refused(f"{tmp_path}/in.csv", "s3://b12/o.csv")
            with pytest.raises(DataError, match=r"^s3://b12.* cannot be read: ") as error:
                list(bucket_of(parse_object_address("s3://b12/x")).listing("x"))
            assert told in str(error.value)
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that looks at who asks, from its fifth request on."""
    with moto_server(tmp_path_factory.mktemp("strict"), INITIAL_NO_AUTH_ACTION_COUNT="5") as there:
        yield there


def test_a_user_who_may_read_and_not_write(
    strict_server: str, cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", strict_server)
    forget_buckets()
    iam, s3 = (
        boto3.client(name, endpoint_url=strict_server, region_name="us-east-1")
        for name in ("iam", "s3")
    )
    s3.create_bucket(Bucket="guarded")
    s3.put_object(Bucket="guarded", Key="in.csv", Body=ROWS)
    iam.create_user(UserName="reader")
    may = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*", "s3:Head*"], "Resource": "*"}
        ],
    }
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps(may))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    forget_buckets()
    score("s3://guarded/in.csv", f"{tmp_path}/o.csv")
    with pytest.raises(
        OutputError,
        match=r"^s3://guarded/o\.csv cannot be written: permission denied \(AccessDenied\)\. Give "
        r"these credentials the right to write there",
    ):
        score("s3://guarded/in.csv", "s3://guarded/o.csv")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN")
    forget_buckets()
    with pytest.raises(DataError, match=r"cannot be read: "):
        score("s3://guarded/in.csv", f"{tmp_path}/o.csv")


def test_an_object_that_is_replaced_while_it_is_read(store: Store, tmp_path: Path) -> None:
    store.put("in.csv", ROWS)
    bucket = bucket_of(parse_object_address(store.address("in.csv")))
    found = bucket.state("in.csv")
    assert found is not None
    store.put("in.csv", ROWS + b"1,blue\n")
    with pytest.raises(ChangedObjectError, match=r"in\.csv changed while it was read\. Try again"):
        bucket.fetch(found, tmp_path / "copy")
    store.client.delete_object(Bucket=store.bucket, Key="in.csv")
    with pytest.raises(ChangedObjectError, match=r"in\.csv was removed while it was read\."):
        bucket.fetch(found, tmp_path / "copy")


def test_an_object_that_is_longer_than_declared_by_the_list_is_cut_nowhere(
    store: Store, tmp_path: Path
) -> None:
    store.put("in.csv", ROWS)
    bucket = bucket_of(parse_object_address(store.address("in.csv")))
    lie = ObjectState("in.csv", len(ROWS) + 5, "")
    with pytest.raises(ChangedObjectError, match=r"and the store gives fewer\. Try again\.$"):
        bucket.fetch(lie, tmp_path / "copy")


@pytest.mark.parametrize(
    "endpoint", ["http://u:p@127.0.0.1:1", "http://127.0.0.1:1?X-Amz=sig", "not an address"]
)
def test_an_endpoint_with_a_secret_is_refused(
    endpoint: str, cloud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(SettingsError, match=r"^AWS_ENDPOINT_URL is not http.* alone\.$"):
        connect_to_store(parse_object_address("s3://b12/x"))


def test_nothing_of_the_library_is_loaded_for_files(repository: Path) -> None:
    code = (
        "import sys, ffn, flows.cli.app, ffn.pipelines.batch_scoring, ffn.training.tables.loading\n"
        "sys.exit('obstore' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, check=False)
    assert done.returncode == 0


def test_the_command_says_it_in_one_line_and_leaves_no_secret_behind(
    store: Store, repository: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows", "score", "iris", store.address("no.csv"), "--direct"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
