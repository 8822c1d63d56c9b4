"""The shipped tables against published figures, and the script that makes them."""

from __future__ import annotations

import csv
import hashlib
import io
import statistics
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

MEASUREMENTS = {
    "iris": ("sepal_length", "sepal_width", "petal_length", "petal_width"),
    "penguins": ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"),
}
INBOX = {"iris": "new_flowers.csv", "penguins": "new_penguins.csv"}
# penguins.csv of the R package and of the Python package alike.
PUBLISHED_PENGUINS = "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93"

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def iris(repository: Path) -> list[Row]:
    return read(repository / "data/iris/train.csv")


@pytest.fixture(scope="module")
def penguins(repository: Path) -> list[Row]:
    return read(repository / "data/penguins/train.csv")


def numbers(rows: list[Row], column: str, **where: str) -> list[float]:
    chosen = [row for row in rows if all(row[key] == value for key, value in where.items())]
    return [float(row[column]) for row in chosen if row[column] != "NA"]


def test_iris_has_fifty_of_each_species_and_nothing_missing(iris: list[Row]) -> None:
    assert list(iris[0]) == [*MEASUREMENTS["iris"], "species"]
    assert Counter(row["species"] for row in iris) == {
        "Iris-setosa": 50,
        "Iris-versicolor": 50,
        "Iris-virginica": 50,
    }
    assert all(float(row[name]) > 0 for row in iris for name in MEASUREMENTS["iris"])


@pytest.mark.parametrize(
    ("column", "mean", "deviation", "lowest", "highest"),
    [
        # R's `summary` and `sd` of its iris, which is the paper's table too.
        ("sepal_length", 5.843, 0.8281, 4.3, 7.9),
        ("sepal_width", 3.057, 0.4359, 2.0, 4.4),
        ("petal_length", 3.758, 1.7653, 1.0, 6.9),
        ("petal_width", 1.199, 0.7622, 0.1, 2.5),
    ],
)
def test_iris_has_the_published_figures(
    column: str, mean: float, deviation: float, lowest: float, highest: float, iris: list[Row]
) -> None:
    values = numbers(iris, column)
    assert statistics.fmean(values) == pytest.approx(mean, abs=5e-4)
    assert statistics.stdev(values) == pytest.approx(deviation, abs=5e-5)
    assert (min(values), max(values)) == (lowest, highest)


@pytest.mark.parametrize(
    ("species", "means"),
    [
        ("Iris-setosa", (5.006, 3.428, 1.462, 0.246)),
        ("Iris-versicolor", (5.936, 2.770, 4.260, 1.326)),
        ("Iris-virginica", (6.588, 2.974, 5.552, 2.026)),
    ],
)
def test_iris_has_fishers_species_means(
    species: str, means: tuple[float, ...], iris: list[Row]
) -> None:
    found = [statistics.fmean(numbers(iris, c, species=species)) for c in MEASUREMENTS["iris"]]
    assert found == pytest.approx(means, abs=1e-9)


@pytest.mark.parametrize(
    ("row", "values"), [(35, "4.9 3.1 1.5 0.2"), (38, "4.9 3.6 1.4 0.1")], ids=["35", "38"]
)
def test_iris_is_the_papers_table_where_ucis_file_is_not(
    row: int, values: str, iris: list[Row]
) -> None:
    assert list(iris[row - 1].values()) == [*values.split(), "Iris-setosa"]


def test_penguins_have_the_published_counts(penguins: list[Row]) -> None:
    assert list(penguins[0]) == ["island", *MEASUREMENTS["penguins"], "sex", "year", "species"]
    assert Counter((row["species"], row["island"]) for row in penguins) == {
        ("Adelie", "Biscoe"): 44,
        ("Adelie", "Dream"): 56,
        ("Adelie", "Torgersen"): 52,
        ("Chinstrap", "Dream"): 68,
        ("Gentoo", "Biscoe"): 124,
    }
    assert Counter(row["sex"] for row in penguins) == {"female": 165, "male": 168, "NA": 11}
    assert Counter(row["year"] for row in penguins) == {"2007": 110, "2008": 114, "2009": 120}


def test_two_penguins_lack_every_measurement(penguins: list[Row]) -> None:
    gaps = [
        number
        for number, row in enumerate(penguins, start=1)
        if "NA" in (row[name] for name in MEASUREMENTS["penguins"])
    ]
    assert gaps == [4, 272]
    for number in gaps:
        assert {penguins[number - 1][name] for name in MEASUREMENTS["penguins"]} == {"NA"}
    assert not any("" in row.values() for row in penguins)


