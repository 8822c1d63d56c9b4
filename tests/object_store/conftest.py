"""An S3 server of the tests' own on a free port of the loopback, and a bucket in it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.helpers.waiting import wait_for

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test-key",
    "AWS_SECRET_ACCESS_KEY": "test-SECRET-9f2c",
    "AWS_REGION": "us-east-1",
}


class Store:
    """A bucket, looked at with another library than the product's.

    Attributes
    ----------
    bucket
        Its name.
    """

    def __init__(self, client) -> None:
        self.client, self.bucket = client, f"b{uuid.uuid4().hex[:12]}"
        client.create_bucket(Bucket=self.bucket)

    def address(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def names(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return sorted(one["Key"] for one in found)

    def uploads(self) -> list[str]:
        """Keys of uploads that were begun and neither completed nor taken back."""
        found = self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return [one["Key"] for one in found]


@contextlib.contextmanager
def moto_server(folder: Path, **variables: str) -> Iterator[str]:
    """Run a server while the block runs; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "log"
    with log.open("wb") as told:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env=os.environ | variables,
            stdout=told,
            stderr=told,
        )
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        if server.poll() is not None:
            raise RuntimeError(log.read_text())
        try:
            with urllib.request.urlopen(f"{address}/moto-api/", timeout=5):
                return True
        except OSError:
            return False

    try:
        wait_for(answers)
        yield address
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("moto")) as address:
        yield address


@pytest.fixture
def cloud(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The environment of somebody who uses the server, and nothing else of AWS's; its address."""
    for name in os.environ:
        if name.startswith(("AWS_", "FFN_")):
            monkeypatch.delenv(name)
    # Neither this machine's own profile nor what a machine in the cloud would have.
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint}).items():
        monkeypatch.setenv(name, value)
    from ffn.object_stores.buckets import forget_buckets

    forget_buckets()
    return endpoint


@pytest.fixture
def store(cloud: str) -> Store:
    return Store(boto3.client("s3", endpoint_url=cloud))
