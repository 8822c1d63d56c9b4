"""How a run ended that did not come to its end, in words: refused, failed, or ended by a signal."""

from __future__ import annotations

import signal

__all__ = ["ending"]

# A shell's convention for a process that a signal ended: 128 and the signal's number.
_BY_SIGNAL = 128
_MEANT = {
    signal.SIGINT: "Ctrl-C",
    signal.SIGHUP: "its terminal was closed",
}


def ending(error: BaseException) -> tuple[str, str]:
    """Return outcome and text of a run that ended with ``error``.

    What is no ``Exception`` came from outside: the run is ``interrupted``, by the signal that can
    be told from it. Everything else ``failed``, with the error's own words or else its type.
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
    """Return the number of the signal that an error stands for; None if it does not say."""
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
        return "ended from outside, before it was done"
    try:
        name = signal.Signals(number)
    except ValueError:
        return f"ended by signal {number}"
    meant = f" ({_MEANT[name]})" if name in _MEANT else ""
    return f"ended by {name.name}{meant}"
