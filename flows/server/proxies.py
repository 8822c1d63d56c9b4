"""Bypassing the proxies of the environment for a server on this machine.

A proxy elsewhere cannot reach this machine's loopback, and would receive the server's password.
Listing the address in ``NO_PROXY`` is not enough: with a kind of proxy that a client does not
support (``socks5://``), the client cannot even be created. Therefore processes that talk to a
server here have no proxies in their environment at all. They talk to no other host; the server,
which sends notifications, keeps its proxies.
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
    """Use no proxies while the block runs if ``url`` is on this machine; child processes, too.

    Parameters
    ----------
    url
        URL of the server.
    own
        True if ffn has started the server, whatever its address.
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
    """Return whether ``url`` leads to this machine over loopback."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
