"""Dask tells nothing in lines of its own while it is used, whatever levels it has set."""

from __future__ import annotations

import logging
import warnings

import pytest

from ffn.clusters.dask_connection import quiet_dask


@pytest.mark.parametrize("name", ["distributed", "distributed.client", "distributed.quiet.test"])
def test_what_dask_logs_is_not_shown_meanwhile(name: str, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger(name)
    before = logger.level
    # As `distributed` does with some of its loggers when it is imported.
    logger.setLevel(logging.WARNING)
    try:
        with quiet_dask():
            logger.error("Connection refused")
        assert caplog.messages == []
        assert logger.level == logging.WARNING
        logger.error("told again")
        assert caplog.messages == ["told again"]
    finally:
        logger.setLevel(before)


def test_a_call_that_was_dropped_is_not_warned_of_meanwhile() -> None:
    def drop(module: str) -> None:
        told = "coroutine 'connect' was never awaited"
        warnings.warn_explicit(told, RuntimeWarning, "gen.py", 846, module)

    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with quiet_dask():
            drop("tornado.gen")
            drop("distributed.comm.core")
            assert shown == []
            drop("ours")
        drop("tornado.gen")
    assert len(shown) == 2
