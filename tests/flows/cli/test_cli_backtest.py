"""``ffn backtest``: what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.backtesting.histories_of_months import SETTINGS, months, write
from tests.helpers.command_line import run_here

QUICK = SETTINGS.replace("epochs = 12", "epochs = 2")


def test_the_verb_prints_tables_sentences_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path, months(6, rows=30), QUICK)
    given = ("backtest", "months", "--every", "1mo,2mo", "--from", "2mo", "--root", root)
    assert run_here(given) == 0
    text = capsys.readouterr().out
    for said in ("months, retraining every 1mo: log-loss", "2023-03-01", "never", "recommended"):
        assert said in text
    assert str(root / "artifacts/months/backtest/report.html") in text
    assert run_here((*given, "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["recommended"] in {"1mo", "2mo", "never"}
    assert [one["name"] for one in found["schedules"]] == ["1mo", "2mo", "never"]
    assert found["reason"] in text
    assert len(found["periods"]) == 4
    assert not (root / "artifacts/months/models").exists()


@pytest.mark.parametrize(
    ("toml", "given", "message"),
    [
        (QUICK, ("--every", "monthly"), 'ffn: every is "monthly"; it must be a whole number'),
        (QUICK, (), "and 4 are needed"),
        (QUICK.replace('time = "day"', ""), (), 'time = "COLUMN" in [split]'),
    ],
)
def test_what_is_refused_is_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    toml: str,
    given: tuple[str, ...],
    message: str,
) -> None:
    root = write(tmp_path, months(4, rows=30), toml)
    assert run_here(("backtest", "months", *given, "--root", root)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
