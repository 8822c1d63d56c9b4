"""Columns of categories that hold what each other held are named, and others are not."""

from __future__ import annotations

import pytest

from ffn.scoring.drift import psi, swapped_columns
from ffn.scoring.drift.psi import Distance
from ffn.scoring.drift.swapped_columns import exchanged_categories
from ffn.tabular.schema import Feature
from ffn.tabular.training_table.histograms import Histogram

ROWS = 1_000
# Two that share no category, two that share all of them, one that is more than another.
FEATURES = [
    Feature(name=name, kind="categorical", categories=tuple(categories), missing=missing)
    for name, categories, missing in (
        ("sex", ("f", "m"), True),
        ("island", ("Biscoe", "Dream", "Torgersen"), False),
        ("ringed", ("no", "yes"), False),
        ("alive", ("no", "yes"), False),
        ("seen", ("no", "often", "yes"), True),
    )
]
SHARES = {
    "sex": {"f": 0.4, "m": 0.5, "": 0.1},
    "island": {"Biscoe": 0.5, "Dream": 0.3, "Torgersen": 0.2},
    "ringed": {"no": 0.9, "yes": 0.1},
    "alive": {"no": 0.2, "yes": 0.8},
    "seen": {"no": 0.3, "often": 0.5, "yes": 0.1, "": 0.1},
}
REFERENCE = [
    Histogram(
        counts=tuple(round(ROWS * SHARES[own.name][text]) for text in own.categories),
        missing=round(ROWS * SHARES[own.name].get("", 0)),
    )
    for own in FEATURES
]


def say(held: dict[str, dict[str, float]], drifted: str) -> list[str]:
    """What is said of a file in which columns hold such shares of texts, by name."""
    counts, examples = [], {}
    for own in FEATURES:
        shares = held.get(own.name, SHARES[own.name])
        rows = {text: round(ROWS * share) for text, share in shares.items()}
        if not own.missing:
            rows.pop("", 0)
        unseen = [text for text in rows if text and text not in own.categories]
        examples |= {own.name: unseen} if unseen else {}
        known = [rows.get(text, 0) for text in own.categories]
        counts.append([sum(rows[text] for text in unseen), rows.get("", 0), *known])
    places = [[own.name for own in FEATURES].index(name) for name in drifted.split()]
    return exchanged_categories(
        FEATURES, REFERENCE, counts, examples, dict.fromkeys(places, 3.0), 0.25
    )


def held(**columns: str) -> dict[str, dict[str, float]]:
    return {name: SHARES[other] for name, other in columns.items()}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            held(sex="island", island="sex"),
            ['columns "sex" and "island" look exchanged'],
        ),
        (
            held(ringed="alive", alive="ringed"),
            ['columns "ringed" and "alive" look exchanged'],
        ),
        (
            held(alive="seen", seen="alive"),
            ['columns "alive" and "seen" look exchanged'],
        ),
        (
            held(sex="island", island="ringed", ringed="sex"),
            ['columns "sex", "island" and "ringed" look mixed up'],
        ),
        (
            held(sex="island", island="sex", ringed="alive", alive="ringed"),
            [
                'columns "sex" and "island" look exchanged',
                'columns "ringed" and "alive" look exchanged',
            ],
        ),
        # Each has a new category, which is none of the other's.
        ({"sex": {"f": 0.4, "x": 0.6}, "island": {"Biscoe": 0.5, "Mars": 0.5}}, []),
        # A stranger among the other's, and what is the other's otherwise.
        ({**held(island="sex"), "sex": {**SHARES["island"], "Mars": 0.3}}, []),
        # The other's categories, and not as often as there.
        ({"ringed": {"no": 0.6, "yes": 0.4}, **held(alive="ringed")}, []),
        # The same but for the gaps.
        ({**held(seen="sex"), "sex": {"no": 0.1, "often": 0.15, "yes": 0.05, "": 0.7}}, []),
        # One of them alone.
        (held(sex="island"), []),
        # Categories of its own, too, which the other never had.
        ({**held(seen="alive"), "alive": {"no": 0.2, "yes": 0.8}}, []),
    ],
)
def test_of_exchanges_the_right_one_is_named_and_of_other_drift_none(columns, said) -> None:
    assert say(columns, " ".join(columns)) == said


def test_columns_that_raised_no_alarm_are_not_asked() -> None:
    assert say(held(ringed="alive", alive="ringed"), "ringed") == []
    assert say({}, "") == []


def test_of_very_many_columns_those_that_drifted_most_are_compared(monkeypatch) -> None:
    """Each with each would take minutes for some thousand columns, all of them changed."""
    asked = []

    def compare(*arguments) -> Distance:
        asked.append(arguments)
        return psi.distribution_distance(*arguments)

    monkeypatch.setattr(swapped_columns, "distribution_distance", compare)
    columns = 120
    features = [
        Feature(name=f"c{g}", kind="categorical", categories=("no", "yes")) for g in range(columns)
    ]
    # The first two hold what the other held; all the others hold one text alone.
    reference = [Histogram(counts=(20, 980), missing=0), Histogram(counts=(980, 20), missing=0)]
    reference += [Histogram(counts=(500, 500), missing=0)] * (columns - 2)
    counts = [[0, 0, 980, 20], [0, 0, 20, 980]] + [[0, 0, 1_000, 0]] * (columns - 2)
    drifted = dict.fromkeys(range(columns), 3.0)
    said = exchanged_categories(features, reference, counts, {}, drifted, 0.25)
    assert said == ['columns "c0" and "c1" look exchanged']
    assert len(asked) == 50 * 49
