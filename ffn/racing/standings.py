"""How the candidates of a search stand while they are trained."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ffn.criteria.criterion import Criterion
from ffn.quantities import NOTHING
from ffn.racing.dropping import compared_values
from ffn.training.selection.candidate import Candidate

__all__ = ["Standing", "Standings", "standing_rows", "standings_in_words"]

_LEADERS = 3


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A candidate that is trained, wholly or in part.

    Attributes
    ----------
    candidate
        Its name.
    figure
        Mean of what is compared on the resamples so far; NaN if every network diverged, or if none
        of these resamples has a value of the metric.
    resamples, of
        On how many resamples it is trained, and on how many it will be.
    dropped
        Whether the race dropped it.
    diverged
        Whether every network so far diverged.
    """

    candidate: str
    figure: float
    resamples: int
    of: int
    dropped: bool = False
    diverged: bool = False


class Standings:
    """Collects candidates as they finish, from any thread, and tells how they stand.

    Parameters
    ----------
    names
        Names of all candidates.
    networks
        Number of resamples of each.
    criterion
        What they are compared by; None for the log-loss.
    tell
        Called with the standings, best first, whenever they changed.
    """

    def __init__(
        self,
        names: Collection[str],
        networks: int,
        criterion: Criterion | None,
        tell: Callable[[Sequence[Standing]], None],
    ) -> None:
        self._names = frozenset(names)
        self._networks = networks
        self._criterion = criterion
        self._tell = tell
        self._known: dict[str, Standing] = {}
        self._lock = threading.Lock()

    def trained(self, candidate: Candidate) -> None:
        """Take in a candidate; nothing is told of one that is known, or of another search's.

        Parameters
        ----------
        candidate
            The candidate.
        """
        values = compared_values(candidate, self._criterion)
        finite = values[np.isfinite(values)]
        higher = self._criterion is not None and self._criterion.higher
        mean = float(finite.mean()) if len(finite) else float("nan")
        standing = Standing(
            candidate=candidate.optimizer,
            figure=-mean if higher else mean,
            resamples=len(values),
            of=self._networks,
            dropped=candidate.dropped is not None,
            diverged=not candidate.history.finished.any(),
        )
        with self._lock:
            known = self._known.get(candidate.optimizer)
            if candidate.optimizer not in self._names or known == standing:
                return
            if known is not None and known.resamples > standing.resamples:
                return
            self._known[candidate.optimizer] = standing
            ordered = sorted(
                self._known.values(),
                key=lambda one: (
                    one.dropped,
                    bool(np.isnan(one.figure)),
                    -one.figure if higher else one.figure,
                ),
            )
        self._tell(ordered)


def standing_rows(standings: Sequence[Standing]) -> list[dict[str, str]]:
    """Return the standings as rows of a table.

    Parameters
    ----------
    standings
        The candidates, best first.
    """
    return [
        {
            "place": NOTHING if one.dropped else str(place),
            "candidate": one.candidate,
            "mean so far": _figure(one),
            "resamples": f"{one.resamples:,} of {one.of:,}",
            "race": "dropped" if one.dropped else "left",
        }
        for place, one in enumerate(standings, start=1)
    ]


def standings_in_words(standings: Sequence[Standing]) -> str:
    """Return who leads: ``leading: 1. adamw 32 0.123 (4 of 8), 2. adamw 2 0.61 (4 of 8)``.

    Parameters
    ----------
    standings
        The candidates, best first.
    """
    left = [one for one in standings if not one.dropped]
    told = ", ".join(
        f"{place}. {one.candidate} {_figure(one)} ({one.resamples:,} of {one.of:,})"
        for place, one in enumerate(left[:_LEADERS], start=1)
    )
    more = [f"{len(left) - _LEADERS:,} behind"] if len(left) > _LEADERS else []
    out = len(standings) - len(left)
    more += [f"{out:,} dropped"] if out else []
    return "; ".join([f"leading: {told}" if told else "nobody left", *more])


def _figure(one: Standing) -> str:
    if one.diverged:
        return "diverged"
    return NOTHING if np.isnan(one.figure) else f"{one.figure:.4g}"
