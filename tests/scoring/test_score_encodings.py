"""Files that are not UTF-8, and files of which too much is rejected: what is said, what is kept."""

import csv
import dataclasses
import gzip
import json

import pytest

from ffn.errors import DataError, SettingsError
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import SCHEMA, TenthsScorer

# The model turns "large" round for the second of its categories, "red" in tests of ASCII alone.
CITIES = dataclasses.replace(
    SCHEMA,
    features=(
        SCHEMA.features[0],
        dataclasses.replace(SCHEMA.features[1], categories=("Genève", "Zürich")),
    ),
    classes=("groß", "klein"),
)
MODEL = TenthsScorer(schema=CITIES)
TABLE = "id,size,colour\r\n1,7,Zürich\r\n2,7,Genève\r\n€,7,\r\n"
SCORED = (
    "id,size,colour,predicted_kind,confidence\r\n"
    "1,7,Zürich,klein,0.7000\r\n2,7,Genève,groß,0.7000\r\n€,7,,groß,0.7000\r\n"
)


@pytest.mark.parametrize("encoding", ["cp1252", "iso-8859-15", "mac_roman", "utf-16-le", "utf-8"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_output_has_the_encoding_of_the_input(tmp_path, encoding, pack, workers):
    (tmp_path / "in.csv").write_bytes(pack(TABLE.encode(encoding)))
    result = score_csv(
        MODEL, tmp_path / "in.csv", tmp_path / "out.csv", encoding=encoding, workers=workers
    )
    assert (tmp_path / "out.csv").read_bytes() == SCORED.encode(encoding)
    assert json.loads(result.manifest.read_bytes())["unseen_categories"] == {}


def test_the_manifest_names_the_encoding_and_what_was_asked(tmp_path):
    (tmp_path / "in.csv").write_bytes(TABLE.encode("latin-1", "replace"))
    result = score_csv(MODEL, tmp_path / "in.csv", tmp_path / "out.csv", encoding="latin-1")
    manifest = json.loads(result.manifest.read_bytes())
    assert manifest["input"]["encoding"] == manifest["options"]["encoding"] == "iso8859-1"
    again = score_csv(MODEL, tmp_path / "in.csv", tmp_path / "out.csv", encoding="latin1")
    assert again.unchanged


def test_csv_of_cp1252_becomes_parquet(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "in.csv").write_bytes(TABLE.encode("cp1252"))
    score_csv(MODEL, tmp_path / "in.csv", tmp_path / "out.parquet", encoding="cp1252")
    found = pq.read_table(tmp_path / "out.parquet").to_pydict()
    assert found["colour"] == ["Zürich", "Genève", ""]
    assert found["predicted_kind"] == ["klein", "groß", "groß"]


def test_rejects_are_utf_8(tmp_path):
    (tmp_path / "in.csv").write_bytes((TABLE + "4,Zürich,\r\n").encode("cp1252"))
    result = score_csv(MODEL, tmp_path / "in.csv", tmp_path / "out.csv", encoding="cp1252")
    assert "4,5,size,Zürich,not_a_number,1" in result.rejects.read_text("utf-8")


def test_a_class_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "in.csv").write_bytes(TABLE.encode("cp1252"))
    with pytest.raises(DataError, match=r'is in cp1251, and so is the output, but "groß"'):
        score_csv(MODEL, tmp_path / "in.csv", tmp_path / "out.csv", encoding="cp1251")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_an_encoding_that_is_not_read_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r'encoding "cp932" is not supported'):
        score_csv(MODEL, tmp_path / "in.csv", tmp_path / "out.csv", encoding="cp932")


def warnings(tmp_path, rows, **options):
    content = "id,size,colour\n" + "".join(f"{i},{size},\n" for i, size in enumerate(rows))
    (tmp_path / "in.csv").write_bytes(content.encode("cp1252"))
    result = score_csv(TenthsScorer(), tmp_path / "in.csv", tmp_path / "out.csv", **options)
    assert json.loads(result.manifest.read_bytes())["warnings"] == list(result.warnings)
    again = score_csv(TenthsScorer(), tmp_path / "in.csv", tmp_path / "out.csv", **options)
    assert again.unchanged
    assert again.warnings == result.warnings
    return result.warnings


@pytest.mark.parametrize(
    ("bad", "cap", "warned"), [(2, 1.0, False), (3, 1.0, True), (3, 0.5, False), (0, 1.0, False)]
)
def test_more_than_a_fifth_rejected_without_a_cap_is_warned_of(tmp_path, bad, cap, warned):
    found = warnings(tmp_path, ["x"] * bad + [7] * (10 - bad), max_reject_rate=cap)
    assert len(found) == warned
    if warned:
        assert found[0].startswith(
            "3 of 10 rows were rejected (not_a_number 3), and no cap is set."
        )
        assert "--max-reject-rate" in found[0]


def test_rows_that_are_not_utf_8_are_rejected_and_their_encoding_named(tmp_path):
    (found,) = warnings(tmp_path, ["für"] * 5 + [7] * 200)
    assert found.startswith(
        "5 of 205 rows were rejected as undecodable. They are not UTF-8 and may"
    )
    assert found.endswith("give --encoding cp1252.")
    with (tmp_path / "out.csv.rejects.csv").open(encoding="utf-8") as file:
        assert {row["reason"] for row in csv.DictReader(file)} == {"undecodable"}


def test_where_all_are_the_refusal_names_the_encoding(tmp_path):
    with pytest.raises(DataError, match=r"all 3 rows were rejected .* give --encoding cp1252"):
        warnings(tmp_path, ["für"] * 3)
