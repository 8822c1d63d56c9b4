"""``python -m benchmarks.accuracy.longer_students``: students of tables beyond 10,000 rows.

Two longer tables that serve for choosing alone: late flights, and letters, these also with their 26
classes put together to fewer. Prints the table of docs/recipe.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.accuracy.ablation import RECIPE, learn_and_test

__all__ = ["VARIANTS", "longer_students_table", "main"]

_LONGER = RECIPE | {"network.hidden_layers": [256, 128], "training.batch_size": 256}
_DISTILLED = {"training.ensemble": "distilled", "training.boosted_teachers": 4}

VARIANTS: dict[str, dict[str, Any]] = {
    "average of the networks": {},
    "student 64-64": _DISTILLED | {"network.student_layers": [64, 64]},
    "128-128": _DISTILLED | {"network.student_layers": [128, 128]},
    "256-128": _DISTILLED | {"network.student_layers": [256, 128]},
}
"""By its title, what is set beside the recipe of such tables."""

# By the title of a table: its name in the catalogue, and of how many classes; None: its own.
_TABLES: dict[str, tuple[str, int | None]] = {
    "flights": ("flights", None),
    "letter in four classes": ("letter", 4),
    "letter in nine classes": ("letter", 9),
    "letter": ("letter", None),
}


def longer_students_table(found: Mapping[str, tuple[int, int, Mapping[str, float]]]) -> str:
    """Return the Markdown table: a line for each table, its best log-loss in bold.

    Parameters
    ----------
    found
        By title of a table its training rows, its classes and the log-loss of each variant.
    """
    lines = [
        f"| table | training rows | classes | {' | '.join(VARIANTS)} |",
        f"|---|{'--:|' * (len(VARIANTS) + 2)}",
    ]
    for title, (rows, classes, losses) in found.items():
        texts = [f"{losses[name]:.3f}" for name in VARIANTS]
        best = f"{min(losses.values()):.3f}"
        shown = " | ".join(f"**{text}**" if text == best else text for text in texts)
        lines.append(f"| {title} | {rows:,} | {classes} | {shown} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Measure every variant on every table, and print.

    Parameters
    ----------
    arguments
        Those of the command line; None, the default: those of this process.
    """
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    from benchmarks.machine import one_thread

    # Read by each library when it is imported.
    os.environ.update(one_thread())
    from benchmarks.accuracy.tables.catalogue import CHOOSING, tables_named
    from benchmarks.accuracy.tables.splitting import write_split

    found = {}
    for title, (name, classes) in _TABLES.items():
        with TemporaryDirectory(prefix="ffn-students-") as folder:
            split = write_split(tables_named([name], CHOOSING)[0], 0, Path(folder))
            if classes is not None:
                for path in (split.train, split.test):
                    _put_together(path, classes)
            losses = {}
            for variant, settings in VARIANTS.items():
                losses[variant] = learn_and_test(
                    split.train, split.test, _LONGER | settings
                ).log_loss
                sys.stderr.write(f"{title}, {variant}: {losses[variant]:.4f}\n")
            found[title] = split.rows, classes or split.classes, losses
    sys.stdout.write(f"{longer_students_table(found)}\n")


def _put_together(path: Path, classes: int) -> None:
    """Replace letters by their place in the alphabet modulo a number of classes."""
    import pandas as pd

    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows["label"] = [f"class {(ord(letter) - ord('A')) % classes}" for letter in rows["label"]]
    rows.to_csv(path, index=False)


if __name__ == "__main__":
    main()
