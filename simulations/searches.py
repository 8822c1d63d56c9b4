"""What rules for a search cost, and how often a race drops its best candidate.

The losses of a candidate are normal. Resamples share rows, so those of two resamples are correlated
by n_validation / (n_validation + n_training), the correlation for which Nadeau and Bengio (2003,
section 3) made their correction. What all candidates share on a resample cancels and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.crossfitting import crossfitted
from ffn.evaluation.inference.race import RACE_ALPHA, best_of, dropped_at, race_looks
from ffn.evaluation.inference.statistics import corrected_t, holm, resampled_mean, wilson

__all__ = [
    "FULL_SEARCHES",
    "QUICK_SEARCHES",
    "RULES",
    "WORLDS",
    "RaceFound",
    "SearchesSize",
    "draw_losses",
    "excess_losses",
    "race",
    "searches_section",
]

Array = npt.NDArray[Any]

_SEED = 2028
_RATIO = 0.25
_SPREAD = 0.05
_ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class SearchesSize:
    """How much is simulated: ``trials`` of each world."""

    trials: int


FULL_SEARCHES = SearchesSize(trials=2_000)
QUICK_SEARCHES = SearchesSize(trials=40)

WORLDS: dict[str, tuple[float, ...]] = {
    "12 equal": (0.0,) * 12,
    "the largest of 12 better by 0.05": (0.05,) * 11 + (0.0,),
    "the largest of 12 better by 0.15": (0.15,) * 11 + (0.0,),
    "a ladder of 0.02, the largest best": tuple(0.02 * step for step in range(11, -1, -1)),
    "a ladder of 0.02, the smallest best": tuple(0.02 * step for step in range(12)),
}
"""By its title, how much higher the true loss of each candidate is than that of the best, the
simplest candidate first. A single network's loss has a standard deviation of 0.05 about it."""

RULES = ("simplest that ties", "simplest within 1 SE", "lowest mean")


@dataclass(frozen=True, kw_only=True)
class RaceFound:
    """What a race did.

    Attributes
    ----------
    left
        Positions of the candidates that were left.
    chosen
        The one of the lowest mean.
    networks
        Number of networks that were trained.
    crossfitted
        What was said to be expected of the chosen one.
    """

    left: list[int]
    chosen: int
    networks: int
    crossfitted: float


def draw_losses(true: tuple[float, ...], k: int, generator: np.random.Generator) -> Array:
    """Return validation losses [C, K] of candidates.

    Parameters
    ----------
    true
        Their true losses [C].
    k
        Number of resamples.
    generator
        Source of randomness.
    """
    shared = _RATIO / (1 + _RATIO)
    own = np.sqrt(shared) * generator.standard_normal((len(true), 1))
    own = own + np.sqrt(1 - shared) * generator.standard_normal((len(true), k))
    losses: Array = np.asarray(true)[:, None] + _SPREAD * own
    return losses


def excess_losses(true: tuple[float, ...], losses: Array) -> tuple[float, ...]:
    """Return by how much the true loss of what each of `RULES` chooses is above the lowest.

    The first is the rule for optimizers (``docs/decisions/0003-tie-rule.md``). The second is the
    one-standard-error rule (Breiman, Friedman, Olshen and Stone 1984, section 3.4.3), with the
    corrected standard error of the paired difference from the lowest mean.

    Parameters
    ----------
    true
        True losses [C], the simplest candidate first.
    losses
        Validation losses [C, K].
    """
    k, means = losses.shape[1], losses.mean(axis=1)
    best = int(np.argmin(means))
    pairs = [(a, b) for a in range(len(true)) for b in range(a)]
    adjusted = holm([corrected_t(losses[a] - losses[b], _RATIO) for a, b in pairs])
    to_best = {a + b - best: p for (a, b), p in zip(pairs, adjusted, strict=True) if best in (a, b)}
    own = resampled_mean(losses[best], _RATIO)
    bound = own.value + np.sqrt(2) * (own.high - own.value)
    differences = losses - losses[best]
    errors = np.sqrt((1 / k + _RATIO) * differences.var(axis=1, ddof=1))
    tied = [
        c for c in range(len(true)) if c == best or (to_best[c] >= _ALPHA and means[c] <= bound)
    ]
    near = np.flatnonzero(differences.mean(axis=1) <= errors)
    chosen = (tied[0], int(near[0]), best)
    return tuple(true[c] - min(true) for c in chosen)


def race(losses: Array) -> RaceFound:
    """Race candidates by their losses, as a retraining does.

    Parameters
    ----------
    losses
        Validation losses [C, K].
    """
    k, left, networks, start, last = losses.shape[1], list(range(len(losses))), 0, 0, 0
    for look in race_looks(k):
        networks += len(left) * (look - start)
        start = look
        found = dropped_at(losses[left, :look], [str(c) for c in left], _RATIO, len(losses) - 1, k)
        last = look if found else last
        left = [c for c in left if str(c) not in found]
    networks += len(left) * (k - start)
    return RaceFound(
        left=left,
        chosen=left[best_of(losses[left])],
        networks=networks,
        crossfitted=float(crossfitted(losses[left], last).mean()),
    )


def searches_section(size: SearchesSize) -> str:
    """Return the two tables for the page.

    Parameters
    ----------
    size
        How much is simulated.
    """
    rules = [f"| candidates | {' | '.join(RULES)} |", f"|---|{'--:|' * len(RULES)}"]
    races = [
        "| candidates | networks | best dropped (95 % interval) | loss above the best: whole "
        "search, raced | networks trained | cross-fitted figure minus true loss: whole, raced |",
        "|---|--:|---|---|--:|---|",
    ]
    for title, true in WORLDS.items():
        generator = np.random.default_rng(_SEED)
        costs = np.array(
            [
                excess_losses(true, draw_losses(true, 16, generator))
                for _ in range(max(1, size.trials // 4))
            ]
        )
        rules.append(f"| {title} | {' | '.join(f'{cost:.4f}' for cost in costs.mean(axis=0))} |")
        races.extend(_race_line(title, true, k, size.trials) for k in (8, 16))
    return "\n".join(
        [
            f"Mean true log-loss above that of the best candidate, in nats per row, over "
            f"{max(1, size.trials // 4):,} searches of 16 networks, by the rule that chooses:",
            "",
            *rules,
            "",
            f"The same candidates, raced in {size.trials:,} searches each. Best dropped: the share "
            "of searches in which a race dropped the candidate that is truly the best; of equal "
            f"ones each is as good, and the first is counted. It may be {RACE_ALPHA:g} at most.",
            "",
            *races,
        ]
    )


def _race_line(title: str, true: tuple[float, ...], k: int, trials: int) -> str:
    generator = np.random.default_rng([_SEED, k])
    best = int(np.argmin(true))
    dropped, networks, whole, raced, told, told_raced = 0, 0, [], [], [], []
    for _ in range(trials):
        losses = draw_losses(true, k, generator)
        found = race(losses)
        dropped += best not in found.left
        networks += found.networks
        chosen = best_of(losses)
        whole.append(true[chosen])
        told.append(float(crossfitted(losses, 0).mean()) - true[chosen])
        raced.append(true[found.chosen])
        told_raced.append(found.crossfitted - true[found.chosen])
    share = wilson(dropped, trials)
    return (
        f"| {title} | {k} | {share.value:.4f} [{share.low:.4f}, {share.high:.4f}] | "
        f"{np.mean(whole):.4f}, {np.mean(raced):.4f} | "
        f"{networks / (trials * k * len(true)):.0%} | "
        f"{np.mean(told):+.4f}, {np.mean(told_raced):+.4f} |"
    )
