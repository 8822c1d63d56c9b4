"""``[outcomes]`` and ``[shadow]``: labels that arrive after scoring, and challengers beside it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ffn.settings.strict import Count, Name, StrictSettings

__all__ = ["OutcomeSettings", "ShadowSettings"]

_MOST_CHALLENGERS = 10


def _as_challengers(value: Any) -> Any:
    known = value is None or value == "latest"
    if known or (type(value) is int and 1 <= value <= _MOST_CHALLENGERS):
        return value
    raise ValueError(f'must be "latest" or a whole number from 1 to {_MOST_CHALLENGERS}')


class OutcomeSettings(StrictSettings):
    """``[outcomes]``: how labels that arrive later are joined to predictions.

    Attributes
    ----------
    id
        Header of the column that identifies a row, in scored files and in files of labels. None:
        labels cannot be joined; labelled tables are scored and evaluated at once.
    label
        Header of the label column in files of labels; None for the target's.
    watch
        Look for new files of labels while ``ffn serve`` runs.
    alpha
        Probability, for each version, of an alert although its quality is what was promised.
    rollback
        Whether a version is rolled back that is shown to be less accurate than the one before it.
    append
        ``"history"``: rows whose labels have come are appended to the training CSV. None: nothing
        is.
    """

    id: Name | None = None
    label: Name | None = None
    watch: bool = True
    alpha: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    rollback: bool = False
    append: Literal["history"] | None = None


class ShadowSettings(StrictSettings):
    """``[shadow]``: versions that were kept back and score beside the one in production.

    Attributes
    ----------
    versions
        How many of them, the newest first; ``"latest"`` for one. None: none does.
    most_rows
        Largest number of rows of a file that each of them scores, which bounds time and memory.
        Of a longer file they are taken at equal distances.
    """

    versions: Annotated[Literal["latest"] | int | None, BeforeValidator(_as_challengers)] = None
    most_rows: Count = 100_000

    @property
    def count(self) -> int:
        """How many versions score beside production."""
        if isinstance(self.versions, str):
            return 1
        return self.versions or 0
