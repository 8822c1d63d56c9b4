"""``[drift]`` and ``[contract]``: data to score, or to train on, that is not as before."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ffn.settings.strict import Positive, StrictSettings

__all__ = ["ContractSettings", "DriftSettings", "Policy"]

Policy = Literal["refuse", "warn", "accept"]


class DriftSettings(StrictSettings):
    """``[drift]``: files whose rows differ from training's.

    Attributes
    ----------
    policy
        ``warn``: the file is scored, and what differs is told. ``hold``: it is refused, and
        nothing but its rejects is written. ``off``: nothing is compared.
    psi
        Population stability index above which a difference matters, if it is beyond chance too.
    min_rows
        Of fewer rows nothing is said.
    """

    policy: Literal["warn", "hold", "off"] = "warn"
    psi: Positive = 0.25
    min_rows: Annotated[int, Field(ge=20)] = 30


class ContractSettings(StrictSettings):
    """``[contract]``: a training table that differs from the one production was trained on.

    Attributes
    ----------
    new_columns, missing_columns, changed_kinds
        Features that production does not have; that it has, and the table has not, or has
        constant; that were numbers and are text, or the other way round.
    new_classes, vanished_classes, class_shares
        Labels that production does not know; that it knows, and the table has not; shares of
        classes that moved, significantly and by more than ``share_change``.
    missing_values
        A column that may have gaps now and could not, or the other way round.
    share_change
        Total variation of the shares of classes from which they count as moved.
    """

    new_columns: Policy = "warn"
    missing_columns: Policy = "refuse"
    changed_kinds: Policy = "refuse"
    new_classes: Policy = "warn"
    vanished_classes: Policy = "refuse"
    class_shares: Policy = "warn"
    missing_values: Policy = "warn"
    share_change: Annotated[float, Field(gt=0, le=1)] = 0.1
