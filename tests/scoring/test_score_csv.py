import csv
import dataclasses
import hashlib
import io
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import DataError, SettingsError
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import SCHEMA, TenthsScorer

SCORER = TenthsScorer()
HEADER = b"id,size,colour\n"


@pytest.fixture
def score(tmp_path):
    """Score bytes; return the bytes of the output, the rejects as rows, and the result."""

    def score(content, model=SCORER, **options):
        source, output = tmp_path / "in.csv", tmp_path / "out" / "out.csv"
        source.write_bytes(content)
        result = score_csv(model, source, output, **options)
        text = result.rejects.read_bytes().decode()
        return output.read_bytes(), list(csv.reader(io.StringIO(text, newline=""))), result

    return score


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_records_keep_their_text(score):
    content = b'\xef\xbb\xbfid,size,colour\r\n007,"7.30",\r\n"a, ""b""\n",2,red\n\xc3\xa9, 1 ,x'
    output, rejects, _ = score(content)
    assert output == (
        b"\xef\xbb\xbfid,size,colour,predicted_kind,confidence\r\n"
        b'007,"7.30",,large,0.7300\r\n'
        b'"a, ""b""\n",2,red,large,0.8000\n'
        b"\xc3\xa9, 1 ,x,small,0.9000"
    )
    assert rejects == [["row", "line", "column", "value", "reason", "lines"]]


def test_rejected_rows_go_to_their_own_file_in_order(score):
    body = b'1,7,\n2,x,\n3,7\n4,1e39,\n5,"a\nb",\n6,,\n7,8,"\n8,9,\n'
    output, rejects, result = score(HEADER + body)
    assert output == (
        b"id,size,colour,predicted_kind,confidence\n1,7,,large,0.7000\n8,9,,large,0.9000\n"
    )
    assert rejects[1:] == [
        ["2", "3", "size", "x", "not_a_number", "1"],
        ["3", "4", "", "3,7", "wrong_field_count", "1"],
        ["4", "5", "", "4,1e39,", "not_finite", "1"],
        ["5", "6", "size", "a\nb", "not_a_number", "2"],
        ["6", "8", "size", "", "missing_value", "1"],
        ["7", "9", "", '7,8,"', "unclosed_quote", "1"],
    ]
    assert (result.rows, result.scored, result.rejected) == (8, 2, 6)
    assert result.reject_reasons == {
        "not_a_number": 2,
        "wrong_field_count": 1,
        "not_finite": 1,
        "missing_value": 1,
        "unclosed_quote": 1,
    }


def test_a_row_without_finite_probabilities_is_rejected(score):
    class Doubtful(TenthsScorer):
        def probabilities(self, x):
            shares = super().probabilities(x)
            shares[x[:, 0] == 6] = np.nan
            return shares

    output, rejects, _ = score(b"size,colour\n5,\n6,\n7,\n", Doubtful())
    assert output.splitlines()[1:] == [b"5,,large,0.5000", b"7,,large,0.7000"]
    assert rejects[1:] == [["2", "3", "", "6,", "not_finite", "1"]]


def test_probabilities_of_every_class(score):
    output, _, _ = score(b"size,colour\n1.23456,\n0,red\n", probabilities=True)
    assert output.decode().splitlines() == [
        "size,colour,predicted_kind,confidence,probability_large,probability_small",
        "1.23456,,small,0.8765,0.1235,0.8765",
        "0,red,large,1.0000,1.0000,0.0000",
    ]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_labels_are_quoted_where_they_must_be(score, delimiter):
    schema = dataclasses.replace(
        SCHEMA, classes=(f'x{delimiter}"y"', "small"), target=f"the{delimiter}kind"
    )
    content = f"size{delimiter}colour\n7{delimiter}\n".encode()
    output, _, _ = score(content, TenthsScorer(schema=schema), delimiter=delimiter)
    rows = list(csv.reader(io.StringIO(output.decode()), delimiter=delimiter))
    assert rows == [
        ["size", "colour", f"predicted_the{delimiter}kind", "confidence"],
        ["7", "", f'x{delimiter}"y"', "0.7000"],
    ]


def test_utf_16_stays_utf_16(score):
    content = "id,size,colour\r\né,7,\r\nx,bad,\r\n".encode("utf-16")
    output, rejects, _ = score(content)
    expected = "id,size,colour,predicted_kind,confidence\r\né,7,,large,0.7000\r\n"
    assert output == expected.encode("utf-16")
    assert rejects[1:] == [["2", "3", "size", "bad", "not_a_number", "1"]]


@pytest.mark.parametrize("header", [b"id,size,colour", HEADER])
def test_a_header_alone_gives_a_header_alone(score, header):
    output, rejects, result = score(header)
    assert output == header.replace(b"colour", b"colour,predicted_kind,confidence")
    assert len(rejects) == 1
    assert (result.rows, result.mean_confidence) == (0, None)


