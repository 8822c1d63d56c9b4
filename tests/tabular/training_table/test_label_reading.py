"""Label cells: classes, no label, and what needs a decision first."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ffn.errors import DataError
from ffn.storage.cache import Cache
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.lookalikes import group_spellings
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.label_reading import LabelReading, Resolved, cli_remedy, toml_remedy

NFC, NFD = "caf\u00e9", "cafe\u0301"


def read(folder: Path, lines: list[str], cache: str = "cache", **options) -> Dataset:
    path = folder / "t.csv"
    path.write_text("\n".join(["n,colour,y", *lines]) + "\n", "utf-8")
    choice = {"target": "y", "missing_values": ("", "NA"), "kinds": {}} | options
    return read_dataset(path, Cache(folder / cache), Choice(**choice))


def resolve(counts: dict[str, int], labels=(), missing=("",), remedy=toml_remedy) -> Resolved:
    reading = LabelReading(labels=dict(labels), missing=missing)
    return reading.resolve(counts, "t.csv", remedy)


def assert_equal(data: Dataset, other: Dataset) -> None:
    assert (data.classes, data.rows, data.order) == (other.classes, other.rows, other.order)
    assert_array_equal(data.labels, other.labels)
    assert_array_equal(data.fingerprints, other.fingerprints)
    for name in data.numeric_features:
        assert_array_equal(data.numeric[name], other.numeric[name])
    for name in data.categorical_features:
        assert_array_equal(data.categorical[name], other.categorical[name])


row = st.tuples(
    st.sampled_from(["1", "2.5", "", "-3"]),
    st.sampled_from(["red", "blue", ""]),
    st.sampled_from(["a", "b", "", "NA", "\u00a0", " a "]),
)


@given(st.lists(row, min_size=1, max_size=40))
def test_rows_without_a_label_might_as_well_not_be_there(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("labels")
    labelled = [cells for cells in rows if cells[-1].strip() in ("a", "b")]
    if not labelled:
        with pytest.raises(DataError, match=f"none of the {len(rows)} rows has a label"):
            read(folder, [",".join(cells) for cells in rows])
        return
    # A column of gaps alone is refused.
    labelled = [("7", "red", "a"), *labelled]
    data = read(folder, [",".join(cells) for cells in [("7", "red", "a"), *rows]])
    assert data.rows + data.unlabelled == len(rows) + 1
    assert_equal(data, read(folder, [",".join(cells) for cells in labelled], "other"))
    where = [i for i, cells in enumerate([labelled[0], *rows], 1) if cells[-1].strip() in "ab"]
    assert [data.row_in_file(i) for i in range(data.rows)] == [
        i for i in where if i == 1 or rows[i - 2][-1].strip()
    ]


def test_what_rows_without_a_label_hold_is_not_looked_at(tmp_path: Path) -> None:
    lines = [f"{i},{'rb'[i % 2]},{'xy'[i % 2]}" for i in range(40)]
    data = read(tmp_path, ["many,words,", *lines, "1e99,,NA"])
    assert_equal(data, read(tmp_path, lines, "other"))
    assert data.notices == ('2 of 42 rows have no label ("NA", 1 empty) and are left out',)


def test_a_mapping_is_the_table_with_other_labels(tmp_path: Path) -> None:
    lines = [f"{i},{'rb'[i % 2]},{['no', 'NO', 'yes', '?'][i % 4]}" for i in range(40)]
    mapped = read(tmp_path, lines, labels={"NO": "no", "?": "", "not there": "no"})
    replaced = [line.replace("NO", "no") for line in lines if not line.endswith("?")]
    assert_equal(mapped, read(tmp_path, replaced, "other"))
    assert (mapped.classes, mapped.unlabelled) == (("no", "yes"), 10)
    # Blank cells are a class where the settings say so.
    assert resolve({"a": 3, "": 3}, {"": "never"}).classes == {"a": "a", "": "never"}


@pytest.mark.parametrize(
    "text",
    [
        *("NA", "na", "N/A", "n/a", "NaN", "nan", "NaT", "None", "none", "NULL", "null", "nil"),
        *("?", "???", "-", "--", ".", "*", "#N/A", "#DIV/0!", "<NA>", "\\N", "n.a.", "unknown"),
        *("Missing", "not available", "(blank)", "\u2014", "NA\u00a0"),
    ],
)
def test_a_text_that_may_mean_no_value_needs_a_decision(text: str) -> None:
    """pandas, R, SQL, SAS, Excel and people write these where there is no value."""
    counts = {"a": 20, "b": 20, text: 10}
    with pytest.raises(DataError, match=r"10 of 50 labels are .* may mean that the row has no lab"):
        resolve(counts)
    assert resolve(counts, {text: text}).classes == {"a": "a", "b": "b", text: text}
    for left_out in (resolve(counts, {text: ""}), resolve(counts, missing=("", text))):
        assert left_out.classes == {"a": "a", "b": "b"}
        assert left_out.unlabelled == 10


@pytest.mark.parametrize("text", ["Nan Goldin", "none of these", "NAM", "A-", "0", "no", "b.", "n"])
def test_other_texts_are_classes(text: str) -> None:
    assert resolve({"a": 20, text: 10}).classes == {"a": "a", text: text}


def test_of_plus_and_minus_neither_means_no_value() -> None:
    assert set(resolve({"+": 20, "-": 20}).classes) == {"+", "-"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no", "no\u00a0"),
        ("no", "\u2003no"),
        ("no", "no\u200b"),
        ("no", "\ufeffno"),
        ("no", "n\u00ado"),
        ("New York", "New\u00a0York"),
        (NFC, NFD),
        ("\uac00", "\u1100\u1161"),
    ],
)
def test_spellings_that_look_the_same_are_one_class(one: str, other: str) -> None:
    found = resolve({one: 10, other: 20, "else": 10})
    assert found.classes == {one: one, other: one, "else": "else"}
    (notice,) = found.notices
    assert notice.startswith("20 labels ")
    assert notice.isprintable()
    # One alone is nobody's double: it comes back in predictions as it was.
    assert resolve({other: 20, "else": 10}).classes == {other: other, "else": "else"}
    assert resolve({one: 10, other: 20}, {other: other}).classes == {one: one, other: other}


ALIKE = [
    ("no", "NO"),
    ("1", "1.0"),
    ("1", "01"),
    ("100", "1e2"),
    ("Stra\u00dfe", "STRASSE"),
    ("Iris setosa", "Iris-setosa"),
    ("New York", "New  York"),
    ("<=50K", "<=50K."),
    ("yes", "'yes'"),
    ("\uff21", "A"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_two_spellings_need_a_decision(one: str, other: str) -> None:
    counts = {one: 20, other: 10, "else": 30}
    with pytest.raises(DataError, match=r"a label is spelled in more than one way: .*\(20 rows\)"):
        resolve(counts)
    assert set(resolve(counts, {other: one}).classes.values()) == {one, "else"}
    assert set(resolve(counts, {other: other}).classes.values()) == {one, other, "else"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A", "A-"),
        ("A+", "A-"),
        ("1", "-1"),
        ("1", "1.5"),
        ("C", "C#"),
        ("is", "it"),
        ("9" * 40, "9" * 39 + "8"),
        ("1e400", "1e401"),
    ],
)
def test_other_labels_do_not(one: str, other: str) -> None:
    assert set(resolve({one: 20, other: 10}).classes.values()) == {one, other}


@given(st.dictionaries(st.text(max_size=4), st.integers(1, 9), max_size=20), st.sampled_from(".,"))
def test_texts_alike_are_a_partition(rows: dict[str, int], decimal: str) -> None:
    found = [text for group in group_spellings(rows, decimal) for text in group]
    assert len(set(found)) == len(found)
    assert set(found) <= set(rows)


labels = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=6).map(
    lambda text: text.strip(" \t")
)


@given(st.dictionaries(labels, st.integers(20, 30), min_size=1, max_size=8))
def test_what_a_refusal_says_to_set_is_taken(counts: dict[str, int]) -> None:
    """Both ways, in as many rounds as there are kinds of doubt; each is TOML as it stands."""
    for which in (0, -1):
        settings: dict[str, str] = {}
        for _ in range(3):
            try:
                resolve(counts, settings)
                break
            except DataError as error:
                if "none of the" in str(error):
                    break
                found = re.findall(r"set (labels = \{.*?\}) in \[data\]", str(error))
                settings |= tomllib.loads(found[which])["labels"]
        else:
            resolve(counts, settings)


@given(st.lists(st.tuples(labels, labels), min_size=1, max_size=4))
def test_remedies_survive_toml(pairs: list[tuple[str, str]]) -> None:
    found = toml_remedy(list(dict(pairs).items())).removeprefix("set ").removesuffix(" in [data]")
    assert tomllib.loads(found) == {"labels": dict(pairs)}


def test_remedies_survive_the_shell() -> None:
    texts = [
        "no",
        "it's",
        'say "x"',
        "a b",
        "no\u00a0",
        NFD,
        "$HOME",
        "\\n",
        "-",
        "",
        "\u200b'\\",
        "\u20ac",
    ]
    found = cli_remedy([(text, text) for text in texts]).removeprefix("give ")
    script = f"printf '%s\\0' {found}"
    done = subprocess.run(
        ["/bin/bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    words = done.stdout.decode().split("\0")[:-1]
    assert [tuple(words[i : i + 3]) for i in range(0, len(words), 3)] == [
        ("--label", text, text) for text in texts
    ]


def test_labels_that_are_no_classes_are_not_asked_about() -> None:
    """Numbers to predict: "1.50" and "1.5" are the least of it, and their rarity is told."""
    counts = {f"{i / 10}": 1 for i in range(60)} | {f"{i / 10}0": 1 for i in range(60)}
    assert len(resolve(counts).classes) == 120
