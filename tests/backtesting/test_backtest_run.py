"""Whole backtests of tables whose history is known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss

import ffn
from ffn.backtesting.backtest_result import Backtest, backtest_lines
from ffn.pipelines.outcomes import RetrainOutcome
from tests.backtesting.histories_of_months import SETTINGS, months, write

TURN = 4
# The first month of which a model was trained on the turned concept alone, with two months' window.
LEARNT = "2023-07-01"


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "backtest" not in path.relative_to(folder).parts[0]
    }


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Backtest, bool]:
    """A concept that turns in May; a version was registered before; whether it is unchanged."""
    root = write(tmp_path_factory.mktemp("turned"), months(10, turn=TURN))
    artifacts = root / "artifacts/months"
    artifacts.mkdir(parents=True)
    (artifacts / "production.json").write_text("{}")
    (artifacts / "looks.safetensors").write_bytes(b"spent")
    before = tree(artifacts)
    found = ffn.backtest("months", every="1mo,2mo", first="2mo", window="2mo", root=root)
    return root, found, tree(artifacts) == before


def test_where_the_concept_turns_retraining_wins(turned) -> None:
    _, found, _ = turned
    assert found.recommendation.every == "1mo"
    assert found.recommendation.shown
    by_name = {one.name: one for one in found.schedules}
    assert by_name["1mo"].promotions >= 2
    assert by_name["never"].retrainings == by_name["never"].promotions == 0
    for period in found.periods:
        month, never = (period.realised[name].accuracy.value for name in ("1mo", "never"))
        if period.text < "2023-05-01":
            assert min(month, never) > 0.7
        else:
            assert never < 0.3
        if period.text >= LEARNT:
            assert month > 0.7
    assert [period.text for period in found.periods][:2] == ["2023-03-01", "2023-04-01"]
    assert len(found.periods) == len(found.judged) == 8
    assert str(found) == f"months: {found.recommendation.sentence}"


def test_a_promise_is_not_kept_in_the_month_of_the_turn(turned) -> None:
    _, found, _ = turned
    turn = next(one for one in found.periods if one.text == "2023-05-01")
    assert turn.promise.accuracy.low > turn.realised["1mo"].accuracy.high
    kept = [
        one.promise.accuracy.low <= one.realised["1mo"].accuracy.value <= one.promise.accuracy.high
        for one in found.periods
    ]
    assert found.kept.accuracy == sum(kept) < found.kept.periods == 8


def test_nothing_but_the_report_is_written(turned) -> None:
    root, found, unchanged = turned
    assert unchanged
    folder = root / "artifacts/months/backtest"
    names = {"report.html", "report.md", "backtest.png", "backtest.json"}
    assert {path.name for path in folder.iterdir()} == names
    assert set(found.report.values()) == {folder / name for name in names}
    figures = json.loads((folder / "backtest.json").read_text())
    assert figures == {key: found.to_json()[key] for key in figures}
    assert found.to_json().keys() - figures.keys() == {"seconds", "report"}
    page, text = (folder / "report.html").read_text(), (folder / "report.md").read_text()
    assert (folder / "backtest.png").read_bytes()[:4] == b"\x89PNG"
    assert 'src="data:image/png;base64,' in page
    assert found.recommendation.sentence.split(":")[0] in text
    for period in found.periods:
        assert text.count(f"| {period.text} |") == 2


def test_later_labels_have_no_effect_on_what_came_before(turned, tmp_path: Path) -> None:
    _, found, _ = turned
    changed = [
        f"{row.rpartition(',')[0]},no" if row >= "2023-06-01" else row
        for row in months(10, turn=TURN)
    ]
    changed[-1] = changed[-1].replace(",no", ",yes")
    other = ffn.backtest(
        "months", every="1mo", first="2mo", window="2mo", root=write(tmp_path, changed)
    )
    for one, two in zip(found.periods, other.periods, strict=True):
        if one.text < "2023-06-01":
            assert one.promise == two.promise
            assert one.realised["1mo"] == two.realised["1mo"]
            assert one.realised["never"] == two.realised["never"]
    own = dict(other.steps)
    for text, step in found.steps:
        if text <= "2023-06-01" and "1mo" in step.decisions:
            assert step.decisions["1mo"] == own[text].decisions["1mo"]
            assert step.promise == own[text].promise
    assert found.periods[-1].realised != other.periods[-1].realised


def test_each_step_is_what_a_retraining_would_have_been(tmp_path: Path) -> None:
    """Retrained month by month in a registry, with a table cut by pandas, and scored."""
    rows = months(6, rows=60, turn=2)
    root = write(tmp_path, rows, SETTINGS.replace('"day"', '"day"\nembargo = "3d"'))
    found = ffn.backtest("months", every="1mo", first="2mo", root=root)
    steps = dict(found.steps)
    path = root / "data/months/train.csv"
    table = pd.read_csv(path)
    day = pd.to_datetime(table["day"])
    for month in ("2023-03-01", "2023-04-01"):
        at = pd.Timestamp(month)
        table[day < at - pd.Timedelta(days=3)].to_csv(path, index=False)
        done = ffn.retrain("months", root=root)
        assert isinstance(done, RetrainOutcome)
        step = steps[month]
        assert step.rows == (day < at - pd.Timedelta(days=3)).sum()
        assert step.promise.accuracy == done.evaluation.accuracy
        assert step.promise.log_loss == done.evaluation.log_loss
        assert step.decisions["1mo"].promoted == done.version.verdict.promote
        assert step.decisions["1mo"].reason == done.version.verdict.reason
        model = ffn.load(root / "artifacts/months")
        following = table[(day >= at) & (day < at + pd.DateOffset(months=1))]
        period = next(one for one in found.periods if one.text == month)
        own = period.realised["1mo"]
        probabilities = model.predict_proba(following)
        assert period.rows == len(following)
        assert own.log_loss.value == pytest.approx(log_loss(following["y"], probabilities))
        assert own.accuracy.value == accuracy_score(following["y"], model.predict(following))


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Backtest]:
    root = write(tmp_path_factory.mktemp("steady"), months(7, rows=60))
    return root, ffn.backtest("months", first="2mo", root=root)


def test_where_nothing_changes_never_retraining_is_as_good(steady) -> None:
    _, found = steady
    assert (found.recommendation.every, found.recommendation.shown) == ("never", False)
    (pair,) = found.comparisons
    assert pair.log_loss.low <= 0 <= pair.log_loss.high
    assert found.kept.accuracy >= 4
    assert backtest_lines(found)[0].startswith("No difference is shown, so never retraining")


def test_an_interrupted_backtest_goes_on_from_its_steps(
    steady, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in its fourth training; what was finished is not trained again."""
    from ffn.pipelines import progress

    root, found = steady
    shutil.copytree(root / "data", tmp_path / "data")

    class Ending:
        def __init__(self, last: int) -> None:
            self.stages: list[str] = []
            self.last = last

        def stage(self, text: str) -> None:
            if text.startswith("backtest, "):
                self.stages.append(text)
                if len(self.stages) == self.last:
                    raise KeyboardInterrupt("now")

        def notice(self, text: str) -> None:
            pass

        def step(self, *told: Any) -> None:
            pass

        def leaders(self, standings: object) -> None: ...

    ending, going_on = Ending(4), Ending(-1)
    with progress.listening(ending), pytest.raises(KeyboardInterrupt, match="now"):
        ffn.backtest("months", first="2mo", root=tmp_path)
    with progress.listening(going_on):
        again = ffn.backtest("months", first="2mo", root=tmp_path)
    assert len(going_on.stages) == len(found.steps) - 3
    one, two = found.to_json(), again.to_json()
    for key in ("seconds", "report"):
        del one[key], two[key]
    assert one == two


