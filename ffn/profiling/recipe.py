"""The recipe that a new pipeline starts with: settings of network and training by table size.

Each setting was chosen by its effect on tables that no reported figure comes from; the measurements
are in docs/recipe.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ffn.profiling.table_profile import TableProfile

__all__ = ["Recipe", "recipe_for"]

# Quantile bins of a number, and of one in a wide table, where the first layer takes most time.
_BINS, _FEW_BINS = 16, 4
_MOST_BIN_INPUTS = 4_000
# Further numbers that come from a date, or from a time of day.
_PARTS = 7
_PARTS_OF_A_DAY = 2
# Categories with an input of their own.
_MOST_CATEGORIES = 50
_Layers = tuple[int, ...]
# By the largest number of rows: hidden layers, networks, validation share, batch size.
_BY_ROWS: tuple[tuple[float, _Layers, int, float, int], ...] = (
    (999, (64, 64), 16, 0.2, 64),
    (10_000, (128, 128), 8, 0.125, 128),
    (50_000, (256, 128), 8, 0.125, 256),
    (500_000, (256, 128), 4, 0.1, 512),
    (math.inf, (256, 128), 2, 0.05, 1024),
)
# By the largest numbers of rows and classes: layers of a student, and models of trees that teach
# it. Beyond 10,000 rows, students of many classes were worse than their teachers.
_STUDENTS: tuple[tuple[int, float, _Layers, int], ...] = (
    (999, math.inf, (32, 32), 0),
    (10_000, math.inf, (64, 64), 4),
    (50_000, 4, (256, 128), 4),
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of ``[network]``, ``[features]`` and ``[training]`` that depend on the table.

    Attributes
    ----------
    hidden_layers
        Units of each hidden layer.
    student_layers
        The same for the one network into which the others are distilled; None to average them.
    boosted_teachers
        Models of boosted trees from which that one learns as well.
    bins
        Quantile bins of each number; 0 to standardise numbers instead.
    most_categories
        Categories of a column that get an input of their own.
    networks, validation_share
        Number of resamples, and share of the rows that each validates on.
    batch_size
        Rows per step.
    """

    hidden_layers: tuple[int, ...]
    student_layers: tuple[int, ...] | None
    boosted_teachers: int
    bins: int
    most_categories: int
    networks: int
    validation_share: float
    batch_size: int


def recipe_for(found: TableProfile, rows: int) -> Recipe:
    """Return the recipe for a table.

    The longer the table, the less its networks differ, and the fewer are needed: 16 below 1,000
    rows, 8 up to 50,000, 4 up to 500,000, and 2 beyond. Batches grow from 64 to 1,024 rows, and
    layers from 64-64 to 128-128 and, above 10,000 rows, 256-128. Up to 10,000 rows the networks are
    distilled into one, which scores many times faster, and from 1,000 rows up that one learns from
    boosted trees as well; of up to four classes so they are up to 50,000 rows.

    Parameters
    ----------
    found
        Its profile, with the kind of each feature.
    rows
        Its number of rows.
    """
    numbers = sum(kind == "numeric" for kind in found.kinds.values())
    for word, parts in (("dates", _PARTS), ("times of day", _PARTS_OF_A_DAY)):
        numbers += parts * sum(why.startswith(word) for why in found.reasons.values())
    fitting = [bins for bins in (_BINS, _FEW_BINS) if numbers * (bins + 2) <= _MOST_BIN_INPUTS]
    _, hidden_layers, networks, share, batch_size = next(row for row in _BY_ROWS if rows <= row[0])
    student_layers, trees = next(
        (
            (layers, trees)
            for most_rows, most_classes, layers, trees in _STUDENTS
            if rows <= most_rows and found.classes <= most_classes
        ),
        (None, 0),
    )
    return Recipe(
        hidden_layers=hidden_layers,
        student_layers=student_layers,
        boosted_teachers=trees,
        bins=fitting[0] if fitting else 0,
        most_categories=_MOST_CATEGORIES,
        networks=networks,
        validation_share=share,
        batch_size=batch_size,
    )
