"""Final states of runs and tasks that were refused: red, one line, and no traceback in the logs.

A refusal, an `FFNError`, is a message to the user. Prefect logs the traceback of every exception
that leaves a flow or a task, and puts the class of the exception before its message. Flows and
tasks therefore return a refusal as a failed state, which Prefect raises for their caller.
"""

from __future__ import annotations

import logging
from typing import Any

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Failed

from ffn.errors import FFNError, one_line

__all__ = ["PartlyRefusedError", "failed"]

# The loggers that tell of exceptions: of the flow run, of the task run, of the run's own process.
_LOGGERS = ("prefect.flow_runs", "prefect.task_runs", "prefect.engine")
_REPEATED = (
    "Engine execution exited",
    "Execution of flow run",
    "Task run failed with state",
)


class PartlyRefusedError(FFNError):
    """A task went to its end but refused some of its files.

    Parameters
    ----------
    reasons
        Why, one line for each refused file.
    result
        Result of the task, with the files that were not refused.
    """

    def __init__(self, reasons: list[str], result: Any) -> None:
        super().__init__("; ".join(reasons))
        self.result = result


def failed(refusal: FFNError) -> State[Any]:
    """Log ``refusal`` and return the state Failed, whose message is that of the refusal.

    The name of the state stays ``Failed``, because automations and the filter of the list of runs
    go by the name.

    Parameters
    ----------
    refusal
        The error; the caller of the flow or task gets it raised.
    """
    said = one_line(refusal)
    get_run_logger().error("%s", said)
    return Failed(data=refusal, message=said)


def _without_traceback(record: logging.LogRecord) -> bool:
    """Remove the traceback of a refusal from ``record``; drop what only repeats the refusal."""
    if not record.exc_info:
        return True
    # Nothing was raised where a task returned a state, and yet Prefect asks for the traceback.
    if record.exc_info[1] is None or isinstance(record.exc_info[1], FFNError):
        record.exc_info = None
        return not str(record.msg).startswith(_REPEATED)
    return True


for _name in _LOGGERS:
    # A logger keeps a filter once, however often it is added.
    logging.getLogger(_name).addFilter(_without_traceback)
