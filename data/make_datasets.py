"""Make the shipped data sets again, byte for byte, from their published sources.

    python data/make_datasets.py                       # both, into this folder
    python data/make_datasets.py --penguins FILE.csv   # penguins from a file instead of the package

Iris is scikit-learn's copy of Fisher's table (``sklearn.datasets.load_iris``). Palmer penguins
is ``data/penguins.csv`` of the package ``palmerpenguins`` (``pip install --no-deps
palmerpenguins``; it is only read, never imported). Both sources are checked by SHA-256 before
anything is written. The inbox tables are made up: each row lies halfway between two rows of one
species drawn at random from a fixed seed, rounded as the originals are. Licences and citations
are in ``data/README.md``.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import random
import statistics
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

Row = dict[str, str]

IRIS_SHA256 = "09d1766be79ec606b4c045059bc4b0d3e6a693b61d1cdfc6bdd45af42531df65"
PENGUINS_SHA256 = "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93"
SEED = 1936
MISSING = "NA"

IRIS_FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
PENGUIN_NUMBERS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
PENGUIN_FEATURES = ("island", *PENGUIN_NUMBERS, "sex")


class SourceError(Exception):
    """A source is absent or is not the published one."""


def main() -> int:
    """Write both training tables and both inboxes; return the exit code."""
    parser = argparse.ArgumentParser(description="Make data/iris and data/penguins again.")
    parser.add_argument("--penguins", type=Path, metavar="CSV", help="penguins.csv as published")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, metavar="FOLDER")
    options = parser.parse_args()
    try:
        # First what may be refused: scikit-learn takes a second to load.
        penguins = read_penguins(options.penguins or find_penguins())
        iris = read_iris()
    except SourceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    flowers = invent_flowers(iris, random.Random(SEED))
    birds = invent_penguins(penguins, random.Random(SEED))
    write_table(options.output / "iris/train.csv", iris)
    write_table(options.output / "iris/inbox/new_flowers.csv", flowers)
    write_table(options.output / "penguins/train.csv", penguins)
    write_table(options.output / "penguins/inbox/new_penguins.csv", birds)
    return 0


def read_iris() -> list[Row]:
    """Return Fisher's 150 flowers, lengths and widths in centimetres, species last.

    Raises
    ------
    SourceError
        The installed scikit-learn carries another table.
    """
    from sklearn.datasets import load_iris

    table = load_iris()
    rows = [
        dict(zip(IRIS_FEATURES, (f"{value:.1f}" for value in values), strict=True))
        | {"species": f"Iris-{table.target_names[label]}"}
        for values, label in zip(table.data, table.target, strict=True)
    ]
    check_digest("scikit-learn's Iris", render(rows).encode(), IRIS_SHA256)
    return rows


def find_penguins() -> Path:
    """Return where the installed package ``palmerpenguins`` keeps its table.

    Raises
    ------
    SourceError
        The package is not installed or holds no such file.
    """
    try:
        found = [file for file in files("palmerpenguins") or [] if file.name == "penguins.csv"]
    except PackageNotFoundError:
        found = []
    if not found:
        raise SourceError(
            "Package palmerpenguins: not installed. Run `pip install --no-deps palmerpenguins`, "
            "or name its penguins.csv with --penguins."
        )
    return Path(str(found[0].locate()))


def read_penguins(path: Path) -> list[Row]:
    """Return the 344 penguins of ``path`` as published, but with the species last.

    Raises
    ------
    SourceError
        The file cannot be read or its SHA-256 is not that of the published table.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}.") from None
    check_digest(str(path), content, PENGUINS_SHA256)
    rows = csv.DictReader(io.StringIO(content.decode()))
    columns = (*PENGUIN_FEATURES, "year", "species")
    return [{column: row[column] for column in columns} for row in rows]


def invent_flowers(rows: list[Row], draw: random.Random) -> list[Row]:
    """Return twelve unlabelled flowers, four of each species, shuffled and numbered."""
    measured = [{name: row[name] for name in IRIS_FEATURES} for row in rows]
    flowers: list[Row] = []
    for species in sorted({row["species"] for row in rows}):
        group = [row for row in rows if row["species"] == species]
        wanted = len(flowers) + 4
        while len(flowers) < wanted:
            parents = draw.sample(group, 2)
            flower = {name: f"{midpoint(parents, name):.1f}" for name in IRIS_FEATURES}
            if flower not in measured and flower not in flowers:
                flowers.append(flower)
    draw.shuffle(flowers)
    return [{"flower_id": f"{number:03}"} | row for number, row in enumerate(flowers, start=1)]


def invent_penguins(rows: list[Row], draw: random.Random) -> list[Row]:
    """Return nine unlabelled penguins, three of each species; two sexes and one bill missing."""
    birds: list[Row] = []
    for species in sorted({row["species"] for row in rows}):
        for sex in ("female", "male", draw.choice(("female", "male"))):
            parents = draw.sample(
                [row for row in rows if (row["species"], row["sex"]) == (species, sex)], 2
            )
            bill_length, bill_depth, flipper, mass = (
                midpoint(parents, name) for name in PENGUIN_NUMBERS
            )
            birds.append(
                {
                    "island": parents[0]["island"],
                    "bill_length_mm": f"{bill_length:.1f}",
                    "bill_depth_mm": f"{bill_depth:.1f}",
                    "flipper_length_mm": f"{flipper:.0f}",
                    "body_mass_g": f"{25 * round(mass / 25)}",  # the scales read in 25 g steps
                    "sex": sex,
                }
            )
    draw.shuffle(birds)
    birds[1]["sex"] = birds[6]["sex"] = MISSING
    birds[4]["bill_length_mm"] = birds[4]["bill_depth_mm"] = MISSING
    return [{"penguin_id": f"P{number:02}"} | row for number, row in enumerate(birds, start=1)]


def midpoint(rows: list[Row], column: str) -> float:
    """Return the mean of a column; two real rows keep the measurements in proportion."""
    return statistics.fmean(float(row[column]) for row in rows)


def check_digest(name: str, content: bytes, expected: str) -> None:
    """Refuse bytes whose SHA-256 is not the expected one."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise SourceError(f"{name}: SHA-256 is {found}, expected {expected}. Not the same table.")


def render(rows: list[Row]) -> str:
    """Return rows as CSV text with a header and Unix line ends."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_table(path: Path, rows: list[Row]) -> None:
    """Write rows as a CSV file, making its folder where needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(rows), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
