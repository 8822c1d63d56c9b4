"""Files of labels that contradict themselves or lack something are refused in one line."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ffn
from ffn.errors import DataError
from ffn.monitoring.record.label_files import read_labels
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline
from ffn.storage.source import open_source
from tests.monitoring.conftest import counts, rows, scored


def test_a_contradiction_is_refused_with_both_places(root: Path) -> None:
    found = rows(5, 6, first=1000)
    scored(root, found)
    path = root / "labels.csv"
    path.write_text("id,y\nr1000,a\nr1001,b\nr1000,c\n")
    wanted = r'labels\.csv: "r1000" has the label "a" in line 2 and "c" in line 4\. Correct one'
    with pytest.raises(ffn.LabelsRefusedError, match=wanted):
        ffn.evaluate("flow", path, root=root)
    path.write_text("id,y\nr1000,a\nr1001,b\n")
    ffn.evaluate("flow", path, root=root)
    later = root / "later.csv"
    later.write_text("id,y\nr1002,c\nr1001,a\n")
    wanted = (
        r'later\.csv: "r1001" has the label "a" in line 3, and labels\.csv gave it "b" in line 3'
    )
    with pytest.raises(ffn.LabelsRefusedError, match=wanted) as error:
        ffn.evaluate("flow", later, root=root)
    # Nothing of the refused file was taken up.
    quality = error.value.outcome.quality
    assert quality is not None
    assert quality.figures is not None
    assert quality.figures.rows == 2
    later.write_text("id,y\nr1002,c\nr1001,b\n")
    assert counts(ffn.evaluate("flow", later, root=root).deliveries[0]) == {"joined": 1, "known": 1}


def test_a_file_without_the_columns_is_one_line(root: Path) -> None:
    path = root / "labels.csv"
    path.write_text("ID,y\n1,a\n")
    with pytest.raises(ffn.LabelsRefusedError, match=r'no column "id", which outcomes\.id names;'):
        ffn.evaluate("flow", path, root=root)
    path.write_text("id,kind\n1,a\n")
    with pytest.raises(ffn.LabelsRefusedError, match=r'no column "y", which data\.target names;'):
        ffn.evaluate("flow", path, root=root)
    path.write_text("id,y\n1,NA\n2,a\n3,a\n4,b\n5,b\n6,b\n")
    with pytest.raises(ffn.LabelsRefusedError, match=r'1 of 6 labels are "NA"'):
        ffn.evaluate("flow", path, root=root)


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["r1", "r2", "r3", "x1", ""]), st.sampled_from(["a", "b", "z", ""])
        ),
        max_size=12,
    )
)
def test_rows_in_are_rows_joined_and_not_joined(lines: list[tuple[str, str]]) -> None:
    """Whatever a file of labels holds: counted from the lines alone, or refused."""
    document = {"data": {"source": "t.csv", "target": "y"}, "outcomes": {"id": "id"}}
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(
            name="flow",
            settings=check_settings(document, "pipeline.toml"),
            folder=Path(folder),
            artifacts=Path(folder),
        )
        content = io.StringIO()
        csv.writer(content).writerows([("id", "y"), *lines])
        path = Path(folder) / "labels.csv"
        path.write_text(content.getvalue())
        given_by: dict[str, set[str]] = {}
        for one, label in lines:
            if one and label:
                given_by.setdefault(one, set()).add(label)
        with open_source(path) as stream:
            if any(len(found) > 1 for found in given_by.values()):
                with pytest.raises(DataError, match="has the label"):
                    read_labels(stream, pipeline, "labels.csv")
                return
            kept, found = read_labels(stream, pipeline, "labels.csv")
    fates = Counter(
        "unlabelled" if not label else "kept" if one else "none" for one, label in lines
    )
    assert found.rows == len(lines)
    assert found.unlabelled == fates["unlabelled"]
    assert found.without_id == fates["none"]
    assert len(kept) == len(given_by)
    assert found.known == fates["kept"] - len(given_by)
