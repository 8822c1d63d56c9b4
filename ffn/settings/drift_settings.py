"""``[drift]`` and ``[contract]``: changes in the data to score and in the training table."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ffn.settings.strict import Positive, StrictSettings

__all__ = ["ContractSettings", "DriftSettings", "Policy"]

Policy = Literal["refuse", "warn", "accept"]


class DriftSettings(StrictSettings):
    """``[drift]``: files whose rows are distributed differently from the training rows.

    Attributes
    ----------
    policy
        ``warn``: the file is scored and the differences are reported. ``hold``: the file is
        refused, and only its rejects are written. ``off``: nothing is compared.
    psi
        Population stability index above which a significant difference is reported. The default,
        0.25, is the usual threshold for a major shift.
    min_rows
        Fewest rows of a file that is compared: a test on fewer finds next to nothing.
    """

    policy: Literal["warn", "hold", "off"] = "warn"
    psi: Positive = 0.25
    min_rows: Annotated[int, Field(ge=20)] = 30


class ContractSettings(StrictSettings):
    """``[contract]``: what to do if the training table differs from that of production.

    Each policy is ``refuse``, ``warn`` or ``accept``. By default, losses are refused, because a
    broken export causes them, and additions are reported.

    Attributes
    ----------
    new_columns, missing_columns, changed_kinds
        Features that production does not have; features of production that are missing or
        constant; features that changed between numeric and categorical.
    new_classes, vanished_classes, class_shares
        Labels that production does not know; labels of production that are missing; class shares
        that changed significantly and by more than ``share_change``.
    missing_values
        Columns that have missing values and had none, or had some and have none.
    share_change
        Smallest change of the class shares that counts, as total variation distance (0 to 1).
    """

    new_columns: Policy = "warn"
    missing_columns: Policy = "refuse"
    changed_kinds: Policy = "refuse"
    new_classes: Policy = "warn"
    vanished_classes: Policy = "refuse"
    class_shares: Policy = "warn"
    missing_values: Policy = "warn"
    share_change: Annotated[float, Field(gt=0, le=1)] = 0.1
