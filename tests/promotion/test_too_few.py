"""Where held-out rows went, and why: what is said follows from the counts and the settings."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from ffn.promotion.shared_rows import SharedRows
from ffn.promotion.too_few import too_few
from ffn.settings.training_settings import TrainingSettings
from tests.helpers.gated import pipeline, retrain, rows

COLUMNS = {"p": "numeric", "q": "numeric"}
NOW = TrainingSettings(seed=42, test_share=0.2)


def said(usable: int, counts: tuple[int, int, int, int], then=NOW, columns=COLUMNS) -> str:
    held_out, trained_on, refused, fit = counts
    shared = SharedRows(held_out=held_out, trained_on=trained_on, refused=refused, fit=fit)
    opponent = SimpleNamespace(settings=then and SimpleNamespace(training=then), columns=columns)
    return too_few(usable, shared, opponent, NOW, COLUMNS)


@pytest.mark.parametrize(
    ("usable", "counts", "then", "columns", "text"),
    [
        (30, (30, 0, 0, 30), NOW, COLUMNS,
         "30 held-out rows cannot show that any challenger is good enough"),
        (1, (30, 29, 0, 1), NOW, COLUMNS,
         "1 held-out row cannot show that any challenger is good enough (of 30 rows held out, "
         "production was trained on 29)"),
        (0, (1_300, 1_290, 10, 0), TrainingSettings(seed=7), COLUMNS,
         "no held-out row can show that any challenger is good enough (of 1,300 rows held out, "
         "production was trained on 1,290, production would reject 10; the split changed "
         "because training.seed was 7 and is 42; reset training.seed, or add rows)"),
        (6, (30, 24, 0, 6), TrainingSettings(seed=7, test_share=0.3), COLUMNS,
         "6 held-out rows cannot show that any challenger is good enough (of 30 rows held out, "
         "production was trained on 24; the split changed because training.seed was 7 and "
         "is 42 and training.test_share was 0.3 and is 0.2; reset training.seed and "
         "training.test_share, or add rows)"),
        (6, (30, 24, 0, 6), NOW, {"p": "numeric"},
         "6 held-out rows cannot show that any challenger is good enough (of 30 rows held out, "
         'production was trained on 24; the split changed because the feature columns '
         'changed ("q"); add rows)'),
        (4, (30, 0, 0, 30), TrainingSettings(seed=7), COLUMNS,
         "4 held-out rows cannot show that any challenger is good enough (of 30 rows held out, "
         "26 took part in earlier comparisons too often)"),
        (6, (30, 24, 0, 6), None, None,
         "6 held-out rows cannot show that any challenger is good enough (of 30 rows held out, "
         "production was trained on 24)"),
    ],
)  # fmt: skip
def test_every_cause_is_named_with_what_to_do(usable, counts, then, columns, text: str) -> None:
    assert said(usable, counts, then, columns) == text


def test_a_changed_seed_is_named_by_the_gate(tmp_path: Path) -> None:
    """Of a hold-out drawn anew four fifths, about, are rows that production was trained on."""
    retrain(pipeline(tmp_path, rows(150)))
    found = pipeline(tmp_path, rows(150), "mode = 'better'\nsmall_holdout = 'keep'")
    training = found.settings.training.model_copy(update={"seed": 7})
    found = replace(found, settings=found.settings.model_copy(update={"training": training}))
    verdict = retrain(found).verdict
    assert verdict.rows is not None
    told = re.fullmatch(
        r"(\d+) held-out rows? cannot show that any challenger is good enough \(of (\d+) rows held "
        r"out, production was trained on (\d+); the split changed because training\.seed was "
        r"42 and is 7; reset training\.seed, or add rows\)",
        verdict.reason,
    )
    assert told is not None
    usable, held_out, known = map(int, told.groups())
    assert (held_out, known) == (verdict.rows.held_out, verdict.rows.trained_on)
    assert usable == held_out - known
