"""The audit beside a time, a group and a file of held-out rows that the settings name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffn.auditing.audit_figures import ColumnAudit, SplitAudit
from ffn.auditing.audited_columns import choose_audited
from ffn.auditing.split_audit import audit_split
from ffn.pipelines.execution import InProcess
from ffn.pipelines.retraining import fit, prepare
from ffn.settings.document import check_settings
from ffn.training.tables.loading import load
from simulations.planted import PLANTED
from simulations.split_audits import planted_pipeline
from tests.auditing.customers_of_days import FIRST_DAY, Columns, customers, pipeline, write


def audited(
    folder: Path, split: dict[str, Any], columns: Columns | None = None
) -> tuple[list[tuple[str, str]], SplitAudit, int]:
    """The columns that were chosen, what was found, and how many rows were trained on."""
    made = pipeline(folder, columns or customers(0, 90, 1), split)
    executor, dataset = InProcess(), load(made)
    division, prepared = prepare(made, dataset, executor)
    chosen = choose_audited(dataset, division, made)
    fitted = fit(made, prepared, executor)
    found = audit_split(chosen, division, prepared, fitted.refitted, made)
    assert found is not None
    return [(one.name, one.kind) for one in chosen], found, prepared.training.rows


def of(audit: SplitAudit, name: str) -> ColumnAudit:
    (found,) = (one for one in audit.columns if one.column == name)
    return found


def test_beside_a_time_groups_are_audited_on_later_rows_alone(tmp_path: Path) -> None:
    chosen, audit, rows = audited(tmp_path, {"time": "day", "ignore": ["household"]})
    assert chosen == [("customer_id", "group")], "the time that is named is no second one"
    found = of(audit, "customer_id")
    # Judged are the latest fifth of the training rows, up to the rows of the day of the cut.
    assert abs(found.rows - rows / 5) <= 20
    assert found.matters
    assert found.expected_accuracy.low < 0.5 < found.expected_accuracy.high


def test_beside_a_group_that_holds_another_the_other_owes_nothing_to_it(tmp_path: Path) -> None:
    """Customers of different households are on different sides already."""
    split = {"group": "household", "ignore": ["day"]}
    chosen, audit, _ = audited(tmp_path, split)
    assert chosen == [("customer_id", "group")]
    assert audit.columns == ()
    assert audit.left_out == {
        "customer_id": "no held-out row has a value of a training row, so the held-out figures are "
        "those of new values"
    }


def test_beside_a_group_within_it_the_larger_group_is_named(tmp_path: Path) -> None:
    """Labels of a household are alike here, and customers alone are kept apart."""
    columns = customers(0, 180, 2)
    rng = np.random.default_rng(3)
    homes = sorted(set(columns["household"]))
    label, own = (
        dict(zip(homes, drawn, strict=True))
        for drawn in (rng.choice(["yes", "no"], len(homes)), rng.normal(size=(len(homes), 5)))
    )
    columns["y"] = [label[home] for home in columns["household"]]
    for i in range(5):
        shared = np.array([own[home][i] for home in columns["household"]])
        columns[f"f{i}"] = (shared + 0.3 * rng.normal(size=len(shared))).round(4)
    chosen, audit, _ = audited(tmp_path, {"group": "customer_id"}, columns)
    assert ("household", "group") in chosen
    assert of(audit, "household").matters


def test_what_hangs_together_through_both_columns_is_left_out_and_said(tmp_path: Path) -> None:
    """Every shop has rows of every customer, so nothing can be kept apart beside it."""
    _, audit, _ = audited(tmp_path, {"group": "shop", "ignore": ["household", "day"]})
    assert audit.columns == ()
    assert audit.left_out == {
        "customer_id": "its values cannot be kept apart: too few rows would be left"
    }


@pytest.fixture(scope="module")
def with_file(tmp_path_factory: pytest.TempPathFactory) -> list[SplitAudit]:
    """Audits of one table beside two different files of held-out rows."""
    found = []
    for seed in (7, 8):
        folder = tmp_path_factory.mktemp("file")
        write(folder / "own.csv", customers(0, 12, seed))
        split = {"test": "own.csv", "ignore": ["household", "day"]}
        chosen, audit, rows = audited(folder, split)
        assert chosen == [("customer_id", "group")]
        assert rows == 1_800, "all rows of the table are trained on"
        found.append(audit)
    return found


def test_a_file_of_held_out_rows_is_not_looked_at(with_file: list[SplitAudit]) -> None:
    assert with_file[0] == with_file[1]


def test_beside_a_file_the_table_s_own_groups_are_named(with_file: list[SplitAudit]) -> None:
    found = of(with_file[0], "customer_id")
    assert (found.rows, found.values) == (1_800, 90)
    assert found.matters
    # Labels are tossed. What is left out of a fold is missing in the others, hence a little less.
    assert found.expected_accuracy.low < 0.5
    assert found.expected_accuracy.value < 0.55


def test_by_time_and_group_only_what_is_left_is_audited(tmp_path: Path) -> None:
    chosen, audit, rows = audited(tmp_path, {"time": "day", "group": "customer_id"})
    assert chosen == [("household", "group")]
    found = of(audit, "household")
    assert found.rows < rows / 4
    assert not found.matters, "labels are tossed for customers, not for households"


def test_beside_a_group_a_concept_that_turns_names_its_time(tmp_path: Path) -> None:
    """No household is on both sides of the forward split either, or it would seem better by it."""
    rng = np.random.default_rng(4)
    n = 3_000
    when = np.sort(rng.random(n))
    x = rng.normal(size=(n, 2)).round(4)
    turned = x[:, 0] * np.cos(3 * when) + x[:, 1] * np.sin(3 * when) > 0
    columns = {
        "f0": x[:, 0],
        "f1": x[:, 1],
        "customer_id": rng.integers(0, 90, n),
        "household": rng.integers(0, 60, n),
        "shop": rng.integers(0, 6, n),
        "day": (FIRST_DAY + (400 * when).astype(int)).astype(str),
        "y": np.where(turned, "yes", "no"),
        # By it the model knows its own time.
        "meter": (10 * when + 0.05 * rng.normal(size=n)).round(3),
    }
    split = {"group": "household", "ignore": ["customer_id"]}
    chosen, audit, rows = audited(tmp_path, split, columns)
    assert chosen == [("day", "time")]
    found = of(audit, "day")
    assert abs(found.rows - rows / 5) < 40
    assert found.accuracy.value > 0.02


def test_accuracy_is_that_of_the_labels_that_the_settings_decide(tmp_path: Path) -> None:
    """Where nearly every row gets one label, the share of that label is all that is right."""
    planted = PLANTED["clean"](np.random.default_rng([1, 12]))
    made = planted_pipeline(tmp_path, planted, epochs=6)
    document = made.settings.model_dump(exclude_unset=True)
    document |= {"decision": {"thresholds": {"bad": 0.001}}, "split": {"ignore": ["opened"]}}
    made = replace(made, settings=check_settings(document, "pipeline.toml"))
    executor, dataset = InProcess(), load(made)
    division, prepared = prepare(made, dataset, executor)
    fitted = fit(made, prepared, executor)
    chosen = choose_audited(dataset, division, made)
    found = audit_split(chosen, division, prepared, fitted.refitted, made)
    assert found is not None
    expected = of(found, "customer_id").expected_accuracy
    share = float((planted.table["y"] == "bad").mean())
    assert abs(expected.value - share) < 0.05
    assert abs(fitted.evaluation.accuracy.value - share) < 0.05
