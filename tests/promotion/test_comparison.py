"""Two versions, paired on rows that neither was trained on."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from scipy import stats

from ffn.errors import RegistryError
from ffn.promotion.comparison import compare
from ffn.settings.pipeline import Pipeline
from tests.helpers.gated import pipeline, retrain, rows, table

LINES = rows(400, noise=0.3)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Version 1 knows 150 rows, version 2 other settings and 300 rows; the table has 400 now."""
    folder = tmp_path_factory.mktemp("two")
    retrain(pipeline(folder, LINES[:150], "mode = 'always'"))
    more = pipeline(folder, LINES[:300], "mode = 'always'")
    training = more.settings.training.model_copy(update={"seed": 7, "epochs": 2})
    retrain(replace(more, settings=more.settings.model_copy(update={"training": training})))
    return pipeline(folder, LINES)


def trained_on(found: Pipeline, version: int) -> int:
    made = json.loads((found.artifacts / f"models/{version:04d}/provenance.json").read_bytes())
    return int(made["rows"]["train"])


def test_the_rows_are_those_that_neither_knows(two: Pipeline) -> None:
    found = compare(two, 1, 2)
    assert found.paired is not None
    shared = found.paired.rows
    assert shared.held_out == 400
    # The 100 new rows at least; at most all that the larger training part left out.
    assert 100 <= shared.fit <= 400 - trained_on(two, 2)
    assert shared.trained_on == 400 - shared.fit
    assert shared.refused == 0
    assert found.paired.looks == 0


def test_the_other_way_round_is_the_opposite(two: Pipeline) -> None:
    one, other = (compare(two, *versions).paired for versions in ((1, 2), (2, 1)))
    assert one is not None
    assert other is not None
    assert (one.labels.gained, one.labels.lost) == (other.labels.lost, other.labels.gained)
    assert one.p_value == other.p_value
    for name in ("accuracy", "log_loss"):
        here, there = getattr(one, name), getattr(other, name)
        assert here.value == pytest.approx(-there.value)
        assert here.low <= here.value <= here.high
        # Bounds are found to 1e-4, or drawn by a bootstrap.
        assert (here.low, here.high) == pytest.approx((-there.high, -there.low), abs=5e-3)


def test_the_p_value_is_mcnemars(two: Pipeline) -> None:
    found = compare(two, 1, 2).paired
    assert found is not None
    changed = found.labels.gained + found.labels.lost
    assert changed > 0
    expected = stats.binomtest(found.labels.gained, changed).pvalue
    assert found.p_value == pytest.approx(expected)
    assert found.accuracy.value == pytest.approx(
        (found.labels.gained - found.labels.lost) / found.rows.fit
    )


def test_a_version_beside_itself_differs_in_nothing(two: Pipeline) -> None:
    found = compare(two, 1, 1)
    assert found.settings == {}
    assert found.paired is not None
    assert (found.paired.labels.gained, found.paired.labels.lost, found.paired.p_value) == (0, 0, 1)
    assert (found.paired.accuracy.value, found.paired.log_loss.value) == (0, 0)


def test_settings_that_differ_are_listed(two: Pipeline) -> None:
    assert compare(two, 1, 2).settings == {"training.epochs": (8, 2), "training.seed": (42, 7)}


def test_looks_that_the_gate_took_are_told(tmp_path: Path) -> None:
    retrain(pipeline(tmp_path, LINES[:150], "accuracy_margin = 0.5"))
    later = pipeline(tmp_path, LINES, "accuracy_margin = 0.5")
    retrain(later)
    found = compare(later, 1, 2).paired
    assert found is not None
    assert found.looks == 1
    looks = (later.artifacts / "looks.safetensors").read_bytes()
    compare(later, 1, 2)
    assert (later.artifacts / "looks.safetensors").read_bytes() == looks


def test_damaged_looks_are_not_the_fault_of_the_table(two: Pipeline) -> None:
    (two.artifacts / "looks.safetensors").write_bytes(b"damaged")
    found = compare(two, 1, 2)
    assert found.paired is None
    assert found.why_not.startswith(
        f"{two.artifacts / 'looks.safetensors'} is damaged, so the number"
    )
    (two.artifacts / "looks.safetensors").unlink()
    assert compare(two, 1, 2).paired


def test_where_there_are_no_such_rows_that_is_said(two: Pipeline) -> None:
    source = two.source
    kept = source.read_text()
    for text, reason in (
        (table([*LINES[:5], *rows(40, seed=9)], "p,r,y"), r'columns were removed .*: "q"'),
        (None, r"the training CSV cannot be used: .* does not exist"),
    ):
        source.unlink() if text is None else source.write_text(text)
        found = compare(two, 1, 2)
        assert found.paired is None
        assert re.search(reason, found.why_not)
        assert found.first.summary.accuracy is not None
    source.write_text(kept)


def test_what_is_not_there_is_not_compared(two: Pipeline) -> None:
    with pytest.raises(RegistryError, match=r"version 9 does not exist; there are: 1, 2"):
        compare(two, 1, 9)


def test_rows_that_one_of_them_would_refuse_are_left_out(tmp_path: Path) -> None:
    """Version 1 knows gaps; version 2 does not, and scores no row that has one."""
    gaps = ["," + line.partition(",")[2] for line in rows(60, seed=5)]
    retrain(pipeline(tmp_path, LINES[:150] + gaps[:40], "mode = 'always'"))
    retrain(pipeline(tmp_path, LINES[:150], "mode = 'always'"))
    later = pipeline(tmp_path, LINES[:200] + gaps)
    for versions in ((1, 2), (2, 1)):
        found = compare(later, *versions).paired
        assert found is not None
        # The 20 new ones at least, and of the others those that version 1 held out.
        assert 20 <= found.rows.refused <= 20 + 40 // 4
        assert found.rows.fit + found.rows.refused + found.rows.trained_on == 260
