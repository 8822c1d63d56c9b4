"""A whole retraining by time and group: what is recorded, said and shown, and done again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ffn.pipelines.outcomes import RetrainOutcome, SkippedOutcome
from ffn.pipelines.retraining import retrain
from ffn.registry.new_data import new_training_data, take_up
from ffn.reports.score_page import training_counts
from ffn.settings.pipeline import Pipeline
from tests.helpers.retrained import made
from tests.helpers.splitting import QUICK, lines

HEADER = "when,who,p,q,y\n"
SENTENCE = (
    'rows are split by time "when" and group "who": trained on {} rows of {} groups up to '
    "2024-07-10, judged by {} rows of {} other groups from 2024-07-"
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pipeline, RetrainOutcome]:
    folder = tmp_path_factory.mktemp("splits")
    split = '[split]\ntime = "when"\ngroup = "who"\n'
    pipeline = made(folder, HEADER + "\n".join(lines()) + "\n", QUICK + split)
    outcome = retrain(pipeline)
    assert isinstance(outcome, RetrainOutcome)
    return pipeline, outcome


def test_the_version_records_how_rows_were_split(done) -> None:
    pipeline, outcome = done
    folder = outcome.version.bundle.parent
    recorded = json.loads((folder / "provenance.json").read_text())
    split, rows = recorded["split"], recorded["rows"]
    assert (split["time"], split["group"], split["test"]) == ("when", "who", None)
    assert rows == {
        "train": split["training"],
        "test": split["held_out"],
        "neither": split["neither"],
    }
    assert sum(rows.values()) == 240
    assert split["training_groups"] + split["held_out_groups"] <= 30
    assert recorded["settings"]["split"] == {"time": "when", "group": "who"}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test"]["groups"] == split["held_out_groups"]
    assert training_counts(pipeline.artifacts, 1) == {}, "held-out shares are not those of training"


def test_terminal_report_and_card_say_it(done) -> None:
    _, outcome = done
    folder = outcome.version.bundle.parent
    split = json.loads((folder / "provenance.json").read_text())["split"]
    figures = ("training", "training_groups", "held_out", "held_out_groups")
    told = SENTENCE.format(*(split[name] for name in figures))
    assert outcome.notices[0].startswith(told)
    card = (folder / "model_card.md").read_text()
    judges = f"{split['held_out']} held-out rows of {split['held_out_groups']} groups"
    for text in (card, outcome.report.html.read_text()):
        plain = text.replace("&quot;", '"').replace("&#34;", '"')
        assert told in plain
        assert judges in plain
        assert "unit of intervals and tests is the group" in plain
        assert "of each class" not in plain


def test_a_second_retraining_has_nothing_to_do(done) -> None:
    pipeline, _ = done
    assert isinstance(retrain(pipeline), SkippedOutcome)


def test_a_changed_file_of_held_out_rows_is_new_data(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(HEADER + "\n".join(lines(40, seed=5)) + "\n")
    toml = QUICK + '[split]\ntest = "mine.csv"\n[data]\nexclude = ["when"]\n'
    pipeline = made(tmp_path, HEADER + "\n".join(lines()) + "\n", toml)
    assert isinstance(retrain(pipeline), RetrainOutcome)
    assert new_training_data(pipeline) is None
    (tmp_path / "mine.csv").write_text(HEADER + "\n".join(lines(41, seed=6)) + "\n")
    new = new_training_data(pipeline)
    assert new is not None
    take_up(pipeline, new)
    assert new_training_data(pipeline) is None
    second = retrain(pipeline)
    assert isinstance(second, RetrainOutcome)
    assert second.evaluation.rows == 41


def test_a_group_that_was_a_feature_is_not_missed(tmp_path: Path) -> None:
    """Its column is no feature from now on, which is what the settings ask for."""
    table = HEADER + "\n".join(lines()) + "\n"
    toml = QUICK + '[data]\nexclude = ["when"]\n'
    first = retrain(made(tmp_path, table, toml))
    assert isinstance(first, RetrainOutcome)
    assert first.version.verdict.columns.keys() == {"who", "p", "q"}
    second = retrain(made(tmp_path, table, toml + '[split]\ngroup = "who"\n'))
    assert isinstance(second, RetrainOutcome)
    assert any('column "who" is missing' in notice for notice in second.notices)
    assert second.version.verdict.promote is False
    assert 'columns were removed or changed their kind: "who"' in second.version.verdict.reason
