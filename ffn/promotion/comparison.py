"""Comparison of two versions: side by side, and paired on rows that neither was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.criteria.recorded_values import table_in
from ffn.errors import FFNError, RegistryError
from ffn.evaluation.inference.grouped_labels import count_grouped_labels
from ffn.evaluation.inference.mcnemar import compatible_interval, two_sided_p
from ffn.evaluation.inference.paired import LabelCounts, count_labels
from ffn.evaluation.inference.paired_losses import loss_bounds, row_losses
from ffn.evaluation.inference.statistics import Interval
from ffn.promotion.champion import Opponent, read_version, unrelated_rows
from ffn.promotion.overview import Detail, describe_version
from ffn.promotion.shared_rows import SharedRows, accepts, find_contest, production_rows
from ffn.registry.alpha_spending import read_looks
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.division import Division
from ffn.training import steps

__all__ = ["Paired", "VersionComparison", "compare"]

Array = npt.NDArray[Any]

# One-sided level of each bound, so that two bounds make a 95 % interval.
_ALPHA = 0.025


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Paired comparison of the second version with the first, on the same rows.

    Attributes
    ----------
    rows
        Rows of the training CSV as it is now; ``held_out`` counts all of them.
    labels
        Gained: right by the second version, wrong by the first.
    accuracy
        Second minus first, with a 95 % interval that excludes zero exactly if ``p_value`` is
        below 0.05.
    log_loss
        Second minus first, nats per row, with a 95 % interval.
    p_value
        Two-sided exact McNemar test of equal accuracy; sign flips by group if rows come in groups,
        with an interval that is rather wider than this test.
    looks
        Largest number of the gate's comparisons in which any of these rows took part.
    """

    rows: SharedRows
    labels: LabelCounts
    accuracy: Interval
    log_loss: Interval
    p_value: float
    looks: int


@dataclass(frozen=True, kw_only=True)
class VersionComparison:
    """Two versions side by side.

    Attributes
    ----------
    first, second
        Details of each version.
    settings
        Settings that differ: both values by dotted key, None for a key that one version lacks.
    paired
        Comparison on common rows; None if there are none.
    why_not
        Why there is no paired comparison; empty if there is one.
    """

    first: Detail
    second: Detail
    settings: dict[str, tuple[Any, Any]]
    paired: Paired | None
    why_not: str


def compare(pipeline: Pipeline, first: int, second: int) -> VersionComparison:
    """Compare two versions on the training CSV, without changing anything in the registry.

    Such a comparison spends nothing of the gate's level on the rows that it uses.

    Parameters
    ----------
    pipeline
        The pipeline that both versions belong to.
    first, second
        Their numbers in the registry.

    Raises
    ------
    RegistryError
        One of them does not exist.
    BundleError
        A bundle is damaged.
    """
    details = [describe_version(pipeline.artifacts, version) for version in (first, second)]
    opponents = [read_version(pipeline.artifacts, version) for version in (first, second)]
    found = _pair(pipeline, *opponents)
    one, other = (dict(_flat(table_in(known.provenance, "settings"))) for known in details)
    keys = sorted({*one, *other})
    return VersionComparison(
        first=details[0],
        second=details[1],
        settings={
            key: (one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)
        },
        paired=None if isinstance(found, str) else found,
        why_not=found if isinstance(found, str) else "",
    )


def _pair(pipeline: Pipeline, first: Opponent, second: Opponent) -> Paired | str:
    """Compare both on the rows that neither was trained on; or return why that is impossible."""
    try:
        looks = read_looks(pipeline.artifacts)
    except RegistryError as error:
        return str(error).rstrip(".")
    try:
        dataset = steps.load(pipeline)
    except FFNError as error:
        return f"the training CSV cannot be used: {str(error).rstrip('.')}"
    known, unrelated = np.zeros((2, dataset.rows), dtype=bool)
    unrelated[:] = True
    apart = Division(
        training=known, held_out=unrelated, groups=dataset.group_ids, times=dataset.times
    )
    for one, other in ((first, second), (second, first)):
        rows = production_rows(dataset, other.bundle.schema, one)
        if isinstance(rows, str):
            return (
                f"the rows that version {one.bundle.version} was trained on cannot be identified: "
                f"{rows}"
            )
        unrelated &= unrelated_rows(dataset, apart, rows, one)
        known |= rows
    accepted = accepts(dataset, first.bundle) & accepts(dataset, second.bundle)
    contest, found = find_contest(
        dataset,
        accepted,
        known,
        second.bundle,
        first.bundle,
        unrelated=unrelated,
        groups=dataset.group_ids,
    )
    if not len(contest.labels):
        return f"{dataset.file} has no row that both can score and neither was trained on"
    challenger, production, labels = contest.challenger, contest.production, contest.labels
    counts = count_labels(challenger.predicted, production.predicted, labels)
    seed = pipeline.settings.training.seed
    losses = loss_bounds(
        row_losses(challenger.probabilities, labels),
        row_losses(production.probabilities, labels),
        _ALPHA,
        seed,
        contest.groups,
        contest.weights,
    )
    if contest.groups is None and contest.weights is None:
        accuracy, p_value = compatible_interval(counts), two_sided_p(counts)
    else:
        grouped = count_grouped_labels(
            challenger.predicted, production.predicted, labels, contest.groups, contest.weights
        )
        accuracy, p_value = grouped.interval(compatible_interval), grouped.p_two_sided
    return Paired(
        rows=SharedRows(
            held_out=dataset.rows,
            trained_on=int(known.sum()),
            refused=int((~known & ~accepted).sum()),
            fit=len(labels),
            related=found.related,
            groups=found.groups,
        ),
        labels=counts,
        accuracy=accuracy,
        log_loss=Interval(losses.value, losses.low, losses.high),
        p_value=p_value,
        looks=int(looks.of(contest.fingerprints).max()),
    )


def _flat(settings: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings by dotted key."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
