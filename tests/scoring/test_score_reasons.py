"""``--explain``: reasons in files of every kind are those of the model, and the same each time."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffn.bundles.carried_model import CarriedModel
from ffn.decision_rules.rule import DecisionRule
from ffn.errors import BundleError, DataError, SettingsError
from ffn.scoring.model import Model
from ffn.scoring.parallel import split_file
from ffn.scoring.parallel.file_run import Run
from ffn.scoring.parallel.part_result import Part
from ffn.scoring.parallel.split_file import score_in_parts
from ffn.scoring.score_file import score_csv
from ffn.tabular.schema import Feature
from tests.helpers.explainable import answer, explainable, typical

ROWS = [
    {"id": "1", "n0": "3.5", "c0": "p", "n1": "-4", "c1": "r"},
    {"id": "2", "n0": "", "c0": "q", "n1": "2", "c1": "NA"},
    {"id": "3", "n0": "0", "c0": "q", "n1": "1", "c1": "q"},
    {"id": "4", "n0": "0.25", "c0": "new", "n1": "1", "c1": "q"},
]


def write(path: Path, rows: list[dict[str, str]], delimiter: str = ",") -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def scored(model: Any, folder: Path, rows: Any = ROWS, **options: Any) -> list[dict[str, str]]:
    chosen: dict[str, Any] = {"explain": 3, "drift": "off"} | options
    source = write(folder / "in.csv", rows)
    score_csv(model, source, folder / "out.csv", force=True, **chosen)
    with (folder / "out.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def manifest(folder: Path, name: str = "out.csv") -> Any:
    return json.loads((folder / f"{name}.manifest.json").read_bytes())


def random_rows(numbers: int, n: int, seed: int = 1) -> list[dict[str, str]]:
    generator = np.random.default_rng(seed)
    values = generator.normal(0, 3, (n, numbers)).round(3)
    return [{f"n{i}": str(value) for i, value in enumerate(row)} for row in values.tolist()]


def test_reasons_are_those_of_the_model_and_add_up(tmp_path: Path) -> None:
    bundle = explainable()
    found = scored(bundle, tmp_path, explain=4)
    frame = pd.DataFrame([{**row, "n0": row["n0"] or None} for row in ROWS])
    explanation = Model(bundle).explain(frame)
    assert (len(explanation), explanation.columns) == (4, ("n0", "c0", "n1", "c1"))
    assert "4 rows by 4 columns, all exact" in repr(explanation)
    assert explanation.reference == typical(bundle)
    base = answer(bundle, typical(bundle))
    for row, reasons, label, chance, start in zip(
        found,
        explanation.reasons(4),
        explanation.labels,
        explanation.probabilities,
        explanation.base,
        strict=True,
    ):
        assert row["predicted_y"] == label
        assert float(row["confidence"]) == pytest.approx(chance, abs=5e-5)
        assert start == base["abc".index(label)]
        said = [(row[f"reason_{i}"], row[f"reason_{i}_value"]) for i in range(1, 5)]
        filled = [(name, float(value)) for name, value in said if name]
        assert filled == reasons
        # Each was rounded to four decimals.
        total = sum(value for _, value in filled)
        assert total == pytest.approx(float(row["confidence"]) - start, abs=3e-4)
    # The third is the reference row itself.
    assert [found[2][f"reason_{i}"] for i in range(1, 5)] == [""] * 4
    assert found[3]["reason_1"] in {"c0", "n0"}
    with pytest.raises(ValueError, match="count is 0; give a number of reasons"):
        explanation.reasons(0)


def test_without_the_option_nothing_is_added(tmp_path: Path) -> None:
    scored(explainable(), tmp_path, explain=0)
    told = manifest(tmp_path)
    assert "reasons" not in told
    assert "explain" not in told["options"]
    assert b"reason" not in (tmp_path / "out.csv").read_bytes()


def test_the_manifest_says_what_they_are(tmp_path: Path) -> None:
    bundle = explainable(12, 0, scale=2.0)
    rows = random_rows(12, 5)
    # A row that differs in three columns alone is exact.
    rows.append({f"n{i}": str(i + 2 * (i in {1, 5, 7})) for i in range(12)})
    found = scored(bundle, tmp_path, rows, explain=1)
    assert list(found[0])[-3:] == ["reason_1", "reason_1_value", "reasons_error"]
    told = manifest(tmp_path)["reasons"]
    assert (told["exact_rows"], told["estimated_rows"]) == (1, 5)
    errors = [float(row["reasons_error"]) for row in found]
    assert told["largest_standard_error"] == max(errors) > 0 == errors[-1]
    assert told["reference"] == {f"n{i}": float(i) for i in range(12)}
    assert sum(told["reference_probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert manifest(tmp_path)["options"]["explain"] == 1


def test_rows_have_the_same_reasons_wherever_they_are(tmp_path: Path) -> None:
    bundle = explainable(11, 0, scale=2.0)
    rows = random_rows(11, 40)
    whole = scored(bundle, tmp_path, rows)
    apart = scored(bundle, tmp_path, rows[:7]) + scored(bundle, tmp_path, rows[7:][::-1])[::-1]
    assert apart == whole
    assert scored(CarriedModel(bundle), tmp_path, rows) == whole


def test_workers_write_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file that is divided although it is short, as a long one would be."""
    sizes: dict[str, Any] = {"least_bytes": 20_000, "part_bytes": (2_000, 5_000)}
    in_parts = partial(score_in_parts, has_started=lambda one: one.result() > 0, **sizes)
    monkeypatch.setattr(split_file, "score_in_parts", in_parts)
    bundle = explainable(3, 1)
    rows = [{**row, "c0": "pqr"[i % 3]} for i, row in enumerate(random_rows(3, 2_000))]
    source = write(tmp_path / "in.csv", rows)
    joined, outputs, join = [], [], Run.join

    def joining(run: Run, part: Part) -> None:
        joined.append(part)
        join(run, part)

    monkeypatch.setattr(Run, "join", joining)
    for workers in (1, 2):
        output = tmp_path / f"out{workers}.csv"
        score_csv(bundle, source, output, workers=workers, explain=2, drift="off")
        outputs.append(output.read_bytes())
    assert len(joined) > 5
    assert outputs[0] == outputs[1]
    told = [manifest(tmp_path, f"out{workers}.csv") for workers in (1, 2)]
    assert told[0] == told[1]
    assert told[0]["reasons"]["exact_rows"] == 2_000


