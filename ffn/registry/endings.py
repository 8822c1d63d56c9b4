"""Describe how an unsuccessful run ended: by an error, an exit code or a signal."""

from __future__ import annotations

import signal

__all__ = ["ending"]

# Shell convention: the exit code of a process ended by a signal is 128 plus the signal's number.
_BY_SIGNAL = 128
_MEANT = {
    signal.SIGINT: "Ctrl-C",
    signal.SIGHUP: "its terminal was closed",
}


def ending(error: BaseException) -> tuple[str, str]:
    """Return outcome and text of a run that ended with ``error``.

    The outcome is ``interrupted`` if the error is not an `Exception`, which means that the run was
    ended from outside, with the signal in the text if it is known. Otherwise it is ``failed``,
    with the message of the error, or its type if it has none.
    """
    if isinstance(error, Exception):
        return "failed", str(error) or f"ended with {type(error).__name__}"
    number = _number(error)
    if number is None and isinstance(error, SystemExit):
        if isinstance(error.code, str) and error.code:
            return "failed", error.code
        return "failed", f"ended with exit code {error.code or 0}"
    return "interrupted", _told(number)


def _number(error: BaseException) -> int | None:
    """Return the number of the signal behind an error; None if it is unknown."""
    if isinstance(error, KeyboardInterrupt):
        return signal.SIGINT
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else 0
        # A process's own code is 0 to 128; ``subprocess`` counts signals from zero down.
        return -code if code < 0 else code - _BY_SIGNAL if code > _BY_SIGNAL else None
    # Prefect's TerminationSignal has it.
    number = getattr(error, "signal", None)
    return number if isinstance(number, int) else None


def _told(number: int | None) -> str:
    if number is None:
        return "interrupted before it was done"
    try:
        name = signal.Signals(number)
    except ValueError:
        return f"ended by signal {number}"
    meant = f" ({_MEANT[name]})" if name in _MEANT else ""
    return f"ended by {name.name}{meant}"
