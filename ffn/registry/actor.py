"""Identity of a user or process for the records: user, host, command line, flow run."""

from __future__ import annotations

import os
import pwd
import shlex
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Actor", "this_process"]

_LONGEST_COMMAND = 300


@dataclass(frozen=True, kw_only=True)
class Actor:
    """User and process that made or promoted a version.

    Attributes
    ----------
    user, host
        Name of the user and of the machine.
    command
        Command line of the process, shortened.
    flow_run
        Prefect's id of the flow run; empty outside one.
    """

    user: str
    host: str
    command: str
    flow_run: str = ""

    def __str__(self) -> str:
        run = f", flow run {self.flow_run}" if self.flow_run else ""
        return f"{self.user} on {self.host} ({self.command}{run})"


def this_process(flow_run: str = "") -> Actor:
    """Return this process as an actor.

    Parameters
    ----------
    flow_run
        Prefect's id of the flow run; by default none.
    """
    return Actor(
        user=_user(), host=socket.gethostname(), command=_command(sys.argv), flow_run=flow_run
    )


def _user() -> str:
    """Return the name of the effective user; environment variables may name another."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # containers may run under a user id without a name
        return f"uid {number}"


def _command(arguments: list[str]) -> str:
    program = Path(arguments[0] if arguments else "")
    # ``python -m flows`` is what ``ffn`` is.
    name = program.parent.name if program.name == "__main__.py" else program.name
    command = shlex.join([name or "python", *arguments[1:]])
    # Bytes that are not valid text cannot be stored in JSON.
    text = command.encode(errors="replace").decode()
    return text if len(text) <= _LONGEST_COMMAND else text[: _LONGEST_COMMAND - 1] + "…"
