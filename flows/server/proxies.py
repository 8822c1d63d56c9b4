"""Proxies of the environment, and what must not go through them: the way to a server of one's own.

A proxy elsewhere cannot reach this machine's loopback, and would be told the server's password.
Naming the address in ``NO_PROXY`` is not enough: where a proxy is of a kind that a client does not
know (``socks5://``), the client is not even made. So processes that talk to a server here have no
proxies in their environment at all. They talk to nobody else; the server, which sends the
notifications, keeps them.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

__all__ = ["direct_to", "is_here"]

_NAMES = {"http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy"}


@contextlib.contextmanager
def direct_to(url: str, *, own: bool = False) -> Iterator[None]:
    """While the block runs, and in processes begun in it, go to ``url`` directly if it is here.

    Parameters
    ----------
    own
        It is a server of ours, whatever its address.
    """
    found = {name: value for name, value in os.environ.items() if name.lower() in _NAMES}
    if not (own or is_here(url)):
        found = {}
    for name in found:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(found)


def is_here(url: str) -> bool:
    """Say whether a URL leads to this machine by loopback."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