def test_the_account(score):
    content = HEADER + b"1,7,\n\n2,9,green\n3,x,\n4,99,pink\n5,2, green\n6,-9.5,blue\n"
    output, _, result = score(content)
    rejects = b"row,line,column,value,reason,lines\n3,5,size,x,not_a_number,1\n"
    assert json.loads(result.manifest.read_bytes()) == {
        "format": 1,
        "pipeline": "things",
        "model_version": 7,
        "bundle_sha256": "ab" * 32,
        "target": "kind",
        "options": {
            "probabilities": False,
            "max_reject_rate": 1.0,
            "delimiter": ",",
            "decimal": ".",
            "on_unknown": "score",
            "only_id": None,
            "escape_formulas": False,
            "drift": "warn",
            "drift_psi": 0.25,
            "drift_min_rows": 30,
        },
        "input": {
            "path": str(result.output.parents[1] / "in.csv"),
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "compression": None,
            "encoding": "utf-8",
            "blank_lines": 1,
        },
        "files": {
            "output": {"bytes": len(output), "sha256": hashlib.sha256(output).hexdigest()},
            "rejects": {"bytes": len(rejects), "sha256": hashlib.sha256(rejects).hexdigest()},
        },
        "drift": None,
        "warnings": [],
        "rows": 6,
        "scored": 5,
        "rejected": 1,
        "classes": {"large": 3, "small": 2},
        # (0.7 + 0.9 + 1 + 0.8 + 1) / 5
        "mean_confidence": 0.88,
        "rejects": {"not_a_number": 1},
        # Training's 0..10, and as much again on either side.
        "out_of_range": {"size": 1},
        "unknown_columns": [],
        "unseen_categories": {"colour": {"rows": 3, "examples": ["green", "pink"]}},
    }
    assert (result.pipeline, result.version) == ("things", 7)
    assert result.class_counts == {"large": 3, "small": 2}
    assert result.mean_confidence == 0.88
    assert names(result.output.parent) == [
        "out.csv",
        "out.csv.manifest.json",
        "out.csv.rejects.csv",
    ]


def test_many_blocks_equal_one_row_at_a_time(score):
    rows = [(f"{n:06d}", n % 101 / 10) for n in range(40_000)]
    content = HEADER + "".join(f"{key},{size},red\n" for key, size in rows).encode()
    seen = []
    output, _, result = score(content, on_progress=seen.append)
    lines = output.decode().splitlines()[1:]
    for (key, size), line in zip(rows, lines, strict=True):
        label, share = ("large", 1 - size / 10) if size <= 5 else ("small", size / 10)
        assert line == f"{key},{size},red,{label},{share:.4f}"
    assert [progress.rows for progress in seen] == sorted(progress.rows for progress in seen)
    assert len(seen) > 1
    assert (seen[-1].rows, seen[-1].rejected) == (result.rows, 0)
    assert seen[-1].bytes_read == seen[-1].size == len(content)


def test_all_rows_rejected_keeps_yesterdays_output_and_writes_the_rejects(score, tmp_path):
    before, _, result = score(HEADER + b"1,7,\n")
    message = r"all 2 rows were rejected \(not_a_number 2\).* See .*out\.csv\.rejects\.csv\."
    with pytest.raises(DataError, match=message):
        score(HEADER + b"1,x,\n2,y,\n")
    assert result.output.read_bytes() == before
    assert names(result.output.parent) == ["out.csv", "out.csv.rejects.csv"]
    assert result.rejects.read_text().splitlines()[1:] == [
        "1,2,size,x,not_a_number,1",
        "2,3,size,y,not_a_number,1",
    ]


def test_max_reject_rate(score, tmp_path):
    content = HEADER + b"1,7,\n2,x,\n3,7,\n4,7,\n"
    _, _, result = score(content, max_reject_rate=0.25)
    assert result.rejected == 1
    with pytest.raises(DataError, match=r"1 of 4 rows was rejected .* share of 0\.2 allowed"):
        score(content, max_reject_rate=0.2)
    for rate in (-0.1, 1.1, float("nan")):
        with pytest.raises(SettingsError, match=r"max_reject_rate is .*; give a share from 0"):
            score(content, max_reject_rate=rate)


CHAOS = st.lists(
    st.sampled_from(
        [b",", b'"', b"\n", b"\r", b"\0", b"\xff", b"7", b"x", b"1,7,red\n", b'2,"8",\n', b"3,"]
    ),
    max_size=30,
).map(b"".join)


@given(body=CHAOS)
def test_every_row_is_scored_or_rejected_whatever_the_bytes(tmp_path_factory, body):
    folder = tmp_path_factory.mktemp("chaos")
    source, output = folder / "in.csv", folder / "out.csv"
    source.write_bytes(HEADER + body)
    rejects = folder / "out.csv.rejects.csv"
    try:
        result = score_csv(TenthsScorer(), source, output)
    except DataError as error:
        refused = re.search(r"(?:the only row was|all (\d+) rows were) rejected", str(error))
        rows = refused[1] or 1
        assert not output.exists()
        scored = 0
    else:
        rows = result.rows
        # Every record that was scored ends its own line, and no cell here holds a label.
        scored = len(re.findall(rb",(?:large|small),[01]\.\d{4}(?=[\r\n]|\Z)", output.read_bytes()))
        assert scored == result.scored
    with rejects.open(newline="") as file:
        written = list(csv.DictReader(file))
    assert scored + len(written) == int(rows)
    assert [int(reject["row"]) for reject in written] == sorted(
        {int(reject["row"]) for reject in written}
    )
