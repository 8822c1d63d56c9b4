"""The page: ranks, wins, and sentences made of figures."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.accuracy import suite
from benchmarks.accuracy.page import sentences
from benchmarks.accuracy.page.comparing import compare, mean_ranks
from benchmarks.accuracy.page.markdown import against_table, figures_table, ranks_table
from benchmarks.accuracy.page.picture import draw
from benchmarks.accuracy.peers import OURS
from tests.accuracy.boards import board, key, result


def test_mean_ranks_are_those_counted_by_hand() -> None:
    losses = np.array([[0.1, 0.2, 0.3], [0.2, 0.1, 0.3], [0.1, 0.1, 0.3]])
    found = mean_ranks(losses)
    np.testing.assert_allclose(found.mean, [1.5, 1.5, 3])
    # The third is last whichever tables are drawn; the first is between 1 and 2.
    assert (found.low[2], found.high[2]) == (3, 3)
    assert 1 <= found.low[0] < 1.5 < found.high[0] <= 2


def test_the_interval_narrows_with_the_root_of_the_tables() -> None:
    losses = np.random.default_rng(0).random((40, 2))
    few, many = mean_ranks(losses), mean_ranks(np.tile(losses, (4, 1)))
    ratio = (few.high - few.low) / (many.high - many.low)
    np.testing.assert_allclose(ratio, 2, atol=0.2)


def test_a_tie_is_within_one_per_cent() -> None:
    theirs = np.full(4, 0.5)
    found = compare(np.array([0.4, 0.504, 0.506, 0.496]), theirs)
    assert (found.wins, found.ties, found.losses) == (1, 2, 1)
    assert found.difference == pytest.approx(np.median([0.8, 1.008, 1.012, 0.992]) - 1)


def test_means_are_over_the_seeds_that_both_have() -> None:
    found = board({"a": {OURS: [0.2, 0.4, 0.9], "mlp": [0.3, 0.5]}})
    np.testing.assert_allclose(found.means(["a"], [OURS, "mlp"], "log_loss"), [[0.3, 0.4]])
    np.testing.assert_allclose(found.means(["a"], [OURS], "log_loss"), [[0.5]])
    assert found.whole() == (OURS, "mlp")


LOSSES = {
    "a": {OURS: [0.2], "mlp": [0.4], "catboost": [0.19]},
    "b": {OURS: [0.6], "mlp": [0.3], "catboost": [None]},
    "c": {OURS: [0.1], "mlp": [0.1], "catboost": [0.4]},
}


def test_a_side_that_lacks_a_table_is_ranked_on_the_others_only() -> None:
    found = board(LOSSES, cpu={OURS: 3, "mlp": 10, "catboost": 2000})
    assert found.whole() == (OURS, "mlp")
    assert found.present() == (OURS, "mlp", "catboost")
    text = ranks_table(found, found.sides)
    assert text.startswith("| mean rank on 2 tables [95 %] |")
    # a: 2, 3, 1; c: 1.5, 1.5, 3.
    for cells in ("| ours | **1.75**", "| CatBoost | **2.00**", "| scikit-learn MLP | **2.25**"):
        assert cells in text
    assert text.splitlines()[3].endswith("| 4,000 |")
    assert ranks_table(found, found.whole()).startswith("| mean rank on 3 tables [95 %] |")


def test_wins_and_losses_are_counted_against_each() -> None:
    found = board(LOSSES, cpu={OURS: 3, "mlp": 10, "catboost": 2000})
    lines = against_table(found).splitlines()[2:]
    assert lines == [
        "| scikit-learn MLP | 3 | 1 | 1 | 1 | +0.0 % | 9 / 30 |",
        "| CatBoost | 2 | 1 | 0 | 1 | -34.9 % | 6 / 4,000 |",
    ]


def test_the_best_of_a_table_is_bold_and_a_gap_is_left_empty() -> None:
    lines = figures_table(board(LOSSES), "log_loss").splitlines()
    assert lines[0].endswith("| ours | scikit-learn MLP | CatBoost |")
    assert lines[3] == "| b | 1,000 | 5 | 3 | 0.600 | **0.300** |  |"
    assert lines[4] == "| c | 1,000 | 5 | 3 | **0.100** | **0.100** | 0.400 |"
    lines = figures_table(board(LOSSES), "accuracy").splitlines()
    assert lines[2] == "| a | 1,000 | 5 | 3 | 80.0 | 60.0 | **81.0** |"


def test_the_sides_of_a_table_are_shown_with_the_seeds_that_all_have() -> None:
    longer = board({"a": {OURS: [0.2, 0.6], "mlp": [0.4]}})
    row = figures_table(longer, "log_loss").splitlines()[2]
    assert row == "| a | 1,000 | 5 | 3 | **0.200** | 0.400 |"
    apart = board({"a": {OURS: [None, 0.6], "mlp": [0.4]}})
    row = figures_table(apart, "log_loss").splitlines()[2]
    assert row == "| a | 1,000 | 5 | 3 | 0.600 | **0.400** |"


def test_where_we_lose_is_said_the_worst_first() -> None:
    assert sentences.behind(board(LOSSES)) == (
        "**Where we lose.** On 2 of 3 tables some other side has a log-loss that is lower by "
        "0.1 % or more; in brackets the best of them and by how much ours is higher, with the "
        "seeds that both have: b (scikit-learn MLP, 100.0 %), a (CatBoost, 5.3 %)."
    )
    one = board({"a": {OURS: [0.2], "mlp": [0.4]}})
    assert sentences.behind(one) == "**Where we lose.** On none of 1 table."


@pytest.mark.parametrize(("theirs", "on"), [(0.2, "none"), (0.19995, "none"), (0.1998, "1")])
def test_less_than_the_page_shows_is_no_loss(theirs: float, on: str) -> None:
    assert f"On {on} of 1 table" in sentences.behind(board({"a": {OURS: [0.2], "mlp": [theirs]}}))


def test_a_side_without_a_figure_has_no_column() -> None:
    lines = figures_table(board({"a": {OURS: [0.2], "mlp": [None]}}), "auc").splitlines()
    assert lines[0] == "| AUC | rows | columns | classes | ours |"


def test_alone_ours_is_not_said_to_win() -> None:
    alone = board({"a": {OURS: [0.2], "mlp": [None]}})
    assert (sentences.behind(alone), against_table(alone)) == ("", "")


def test_what_is_missing_failed_or_rejected_is_said() -> None:
    found = board(LOSSES)
    assert sentences.lacking(found).endswith(": CatBoost 1 of 3.")
    assert sentences.lacking(board({"a": {OURS: [0.2]}})) == ""
    failure = result(key("catboost", "b"), None, error="Killed")
    found.found["b", "catboost", 0] = failure
    assert sentences.failed(found) == "**Failed.** CatBoost on b: Killed"
    assert sentences.rejected(found) == ""
    found.found["a", OURS, 0] = result(key(table="a"), 0.2, rejected=3)
    assert sentences.rejected(found).endswith("(over all seeds): a 3.")


def test_the_extent_is_told() -> None:
    assert sentences.extent(board(LOSSES)) == (
        "3 tables of 1,000 to 1,000 training rows and 3 to 3 classes, 1 seed."
    )
    measured = board({"a": {OURS: [0.1, 0.2]}})
    later = {
        place: dataclasses.replace(one, processor=f"cpu {place[2]}")
        for place, one in measured.found.items()
    }
    told = sentences.extent(dataclasses.replace(measured, found=later))
    assert told.endswith("classes, 2 seeds. Measured on cpu 0 and cpu 1.")
    # Seeds that nothing was measured with are not counted.
    wider = dataclasses.replace(measured, seeds=(0, 1, 2, 3))
    assert sentences.extent(wider) == sentences.extent(measured)


def test_results_of_earlier_code_are_counted() -> None:
    found = board(LOSSES)
    assert sentences.earlier(found) == ""
    old = dataclasses.replace(found, earlier=frozenset({("a", OURS, 0), ("b", OURS, 0)}))
    assert sentences.earlier(old) == (
        "**Measured with earlier versions or code** (splits of tables): ours 2 of 3."
    )


def test_the_picture_has_a_row_for_each_side_with_its_rank_and_cost() -> None:
    found = board(LOSSES, cpu={OURS: 3, "mlp": 10})
    ranked, costing = draw(found, [(OURS, "mlp")]).axes
    points = [bars.lines[0].get_xydata()[0].tolist() for bars in ranked.containers]
    # Ranks 1, 2, 1.5 and 2, 1, 1.5 on three tables.
    assert points == [[1.5, 0], [1.5, 1]]
    assert [text.get_text() for text in ranked.get_yticklabels()] == ["ours", "scikit-learn MLP"]
    assert [line.get_xydata()[0].tolist() for line in costing.lines] == [[9, 0], [30, 1]]
    assert costing.get_xscale() == "log"


def test_groups_of_sides_are_drawn_below_each_other_the_best_side_on_top() -> None:
    losses = {table: {OURS: [0.3], "mlp": [0.2], "lightgbm": [0.1]} for table in ("a", "b")}
    losses["c"] = {OURS: [0.3], "mlp": [0.2]}
    upper, _, lower, _ = draw(board(losses), [(OURS, "mlp"), (OURS, "mlp", "lightgbm")]).axes
    assert (upper.get_title("left"), lower.get_title("left")) == ("3 tables", "2 tables")
    both = ["scikit-learn MLP", "ours"]
    for axes, names in ((upper, both), (lower, ["LightGBM", *both])):
        assert [text.get_text() for text in axes.get_yticklabels()] == names
        # The axis of rows runs downwards.
        assert axes.get_ylim() == (len(names) - 0.5, -0.5)


def test_the_page_is_made_of_what_there_is() -> None:
    text = suite.section_text(board(LOSSES), pictured=True)
    order = ["3 tables of", "mean rank on 3", "mean rank on 2", "accuracy.png", "log-loss of ours"]
    order += ["**Where we lose.**", "**Missing**", "**Failed.**", "| log-loss | rows |"]
    order += ["| accuracy, % | rows |", "| AUC | rows |"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
