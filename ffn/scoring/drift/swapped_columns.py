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
"""Share of a column's own PSI that another explanation may leave."""

CHANCE = 0.01
"""Probability that a column which is as explained misfits by chance."""

MOST_COLUMNS = 50
"""Columns that are compared in pairs: of more those that drifted most."""


def exchanged_categories(
    features: Sequence[Feature],
    reference: Sequence[Histogram],
    counts: Sequence[Sequence[int]],
    examples: Mapping[str, Collection[str]],
    drifted: Mapping[int, float],
    threshold: float,
) -> list[str]:
    """Return a sentence for all categorical columns that hold what each other held.

    Parameters
    ----------
    features, reference
        The categorical columns [G].
    counts
        Of each: rows unknown, missing, then by category.
    examples
        By name: some of the texts that are none of the column's categories, cut as for display.
    drifted
        PSI of the columns whose distribution is another, those that drifted most first.
    threshold
        PSI up to which a column fits, or up to what chance does to so few rows.

    Notes
    -----
    A column looks like another where it has no text that the other never had, and those of its
    own categories that the other has too are as frequent as there.
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

    These are the categories that both have, those of the other alone, and those of the first
    alone; and gaps, if both may have some.
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
    """Return the columns that hold what each other held, ring by ring, each in order."""
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
    """Return the sentence about columns of these names."""
    columns = [quote(name) for name in names]
    what = "exchanged" if len(columns) == 2 else "mixed up"
    return f"columns {', '.join(columns[:-1])} and {columns[-1]} look {what}"
