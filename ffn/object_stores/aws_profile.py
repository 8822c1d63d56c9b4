"""Keys, region and endpoint that the files of the AWS command line hold.

The library that talks to the stores reads the environment, and the roles of machines and containers
in the cloud, but not ``~/.aws``. A profile that has to be exchanged for keys first (SSO, roles) is
not followed: that is the work of AWS's own command.
"""

from __future__ import annotations

import configparser
import contextlib
import os
from pathlib import Path

__all__ = ["shared_profile"]

_KEYS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
}
_PLACES = {"region": "region", "endpoint_url": "endpoint"}


def shared_profile() -> dict[str, str]:
    """Return what the profile in ``AWS_PROFILE`` (``default`` if unset) sets, by option of a store.

    What the environment sets is left out: it comes first. A file that is missing or damaged sets
    nothing.
    """
    environment = os.environ
    profile = environment.get("AWS_PROFILE", "default")
    found: dict[str, str] = {}
    if not any(
        name in environment
        for name in (
            "AWS_ACCESS_KEY_ID",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        )
    ):
        keys = _section("AWS_SHARED_CREDENTIALS_FILE", "credentials", profile)
        found |= {ours: keys[name] for name, ours in _KEYS.items() if name in keys}
    places = _section(
        "AWS_CONFIG_FILE", "config", profile if profile == "default" else f"profile {profile}"
    )
    found |= {ours: places[name] for name, ours in _PLACES.items() if name in places}
    if "AWS_REGION" in environment or "AWS_DEFAULT_REGION" in environment:
        found.pop("region", None)
    if "AWS_ENDPOINT_URL" in environment or "AWS_ENDPOINT" in environment:
        found.pop("endpoint", None)
    return found


def _section(variable: str, name: str, section: str) -> dict[str, str]:
    path = Path(os.environ.get(variable) or Path.home() / ".aws" / name)
    # A % in a secret is a percent sign.
    parser = configparser.ConfigParser(interpolation=None)
    with contextlib.suppress(OSError, ValueError, configparser.Error):
        parser.read_string(path.read_text("utf-8"))
        if parser.has_section(section):
            return dict(parser.items(section))
    return {}
