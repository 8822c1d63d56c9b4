"""Classes that a model does not find: what has to be said of it before anything else.

A high accuracy hides this where a class is rare: always predicting "good" is right 95 times in
100 if 5 rows are bad.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ffn.errors import quote
from ffn.evaluation.class_figures import ClassFigures
from ffn.quantities import counted, listed

__all__ = ["class_warning", "missed_classes"]

_NAMED = 3


def missed_classes(classes: Sequence[ClassFigures]) -> str:
    """Return which classes a model never finds, as a clause: ``finds 0 of the 103 held-out …``.

    The clause lacks its subject, the model, and the full stop. Classes with held-out rows of which
    none is predicted as theirs come first, those with the most rows in front; then classes without
    held-out rows that no other row is predicted as. It is empty if there are neither.

    Parameters
    ----------
    classes
        Figures of all classes on the held-out rows.
    """
    unfound = sorted((one for one in classes if one.rows and not one.recall.value), key=_rows)
    unseen = [one for one in classes if not one.rows and math.isnan(one.precision.value)]
    return ", and ".join(filter(None, (_unfound(unfound), _unseen(unseen))))


def class_warning(version: int, missed: str) -> str:
    """Return a clause of `missed_classes` as a warning about a version; empty if there is none.

    Parameters
    ----------
    version
        Number in the registry.
    missed
        The clause.
    """
    return f"Warning: version {version} {missed}." if missed else ""


def _rows(one: ClassFigures) -> int:
    return -one.rows


def _unfound(classes: list[ClassFigures]) -> str:
    if not classes:
        return ""
    if len(classes) == 1:
        (one,) = classes
        never = ", which it never predicts" if math.isnan(one.precision.value) else ""
        what = f"finds 0 of the {one.rows:,} held-out rows"
        if one.rows == 1:
            what = "does not find the only held-out row"
        return f"{what} of {quote(one.name)}{never}"
    named = [f"{quote(one.name)} ({counted(one.rows, 'row')})" for one in classes[:_NAMED]]
    if len(classes) > _NAMED:
        named.append(counted(len(classes) - _NAMED, "other"))
    return f"finds no held-out row of {len(classes):,} classes: {listed(named)}"


def _unseen(classes: list[ClassFigures]) -> str:
    if not classes:
        return ""
    named = [quote(one.name) for one in classes[:_NAMED]]
    if len(classes) > _NAMED:
        named.append(counted(len(classes) - _NAMED, "other"))
    have = "has no held-out row" if len(classes) == 1 else "have no held-out rows"
    return f"never predicts {listed(named)}, which {have}"