@pytest.mark.parametrize(
    ("column", "mean"),
    [
        # `summary(penguins)` of the R package, four significant digits.
        ("bill_length_mm", 43.92),
        ("bill_depth_mm", 17.15),
        ("flipper_length_mm", 200.9),
        ("body_mass_g", 4202),
    ],
)
def test_penguins_have_the_published_means(column: str, mean: float, penguins: list[Row]) -> None:
    values = numbers(penguins, column)
    assert len(values) == 342
    assert float(f"{statistics.fmean(values):.4g}") == mean


@pytest.mark.parametrize("name", ["iris", "penguins"])
def test_the_inbox_holds_new_unlabelled_rows(name: str, repository: Path) -> None:
    folder = repository / "data" / name
    rows, known = read(folder / "inbox" / INBOX[name]), read(folder / "train.csv")
    assert 5 <= len(rows) <= 20
    assert "species" not in rows[0]
    identifier, *features = rows[0]
    assert identifier.endswith("_id")
    assert len({row[identifier] for row in rows}) == len(rows)
    assert set(features) == set(known[0]) - {"species", "year"}
    shared = {tuple(row[f] for f in features) for row in known}
    assert not shared & {tuple(row[f] for f in features) for row in rows}
    for column in MEASUREMENTS[name]:
        lowest, *_, highest = sorted(numbers(known, column))
        assert all(lowest <= value <= highest for value in numbers(rows, column))


def test_the_inboxes_show_leading_zeros_and_missing_cells(repository: Path) -> None:
    flowers = read(repository / "data/iris/inbox/new_flowers.csv")
    assert "007" in {row["flower_id"] for row in flowers}
    birds = read(repository / "data/penguins/inbox/new_penguins.csv")
    assert [row["sex"] for row in birds].count("NA") == 2
    assert [row["bill_length_mm"] for row in birds].count("NA") == 1


@pytest.mark.parametrize("name", ["iris", "penguins"])
def test_the_pipelines_are_the_reference(name: str, repository: Path) -> None:
    folder = repository / "data" / name
    settings = tomllib.loads((folder / "pipeline.toml").read_text("utf-8"))
    header = set(read(folder / settings["data"]["source"])[0])
    assert {settings["data"]["target"], *settings["data"].get("exclude", [])} <= header
    assert settings["data"].get("kinds", {}).keys() <= header
    assert settings["network"] == {"hidden_layers": [16, 4]}
    assert settings["training"]["epochs"] == 150
    assert settings["training"]["batch_size"] == 32
    assert settings["training"]["test_share"] == 0.2
    assert settings["optimizers"] == {
        "sgd": {"learning_rate": "auto"},
        "momentum": {"learning_rate": "auto", "momentum": 0.9},
        "adam": {"learning_rate": "auto"},
        "adamw": {"learning_rate": "auto", "weight_decay": 0.01},
    }


def published(penguins: list[Row]) -> bytes:
    """Return the table as it was published: the species first, otherwise the same."""
    columns = ["species", *(column for column in penguins[0] if column != "species")]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(penguins)
    return text.getvalue().encode()


def make(repository: Path, source: Path, output: Path) -> subprocess.CompletedProcess[str]:
    script = str(repository / "data/make_datasets.py")
    command = [sys.executable, script, "--penguins", str(source), "--output", str(output)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_script_makes_every_table_again(
    repository: Path, penguins: list[Row], tmp_path: Path
) -> None:
    source = tmp_path / "penguins.csv"
    source.write_bytes(published(penguins))
    assert hashlib.sha256(source.read_bytes()).hexdigest() == PUBLISHED_PENGUINS
    done = make(repository, source, tmp_path / "data")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    made = {p.relative_to(tmp_path): p for p in (tmp_path / "data").rglob("*.csv")}
    assert len(made) == 4
    for name, path in made.items():
        assert path.read_bytes() == (repository / name).read_bytes(), name


@pytest.mark.parametrize(
    ("content", "complaint"), [(b"species,island\n", "SHA-256 is "), (None, "No such file")]
)
def test_the_script_refuses_another_table(
    content: bytes | None, complaint: str, repository: Path, tmp_path: Path
) -> None:
    source = tmp_path / "penguins.csv"
    if content is not None:
        source.write_bytes(content)
    done = make(repository, source, tmp_path / "data")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert complaint in done.stderr
    assert not (tmp_path / "data").exists()
