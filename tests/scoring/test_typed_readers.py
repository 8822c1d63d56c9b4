"""What pandas, Arrow and polars make of a CSV file scores as the file itself, or is refused."""

import csv
import datetime
import io

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.errors import DataError
from tests.helpers.coded import MISSING, asked, model


# Texts of one column: all written alike, so that two texts of one value are one text.
def padded(width):
    return st.integers(0, 10**width - 1).map(lambda n: f"{n:0{width}d}")


DATES = st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 1, 1))
MOMENTS = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1))
FAMILIES = {
    "truth": st.sampled_from([("TRUE", "FALSE"), ("True", "False"), ("true", "false")]).map(
        st.sampled_from
    ),
    "codes": st.integers(1, 4).map(padded),
    "integers": st.just(st.integers(-(2**63), 2**63 - 1).map(str)),
    "decimals": st.integers(1, 3).map(
        lambda places: st.integers(-999, 999).map(lambda n: f"{n / 10**places:.{places}f}")
    ),
    "floats": st.just(
        st.floats(allow_nan=False, allow_infinity=False).map(lambda x: repr(x + 0.0))
    ),
    "dates": st.just(DATES.map(str)),
    "moments": st.just(MOMENTS.map(lambda at: at.isoformat(" ", "seconds"))),
    "instants": st.just(MOMENTS.map(lambda at: at.isoformat("T", "seconds") + "Z")),
    "times": st.just(st.times().map(lambda at: at.isoformat("seconds"))),
    "words": st.just(st.text("bdTFy ", min_size=1, max_size=3).map(str.strip).filter(bool)),
    "mixed": st.just(st.sampled_from(["01", "02", "XX", "TRUE", "FALSE", "2024-01-01", "1.5"])),
}
READERS = {
    "pandas": pd.read_csv,
    "pandas, dates": lambda file: pd.read_csv(file, parse_dates=["c"]),
    "pandas, nullable": lambda file: pd.read_csv(file, dtype_backend="numpy_nullable"),
    "pandas, arrow": lambda file: pd.read_csv(file, dtype_backend="pyarrow"),
    "pandas, category": lambda file: pd.read_csv(file).astype({"c": "category"}),
    "pandas, object": lambda file: pd.read_csv(file).astype(object),
    "arrow": pyarrow.csv.read_csv,
    "arrow, dictionary": lambda file: pyarrow.csv.read_csv(
        file, convert_options=pyarrow.csv.ConvertOptions(auto_dict_encode=True)
    ),
    "polars": lambda file: pl.read_csv(file, try_parse_dates=True),
    "polars, lazy": lambda file: pl.read_csv(file, try_parse_dates=True).lazy(),
    "polars, categorical": lambda file: pl.read_csv(file).cast({pl.String: pl.Categorical}),
}


def as_parquet(rows, path):
    match rows:
        case pd.DataFrame():
            rows.to_parquet(path)
        case pl.LazyFrame():
            rows.sink_parquet(path)
        case pl.DataFrame():
            rows.write_parquet(path)
        case pa.Table():
            pq.write_table(rows, path)


def labelled(path):
    with path.open(newline="") as file:
        return [round(100 * float(row["probability_a"]) - 3) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("typed")


@settings(max_examples=25)
@given(data=st.data())
@pytest.mark.filterwarnings("ignore::ffn.errors.UnknownCategoryWarning")
@pytest.mark.filterwarnings("ignore:Could not infer format:UserWarning")
@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_reader_makes_of_a_csv_scores_as_the_csv(folder, family, data):
    texts = data.draw(FAMILIES[family])
    categories = data.draw(st.lists(texts, min_size=1, max_size=8, unique=True))
    known = st.sampled_from(categories)
    cells = data.draw(st.lists(st.one_of(known, known, texts, st.just("")), min_size=1, max_size=8))
    own = model(*categories)
    for path in list(folder.iterdir()):
        path.unlink()
    # A second column, so that an empty cell is no blank line.
    content = "".join(f"{n},{cell}\n" for n, cell in [("id", "c"), *enumerate(cells)]).encode()
    (folder / "in.csv").write_bytes(content)
    own.score_csv(folder / "in.csv", folder / "out.csv", probabilities=True)
    expected = labelled(folder / "out.csv")
    by_text = {category: code for code, category in enumerate(categories)} | dict.fromkeys(
        MISSING, -1
    )
    assert expected == [by_text.get(cell, -2) for cell in cells]
    # Asked for dates, pandas finds one in "02", too.
    readers = [name for name in READERS if name != "pandas, dates" or family != "mixed"]
    name = data.draw(st.sampled_from(readers))
    rows = READERS[name](io.BytesIO(content))
    as_parquet(rows, folder / "in.parquet")
    refusals = []
    try:
        assert asked(own, rows) == expected, name
    except DataError as error:
        refusals.append(str(error))
    try:
        own.score_csv(folder / "in.parquet", folder / "typed.csv", probabilities=True)
    except DataError as error:
        refusals.append(str(error))
    else:
        assert labelled(folder / "typed.csv") == expected, name
    # Either both are scored or neither, and the column is named.
    assert len(refusals) in (0, 2)
    assert all('column "c"' in refusal for refusal in refusals)
