"""What can be asked of scoring: decimal commas, unknown categories, slim files, guarded cells."""

import csv
import dataclasses
import io

import pytest

from ffn.errors import DataError, SettingsError
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import COLOUR, SCHEMA, SIZE, TenthsScorer

SCORER = TenthsScorer()


@pytest.fixture
def score(tmp_path):
    """Score bytes; return the bytes of the output, and the rejects as rows."""

    def score(content, model=SCORER, **options):
        source, output = tmp_path / "in.csv", tmp_path / "out.csv"
        source.write_bytes(content)
        result = score_csv(model, source, output, **options)
        text = result.rejects.read_bytes().decode()
        return output.read_bytes(), list(csv.reader(io.StringIO(text, newline="")))[1:]

    return score


def test_decimal_commas(score):
    content = b"size;colour\n7,5;\n 2,25 ;red\n-,5e1;\n+6;\n1.5;\n1.234,5;\n1,2,3;\nNA;\n"
    output, rejects = score(content, delimiter=";", decimal=",")
    assert output == (
        b"size;colour;predicted_kind;confidence\n"
        b"7,5;;large;0,7500\n"
        b" 2,25 ;red;large;0,7750\n"
        b"-,5e1;;small;1,0000\n"
        b"+6;;large;0,6000\n"
    )
    assert [(line[0], line[3], line[4]) for line in rejects] == [
        ("5", "1.5", "not_a_number"),
        ("6", "1.234,5", "not_a_number"),
        ("7", "1,2,3", "not_a_number"),
        ("8", "NA", "missing_value"),
    ]


def test_decimal_commas_between_commas_are_quoted_both_ways(score):
    output, _ = score(b'size,colour\n"7,5",red\n', decimal=",", probabilities=True)
    assert output.splitlines()[1] == b'"7,5",red,small,"0,7500","0,2500","0,7500"'


def test_a_missing_value_is_one_by_either_mark(score):
    feature = dataclasses.replace(SIZE, missing=True)
    schema = dataclasses.replace(
        SCHEMA, features=(feature, COLOUR), missing_values=("", "-9.5", "n.a.")
    )
    content = b"size;colour\n-9,5;\nn.a.;\n-9,50;\n"
    output, rejects = score(content, TenthsScorer(schema=schema), delimiter=";", decimal=",")
    # A missing size counts as 5; -9.50 is a number like any other.
    shares = [line.split(b";")[-2:] for line in output.splitlines()[1:]]
    assert shares == [[b"large", b"0,5000"], [b"large", b"0,5000"], [b"small", b"1,0000"]]
    assert rejects == []


def test_unknown_categories_are_rejected_where_that_is_wanted(score):
    content = b"size,colour\n1,red\n2,green\n3,\n4, blue\nx,pink\n"
    assert len(score(content)[1]) == 1
    output, rejects = score(content, on_unknown="reject")
    assert [line.split(b",")[0] for line in output.splitlines()[1:]] == [b"1", b"3", b"4"]
    assert rejects == [
        ["2", "3", "colour", "green", "unknown_category", "1"],
        ["5", "6", "size", "x", "not_a_number", "1"],
    ]


def test_the_only_column_keeps_its_bytes(score):
    content = (
        b'\xef\xbb\xbfsize, "id" ,colour\r\n7,007,\r\n7, 1 ,\r\n7,"a ""b"", c",red\r\n'
        b'"7.0","",\r\n7,"x\ny",\r\n7,,'
    ).replace(b' "id" ', b'"id"')
    output, _ = score(content, only_id="id")
    assert output == (
        b'\xef\xbb\xbf"id",predicted_kind,confidence\r\n007,large,0.7000\r\n 1 ,large,0.7000\r\n'
        b'"a ""b"", c",small,0.7000\r\n"",large,0.7000\r\n"x\ny",large,0.7000\r\n,large,0.7000'
    )


def test_the_only_column_may_be_first_or_last(score):
    content = b'size,colour\n"7",red\n"8","r""ed"'
    assert score(content, only_id="size")[0].splitlines()[1:] == [
        b'"7",small,0.7000',
        b'"8",large,0.8000',
    ]
    assert score(content, only_id="colour")[0].splitlines()[1:] == [
        b"red,small,0.7000",
        b'"r""ed",large,0.8000',
    ]


def test_the_only_column_leaves_earlier_labels_behind(score):
    content = b"id,size,colour,predicted_kind,confidence\n1,7,,small,0.9\n"
    with pytest.raises(DataError, match=r'already has a column "predicted_kind"'):
        score(content)
    assert score(content, only_id="id")[0].endswith(b"confidence\n1,large,0.7000\n")
    with pytest.raises(DataError, match=r'already has a column "confidence"'):
        score(content, only_id="confidence")
    with pytest.raises(DataError, match=r'no column "Id" to keep\. Did you mean "id"\?'):
        score(content, only_id="Id")


def test_formulas_are_kept_unless_they_are_to_be_escaped(score):
    schema = dataclasses.replace(SCHEMA, classes=("=large", "small"))
    model = TenthsScorer(schema=schema)
    content = b'size,colour,"=note"\n7,,=1+1\n-7,,"-1"\n7,,"@A1 ""x"""\n+x,,\n-y,,\n=z,\n'
    output, rejects = score(content, model)
    assert output.splitlines()[1] == b"7,,=1+1,=large,0.7000"
    assert [line[3] for line in rejects] == ["+x", "-y", "=z,"]
    output, rejects = score(content, model, escape_formulas=True)
    assert output.decode().splitlines() == [
        'size,colour,"\'=note",predicted_kind,confidence',
        "7,,'=1+1,'=large,0.7000",
        '-7,,"-1",small,1.0000',
        '7,,"\'@A1 ""x""",\'=large,0.7000',
    ]
    assert [line[3] for line in rejects] == ["'+x", "'-y", "'=z,"]
    output, _ = score(content, model, escape_formulas=True, only_id="=note")
    assert output.decode().splitlines()[:2] == [
        '"\'=note",predicted_kind,confidence',
        "'=1+1,'=large,0.7000",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decimal": ";"}, r'decimal ";" is not one of "\." ","\.'),
        ({"delimiter": "ab"}, r'delimiter "ab" is not one of "," ";" '),
        ({"drift_psi": float("inf")}, r"drift_psi is inf; give a finite number above 0\."),
        ({"drift_min_rows": float("inf")}, r"drift_min_rows is inf; give a count of rows\."),
        ({"on_unknown": "skip"}, r'on_unknown "skip" is not one of "score" "reject"\.'),
    ],
)
def test_what_cannot_be_is_refused(score, options, message):
    with pytest.raises(SettingsError, match=message):
        score(b"size,colour\n7,red\n", **options)
