"""Connections to stores: credentials, region and endpoint, and how long an answer is waited for.

All of these are those of the environment (``AWS_…``, ``GOOGLE_…``, ``AZURE_…``) or of the
provider's own files, and stay in the library that signs the requests.
"""

from __future__ import annotations

import importlib
import os
import re
from datetime import timedelta
from typing import Any

from ffn.errors import SettingsError
from ffn.extras import how_to_install
from ffn.object_stores.aws_profile import shared_profile
from ffn.object_stores.object_address import ObjectAddress
from ffn.object_stores.store_errors import told_by_store

__all__ = ["connect_to_store", "object_library"]

# An answer to one request; parts are small, so this is for slow lines.
_REQUEST_SECONDS = 120
_CONNECT_SECONDS = 4
_RETRIES = 3
_RETRY_SECONDS = 15
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_ENDPOINT_URL_S3")
_ENDPOINT = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[\w./~-]*)?")


def object_library() -> Any:
    """Return the library that talks to stores.

    Raises
    ------
    SettingsError
        It is not installed.
    """
    try:
        return importlib.import_module("obstore")
    except ImportError:
        raise SettingsError(
            "s3://, gs:// and az:// need the package obstore, which is not installed. Install it: "
            f"{how_to_install('cloud')}"
        ) from None


def connect_to_store(address: ObjectAddress) -> Any:
    """Return the library's object for a bucket; nothing is asked of the store yet.

    Parameters
    ----------
    address
        Anything in the bucket.

    Raises
    ------
    SettingsError
        The endpoint in the environment holds a secret.
    DataError
        The library does not accept what is in the environment.
    """
    stores = importlib.import_module("obstore.store")
    client: dict[str, Any] = {
        "connect_timeout": f"{_CONNECT_SECONDS}s",
        "timeout": f"{_REQUEST_SECONDS}s",
    }
    retry = {
        "max_retries": _RETRIES,
        "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
        "backoff": {
            "init_backoff": timedelta(seconds=0.2),
            "max_backoff": timedelta(seconds=2),
            "base": 2,
        },
    }
    common = {"client_options": client, "retry_config": retry}
    with told_by_store(address):
        if address.scheme == "gs":
            return stores.GCSStore(address.bucket, **common)
        if address.scheme == "az":
            return stores.AzureStore(address.bucket, **common)
        config = shared_profile()
        named = (os.environ.get(name) for name in _ENDPOINTS)
        endpoint = config.get("endpoint") or next(filter(None, named), "")
        _check_endpoint(endpoint)
        if endpoint.startswith("http://"):
            # Who names such an endpoint means it: a store in the own network, or on this machine.
            client["allow_http"] = True
        return stores.S3Store(address.bucket, config=config, **common)


def _check_endpoint(endpoint: str) -> None:
    if endpoint and not _ENDPOINT.fullmatch(endpoint):
        # Not shown: it may hold a user, a password or a signature.
        raise SettingsError(
            "AWS_ENDPOINT_URL is not http(s)://HOST or http(s)://HOST:PORT. Give that alone."
        )
