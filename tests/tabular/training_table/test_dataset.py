from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ffn.errors import DataError, SettingsError
from ffn.storage.cache import Cache
from ffn.tabular.columns.feature_columns import choose_features
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.training_table.dataset import Dataset

HEADER = ("id", "size", "colour", "species")


def choose(header=HEADER, target="species", features=None, exclude=None) -> tuple[str, ...]:
    return choose_features(
        header,
        target=target,
        features=features,
        exclude=exclude,
        default_exclude={"id"},
        where="t.csv",
    )


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, ("size", "colour")),
        ({"exclude": []}, ("id", "size", "colour")),
        ({"exclude": ["colour"]}, ("id", "size")),
        ({"features": ["colour", "size"]}, ("size", "colour")),
        ({"features": ["id", "colour", "colour"]}, ("id", "colour")),
        ({"features": ["size"], "exclude": ["colour"]}, ("size",)),
    ],
)
def test_features_are_all_others_in_the_order_of_the_file(options, chosen) -> None:
    assert choose(**options) == chosen


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"target": "specie"},
            r't\.csv has no column "specie", which data\.target names; its columns are: '
            r'id, size, colour, species\. Did you mean "species"\?',
        ),
        ({"features": ["size", "color"]}, r'no column "color", which data\.features names'),
        ({"exclude": ["Id"]}, r'no column "Id", which data\.exclude names.*Did you mean "id"\?'),
        ({"features": ["species"]}, r'data\.features names "species", which is the target\.'),
        ({"exclude": ["species"]}, r'data\.exclude names "species", which is the target\.'),
        (
            {"features": ["size"], "exclude": ["size"]},
            r'data\.features and data\.exclude both name "size"\. Take out one\.',
        ),
        ({"header": ("id", "species")}, r"t\.csv has no feature column besides the target"),
        ({"features": []}, r"has no feature column besides the target"),
    ],
)
def test_columns_that_cannot_be_chosen(options, message) -> None:
    with pytest.raises(SettingsError, match=message):
        choose(**options)


def test_of_a_wide_header_the_beginning_is_shown() -> None:
    header = [f"column_{i}" for i in range(50_000)]
    header[0] = "x" * 1_000_000
    with pytest.raises(SettingsError, match=r"column_19, …\.") as refusal:
        choose(header=header, target="label")
    assert len(str(refusal.value)) < 500
    assert len(choose(header=[*header, "label"], target="label")) == 50_000


def read(tmp_path: Path, text: str, **options) -> Dataset:
    path = tmp_path / "t.csv"
    path.write_text(text)
    options = {"missing_values": ("", "NA"), "kinds": {}, "target": "y"} | options
    return read_dataset(path, Cache(tmp_path / "cache"), Choice(**options))


def column(cells, labels="ab") -> str:
    return "x,y\n" + "".join(f"{cell},{labels[i % 2]}\n" for i, cell in enumerate(cells))


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", " -3e2 ", "+.5"], "numeric"),
        (["1", "NA", "", "4"], "numeric"),
        (["red", "blue", "1", "2"], "categorical"),
        ([*"12345678", "x", "z"], "categorical"),
        (["007", "1_4", "2", "3"], "categorical"),
        (["true", "false"], "categorical"),
        (["2024-01-01", "2024-01-02"], "categorical"),
        (["1,5".replace(",", ";"), "2;5"], "categorical"),
    ],
)
def test_kinds_are_read_off_the_cells(tmp_path: Path, cells, kind) -> None:
    data = read(tmp_path, column(cells))
    assert ("x" in data.numeric, "x" in data.categorical) == (
        kind == "numeric",
        kind == "categorical",
    )


def test_values_and_labels(tmp_path: Path) -> None:
    data = read(tmp_path, "y, x ,colour\n b ,1.50, red\na,NA,\nb,-2e-1,blue\n")
    assert data.classes == ("a", "b")
    assert data.labels.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(data.numeric["x"], [1.5, np.nan, -0.2])
    assert data.categorical["colour"].tolist() == ["red", "", "blue"]
    assert (data.order, data.file) == (("x", "colour"), "t.csv")