def test_parquet_has_the_reasons_of_csv(tmp_path: Path) -> None:
    bundle = explainable(11, 1)
    rows = [{**row, "c0": "pqr"[i % 3]} for i, row in enumerate(random_rows(11, 12))]
    expected = scored(bundle, tmp_path, rows)
    numbers = {f"n{i}": pa.array([float(row[f"n{i}"]) for row in rows]) for i in range(11)}
    table = pa.table(numbers | {"c0": pa.array([row["c0"] for row in rows])})
    pq.write_table(table, tmp_path / "in.parquet")
    options: dict[str, Any] = {"explain": 3, "drift": "off"}
    for source in ("in.parquet", "in.csv"):
        score_csv(bundle, tmp_path / source, tmp_path / "out.parquet", force=True, **options)
        found = pq.read_table(tmp_path / "out.parquet")
        assert found.schema.field("reason_2").type == pa.string()
        assert found.schema.field("reason_2_value").type == pa.float64()
        assert found.schema.names[-1] == "reasons_error"
        for row, wanted in zip(found.to_pylist(), expected, strict=True):
            for name in found.schema.names[-7:]:
                value = row[name]
                shown = f"{value:.4f}" if isinstance(value, float) else value or ""
                assert shown == wanted[name]
    score_csv(bundle, tmp_path / "in.parquet", tmp_path / "p.csv", **options)
    with (tmp_path / "p.csv").open(newline="") as file:
        assert [row["reason_1_value"] for row in csv.DictReader(file)] == [
            row["reason_1_value"] for row in expected
        ]
    # The reference row has no reasons: nulls.
    pq.write_table(
        pa.table({f"n{i}": [float(i)] for i in range(11)} | {"c0": ["q"]}), tmp_path / "r.parquet"
    )
    score_csv(bundle, tmp_path / "r.parquet", tmp_path / "out.parquet", **options)
    (row,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert (row["reason_1"], row["reason_1_value"], row["reasons_error"]) == (None, None, 0)


def test_decimal_comma_delimiter_and_formulas(tmp_path: Path) -> None:
    bundle = explainable(1, 0)
    schema = replace(
        bundle.schema, features=(Feature(name="=n;0", kind="numeric", minimum=0.0, maximum=9.0),)
    )
    bundle = replace(bundle, schema=schema)
    (tmp_path / "in.csv").write_text('"=n;0"\n4,5\n')
    options: dict[str, Any] = {"delimiter": ";", "decimal": ",", "escape_formulas": True}
    score_csv(
        bundle, tmp_path / "in.csv", tmp_path / "out.csv", explain=1, drift="off", **options
    )  # fmt: skip
    _, line = (tmp_path / "out.csv").read_text().splitlines()
    *_, name, value = next(csv.reader([line], delimiter=";"))
    assert name == "'=n;0"
    expected = Model(bundle).explain(pd.DataFrame({"=n;0": [4.5]})).values[0, 0]
    assert value == f"{expected:.4f}".replace(".", ",")


def test_the_label_of_the_rule_is_explained(tmp_path: Path) -> None:
    rule = DecisionRule(weights=(1.0, 1.0, 1e9), abstain_below=0.99)
    bundle = replace(explainable(), rule=rule)
    (first, *_) = scored(bundle, tmp_path)
    assert first["predicted_y"] == ""
    explanation = Model(bundle).explain(pd.DataFrame(ROWS[:1]))
    assert explanation.labels.tolist() == ["c"]
    assert float(first["reason_1_value"]) == explanation.reasons(1)[0][0][1]


@pytest.mark.parametrize("column", ["reason_1", "reason_2_value"])
def test_a_column_of_that_name_is_refused(column: str, tmp_path: Path) -> None:
    rows = [{**row, column: "x"} for row in ROWS]
    with pytest.raises(DataError, match=f'already has a column "{column}", which scoring would'):
        scored(explainable(), tmp_path, rows)
    # It may be the one that is not kept, or there are no reasons.
    scored(explainable(), tmp_path, rows, only_id="id")
    scored(explainable(), tmp_path, rows, explain=0)


def test_what_cannot_be_explained_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no histograms of its training rows"):
        scored(replace(explainable(), reference=None), tmp_path)
    for wrong in (-1, True, 2.5):
        with pytest.raises(SettingsError, match="give a number of reasons from 0 up"):
            scored(explainable(), tmp_path, explain=wrong)
