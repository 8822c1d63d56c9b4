"""Weights, groups and slices in the figures of a labelled table are those of the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

import ffn
from tests.helpers.command_line import run_here

SETTINGS = """
[data]
source = "train.csv"
target = "y"
weight = "people"

[split]
group = "customer"
audit = "ignore"

[training]
epochs = 5
networks = 2

[optimizers.sgd]
"""


def table(rows: int, seed: int, first_customer: int = 0) -> pd.DataFrame:
    """Customers with ten rows each; labels of the red ones are mostly chance."""
    random = np.random.default_rng(seed)
    customer = np.repeat(np.arange(rows // 10), 10)
    x = random.normal(size=rows) + random.normal(size=rows)[customer] / 2
    colour = random.choice(["red", "blue", "green"], rows)
    noise = random.normal(size=rows) * np.where(colour == "red", 3, 0.3)
    return pd.DataFrame(
        {
            "customer": [f"C{number + first_customer}" for number in customer],
            "x": x,
            "colour": colour,
            "people": random.choice([0, 1, 2, 5], rows),
            "y": np.where(x + noise > 0, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("weighted")
    folder = root / "data/flow"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(SETTINGS)
    table(1_600, 2).to_csv(folder / "train.csv", index=False)
    ffn.retrain("flow", root=root)
    return root


@pytest.fixture(scope="module")
def model(root: Path) -> ffn.Model:
    return ffn.load("flow", root=root)


@pytest.fixture(scope="module")
def new() -> pd.DataFrame:
    return table(900, 5, 5_000)


def registered(root: Path, version: int = 1) -> dict[str, Any]:
    metrics = root / f"artifacts/flow/models/{version:04}/metrics.json"
    return dict(json.loads(metrics.read_text()))


def flat(value: Any, at: str = "") -> dict[str, Any]:
    """Leaves of a JSON value by their path, to compare numbers up to the order of summation."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for key, one in items for k, v in flat(one, f"{at}.{key}").items()}
    return {at: float(f"{value:.9g}") if isinstance(value, float) else value}


def test_of_the_training_table_the_figures_and_slices_are_those_of_the_report(
    root: Path, model: ffn.Model
) -> None:
    found = model.evaluate(root / "data/flow/train.csv").to_json()
    promised = registered(root)
    for name in ("accuracy", "balanced_accuracy", "auc", "macro_f1", "log_loss", "brier"):
        for bound in ("value", "low", "high"):
            # The bootstrap of the losses has another seed.
            exact = 1e-9 if bound == "value" or name in {"accuracy", "auc"} else 0.05
            assert found[name][bound] == pytest.approx(promised["test"][name][bound], rel=exact)
    for name in ("groups", "effective_rows", "confusions"):
        assert found[name] == promised["test"][name]
    assert flat(found["slices"]) == flat(promised["examination"]["slices"])
    assert found["slices"]["searched"] > 5


def test_weighted_figures_are_those_of_scikit_learn(model: ffn.Model, new: pd.DataFrame) -> None:
    found = model.evaluate(new)
    kept = new[new["people"] > 0]
    assert found.left_out == {"weightless": len(new) - len(kept)}
    assert (found.evaluated, found.groups) == (len(kept), kept["customer"].nunique())
    weights, labels = kept["people"], kept["y"]
    shares = model.predict_proba(kept)
    for figure, expected in {
        found.accuracy: accuracy_score(labels, model.predict(kept), sample_weight=weights),
        found.log_loss: log_loss(labels, shares, sample_weight=weights),
        found.auc: roc_auc_score(labels == "yes", shares[:, 1], sample_weight=weights),
    }.items():
        assert figure.value == pytest.approx(expected, rel=1e-9)
    assert found.effective_rows == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert found.slices is not None
    assert {(one.column, one.value) for one in found.slices.worse} >= {("colour", "red")}
    assert '2 are shown to be served worse than all other rows: "colour" "red" (acc' in str(found)


