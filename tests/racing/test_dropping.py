"""Which candidates leave a race, and how they stand meanwhile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from ffn.criteria.criterion import criterion_of
from ffn.racing.dropping import drop_candidates, dropped_in_words, looks, race_in_words
from ffn.racing.standings import Standing, Standings, standing_rows, standings_in_words
from ffn.settings.decision_settings import DecisionSettings
from ffn.settings.document import PipelineSettings, check_settings
from ffn.training.rate_search import search_rates
from ffn.training.selection.candidate import Candidate
from ffn.training.selection.model_selection import select_best
from ffn.training.temperature import ValidationAnswers
from tests.helpers.histories import candidate

NOISE = np.array([0.01, -0.01, 0.02, 0.0])
NAMES = ["adamw 2", "adamw 4", "adamw 8"]


def settings(**more: object) -> PipelineSettings:
    tables = {
        "training": {"networks": 8},
        "search": {"layers": [[2], [4], [8]]},
        "optimizers": {"adamw": {"learning_rate": 0.1}},
        **more,
    }
    return check_settings({"data": {"source": "t.csv", "target": "y"}, **tables}, "t")


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, (4,)),
        ({"search": {"layers": [[2], [4]], "race": False}}, ()),
        ({"search": {"layers": [[2]]}}, ()),
        ({"search": {}}, ()),
        ({"training": {"networks": 8, "time_budget": "1h"}}, ()),
        ({"split": {"time": "when"}}, ()),
        ({"training": {"networks": 16}}, (4, 8)),
    ],
)
def test_when_there_is_a_race(more: dict[str, object], found: tuple[int, ...]) -> None:
    assert looks(settings(**more)) == found


def test_who_is_dropped_is_said_in_words() -> None:
    made = [
        candidate("adamw 2", 0.9 + NOISE),
        candidate("adamw 4", 0.3 + np.zeros(4)),
        candidate("adamw 8", NOISE, diverged=range(4)),
    ]
    found = drop_candidates(made, settings(), None, 2)
    assert [one.optimizer for one in found] == ["adamw 2", "adamw 8"]
    first, second = (one.dropped for one in found)
    assert first is not None and second is not None  # noqa: PT018
    assert dropped_in_words(first).startswith(
        "dropped after 4 of 8 resamples: 0.605 behind adamw 4 (p "
    )
    assert dropped_in_words(second) == "dropped after 4 of 8 resamples: every network diverged"
    assert race_in_words(found, 3).startswith("2 of 3 candidates dropped: adamw 2 dropped after 4")
    assert race_in_words([], 3) == "none of 3 candidates dropped"
    assert drop_candidates([], settings(), None, 2) == []


def test_whose_rates_may_still_grow_is_kept() -> None:
    """The best of three rates is the highest one, and the grid is not at its end."""
    losses = np.array([2 + NOISE, 1 + NOISE, 0.9 + NOISE])
    search = search_rates((0.001, 0.003, 0.01), losses, 0.25)
    made = [
        replace(candidate("adamw 2", 0.9 + NOISE), search=search),
        candidate("adamw 4", 0.3 + np.zeros(4)),
    ]
    grid = settings(optimizers={"adamw": {"learning_rate": "auto"}})
    assert drop_candidates(made, grid, None, 1) == []
    assert len(drop_candidates(made, settings(), None, 1)) == 1


def test_who_has_no_value_of_the_metric_yet_is_kept() -> None:
    """None of the first rows is of the rarer class, whose F1 is asked for; that says nothing."""
    decision = DecisionSettings(metric="f1")
    criterion = criterion_of(decision, ("common", "rare"))

    def guessing(name: str, labels: npt.ArrayLike) -> Candidate:
        right = np.array(labels, dtype=np.int64)
        answers = ValidationAnswers(
            scores=np.log(np.where(np.eye(2)[right] > 0, 0.9, 0.1)),
            labels=right,
            networks=np.arange(8) // 2,
            fingerprints=np.arange(8, dtype=np.uint64),
        )
        return replace(candidate(name, 0.3 + NOISE), answers=answers)

    none = [guessing("adamw 2", np.zeros(8)), guessing("adamw 4", np.zeros(8))]
    assert drop_candidates(none, settings(), criterion, 1) == []
    told: list[Standing] = []
    Standings(NAMES, 8, criterion, told.extend).trained(none[0])
    assert standings_in_words(told) == "leading: 1. adamw 2 \N{EN DASH} (4 of 8)"
    # Those that diverged leave nevertheless.
    gone = candidate("adamw 8", NOISE, diverged=range(4))
    assert [one.optimizer for one in drop_candidates([*none, gone], settings(), criterion, 2)] == [
        "adamw 8"
    ]


def test_the_dropped_come_last_and_are_never_chosen() -> None:
    """The dropped one had easy resamples: 0.2 on its four, where the best had 0.1."""
    whole = np.array([0.1, 0.1, 0.1, 0.1, 0.9, 0.8, 0.9, 0.9])
    (gone,) = drop_candidates(
        [candidate("adamw 2", 0.6 + NOISE), candidate("adamw 4", whole[:4])], settings(), None, 1
    )
    gone = replace(gone, history=candidate("adamw 2", 0.2 + NOISE).history)
    chosen = select_best(
        [gone, candidate("adamw 4", whole), candidate("adamw 8", whole + 0.05)], searched=True
    )
    assert chosen.winner == "adamw 4"
    assert [line.optimizer for line in chosen.leaderboard] == ["adamw 4", "adamw 8", "adamw 2"]
    assert [line.tied for line in chosen.leaderboard][2] is False
    assert chosen.crossfitted is not None
    # On the last four resamples, of the one that is best on the others.
    assert chosen.crossfitted.value == pytest.approx(0.875)
    assert chosen.reason.startswith(
        "adamw 4 has the lowest mean validation log-loss and is chosen; "
    )
    assert "A race dropped 1 candidate shown to be worse." in chosen.reason
    assert "The best of 3 means" in chosen.reason


def test_of_a_search_the_lowest_mean_wins_also_over_simpler_ones_that_tie() -> None:
    made = [
        candidate("adamw 2", 0.263 + 40 * NOISE),
        candidate("adamw 8", 0.141 + 40 * NOISE[::-1]),
    ]
    assert select_best(made).winner == "adamw 2"
    assert select_best(made, searched=True).winner == "adamw 8"
    equals = [candidate(name, 0.3 + NOISE) for name in NAMES]
    assert select_best(equals, searched=True).winner == "adamw 2"


def test_standings_are_told_once_for_each_change_best_first() -> None:
    told: list[list[Standing]] = []
    standings = Standings(NAMES, 8, None, lambda now: told.append([*now]))
    first, second = (
        candidate("adamw 2", 0.5 + np.zeros(4)),
        candidate("adamw 4", 0.25 + np.zeros(4)),
    )
    for one in (first, first, candidate("of another search", NOISE), second):
        standings.trained(one)
    assert [[one.candidate for one in now] for now in told] == [
        ["adamw 2"],
        ["adamw 4", "adamw 2"],
    ]
    (gone,) = drop_candidates([replace(first), second], settings(), None, 1)
    standings.trained(gone)
    standings.trained(candidate("adamw 8", NOISE, diverged=range(4)))
    standings.trained(candidate("adamw 4", 0.125 + np.zeros(8)))
    # What comes late says less.
    standings.trained(second)
    assert len(told) == 5
    assert standings_in_words(told[-1]) == (
        "leading: 1. adamw 4 0.125 (8 of 8), 2. adamw 8 diverged (4 of 8); 1 dropped"
    )
    rows = standing_rows(told[-1])
    assert [row["place"] for row in rows] == ["1", "2", "\N{EN DASH}"]
    assert rows[-1] == {
        "place": "\N{EN DASH}",
        "candidate": "adamw 2",
        "mean so far": "0.5",
        "resamples": "4 of 8",
        "race": "dropped",
    }
    assert standings_in_words([]) == "nobody left"