def test_kinds_can_be_overruled(tmp_path: Path) -> None:
    assert read(tmp_path, column("1212"), kinds={"x": "categorical"}).categorical["x"].tolist() == [
        *"1212"
    ]
    names = [f"name {i}" for i in range(300)]
    assert len(read(tmp_path, column(names), kinds={"x": "categorical"}).categorical["x"]) == 300


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            column([*"1234567890"] * 2 + ["n/a"]),
            r't\.csv row 21 \(line 22\), column "x": "n/a" is not a finite number, and the column '
            r"is numeric\. Correct the cell, add its text to data\.missing_values, or set",
        ),
        (column([*"1234567890"] * 2 + ["inf"]), r'row 21 .*: "inf" is not a finite number'),
        (column([*"1234567890"] * 2 + ["1e999"]), r'row 21 .*: "1e999" is not a finite number'),
        (column(["1", "-1e16", "3"]), r'row 2 \(line 3\), column "x": "-1e16" is beyond ±1e\+15'),
        (column(["", "NA", " "]), r't\.csv, column "x": no values to learn from\. Add it to'),
        (
            "x,y\n1,\n2,NA\n3,\n",
            r't\.csv, column "y": none of the 3 rows has a label \("NA", 2 empty\)\. Fill',
        ),
        ('x,y\n"1\n",a\n', r'row 1 \(line 2\), column "x": "1\\n" is not a finite number'),
        (
            column([f"name {i}" for i in range(300)]),
            r't\.csv, column "x": 300 different texts in 300 rows look like names or ids\.',
        ),
    ],
)
def test_cells_that_are_refused(tmp_path: Path, text, message) -> None:
    options = {"kinds": {"x": "numeric"}} if '"1\n"' in text else {}
    with pytest.raises(DataError, match=message):
        read(tmp_path, text, **options)


def test_a_label_is_never_empty(tmp_path: Path) -> None:
    data = read(tmp_path, "x,y\n1,a\n2,  \n", missing_values=("NA",))
    assert (data.classes, data.rows, data.unlabelled) == (("a",), 1, 1)


def test_a_kind_needs_its_feature(tmp_path: Path) -> None:
    message = (
        r't\.csv: data\.kinds names "y", which is not a feature\. Take it out of '
        r"\[data\.kinds\], or make the column a feature\."
    )
    with pytest.raises(SettingsError, match=message):
        read(tmp_path, column("12"), kinds={"y": "numeric"})
    message = r't\.csv has no column "X", which data\.kinds names; its .* Did you mean "x"\?'
    with pytest.raises(SettingsError, match=message):
        read(tmp_path, column("12"), kinds={"X": "numeric"})


def test_the_schema_is_learnt_from_the_rows_given(tmp_path: Path) -> None:
    text = "n,c,gap,y\n1,p,u,a\n5,q,v,b\n3,p,u,a\n900,r,,b\n"
    schema, notices = read(tmp_path, text).learn_schema(np.array([0, 1, 2]))
    number, category, gap = schema.features
    assert notices == []
    assert (number.minimum, number.maximum) == (1, 5)
    assert category.categories == ("p", "q")
    # Row 4 is held out: its value "r" is not known, its gap is allowed nevertheless.
    assert (category.missing, gap.missing) == (False, True)
    assert gap.categories == ("u", "v")
    assert (schema.target, schema.classes) == ("y", ("a", "b"))


def test_constant_columns_are_left_out_with_one_notice(tmp_path: Path) -> None:
    text = "n,one,none,same,gaps,y\n1,7,,s,g,a\n2,7,7,s,,b\n3,7,7,s,g,a\n4,8,7,t,g,b\n"
    schema, notices = read(tmp_path, text).learn_schema(np.array([0, 1, 2]))
    # A number, or a text, that is there or not there are two values.
    assert [feature.name for feature in schema.features] == ["n", "none", "gaps"]
    assert schema.features[1].constant
    assert notices == ['constant or empty in the training rows and left out: "one", "same"']


