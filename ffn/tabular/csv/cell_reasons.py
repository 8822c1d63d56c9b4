"""Why a cell is no value of its column, whatever the column is read from."""

from __future__ import annotations

from ffn.errors import quote
from ffn.tabular.cell_forms import expected_in
from ffn.tabular.csv.parsing.rejects import DETAILS, Reason
from ffn.tabular.schema import Feature
from ffn.tabular.truth_form import TruthForm

__all__ = ["reason_of_cell", "reject_detail"]


def reject_detail(reason: Reason, feature: Feature) -> str:
    """Return in words why a cell of ``feature`` is rejected for ``reason``."""
    if reason is Reason.NOT_A_NUMBER and feature.format is not None:
        return f"no number written as {quote(feature.format)}"
    if reason in (Reason.NOT_A_DATE, Reason.NOT_A_TIME) and feature.form is not None:
        return f"not {expected_in(feature.form)}"
    return DETAILS[reason]


def reason_of_cell(feature: Feature) -> Reason:
    """Return the reason for which a cell is rejected that is no value of a numeric ``feature``."""
    if feature.date_form is not None:
        return Reason.NOT_A_DATE
    if feature.clock_form is not None:
        return Reason.NOT_A_TIME
    if isinstance(feature.form, TruthForm):
        return Reason.NOT_TRUE_OR_FALSE
    return Reason.NOT_A_NUMBER
