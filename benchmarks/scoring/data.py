"""CSV files to score, as large as asked for, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

__all__ = ["SHAPES", "write_rows"]

_AT_ONCE = 50_000
_FLOWERS = "id,sepal_length,sepal_width,petal_length,petal_width,note\n"
_BIRDS = "id,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,note\n"


def _fixed_width(generator: np.random.Generator, first: int) -> Iterator[str]:
    """Flowers measured to a tenth: every record is laid out like every other."""
    tenths = generator.integers(10, 80, (_AT_ONCE, 4)).tolist()
    for row, (a, b, c, d) in enumerate(tenths, first):
        numbers = f"{a / 10:.1f},{b / 10:.1f},{c / 10:.1f},{d / 10:.1f}"
        yield f"{row:08d},{numbers},field {row % 1000:03d}\n"


def _variable_width(generator: np.random.Generator, first: int) -> Iterator[str]:
    """Flowers measured to 0..3 places; one note in 1,000 quoted, one number in 10,000 text."""
    values = generator.uniform(0.5, 12, (_AT_ONCE, 4)).tolist()
    places = generator.integers(0, 4, (_AT_ONCE, 4)).tolist()
    for row, (own_values, own_places) in enumerate(zip(values, places, strict=True), first):
        cells = [f"{value:.{n}f}" for value, n in zip(own_values, own_places, strict=True)]
        if row % 10_000 == 77:
            cells[1] = "3.1?"
        note = f'"field, ""{row % 1000}"""' if row % 1000 == 7 else f"field {row % 1000}"
        yield f"{row},{','.join(cells)},{note}\n"


def _categories(generator: np.random.Generator, first: int) -> Iterator[str]:
    """Penguins: two categories, four numbers, one cell in thirty empty."""
    islands = generator.choice(["Biscoe", "Dream", "Torgersen"], _AT_ONCE).tolist()
    sexes = generator.choice(["male", "female", ""], _AT_ONCE, p=[0.48, 0.48, 0.04]).tolist()
    bills = generator.uniform((32, 13), (60, 22), (_AT_ONCE, 2)).tolist()
    sizes = generator.integers((172, 2700), (232, 6300), (_AT_ONCE, 2)).tolist()
    empty = (generator.random((_AT_ONCE, 4)) < 1 / 30).tolist()
    columns = zip(islands, bills, sizes, sexes, empty, strict=True)
    for row, (island, (length, depth), (flipper, mass), sex, missing) in enumerate(columns, first):
        numbers = (f"{length:.1f}", f"{depth:.1f}", f"{flipper}", f"{mass}")
        cells = ["" if gone else cell for cell, gone in zip(numbers, missing, strict=True)]
        yield f"{row},{island},{','.join(cells)},{sex},bird {row % 1000}\n"


_Maker = Callable[[np.random.Generator, int], Iterator[str]]

SHAPES: dict[str, tuple[str, _Maker]] = {
    "fixed-width": (_FLOWERS, _fixed_width),
    "variable-width": (_FLOWERS, _variable_width),
    "categories": (_BIRDS, _categories),
}


def write_rows(shape: str, rows: int, path: Path, *, seed: int = 20260101) -> None:
    """Write ``rows`` records (a multiple of 50,000) of one of the `SHAPES` to ``path``."""
    header, make = SHAPES[shape]
    generator = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(header)
        for first in range(0, rows, _AT_ONCE):
            file.write("".join(make(generator, first)))
