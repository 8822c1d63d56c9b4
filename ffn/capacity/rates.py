"""The measured rates that all arithmetic of capacity begins with; `make benchmark` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from ffn.errors import InstallationError
from ffn.storage.documents import parse_json

__all__ = ["RATES_FILE", "Rates", "Way", "known_rates", "read_rates"]

RATES_FILE = Path(__file__).with_name("measured_rates.json")
"""Where ``make benchmark SUITES=scale`` writes what it measured; the one place of these figures."""

_AboveZero = Annotated[float, Field(gt=0)]
_FromZero = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True)
class Way:
    """What one way of scoring takes.

    Attributes
    ----------
    start
        CPU seconds of all processes that do not depend on the length of the input.
    command
        CPU seconds of the command, and of processes that it started, for a gigabyte of input.
    workers
        CPU seconds of a cluster for a gigabyte of input; 0 if there is none.
    task_ms
        CPU milliseconds of a task that computes nothing, in all processes; 0 without a cluster.
    """

    start: _FromZero
    command: _FromZero
    workers: _FromZero
    task_ms: _FromZero


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What was measured.

    Attributes
    ----------
    machine
        What it was measured on.
    row_bytes
        Bytes of input for each row of the file that was scored.
    written
        Bytes of output for each byte of input.
    ways
        By name of the way.
    runs_an_hour
        Score runs that Prefect's server took in an hour, when they were submitted together, by its
        database.
    """

    machine: str
    row_bytes: _AboveZero
    written: _AboveZero
    ways: Mapping[str, Way]
    runs_an_hour: Mapping[str, _AboveZero]


def known_rates() -> Rates:
    """Return the rates that are shipped.

    Raises
    ------
    InstallationError
        Their file is missing or damaged.
    """
    try:
        return read_rates(RATES_FILE.read_bytes())
    except (OSError, ValueError):
        raise InstallationError(
            f"{RATES_FILE} is missing, or has no measured rates. Install ffn-pipeline again."
        ) from None


def read_rates(content: bytes) -> Rates:
    """Return the rates in the bytes of a file.

    Parameters
    ----------
    content
        What the benchmark wrote.

    Raises
    ------
    ValueError
        It is something else.
    """
    return TypeAdapter(Rates).validate_python(parse_json(content))