def test_rows_of_few_customers_say_less(model: ffn.Model, new: pd.DataFrame) -> None:
    """An interval of whole customers is wider than one of rows that are all customers' own."""
    few = new.assign(customer=[f"D{row % 12}" for row in range(len(new))], y="yes")
    few["y"] = np.where(few["customer"] < "D3", "no", model.predict(few))
    alone = few.assign(customer=np.arange(len(new)))
    whole, apart = (model.evaluate(one).accuracy for one in (few, alone))
    assert whole.value == apart.value
    assert whole.high - whole.low > 2 * (apart.high - apart.low)


def test_every_carrier_has_the_same_keys(
    model: ffn.Model, new: pd.DataFrame, tmp_path: Path
) -> None:
    new = new.assign(customer=new["customer"].str[1:].astype(int))
    expected = model.evaluate(new).to_json()
    new.to_csv(tmp_path / "new.csv", index=False)
    new.to_parquet(tmp_path / "new.parquet")
    for carrier in (tmp_path / "new.csv", tmp_path / "new.parquet"):
        assert model.evaluate(carrier).to_json() == expected
    renamed = new.rename(columns={"people": "n", "customer": "who"})
    assert model.evaluate(renamed, weight="n", group="who").to_json() == expected


def test_keys_that_cannot_be_used_leave_rows_out(model: ffn.Model, new: pd.DataFrame) -> None:
    bad = new.assign(people=1.0).head(200).astype({"people": object})
    bad.loc[:2, "people"] = [None, "many", -1]
    bad.loc[3, "people"] = 0
    bad.loc[4:6, "customer"] = [None, "", "NA"]
    found = model.evaluate(bad)
    assert found.left_out == {"weightless": 1, "no_weight": 3, "no_group": 3}
    assert found.evaluated == 193


def test_a_table_without_these_columns_says_so(model: ffn.Model, new: pd.DataFrame) -> None:
    found = model.evaluate(new.drop(columns=["people", "customer"]))
    assert (found.groups, found.effective_rows) == (0, 0)
    assert found.notices[-2:] == (
        'The table lacks "people", by which training weights rows, so its rows count alike.',
        'The table lacks "customer", by which training groups rows, so its rows are taken for '
        "independent: intervals may be too narrow.",
    )
    with pytest.raises(
        ffn.FFNError, match=r'no column "peple", which weight names;.* Did you mean "people"'
    ):
        model.evaluate(new, weight="peple")
    with pytest.raises(ffn.FFNError, match=r'the table has no column "who", which group names'):
        model.evaluate(new, group="who")


def test_a_labelled_table_that_is_evaluated_at_once_has_them_too(
    root: Path, model: ffn.Model, new: pd.DataFrame, tmp_path: Path, capsys: Any
) -> None:
    file = tmp_path / "new.csv"
    new.to_csv(file, index=False)
    assert run_here(("evaluate", "flow", file, "--direct", "--json", "--root", root)) == 0
    (told,) = json.loads(capsys.readouterr().out)["files"]
    expected = model.evaluate(file)
    assert told["figures"] == expected.to_json()
    assert run_here(("evaluate", "flow", file, "--direct", "--root", root)) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[1].startswith(
        f"This table alone, {expected.evaluated:,} rows, of 90 groups (by weight as many as "
    )
    assert any(line.startswith("Of 7 slices of at least 30 of these") for line in lines)


def test_held_out_rows_of_a_file_of_their_own(root: Path, tmp_path: Path, capsys: Any) -> None:
    """Their figures are the promised ones, which say nothing about new rows."""
    folder = tmp_path / "data/flow"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(SETTINGS.replace("[split]\n", '[split]\ntest="h.csv"\n'))
    table(1_200, 3).to_csv(folder / "train.csv", index=False)
    table(400, 4, 7_000).to_csv(folder / "h.csv", index=False)
    ffn.retrain("flow", root=tmp_path)
    found = ffn.load("flow", root=tmp_path).evaluate(folder / "h.csv").to_json()
    promised = registered(tmp_path)
    assert flat(found["accuracy"]) == flat(promised["test"]["accuracy"])
    assert flat(found["slices"]) == flat(promised["examination"]["slices"])
    assert (found["groups"], found["left_out"].keys()) == (40, {"weightless"})
    with pytest.raises(ffn.FFNError, match=r"h\.csv is the file of held-out rows by which ver"):
        ffn.evaluate("flow", folder / "h.csv", root=tmp_path)
