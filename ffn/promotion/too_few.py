"""Explain why too few held-out rows are left for a comparison, and how to get more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ffn.errors import quote
from ffn.promotion.champion import Opponent
from ffn.promotion.shared_rows import SharedRows
from ffn.quantities import counted
from ffn.settings.split_settings import SplitSettings
from ffn.settings.training_settings import TrainingSettings

__all__ = ["too_few"]

_COLUMNS_SHOWN = 3


def too_few(
    usable: int,
    rows: SharedRows,
    opponent: Opponent,
    training: TrainingSettings,
    columns: Mapping[str, str],
    split: SplitSettings | None = None,
) -> str:
    """Return a clause: too few rows, why the others were excluded, and what to do.

    Parameters
    ----------
    usable
        Number of rows that the comparison would have used, at most ``rows.fit``.
    rows
        Numbers of held-out rows, and of those excluded for each reason.
    opponent
        The version in production.
    training
        The challenger's ``[training]`` settings.
    columns
        Kind by name of the challenger's columns, from `columns_of`.
    split
        The challenger's ``[split]`` settings; None, the default, if they are production's.
    """
    left = f"{counted(usable, 'held-out row')} cannot" if usable else "no held-out row can"
    told = f"{left} show that any challenger is good enough"
    gone = list(_gone(usable, rows))
    if not gone:
        return told
    told += f" (of {counted(rows.held_out, 'row')} held out, {', '.join(gone)}"
    causes = list(_causes(opponent, training, columns)) if rows.trained_on else []
    if causes:
        told += f"; the split changed because {' and '.join(causes)}"
        back = [f"training.{name}" for name in _changed(opponent, training)]
        told += f"; reset {' and '.join(back)}, or add rows" if back else "; add rows"
    if rows.related and opponent.settings and split not in (None, opponent.settings.split):
        told += (
            "; production was trained under another [split]: if the figures of the new version are "
            "those that matter, put it into production with ffn promote, or add rows"
        )
    return f"{told})"


def _gone(usable: int, rows: SharedRows) -> Iterator[str]:
    """Yield the number of held-out rows excluded for each reason."""
    if rows.trained_on:
        yield f"production was trained on {rows.trained_on:,}"
    if rows.related:
        yield f"{rows.related:,} are of groups or times that production was trained on"
    if rows.refused:
        yield f"production would reject {rows.refused:,}"
    if rows.fit > usable:
        yield f"{rows.fit - usable:,} took part in earlier comparisons too often"


def _changed(opponent: Opponent, training: TrainingSettings) -> dict[str, float]:
    """Return production's values of the split settings that have changed since."""
    then = opponent.settings.training if opponent.settings else training
    values = {name: getattr(then, name) for name in ("seed", "test_share")}
    return {name: was for name, was in values.items() if was != getattr(training, name)}


def _causes(
    opponent: Opponent, training: TrainingSettings, columns: Mapping[str, str]
) -> Iterator[str]:
    """Yield the changes that moved rows to another side of the split."""
    for name, was in _changed(opponent, training).items():
        yield f"training.{name} was {was} and is {getattr(training, name)}"
    before = opponent.columns or columns
    changed = sorted(n for n in {*before, *columns} if before.get(n) != columns.get(n))
    if changed:
        shown = ", ".join(map(quote, changed[:_COLUMNS_SHOWN]))
        hidden = len(changed) - _COLUMNS_SHOWN
        others = f" and {counted(hidden, 'other')}" if hidden > 0 else ""
        yield f"the feature columns changed ({shown}{others})"
