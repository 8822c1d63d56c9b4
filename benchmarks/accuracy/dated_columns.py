"""``python -m benchmarks.accuracy.dated_columns``: what the parts of a date are worth.

Two tables that serve for choosing alone: late flights of New York (nycflights13) by when they are
to depart, and the kind of force that the police of Minneapolis used (openintro) by when it was
called. Prints the table of docs/recipe.md. What competes with the parts that ffn makes is made by
pandas, as columns of numbers or categories.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.accuracy.ablation import RECIPE, Measured, learn_and_test

__all__ = ["VARIANTS", "dated_table", "dated_tables", "main"]

_SPLITS, _TRAIN_ROWS, _TEST_ROWS = 3, 6_000, 5_000
_SETTINGS = RECIPE | {
    "features.most_categories": 50,
    "network.hidden_layers": [64, 64],
    "training.networks": 4,
    "optimizers.adamw.learning_rate": 0.003,
}
_DATE, _LABEL = "at", "label"


def _elapsed(at: Any) -> dict[str, Any]:
    return {"elapsed": (at - at.min()).dt.total_seconds() / 86_400}


def _cycles(at: Any) -> dict[str, Any]:
    import numpy as np

    shares = {
        "year": (at.dt.day_of_year - 1) / (365 + at.dt.is_leap_year),
        "week": at.dt.day_of_week / 7,
        "day": (at - at.dt.normalize()).dt.total_seconds() / 86_400,
    }
    return {
        f"{name} {wave}": function(2 * np.pi * share)
        for name, share in shares.items()
        for wave, function in (("sine", np.sin), ("cosine", np.cos))
    }


def _numbers(at: Any) -> dict[str, Any]:
    minutes = at.dt.hour * 60 + at.dt.minute
    return {"month": at.dt.month, "weekday": at.dt.day_of_week, "minute": minutes}


def _flags(at: Any) -> dict[str, Any]:
    return {"month": at.dt.month_name(), "weekday": at.dt.day_name()}


Variant = tuple[bool, Callable[[Any], dict[str, Any]]]

VARIANTS: dict[str, Variant] = {
    "no date": (False, lambda _: {}),
    "the time passed alone": (False, _elapsed),
    "cycles alone": (False, _cycles),
    "cycles and time passed, without the year": (False, lambda at: _elapsed(at) | _cycles(at)),
    "**all parts, as `ffn init` writes**": (True, lambda _: {}),
    "all, with month, weekday and minute as numbers": (True, _numbers),
    "all, with month and weekday as categories": (True, _flags),
}
"""By its title: whether the column of dates is a feature, and what columns are made of it."""


def dated_table(found: Mapping[str, Mapping[str, Sequence[Measured]]]) -> str:
    """Return the Markdown table: a line for each variant, log-loss and AUC of each table.

    Means over splits; after the log-loss its difference to the first line, with the standard error
    of the paired differences.

    Parameters
    ----------
    found
        For each variant and table, the results by split; the first variant is compared with.
    """
    import numpy as np

    base, *_ = found.values()
    heads = [head for name in base for head in (f"{name}: log-loss", "to the first", "AUC")]
    lines = [f"| inputs | {' | '.join(heads)} |", f"|---|{'--:|' * len(heads)}"]
    for title, results in found.items():
        cells = []
        for name, own in results.items():
            losses = np.array([one.log_loss for one in own])
            gains = losses - [one.log_loss for one in base[name]]
            error = gains.std(ddof=1) / np.sqrt(len(gains))
            change = "" if own is base[name] else f"{gains.mean():+.4f} ± {error:.4f}"
            auc = np.mean([one.auc for one in own])
            cells += [f"{losses.mean():.4f}", change, f"{auc:.3f}"]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def dated_tables() -> Iterator[tuple[str, Any]]:
    """Yield the name and the rows of each table, with the dates as dates."""
    import numpy as np
    import pandas as pd

    from benchmarks.accuracy.tables.shipped import R

    flights = R("nycflights13", "flights").read().dropna(subset=["arr_delay"])
    clock = flights["sched_dep_time"]
    minutes = pd.to_timedelta(clock // 100 * 60 + clock % 100, unit="min")
    flights[_DATE] = pd.to_datetime(flights[["year", "month", "day"]]) + minutes
    flights[_LABEL] = np.where(flights["arr_delay"] >= 15, "late", "on time")
    yield "flights", flights[[_DATE, "carrier", "origin", "dest", "distance", _LABEL]]
    force = R("openintro", "mn_police_use_of_force").read().rename(columns={"force_type": _LABEL})
    force = force[force[_LABEL].isin(["Bodily Force", "Chemical Irritant", "Taser"])]
    # A column with some gaps among all rows may have none among those to learn from.
    gaps = force.isna().mean()
    force = force.dropna(subset=gaps.index[(gaps > 0) & (gaps < 0.01)])
    force[_DATE] = pd.to_datetime(force.pop("response_datetime"), format="%Y/%m/%d %H:%M:%S")
    yield "force", force.drop(columns="force_type_action")


def main() -> None:
    """Measure every variant on every split of both tables, and print."""
    from benchmarks.machine import one_thread

    # Read by each library when it is imported.
    os.environ.update(one_thread())
    found: dict[str, dict[str, list[Measured]]] = {title: {} for title in VARIANTS}
    for name, rows in dated_tables():
        for split in range(_SPLITS):
            own = rows.sample(_TRAIN_ROWS + _TEST_ROWS, random_state=split)
            for title, (dated, make) in VARIANTS.items():
                table = own.assign(**make(own[_DATE]))
                table = table if dated else table.drop(columns=_DATE)
                with TemporaryDirectory(prefix="ffn-dates-") as folder:
                    train, test = (Path(folder) / file for file in ("train.csv", "test.csv"))
                    table[:_TRAIN_ROWS].to_csv(train, index=False)
                    table[_TRAIN_ROWS:].to_csv(test, index=False)
                    measured = learn_and_test(train, test, _SETTINGS)
                found[title].setdefault(name, []).append(measured)
                sys.stderr.write(f"{name}, {split}, {title}: {measured}\n")
    sys.stdout.write(f"{dated_table(found)}\n")


if __name__ == "__main__":
    main()
