"""The verdict as Markdown: every figure it rests on, and foreign text as text."""

from __future__ import annotations

from dataclasses import replace

from ffn.criteria.resampled_evidence import ResampledEvidence
from ffn.evaluation.inference.paired import ClassLoss, LabelCounts
from ffn.evaluation.inference.paired_losses import LossBounds
from ffn.promotion.evidence import HeldOutEvidence
from ffn.promotion.floors import Floor
from ffn.promotion.shared_rows import SharedRows
from ffn.promotion.simpler_models import BaselineEvidence, SimplerModel
from ffn.promotion.verdict import Canary
from ffn.reports.verdict_section import verdict_markdown
from ffn.training.table_change import TableChange
from tests.helpers.report_inputs import FIRST, render

NAME = "<b>*a*|</b>"
HELD_OUT = HeldOutEvidence(
    look=3,
    alpha=0.0034,
    labels=LabelCounts(rows=1234, gained=17, lost=12, production_wrong=90),
    p_value=0.0005,
    accuracy_bound=0.0071,
    log_loss=LossBounds(value=-0.0123, low=-0.0345, high=0.0099, alpha=0.0034),
    classes=(ClassLoss(name=NAME, rows=600, gained=5, lost=9, p_worse=0.42),),
    failures=(),
)
RESAMPLED = ResampledEvidence(
    resamples=16,
    look=2,
    alpha=0.0076,
    log_loss=0.0111,
    log_loss_low=-0.0222,
    log_loss_high=0.0333,
    accuracy=-0.0044,
    accuracy_low=-0.0155,
    failures=(),
)


def test_a_figure_just_below_its_floor_does_not_seem_to_reach_it() -> None:
    """0.8996 and 0.9 are alike to three decimals; only one of them holds."""
    floor = Floor(what="accuracy", setting="min_accuracy", value=0.8996, limit=0.9, held=False)
    page = render(verdict_markdown(replace(FIRST, floors=(floor,)), 5))
    assert page.cells[1] == ["accuracy", "0.8996", "0.9", "no"]


def test_a_verdict_on_rows_shows_all_that_it_rests_on() -> None:
    verdict = replace(
        FIRST,
        reason=f"the recall of {NAME} is shown to be lower",
        promote=False,
        production=4,
        floors=(
            Floor(
                what=f'recall of "{NAME}"', setting="min_recall", value=0.91, limit=0.9, held=True
            ),
        ),
        rows=SharedRows(held_out=1300, trained_on=60, refused=6, fit=1234),
        held_out=HELD_OUT,
        canary=Canary(rows=9),
    )
    page = render(verdict_markdown(verdict, 5))
    assert page.text.startswith("Version 5 is not promoted; version 4 stays in production: ")
    assert {"b", "em"}.isdisjoint(page.names())
    cells = [cell for row in page.cells for cell in row]
    for figure in ("0.910", "17, 12 of 1,234", "-0.0123", "[-0.0345, +0.0099]", "0.420", NAME):
        assert figure in cells
    assert "accuracy at most 0.0071 lower" in cells
    for words in (
        "Held-out rows: 1,300. Excluded from the comparison: 60 that one of the two models was "
        "trained on, 6 that production would reject. Compared: 1,234.",
        "This is comparison 3 on these rows, so each one-sided bound is tested at level 0.0034",
        "test of the labels: p < 0.001",
        "Canary: 9 rows in a fresh process; the same predictions as in training.",
    ):
        assert words in page.text


def test_a_verdict_beside_simpler_models_shows_each_with_its_bounds() -> None:
    models = (
        SimplerModel(
            name="logistic regression",
            log_loss=LossBounds(value=0.1234, low=0.0111, high=0.2222, alpha=0.025),
        ),
        SimplerModel(
            name="gradient boosting",
            log_loss=LossBounds(value=0.0333, low=-0.0444, high=0.0555, alpha=0.025),
        ),
    )
    found = BaselineEvidence(
        policy="warn", alpha=0.05, rows=30, held_out=30, models=models, finding="it is *worse*"
    )
    page = render(verdict_markdown(replace(FIRST, baseline=found), 5))
    assert page.text.startswith(
        "Version 5 is promoted: no version was in production. It is *worse*."
    )
    assert page.cells[1:] == [
        ["logistic regression", "+0.1234 [+0.0111, +0.2222]", "yes"],
        ["gradient boosting", "+0.0333 [-0.0444, +0.0555]", "no"],
    ]
    assert (
        "Simpler models on 30 held-out rows. Each bound is tested at the one-sided level 0.025, "
        "which is 0.05 divided by the number of models; gate.baseline is warn."
    ) in page.text
    part = replace(found, rows=50_000, held_out=60_000, finding="")
    page = render(verdict_markdown(replace(FIRST, baseline=part), 5))
    assert "Simpler models on 50,000 of 60,000 held-out rows." in page.text
    assert page.text.startswith("Version 5 is promoted: no version was in production.")


def test_a_verdict_on_resamples_says_that_it_compared_recipes() -> None:
    text = render(verdict_markdown(replace(FIRST, resampled=RESAMPLED), 2)).text
    assert (
        "on the same 16 resamples of the training part, challenger minus production: "
        "accuracy -0.0044 (at least -0.0155)" in text
    )
    assert "log-loss +0.0111 (-0.0222 to +0.0333). This is comparison 2" in text
    assert "compares training recipes, not the two models themselves" in text


def test_what_the_training_table_has_unlike_productions_stands_with_its_policy() -> None:
    change = TableChange(kind="new_classes", policy="accept", text=f'class "{NAME}" is new')
    page = render(verdict_markdown(replace(FIRST, production=4, contract=(change,)), 5))
    assert [f'class "{NAME}" is new', "new_classes", "accept"] in page.cells
    assert {"b", "em"}.isdisjoint(page.names())
    kept = render(verdict_markdown(replace(FIRST, production=4), 5)).text
    assert "found a change" in kept
    assert "contract" not in render(verdict_markdown(FIRST, 1)).text