@pytest.mark.parametrize(("spread", "left_out"), [(1e-300, True), (1e-160, True), (1e-140, False)])
def test_numbers_with_no_variance_in_float64_are_constant(
    tmp_path: Path, spread: float, left_out: bool
) -> None:
    rows = [f"{i},{spread * (i % 5)!r},{'ab'[i % 2]}\n" for i in range(20)]
    dataset = read(tmp_path, "x,tiny,y\n" + "".join(rows))
    schema, notices = dataset.learn_schema(np.arange(20))
    assert [feature.name for feature in schema.features] == ["x", "tiny"][: 2 - left_out]
    assert any('left out: "tiny"' in notice for notice in notices) == left_out


@pytest.mark.parametrize(
    ("one", "other", "left_out"),
    [
        ("0.3", "0.30000000000000004", True),
        ("-12345.678", "-12345.678000000002", True),
        ("1000000000000", "1000000000000.01", False),
    ],
)
def test_numbers_that_differ_by_their_rounding_are_constant(
    tmp_path: Path, one: str, other: str, left_out: bool
) -> None:
    rows = [f"{i},{other if i % 3 else one},{'ab'[i % 2]}\n" for i in range(20)]
    schema, _ = read(tmp_path, "x,price,y\n" + "".join(rows)).learn_schema(np.arange(20))
    assert [feature.name for feature in schema.features] == ["x", "price"][: 2 - left_out]


def test_nothing_but_constants_is_refused(tmp_path: Path) -> None:
    data = read(tmp_path, "x,y\n1,a\n1,b\n2,b\n")
    with pytest.raises(DataError, match=r"t\.csv: every feature column is constant or empty in"):
        data.learn_schema(np.array([0, 1]))


@pytest.mark.parametrize(
    ("value", "rows"), [("1", [0, 1]), ("1", [0, 3]), ("red", [0, 1]), ("red", [0, 3])]
)
def test_a_sparse_column_is_left_out_whether_or_not_its_value_is_held_out(
    tmp_path: Path, value: str, rows: list[int]
) -> None:
    data = read(tmp_path, f"x,n,y\nNA,1,a\nNA,2,b\nNA,3,a\n,4,b\n{value},5,a\n")
    schema, notices = data.learn_schema(np.array(rows))
    assert [feature.name for feature in schema.features] == ["n"]
    assert notices == ['constant or empty in the training rows and left out: "x"']


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("5.10,red,a", "5.1,red,a", True),
        ("0,red,a", "-0.0,red,a", True),
        ("NA,red,a", ",red,a", True),
        ("1,,a", "1,NA,a", True),
        ("1,red,a", "1,red,b", True),  # the label is no feature: the same flower, relabelled
        ("1,red,a", "1, red ,a", True),
        ("1,red,a", "1,Red,a", False),
        ("5.1,red,a", "5.2,red,a", False),
        ("NA,red,a", "0,red,a", False),
    ],
)
def test_a_fingerprint_is_of_the_content(tmp_path: Path, one, other, equal) -> None:
    more = "1,red,a\n2,blue,b\n"
    first, second, *_ = read(tmp_path, f"x,c,y\n{one}\n{other}\n{more}").fingerprints
    assert (first == second) == equal


def test_neighbouring_cells_do_not_run_together(tmp_path: Path) -> None:
    data = read(tmp_path, "c,d,y\nab,c,a\na,bc,b\nabc,,a\n,abc,b\n=abc,,a\n")
    assert len(set(data.fingerprints.tolist())) == 5


def test_a_column_of_texts_is_one_object_to_whoever_walks_through_a_dataset(tmp_path: Path) -> None:
    """Prefect enters lists, tuples, sets and dictionaries, cell by cell; arrays it leaves."""
    data = read(tmp_path, "x,colour,y\n" + "1,red,a\n2,,b\n3,blue,a\n" * 100)
    visited = [data]
    for value in visited:
        if isinstance(value, Dataset):
            visited += vars(value).values()
        elif isinstance(value, dict):
            visited += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set):
            visited += value
    assert len(visited) < 40
    colour = data.categorical["colour"]
    assert (colour.dtype, colour.shape, type(colour[0])) == (np.dtype(object), (300,), str)
