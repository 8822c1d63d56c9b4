"""Figures of experiments that take minutes, kept in ``docs/learn/measured.json``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from examples.course.measurements.mistakes import measure_mistakes
from examples.course.measurements.rates import measure_rates
from examples.course.measurements.speed import measure_speed
from examples.course.page import CHAPTERS
from ffn.storage.atomic import write_bytes

__all__ = ["EXPERIMENTS", "measure_again", "measured"]

_FILE = CHAPTERS / "measured.json"
EXPERIMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "rates": measure_rates,
    "mistakes": measure_mistakes,
    "speed": measure_speed,
}


def measured(name: str) -> dict[str, Any]:
    """Return what an experiment found when it was last run.

    Parameters
    ----------
    name
        One of ``EXPERIMENTS``. ``python -m examples.course measure NAME`` runs it again.
    """
    found: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))[name]
    return found


def measure_again(names: Sequence[str] = ()) -> None:
    """Run experiments, and write what they found into the file.

    Parameters
    ----------
    names
        Which; by default all.
    """
    kept = json.loads(_FILE.read_text("utf-8")) if _FILE.is_file() else {}
    for name in names or EXPERIMENTS:
        begun = time.monotonic()
        kept[name] = EXPERIMENTS[name]()
        sys.stdout.write(f"{name}: {time.monotonic() - begun:.0f} s\n")
        lines = (f'"{key}": {json.dumps(value)}' for key, value in sorted(kept.items()))
        write_bytes(_FILE, ("{" + ",\n".join(lines) + "}\n").encode())
