"""Why so few held-out rows are left to compare on, and what gives more of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ffn.errors import quote
from ffn.promotion.champion import Opponent
from ffn.promotion.shared_rows import SharedRows
from ffn.quantities import counted
from ffn.settings.document import TrainingSettings

__all__ = ["too_few"]

_COLUMNS_SHOWN = 3


def too_few(
    usable: int,
    rows: SharedRows,
    opponent: Opponent,
    training: TrainingSettings,
    columns: Mapping[str, str],
) -> str:
    """Say that so few rows can show nothing, where the others went, and what to do; a clause.

    Parameters
    ----------
    usable
        Rows that the comparison would have used, at most ``rows.fit``.
    training, columns
        The challenger's, the second as ``columns_of`` has it.
    """
    left = f"{counted(usable, 'held-out row')} cannot" if usable else "no held-out row can"
    told = f"{left} show that any challenger is good enough"
    gone = list(_gone(usable, rows))
    if not gone:
        return told
    told += f" (of {counted(rows.held_out, 'row')} held out, {', '.join(gone)}"
    causes = list(_causes(opponent, training, columns)) if rows.trained_on else []
    if causes:
        told += f"; the split is another one, since {' and '.join(causes)}"
        back = [f"training.{name}" for name in _changed(opponent, training)]
        told += f"; set {' and '.join(back)} back, or add rows" if back else "; add rows"
    return f"{told})"


def _gone(usable: int, rows: SharedRows) -> Iterator[str]:
    """Yield how many held-out rows were left out, for each reason."""
    if rows.trained_on:
        yield f"production was trained on {rows.trained_on:,}"
    if rows.refused:
        yield f"production would refuse {rows.refused:,}"
    if rows.fit > usable:
        yield f"{rows.fit - usable:,} took part in earlier comparisons too often"


def _changed(opponent: Opponent, training: TrainingSettings) -> dict[str, float]:
    """Return the settings of the split that are other than production's, as they were then."""
    then = opponent.settings.training if opponent.settings else training
    values = {name: getattr(then, name) for name in ("seed", "test_share")}
    return {name: was for name, was in values.items() if was != getattr(training, name)}


def _causes(
    opponent: Opponent, training: TrainingSettings, columns: Mapping[str, str]
) -> Iterator[str]:
    """Yield what makes rows stand on another side of the split than they did for production."""
    for name, was in _changed(opponent, training).items():
        yield f"training.{name} was {was} and is {getattr(training, name)}"
    before = opponent.columns or columns
    changed = sorted(n for n in {*before, *columns} if before.get(n) != columns.get(n))
    if changed:
        shown = ", ".join(map(quote, changed[:_COLUMNS_SHOWN]))
        hidden = len(changed) - _COLUMNS_SHOWN
        others = f" and {counted(hidden, 'other')}" if hidden > 0 else ""
        yield f"the feature columns changed ({shown}{others})"
