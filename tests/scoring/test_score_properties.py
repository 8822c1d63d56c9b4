"""Whatever table comes in, its text goes out; neither order nor company changes a row's label."""

import csv
import gzip
import io
import re

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import TenthsScorer

# Sizes by their spelling; of each the probability of "large" can be read off.
SIZES = st.sampled_from(
    ["7", "07", " 7.30", "2.", ".5", "1e1", "+6", "-0.0", "9.99999999999999999"]
)
COLOURS = st.sampled_from(["red", "blue", "", "NA", "green", " red "])
NOTES = st.text(
    st.one_of(
        st.sampled_from(' ,;"\n\r\t|007=-é😀'),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    ),
    max_size=8,
)
ROWS = st.lists(st.tuples(NOTES, SIZES, COLOURS, NOTES), max_size=8)
HEADER = ("note", "size", "colour", "more")
PACK = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("properties")


def labels(folder, header, rows):
    """Label and confidence of each row, by way of a file."""
    with (folder / "in.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    result = score_csv(TenthsScorer(), folder / "in.csv", folder / "out.csv")
    assert result.rejected == 0
    with (folder / "out.csv").open(newline="", encoding="utf-8") as file:
        return [(row["predicted_kind"], row["confidence"]) for row in csv.DictReader(file)]


@settings(max_examples=60)
@given(
    rows=ROWS,
    delimiter=st.sampled_from(",;\t|:"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    packing=st.sampled_from(list(PACK)),
    final_line_end=st.booleans(),
)
def test_any_dialect_comes_back_with_its_text(
    folder, rows, delimiter, line_end, quoting, encoding, packing, final_line_end
):
    if quoting == csv.QUOTE_MINIMAL and line_end != "\r\n":
        # Python's writer leaves a line break bare if it is not the one it ends lines with.
        rows = [[re.sub(r"[\r\n]", " ", cell) for cell in row] for row in rows]
    file = io.StringIO(newline="")
    dialect = {"delimiter": delimiter, "lineterminator": line_end, "quoting": quoting}
    csv.writer(file, **dialect).writerows([HEADER, *rows])
    text = file.getvalue()
    text = text if final_line_end else text.removesuffix(line_end)
    (folder / "in.csv").write_bytes(PACK[packing](text.encode(encoding)))
    result = score_csv(TenthsScorer(), folder / "in.csv", folder / "out.csv", delimiter=delimiter)
    assert (result.scored, result.rejected) == (len(rows), 0)
    output = (folder / "out.csv").read_bytes().decode(encoding)
    d = re.escape(delimiter)
    added = rf"{d}(?:predicted_kind{d}confidence|(?:large|small){d}[01]\.\d{{4}})(?=[\r\n]|\Z)"
    assert len(re.findall(added, output)) >= len(rows) + 1
    read = list(csv.reader(io.StringIO(output, newline=""), delimiter=delimiter))
    assert [row[:4] for row in read] == [list(row) for row in [HEADER, *rows]]
    # Taken from the ends of the records, and nowhere else, what was added leaves the input.
    ends = [delimiter.join(row[4:]) for row in read]
    for end in ends:
        before, found, output = output.partition(delimiter + end)
        assert found
        assert text.startswith(before)
        text = text[len(before) :]
    assert output == text


@settings(max_examples=30)
@given(rows=ROWS, data=st.data())
def test_order_copies_and_company_change_no_label(folder, rows, data):
    rows = [(size, colour) for _, size, colour, _ in rows]
    alone = labels(folder, ["size", "colour"], rows)
    order = data.draw(
        st.lists(st.sampled_from(range(len(rows))), max_size=12) if rows else st.just([])
    )
    company = data.draw(st.lists(NOTES, min_size=len(order), max_size=len(order)))
    mixed = [(note, rows[i][1], note, rows[i][0]) for i, note in zip(order, company, strict=True)]
    assert labels(folder, ["a", "colour", "b", "size"], mixed) == [alone[i] for i in order]
