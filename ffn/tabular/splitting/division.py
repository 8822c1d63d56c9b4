"""Which rows are trained on and which judge: one recipe for all kinds of splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.splitting.by_content import draw_resamples, hold_out_stable, sampling_units
from ffn.tabular.splitting.by_group import draw_group_resamples, hold_out_groups
from ffn.tabular.splitting.by_time import draw_forward_windows, hold_out_latest
from ffn.tabular.splitting.by_time_and_group import draw_later_groups, hold_out_later_groups

__all__ = ["Division", "divide", "draw_splits"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Division:
    """The two sides of a table's rows [N]; a row may be on neither.

    Attributes
    ----------
    training, held_out
        Booleans [N]: rows to train on, and rows that judge the model once.
    groups
        Identifiers of the rows' groups, uint64 [N], of which none is on both sides, here nor in
        any resample; None if there are none.
    times
        Times of the rows, int64 or float64 [N]; None if the rows have no order. What judges is
        later than what is trained on, here and in every resample.
    embargo
        Least distance in time between the two, in the unit of ``times``.
    cut
        First time that may be held out; None without times, or if the held-out rows are given.
    limit
        Hash below which a group is held out; None without groups, or if they are given.
    calibration
        Booleans [N]: rows on neither side that calibrate label sets; None if none do.
    """

    training: Array
    held_out: Array
    groups: Array | None = None
    times: Array | None = None
    embargo: float = 0
    cut: Any = None
    limit: int | None = None
    calibration: Array | None = None

    @classmethod
    def of(cls, held_out: Array) -> Division:
        """Return the division into ``held_out``, booleans [N], and all other rows."""
        return cls(training=~held_out, held_out=held_out)

    @property
    def neither(self) -> int:
        """Number of rows on neither side."""
        return int(np.count_nonzero(~(self.training | self.held_out)))

    def groups_of(self, rows: Array) -> int:
        """Return how many groups the ``rows``, booleans [N], are of; 0 if there are none."""
        return 0 if self.groups is None else len(np.unique(self.groups[rows]))

    def digest(self) -> str:
        """Return a digest of all that is made of this division: both sides, groups and times."""
        parts = [np.packbits(self.held_out).tobytes()]
        if self.neither:
            parts.append(b"training" + np.packbits(self.training).tobytes())
        for name, column in (("groups", self.groups), ("times", self.times)):
            if column is not None:
                parts += [name.encode(), np.ascontiguousarray(column).tobytes()]
        if self.embargo:
            parts.append(b"embargo" + repr(self.embargo).encode())
        return hashlib.sha256(b"".join(parts)).hexdigest()[:32]


def divide(
    labels: Array,
    fingerprints: Array,
    *,
    share: float,
    seed: int,
    groups: Array | None = None,
    times: Array | None = None,
    embargo: float = 0,
    given: Array | None = None,
) -> Division:
    """Hold rows out for the final evaluation.

    Without groups and times the split is stratified by class and stable by content
    (`hold_out_stable`). With ``given`` rows, these are held out; of the others, those are trained
    on that are of no group that is given, and earlier than all that is given by the embargo.

    Parameters
    ----------
    labels
        Class indices [N].
    fingerprints
        Content fingerprints, uint64 [N].
    share
        Share of the rows to hold out, between 0 and 1.
    seed
        Seed of the hash that chooses rows or groups.
    groups
        Identifiers, uint64 [N], of which none may be on both sides (`value_digests` makes them of
        any column). None, the default: there are none.
    times
        Numbers [N]: the latest rows are held out. None, the default: rows have no order.
    embargo
        Distance in time that is left before the held-out rows; 0, the default, for none.
    given
        Booleans [N]: rows that are held out, whatever else; None, the default: none are given.
    """
    cut = limit = None
    if given is not None:
        held_out, training = given, ~given
        if groups is not None:
            training &= ~np.isin(groups, np.unique(groups[given]))
        if times is not None:
            training &= times < times[given].min() - times.dtype.type(embargo)
    elif times is not None and groups is not None:
        training, held_out, cut, limit = hold_out_later_groups(times, groups, share, seed, embargo)
    elif times is not None:
        training, held_out, cut = hold_out_latest(times, share, embargo)
    elif groups is not None:
        held_out, limit = hold_out_groups(groups, share, seed)
        training = ~held_out
    else:
        units = sampling_units(labels, fingerprints)
        return Division.of(hold_out_stable(labels, units, share, seed))
    return Division(
        training=training,
        held_out=held_out,
        groups=groups,
        times=times,
        embargo=embargo,
        cut=cut,
        limit=limit,
    )


def draw_splits(
    labels: Array,
    fingerprints: Array,
    share: float,
    generators: Sequence[np.random.Generator],
    *,
    groups: Array | None = None,
    times: Array | None = None,
    embargo: float = 0,
) -> Iterator[tuple[Array, Array]]:
    """Yield K resamples of the training part by the same recipe as `divide`.

    Parameters
    ----------
    labels
        Class indices [n].
    fingerprints
        Content fingerprints, uint64 [n].
    share
        Share of the rows for validation, between 0 and 1.
    generators
        Sources of randomness [K].
    groups, times, embargo
        As for `divide`, of these rows.

    Yields
    ------
    train, validation
        Row numbers, int32 [n'] and [m], equally many in each resample.

    Raises
    ------
    ValueError
        The embargo leaves no row to train on.
    """
    if times is None and groups is None:
        units = sampling_units(labels, fingerprints)
        yield from draw_resamples(labels, units, share, generators)
        return
    if times is None:
        drawn = draw_group_resamples(np.asarray(groups), share, generators)
    elif groups is None:
        drawn = draw_forward_windows(times, share, len(generators), embargo)
    else:
        drawn = draw_later_groups(times, groups, share, generators, embargo)
    yield from drawn
