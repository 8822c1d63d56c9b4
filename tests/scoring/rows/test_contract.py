import dataclasses
import io

import numpy as np
import pytest

from ffn.errors import DataError
from ffn.scoring.rows.header_match import match_header
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.csv.reader import Records
from tests.helpers.scorers import COLOUR, SCHEMA, SIZE


def typed(content, schema=SCHEMA):
    records = Records(io.BytesIO(content), "t.csv")
    contract = match_header(records.header, schema, "t.csv", ())
    (block,) = records
    return contract.read(block)


def test_columns_are_found_by_name_in_any_order():
    for content in (b"size,colour\n1.5,red\n", b"id,colour,note,size\n9,red,x,1.5\n"):
        found = typed(content)
        assert found.numeric.tolist() == [[1.5]]
        assert found.codes.tolist() == [[1]]


def test_cells():
    found = typed(b"size,colour\n 2 ,blue\n1e1, red\n3,green\n4,NA\n5,\n")
    assert found.numeric[:, 0].tolist() == [2, 10, 3, 4, 5]
    assert found.codes[:, 0].tolist() == [0, 1, UNKNOWN, MISSING, MISSING]
    assert found.rejects == []


def test_rejects_name_row_line_column_value_and_reason():
    content = b'size,colour\nbad,"x\ny"\n1,red\n,red\nNA,red\n2,red,3\n-9,red\n-9.0,red\n1_0,\n'
    found = typed(content)
    rows = [(r.row, r.line, r.column, r.value, str(r.reason)) for r in found.rejects]
    assert rows == [
        (1, 2, "size", "bad", "not_a_number"),
        (3, 5, "size", "", "missing_value"),
        (4, 6, "size", "NA", "missing_value"),
        (5, 7, "", "2,red,3", "wrong_field_count"),
        (6, 8, "size", "-9", "missing_value"),
        (8, 10, "size", "1_0", "not_a_number"),
    ]
    assert found.block.rows.tolist() == [2, 7]
    assert found.numeric.tolist() == [[1], [-9]]
    assert found.codes.tolist() == [[1], [1]]


def test_missing_is_allowed_where_training_knew_it():
    schema = dataclasses.replace(
        SCHEMA,
        features=(
            dataclasses.replace(SIZE, missing=True),
            dataclasses.replace(COLOUR, missing=False),
        ),
    )
    found = typed(b"size,colour\n,red\nNA,blue\n1,\n", schema)
    assert np.isnan(found.numeric[:, 0]).tolist() == [True, True]
    assert [(r.row, r.column, str(r.reason)) for r in found.rejects] == [
        (3, "colour", "missing_value")
    ]


def test_a_record_with_two_faults_is_rejected_once():
    schema = dataclasses.replace(
        SCHEMA, features=(SIZE, dataclasses.replace(COLOUR, missing=False))
    )
    assert [r.column for r in typed(b"colour,size\n,x\n", schema).rejects] == ["size"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"Size,colour", r't\.csv has no column "size", .* Did you mean "Size"\?'),
        (b"sizes,colour", r'has no column "size", which the model needs\. Did you mean "sizes"'),
        (b"a,b", r'no column "size", which the model needs\. It has "a", "b"\.'),
        (b"size;colour", r'The header looks separated by ";": give that as the delimiter'),
        (b"size\tcolour", r"The header looks separated by a tab"),
        (b"size", r'has no column "colour"'),
        (b"size,colour,confidence", r'already has a column "confidence", which scoring would add'),
    ],
)
def test_refused_headers(header, message):
    records = Records(io.BytesIO(header + b"\n"), "t.csv")
    with pytest.raises(DataError, match=message):
        match_header(records.header, SCHEMA, "t.csv", ("confidence",))


def test_another_feature_is_not_taken_for_the_missing_one():
    features = (SIZE, dataclasses.replace(SIZE, name="sizes"), COLOUR)
    schema = dataclasses.replace(SCHEMA, features=features)
    for header, found in [(b"size,colour", r'It has "size", "colour"'), (b"size,siz", "mean.*siz")]:
        records = Records(io.BytesIO(header + b"\n"), "t.csv")
        with pytest.raises(DataError, match=rf'no column "sizes", .* needs\..*{found}'):
            match_header(records.header, schema, "t.csv", ())


@pytest.mark.parametrize("line", [b"size,colour,7.5,red", b"colour,size, -1 ,2"])
def test_a_file_whose_line_ends_were_lost_is_refused(line):
    header = Records(io.BytesIO(line), "t.csv").header
    message = r"t\.csv has no line end, so all of it is the header, with \"(7\.5|-1)\" as"
    with pytest.raises(DataError, match=message):
        match_header(header, SCHEMA, "t.csv", ())
    # With a line end it is a header with odd names, and without numbers a header alone.
    match_header(Records(io.BytesIO(line + b"\n"), "t.csv").header, SCHEMA, "t.csv", ())
    match_header(Records(io.BytesIO(b"size,colour"), "t.csv").header, SCHEMA, "t.csv", ())
