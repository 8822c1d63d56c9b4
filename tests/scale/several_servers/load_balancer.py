"""What stands before several servers: each connection goes to the next one that takes it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence

__all__ = ["balanced"]

_AT_ONCE = 64 * 1024


class _Balancer:
    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = list(ports)
        self._turn = 0
        self.taken = dict.fromkeys(ports, 0)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self._ports:
            port = self._ports[self._turn % len(self._ports)]
            self._turn += 1
            with contextlib.suppress(OSError):
                there, back = await asyncio.open_connection("127.0.0.1", port)
                self.taken[port] += 1
                await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
                break
        writer.close()

    @staticmethod
    async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while some := await source.read(_AT_ONCE):
                target.write(some)
                await target.drain()
        target.close()


@contextlib.contextmanager
def balanced(ports: Sequence[int]) -> Iterator[tuple[int, dict[int, int]]]:
    """Pass connections on while the block runs; yield the port, and how many each server took."""
    loop = asyncio.new_event_loop()
    balancer = _Balancer(ports)
    server = loop.run_until_complete(asyncio.start_server(balancer.take, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1], balancer.taken
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()