def test_what_cannot_be_judged_is_left_out_and_said(tmp_path: Path) -> None:
    """A June without rows, and a class that comes in August, which no model had seen by then."""
    rows = [row for row in months(8, rows=40) if not row.startswith("2023-06")]
    rows = [
        f"{row.rpartition(',')[0]},maybe" if row > "2023-08" and number % 10 == 0 else row
        for number, row in enumerate(rows)
    ]
    root = write(tmp_path, rows)
    found = ffn.backtest("months", every="1mo,2mo", first="2mo", root=root)
    by_name = {period.text: period for period in found.periods}
    steps, lines = dict(found.steps), backtest_lines(found)
    empty, august = by_name["2023-06-01"], by_name["2023-08-01"]
    assert (empty.why_not, empty.rows, empty.realised) == ("it has no rows", 0, {})
    reason = 'of a class that a model had never seen ("maybe")'
    assert (august.rows, august.left_out) == (36, {reason: 4})
    assert "The period from 2023-06-01 on is left out: it has no rows." in lines
    assert f"Rows that were not judged: 4 {reason}." in lines
    assert found.kept.periods == len(found.judged) == 5
    # By July the monthly schedule has seen all there is, and the other one has not.
    assert (steps["2023-06-01"].tried, steps["2023-07-01"].tried) == (["1mo"], ["2mo"])
    assert list(steps["2023-07-01"].decisions) == ["2mo"]
    assert [one.retrainings for one in found.schedules] == [4, 2, 0]


def test_rows_of_known_groups_do_not_judge(tmp_path: Path) -> None:
    """Under time and group a model promises figures for other groups."""
    rows = [f"{row},c{number % 50}" for number, row in enumerate(months(6, rows=150))]
    toml = SETTINGS.replace('"day"', '"day"\ngroup = "who"')
    root = write(tmp_path, rows, toml, header="day,a,b,y,who")
    found = ffn.backtest("months", first="2mo", root=root)
    for period in found.periods:
        assert period.rows + sum(period.left_out.values()) == 150
        assert period.rows % 3 == 0
        assert period.left_out["of a group that a model was trained on"] >= 75


def test_numbers_are_times_too(tmp_path: Path) -> None:
    rows = [f"{2001 + number // 30}{row[10:]}" for number, row in enumerate(months(7, rows=30))]
    found = ffn.backtest("months", every="1", first="2", root=write(tmp_path, rows))
    assert [one.text for one in found.periods] == ["2004", "2005", "2006", "2007"]
    # Two years are too few to train on, to validate on and to hold out.
    assert "No model at 2003: " in "\n".join(backtest_lines(found))
    assert "2 different times; a split by time needs 3" in "\n".join(backtest_lines(found))


def test_figures_are_means_over_periods(steady) -> None:
    _, found = steady
    month = next(one for one in found.schedules if one.name == "1mo")
    values = [one.realised["1mo"].accuracy.value for one in found.judged]
    assert month.accuracy.value == pytest.approx(np.mean(values))
