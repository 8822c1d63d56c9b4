"""``[outcomes]``: labels that arrive after scoring, and what is done with them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ffn.settings.strict import Name, StrictSettings

__all__ = ["OutcomeSettings"]


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
    """

    id: Name | None = None
    label: Name | None = None
    watch: bool = True
    alpha: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    rollback: bool = False
