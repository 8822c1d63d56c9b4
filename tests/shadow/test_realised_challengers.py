"""What became of a challenger's predictions, once labels come."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ffn
from ffn.monitoring.challenger_tests import ChallengerTest
from ffn.monitoring.confidence_sequences import favours_first
from ffn.reports.outcome_page import outcome_markdown, realised_section
from ffn.reports.status_page import read_status, status_lines, status_markdown
from ffn.settings.pipeline import find_pipeline
from flows.cli.display.outcome_summary import print_evaluation
from tests.monitoring.conftest import change_settings, counts, labels, rows, scored, write


def test_a_better_challenger_is_shown_everywhere(root: Path, capsys) -> None:
    found = rows(200, 31, noise=0.0, first=1000)
    scored(root, found)
    pipeline = find_pipeline("flow", root)
    (waiting,) = read_status(pipeline).challengers
    assert waiting.sentence == (
        "version 2, kept back, scores beside version 1; no label has come yet"
    )
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    # Its labels were given to nobody, so rows are counted as without it.
    assert counts(outcome.deliveries[0]) == {"joined": 200}
    assert outcome.quality is not None
    assert outcome.quality.version == 1
    frame = pd.DataFrame(found, columns=["id", "p", "q", "y"]).astype({"p": float, "q": float})
    right = [
        ffn.load(root / f"artifacts/flow/models/{number:04d}").predict(frame) == frame["y"]
        for number in (1, 2)
    ]
    (test,) = outcome.conclusion.challengers
    alone = int(np.sum(right[1] & ~right[0])), int(np.sum(right[0] & ~right[1]))
    assert (test.challenger, test.production, test.rows) == (2, 1, 200)
    assert (test.challenger_alone, test.production_alone) == alone
    assert test.evidence == pytest.approx(favours_first(*alone))
    assert test.shown
    own = outcome.conclusion.qualities[1]
    assert own.figures is not None
    assert (own.version, own.figures.rows, own.figures.correct) == (2, 200, right[1].sum())
    assert own.unchecked == 0
    assert own.figures.log_loss is not None
    # Nobody is promoted by it.
    assert outcome.conclusion.production == 1
    print_evaluation(outcome)
    printed = capsys.readouterr().out
    assert f"In the shadow: {test.sentence}." in printed
    assert f"  version 2, beside production: {own.sentence}." in printed
    status = read_status(pipeline)
    assert status.challengers == (test,)
    assert f"  shadow   {test.sentence}" in status_lines(status)
    assert "Shadow: version 2, kept back, is shown to be more accurate" in status_markdown(status)
    for document in (status.to_json(), outcome.to_json()):
        (shown,) = json.loads(json.dumps(document))["challengers"]
        assert (shown["challenger"], shown["shown"]) == (2, True)
        assert shown["sentence"] == test.sentence
    page = outcome_markdown(outcome.conclusion.qualities, outcome.conclusion.challengers)
    assert page.startswith("In the shadow: version 2, kept back, is shown to be more accurate")
    assert "**Version 2, beside production: realised accuracy " in page
    assert realised_section(pipeline, 1)[1] == page


def test_rows_that_it_was_trained_on_do_not_judge_it(root: Path) -> None:
    trained = rows(300, 2, noise=0.0)[:50]
    new = rows(100, 33, noise=0.0, first=1000)
    scored(root, trained + new)
    outcome = ffn.evaluate("flow", labels(root, trained + new), root=root)
    _, second = outcome.conclusion.qualities
    assert second.figures is not None
    # Some of the fifty were held out.
    assert 100 < second.figures.rows < 125
    assert second.unchecked == 0
    # Nor do those that production was trained on judge the pair.
    assert 100 <= outcome.conclusion.challengers[0].rows <= second.figures.rows


def test_a_label_that_came_before_does_not_judge_it(root: Path) -> None:
    """Production scored first, the label came, then the challenger joined in."""
    change_settings(root, 'versions = "latest"', "most_rows = 10")
    found = rows(40, 34, noise=0.0, first=1000)
    scored(root, found)
    given = labels(root, found)
    assert ffn.evaluate("flow", given, root=root).conclusion.challengers == ()
    change_settings(root, "most_rows = 10", 'versions = "latest"')
    scored(root, found)
    (test,) = ffn.evaluate("flow", given, root=root).conclusion.challengers
    assert test.rows == 0


def test_without_the_setting_nothing_is_said_of_challengers(root: Path) -> None:
    found = rows(40, 35, noise=0.0, first=1000)
    scored(root, found)
    change_settings(root, '\n[shadow]\nversions = "latest"\n', "")
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert outcome.conclusion.challengers == ()
    assert "challengers" not in outcome.to_json()
    assert "challengers" not in read_status(find_pipeline("flow", root)).to_json()


def test_each_challenger_has_its_part_of_alpha(three: Path) -> None:
    root = three
    change_settings(root, 'versions = "latest"', "versions = 2")
    found = rows(60, 36, noise=0.0, first=1000)
    scored(root, found)
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    first, second = outcome.conclusion.challengers
    # The newest is known first; the parts of all that may come add up to 0.05.
    assert [(one.challenger, one.alpha) for one in (first, second)] == [
        (3, pytest.approx(0.05 / 2)),
        (2, pytest.approx(0.05 / 6)),
    ]


def test_a_comparison_is_told_in_a_sentence() -> None:
    test = ChallengerTest(
        challenger=5,
        production=3,
        rows=1812,
        challenger_alone=90,
        production_alone=71,
        evidence=1.42,
        alpha=0.025,
    )
    assert test.sentence == (
        "version 5, kept back, is not shown to be more accurate than version 3: of 1,812 rows "
        "whose labels have come, 5 alone labels 90 correctly and 3 alone 71 (evidence 1.42, needed "
        "40; alpha 0.025, valid at every look)"
    )


def test_labelled_tables_without_ids_judge_challengers_at_once(root: Path) -> None:
    change_settings(root, '[outcomes]\nid = "id"\n', "")
    found = rows(200, 37, noise=0.0, first=1000)
    path = write(root / "labelled.csv", [*found, ("x", "1", "2", "")], "p q y")
    outcome = ffn.evaluate("flow", path, root=root)
    assert counts(outcome.deliveries[0]) == {"joined": 200, "unlabelled": 1}
    frame = pd.DataFrame(found, columns=["id", "p", "q", "y"]).astype({"p": float, "q": float})
    right = [
        ffn.load(root / f"artifacts/flow/models/{number:04d}").predict(frame) == frame["y"]
        for number in (1, 2)
    ]
    (test,) = outcome.conclusion.challengers
    assert (test.rows, test.challenger_alone, test.production_alone) == (
        200,
        np.sum(right[1] & ~right[0]),
        np.sum(right[0] & ~right[1]),
    )
    own = outcome.conclusion.qualities[1]
    assert own.figures is not None
    assert (own.figures.rows, own.figures.correct) == (200, right[1].sum())
    # The same table again counts once.
    again = ffn.evaluate("flow", path, root=root)
    assert again.conclusion.challengers == (test,)


def test_a_challenger_that_cannot_judge_a_table_is_named(root: Path) -> None:
    change_settings(root, '[outcomes]\nid = "id"\n', "")
    path = write(root / "narrow.csv", rows(20, 38, first=1000), "p y")
    outcome = ffn.evaluate("flow", path, root=root)
    (delivery,) = outcome.deliveries
    assert counts(delivery) == {"joined": 20}
    assert delivery.notices == [
        'Left out of the shadow: version 2: it needs columns that are not in the file: "q".'
    ]
