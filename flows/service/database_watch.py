"""Tells when PostgreSQL stops answering Prefect's server, and when it answers again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import httpx

__all__ = ["watch_database"]

_EVERY_SECONDS = 5.0


async def watch_database(api: str, tell: Callable[[str], None]) -> None:
    """Watch until cancelled.

    A server that does not answer at all is reported by what restarts it.

    Parameters
    ----------
    api
        URL of the server's API.
    tell
        Prints a line of the service's output.
    """
    lost = False
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        while True:
            try:
                answer = await client.get(f"{api}/ready")
            except httpx.HTTPError:
                answer = None
            if answer is not None:
                now_lost = answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
                if now_lost and not lost:
                    tell(
                        "PostgreSQL does not answer Prefect's server. Runs at work go on, and none "
                        "is started until it is back."
                    )
                elif lost and not now_lost:
                    tell("PostgreSQL answers again.")
                lost = now_lost
            await asyncio.sleep(_EVERY_SECONDS)
