"""Leaks that were planted are named, and honest features are not."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from ffn.errors import DataError
from ffn.leakage.findings import Leak
from ffn.leakage.leaks import find_leaks
from ffn.pipelines.execution import InProcess
from ffn.pipelines.outcomes import RetrainOutcome
from ffn.pipelines.progress import listening
from ffn.pipelines.retraining import run_steps
from ffn.profiling.scaffold import create_pipeline
from ffn.training.tables.loading import load
from ffn.training.tables.splitting import split
from tests.helpers.retrained import made, shipped


class Listening(InProcess):
    """Runs a retraining in this process, and keeps what is said of leaks and when it trains."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def warn(self, text: str) -> None:
        self.heard.append(f"warned: {text}")

    def notice(self, text: str) -> None:
        self.heard.append(f"noticed: {text}")

    def stage(self, text: str) -> None:
        if text == "training":
            self.heard.append(text)

    def step(self, label: str, done: int, total: int, note: str) -> None:
        """Progress is of no interest here."""

    def leaders(self, standings: object) -> None: ...


def leaks_in(folder: Path, table: pd.DataFrame, toml: str = "") -> tuple[Leak, ...]:
    return leaks_of(made(folder, table.to_csv(index=False), toml))


def leaks_of(pipeline) -> tuple[Leak, ...]:
    dataset = load(pipeline)
    training = split(dataset, pipeline).training
    return find_leaks(dataset, training, pipeline.source, pipeline.settings.data, 42)


