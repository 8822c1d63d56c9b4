"""The reason for a choice among candidates, in words."""

from __future__ import annotations

from collections.abc import Sequence, Set

from ffn.criteria.criterion import Criterion
from ffn.evaluation.inference.statistics import Interval
from ffn.quantities import counted, interval, listed
from ffn.training.selection.candidate import Candidate

__all__ = ["choice_reason", "crossfitted_sentence"]

# Of a search, dozens may tie; the leaderboard has them all.
_TIES_NAMED = 6


def choice_reason(
    tied: Sequence[str],
    lowest: str,
    candidates: Sequence[Candidate],
    sound: Set[str],
    criterion: Criterion | None,
    *,
    searched: bool,
) -> str:
    """Return why a candidate was chosen, and which were not compared.

    Parameters
    ----------
    tied
        Those that tie with the lowest mean, the lowest included, the simplest first.
    lowest
        The one with the lowest mean.
    candidates
        All of them.
    sound
        Those that are compared: no other has fewer networks that diverged.
    criterion
        What they were compared by; None for the log-loss.
    searched
        Whether they are the combinations of a search, of which the lowest mean is chosen.
    """
    if len(candidates) == 1:
        return f"{lowest} is the only candidate."
    usable = [c.optimizer for c in candidates if c.history.finished.any()]
    raced = sum(c.dropped is not None and c.optimizer in usable for c in candidates)
    out = {c.optimizer for c in candidates if c.dropped}
    aside = [name for name in usable if name not in sound and name not in out]
    gone = [c.optimizer for c in candidates if c.optimizer not in usable]
    lost = f" Set aside because more networks diverged: {', '.join(aside)}." if aside else ""
    lost += f" Excluded because every network diverged: {', '.join(gone)}." if gone else ""
    if len(usable) == 1:
        return f"{lowest} is the only remaining candidate.{lost}"
    what = "lowest mean validation log-loss"
    if criterion:
        extreme = "highest" if criterion.higher else "lowest"
        what = f"{extreme} mean {criterion.words} on validation rows"
    first = f"{lowest} has the {what}"
    if raced:
        lost = f" A race dropped {counted(raced, 'candidate')} shown to be worse.{lost}"
    others = [name for name in tied if name != lowest]
    if searched:
        tie = f"{counted(len(others), 'other')} {'ties' if len(others) == 1 else 'tie'} with it"
        return f"{first} and is chosen; {tie if others else 'no other ties with it'}.{lost}"
    if not others:
        return f"{first}; no other ties with it.{lost}"
    named = others
    if len(others) > _TIES_NAMED:
        named = [*others[: _TIES_NAMED - 1], f"{len(others) - _TIES_NAMED + 1:,} others"]
    return (
        f"{first}; {listed(named)} {'ties' if len(others) == 1 else 'tie'} with it, and "
        f"the simplest of these is chosen: {tied[0]}.{lost}"
    )


def crossfitted_sentence(
    estimate: Interval, candidates: int, criterion: Criterion | None, first: int = 0
) -> str:
    """Return what to expect of taking the candidate of a search with the best mean.

    Parameters
    ----------
    estimate
        Mean over the resamples of the candidate that is best on the other ones, with its interval.
    candidates
        Number of candidates.
    criterion
        What they were compared by; None for the log-loss.
    first
        After how many resamples a race dropped the last one that it dropped; by default nobody.
    """
    what = criterion.words if criterion else "log-loss"
    after = f" after the first {first}, which dropped candidates," if first else ""
    return (
        f"The best of {candidates:,} means is optimistic, because it is the best. If for each "
        f"resample{after} the candidate is chosen on the other ones, the mean validation "
        f"{what} is {interval(estimate)}."
    )
