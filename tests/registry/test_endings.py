"""What is told of runs that did not come to their end: each way in which one may end."""

from __future__ import annotations

import asyncio
import re
import signal

import pytest
from prefect.exceptions import TerminationSignal

from ffn.errors import DataError
from ffn.pipelines.interruption import Interrupted
from ffn.registry.endings import ending
from ffn.registry.run_log import journal, running


@pytest.mark.parametrize(
    ("error", "outcome", "text"),
    [
        (SystemExit(143), "interrupted", "ended by SIGTERM"),
        (SystemExit(129), "interrupted", "ended by SIGHUP (its terminal was closed)"),
        (SystemExit(130), "interrupted", "ended by SIGINT (Ctrl-C)"),
        (SystemExit(137), "interrupted", "ended by SIGKILL"),
        (SystemExit(-9), "interrupted", "ended by SIGKILL"),
        (SystemExit(128 + 99), "interrupted", "ended by signal 99"),
        (KeyboardInterrupt(), "interrupted", "ended by SIGINT (Ctrl-C)"),
        (TerminationSignal(signal.SIGTERM), "interrupted", "ended by SIGTERM"),
        (TerminationSignal(signal=15), "interrupted", "ended by SIGTERM"),
        (Interrupted(), "interrupted", "interrupted before it was done"),
        (asyncio.CancelledError(), "interrupted", "interrupted before it was done"),
        (SystemExit(1), "failed", "ended with exit code 1"),
        (SystemExit(128), "failed", "ended with exit code 128"),
        (SystemExit(None), "failed", "ended with exit code 0"),
        (SystemExit("no room"), "failed", "no room"),
        (DataError("t.csv: no rows."), "failed", "t.csv: no rows."),
        (MemoryError(), "failed", "ended with MemoryError"),
    ],
)
def test_an_ending_is_told_in_words(tmp_path, error, outcome: str, text: str) -> None:
    assert ending(error) == (outcome, text)
    same = rf"\A{re.escape(str(error))}\Z"
    with pytest.raises(type(error), match=same) as raised, running(tmp_path, "retrain"):
        raise error
    assert raised.value is error
    (entry,) = journal(tmp_path)
    assert (entry.outcome, entry.text) == (outcome, text)


def test_what_a_run_said_of_itself_before_it_ended_stays(tmp_path) -> None:
    def scoring() -> None:
        with running(tmp_path, "score") as note:
            note.outcome, note.text = "refused", "one file"
            raise SystemExit(143)

    with pytest.raises(SystemExit, match="143"):
        scoring()
    (entry,) = journal(tmp_path)
    assert (entry.outcome, entry.text) == ("refused", "one file")