def honest(n: int = 1_000, seed: int = 0) -> pd.DataFrame:
    """Four numbers, of which two predict the label for four rows in five."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 4)).round(3)
    bad = x[:, 0] + x[:, 1] + generator.normal(size=n) > 0
    table = pd.DataFrame(x, columns=list("abcd"))
    return table.assign(y=np.where(bad, "bad", "good"))


def planted(kind: str) -> pd.DataFrame:
    table, generator = honest(), np.random.default_rng(7)
    n, bad = len(table), (table["y"] == "bad").to_numpy()
    columns = {
        "days": np.where(bad, generator.integers(1, 90, n), 0),
        "reason": np.where(bad, generator.choice(["moved", "price"], n), ""),
        "paid": np.where(bad, "", generator.choice(["card", "cash"], n)),
        "status": np.where(
            bad & (generator.random(n) < 0.6), "written off", generator.choice(["a", "b"], n)
        ),
        "total": np.where(bad, 9, 0) + generator.normal(size=n).round(3),
        "flag": np.where(bad, "Y", "N"),
        "grade": np.where(bad, 4, 2),
    }
    return table.assign(late=columns[kind])


@pytest.mark.parametrize(
    ("kind", "check", "said"),
    [
        ("days", "late", r'column "late" is "0" in (\d+) of the \1 training rows with "y" "good"'),
        ("reason", "late", r'"late" has a value in (\d+) of the \1 training rows with "y" "bad"'),
        ("paid", "late", r'"late" has a value in (\d+) of the \1 training rows with "y" "good"'),
        ("status", "late", r'"late" is "written off" in \d+ of the \d+ training rows .* in 0 of'),
        ("total", "alone", r'column "late" alone predicts "y" almost perfectly: on 800 training'),
        ("flag", "label", r'it has "Y" for "bad", "N" for "good"'),
        ("grade", "label", r'it has "4" for "bad", "2" for "good"'),
    ],
)
def test_a_column_known_after_the_label_is_named(tmp_path, kind, check, said) -> None:
    (leak,) = leaks_in(tmp_path, planted(kind))
    assert (leak.column, leak.kind) == ("late", check)
    assert re.search(said, leak.sentence), leak.sentence
    assert "data.exclude" in leak.sentence


def test_two_such_columns_do_not_excuse_each_other(tmp_path) -> None:
    table = planted("days").assign(other=planted("reason")["late"])
    assert {leak.column for leak in leaks_in(tmp_path, table)} == {"late", "other"}


@pytest.mark.parametrize("name", ["iris", "penguins"])
def test_the_shipped_tables_are_clean(repository, tmp_path, name) -> None:
    assert leaks_of(shipped(repository, name, tmp_path)) == ()


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_the_tables_of_scikit_learn_are_clean(tmp_path, name) -> None:
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    table = frame.rename(columns={"target": "y"})
    assert leaks_in(tmp_path, table.assign(y="class " + table["y"].astype(str))) == ()


@pytest.mark.parametrize("species", [0, 1, 2])
def test_an_honest_feature_may_be_perfect(tmp_path, species) -> None:
    """Of Iris, petals alone tell setosa from the others; but so do the sepals, nearly."""
    frame = datasets.load_iris(as_frame=True).frame.rename(columns={"target": "y"})
    assert leaks_in(tmp_path, frame.assign(y=np.where(frame["y"] == species, "yes", "no"))) == ()


def test_twenty_clean_tables_raise_no_alarm(tmp_path) -> None:
    for seed in range(20):
        table = honest(300, seed)
        generator = np.random.default_rng(seed)
        more = table.assign(
            town=generator.choice(list("ABCDE"), 300),
            gap=np.where(generator.random(300) < 0.3, "", generator.integers(1, 9, 300)),
        )
        assert leaks_in(tmp_path, more) == ()


def test_values_that_name_cases_are_to_be_a_group(tmp_path) -> None:
    generator = np.random.default_rng(3)
    cases = np.repeat(np.arange(100), 12)
    table = pd.DataFrame({"a": generator.normal(size=1200), "b": generator.normal(size=1200)})
    table["clinic"] = [f"clinic {case}" for case in generator.permutation(100)[cases]]
    table["y"] = np.where(generator.integers(0, 2, 100)[cases], "ill", "well")
    (leak,) = leaks_in(tmp_path, table, '[data.kinds]\nclinic = "categorical"')
    assert leak.column == "clinic"
    assert "Each of its 100 values has nearly always one label" in leak.sentence
    assert 'split.group = "clinic"' in leak.sentence


def repeated(columns: int = 6) -> pd.DataFrame:
    """Each of 150 cases in eight rows, which differ in one column and in their ids."""
    generator = np.random.default_rng(5)
    case = np.repeat(np.arange(150), 8)
    table = pd.DataFrame(generator.normal(size=(150, columns)).round(3)[case])
    table.columns = [f"f{i}" for i in range(columns)]
    table["noise"] = generator.normal(size=1200).round(3)
    table["scan"] = [f"S{number:05}" for number in generator.permutation(1200)]
    return table.assign(y=np.where(generator.integers(0, 2, 150)[case], "ill", "well"))


def test_rows_of_one_case_under_different_ids_are_told(tmp_path) -> None:
    (leak,) = leaks_in(tmp_path, repeated(), '[data]\nexclude = ["scan"]')
    assert (leak.kind, leak.column) == ("repeats", "scan")
    assert leak.sentence.startswith("100.0 % of 960 training rows repeat another one in every ")
    assert 'but "noise", under different "scan", and 100 % of such pairs' in leak.sentence


def test_rounded_numbers_agree_by_chance_and_are_not_told(tmp_path) -> None:
    """Three numbers of one digit and one of five: most rows agree with another in three columns."""
    generator = np.random.default_rng(5)
    table = pd.DataFrame(generator.normal(5, 2, size=(1000, 3)).round(0), columns=list("abc"))
    table["d"] = generator.normal(size=1000)
    table["y"] = np.where(table["a"] + generator.normal(size=1000) > 5, "p", "q")
    assert table.duplicated(["a", "b", "c"], keep=False).mean() > 0.7
    assert leaks_in(tmp_path, table) == ()


def test_a_retraining_and_init_tell_before_anything_is_trained(tmp_path) -> None:
    toml = "[training]\nepochs = 1\nnetworks = 2\n[optimizers.sgd]\nlearning_rate = 0.01"
    pipeline = made(tmp_path, planted("days").to_csv(index=False), toml)
    executor = Listening()
    with listening(executor):
        outcome = run_steps(pipeline, executor)
    (leak,) = leaks_of(pipeline)
    assert isinstance(outcome, RetrainOutcome)
    assert leak.sentence in outcome.notices
    said = leak.sentence
    assert executor.heard == [f"warned: {said}", f"noticed: {said}", "training"]
    _, notices = create_pipeline("loans", source=pipeline.source, target="y", root=tmp_path)
    assert leak.sentence in notices


def test_held_out_rows_are_not_looked_at(tmp_path) -> None:
    """What is so in the held-out rows alone is no finding, and changes none."""
    pipeline = made(tmp_path, planted("days").to_csv(index=False))
    dataset, data = load(pipeline), pipeline.settings.data
    bad = dataset.labels == 0
    training = np.arange(dataset.rows) % 2 == 0
    before = find_leaks(dataset, training, pipeline.source, data, 42)
    again = planted("days")
    again.loc[~training, "late"] = 5
    other = made(tmp_path, again.to_csv(index=False))
    after = find_leaks(load(other), training, other.source, data, 42)
    assert [leak.sentence for leak in after] == [leak.sentence for leak in before] != []
    assert bad.any()


def test_few_rows_are_no_evidence(tmp_path) -> None:
    table = planted("flag").groupby("y").head(30)
    assert leaks_in(tmp_path, table) == ()


def test_a_table_that_changed_meanwhile_is_refused(tmp_path) -> None:
    pipeline = made(tmp_path, repeated().to_csv(index=False), '[data]\nexclude = ["scan"]')
    dataset = load(pipeline)
    pipeline.source.write_text("scan,f0,y\n1,2,ill\n")
    with pytest.raises(DataError, match=r"t\.csv changed while it was read\. Try again when"):
        find_leaks(
            dataset, np.ones(dataset.rows, bool), pipeline.source, pipeline.settings.data, 42
        )
