"""Detect swapped categorical columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from ffn.errors import quote
from ffn.scoring.drift.psi import distribution_distance
from ffn.tabular.csv.parsing.rejects import shorten
from ffn.tabular.schema import Feature
from ffn.tabular.training_table.histograms import Histogram

__all__ = ["CHANCE", "MOST_COLUMNS", "REMAINS", "exchanged_categories", "rings", "say_exchanged"]

REMAINS = 0.2
"""A swap must leave at most this share of the PSI of a column."""

CHANCE = 0.01
"""Probability that a column for which the explanation holds fails the test by chance."""

MOST_COLUMNS = 50
"""Largest number of columns compared in pairs; of more, those that drifted most."""


def exchanged_categories(
    features: Sequence[Feature],
    reference: Sequence[Histogram],
    counts: Sequence[Sequence[int]],
    examples: Mapping[str, Collection[str]],
    drifted: Mapping[int, float],
    threshold: float,
) -> list[str]:
    """Return a sentence for each set of categorical columns that hold each other's values.

    Parameters
    ----------
    features, reference
        The categorical columns [G], and their histograms in training.
    counts
        Of each column [G]: rows with an unknown category, rows without a value, then rows by
        category.
    examples
        Texts that are no category of a column, by its name, shortened as for display.
    drifted
        PSI by index of the columns that drifted, the most drifted first.
    threshold
        PSI up to which a column fits a histogram; if it is larger, the PSI that chance alone
        explains is used.

    Notes
    -----
    A column is taken for another one if it has no text that the other never had, and the
    categories that both have are as frequent as in the other.
    """
    holds: dict[int, int] = {}
    some = dict(islice(drifted.items(), MOST_COLUMNS))
    for g, own in some.items():
        fits = {}
        for h in some:
            if h == g or not _knows(features[h], examples.get(features[g].name, ())):
                continue
            distance = distribution_distance(
                *_as_the_other(features[g], counts[g], features[h], reference[h]), CHANCE
            )
            if distance.psi <= min(max(threshold, distance.limit), REMAINS * own):
                fits[h] = distance.psi
        if fits:
            holds[g] = min(fits, key=lambda h: (fits[h], h))
    names = [feature.name for feature in features]
    return [say_exchanged([names[g] for g in ring]) for ring in rings(holds)]


def _knows(feature: Feature, texts: Collection[str]) -> bool:
    return set(texts) <= set(map(shorten, feature.categories))


def _as_the_other(
    feature: Feature, counts: Sequence[int], other: Feature, reference: Histogram
) -> tuple[list[int], list[int]]:
    """Return rows of a column and training rows of another in the same bins.

    The bins are the categories that both have, all categories of only the other, all of only the
    first, and missing values if both columns may have some.
    """
    unknown, missing, *known = counts
    found = dict(zip(feature.categories, known, strict=True))
    expected = dict(zip(other.categories, reference.counts, strict=True))
    both = [text for text in other.categories if text in found]
    rows = [found[text] for text in both]
    training = [expected[text] for text in both]
    rows += [unknown, sum(known) - sum(rows)]
    training += [sum(reference.counts) - sum(training), 0]
    if feature.missing and other.missing:
        return [*rows, missing], [*training, reference.missing]
    return rows, training


def rings(holds: Mapping[int, int]) -> list[list[int]]:
    """Return groups of columns that hold each other's values in a circle, each group ascending.

    Parameters
    ----------
    holds
        Index of the column whose values each column seems to hold, by its own index.
    """
    found, seen = [], set()
    for start in holds:
        ring, at = [start], holds[start]
        while at in holds and at not in ring:
            ring.append(at)
            at = holds[at]
        if at == start and len(ring) > 1 and start not in seen:
            found.append(sorted(ring))
            seen.update(ring)
    return found


def say_exchanged(names: Sequence[str]) -> str:
    """Return the clause that the columns called ``names``, two or more, look exchanged."""
    columns = [quote(name) for name in names]
    what = "exchanged" if len(columns) == 2 else "mixed up"
    return f"columns {', '.join(columns[:-1])} and {columns[-1]} look {what}"
