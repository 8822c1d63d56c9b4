"""Check that a training table has the columns of the version in production, before anything else.

Settings name columns, too. If they were checked first, the user would be advised to change the
settings, which then counts as an intended change.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from ffn.errors import FFNError, did_you_mean, quote
from ffn.extraction.extracted_table import columns_of_table
from ffn.promotion.champion import Opponent, Unreadable
from ffn.promotion.table_contract import unlike_production, was_meant
from ffn.settings.pipeline import Pipeline
from ffn.storage.source import open_source
from ffn.tabular.csv.header import Header
from ffn.tabular.csv.header_search import header_hint
from ffn.tabular.csv.reader import Records
from ffn.tabular.parquet.parquet_table import as_header

__all__ = ["refuse_lost_columns"]

_NAMES_SHOWN = 5


def refuse_lost_columns(pipeline: Pipeline, opponent: Opponent | Unreadable | None) -> None:
    """Refuse a table whose header lacks columns of the version in production.

    Only the header is read, of several files that of the first. A file without a header is
    accepted here and refused later, when all of it is read.

    Parameters
    ----------
    pipeline
        Names the training table and the settings.
    opponent
        The version in production; None if there is none.

    Raises
    ------
    DataError
        The target is missing, or a feature is and ``contract.missing_columns`` refuses that.
    """
    if not isinstance(opponent, Opponent) or was_meant(opponent, pipeline):
        return
    header = None
    with contextlib.suppress(FFNError):
        header = _read_header(pipeline)
    if header is None:
        return
    schema, data = opponent.bundle.schema, pipeline.settings.data
    lost = [feature.name for feature in schema.features if feature.name not in header.names]
    if pipeline.settings.contract.missing_columns != "refuse":
        lost = []
    target_lost = schema.target not in header.names
    if not lost and not target_lost:
        return
    known = {schema.target, *(feature.name for feature in schema.features), *(data.exclude or ())}
    new = [name for name in header.names if name and name not in known]
    told = [*([f"{quote(schema.target)} (the target)"] if target_lost else []), *map(quote, lost)]
    shown = ", ".join(told[:_NAMES_SHOWN])
    more = f" and {len(told) - _NAMES_SHOWN} more" if len(told) > _NAMES_SHOWN else ""
    columns = "columns" if len(told) > 1 else "column"
    hint = header_hint(header, pipeline.shown_source, data.delimiter, [schema.target, *lost])
    near = "" if hint else did_you_mean(schema.target if target_lost else lost[0], new)
    what = "file" if data.query is None else "query"
    remedy = hint.strip() or f"Correct the {what}."
    if not hint and not target_lost:
        remedy = f"Correct the {what} or, if this is intended, {_if_meant(lost, pipeline)}."
    raise unlike_production(
        pipeline,
        opponent,
        f"{columns} {shown}{more} {'are' if len(told) > 1 else 'is'} missing.{near}",
        remedy,
    )


def _read_header(pipeline: Pipeline) -> Header:
    names = columns_of_table(pipeline)
    if names is not None:
        return as_header(names)
    delimiter = pipeline.settings.data.delimiter
    with open_source(pipeline.source) as source:
        return Records(source, str(pipeline.source), delimiter=delimiter).header


def _if_meant(lost: Sequence[str], pipeline: Pipeline) -> str:
    """Return all settings to change if the columns are gone for good."""
    data = pipeline.settings.data
    steps = ['set contract.missing_columns to "warn"']
    for key, named in (("data.kinds", data.kinds), ("data.features", data.features or ())):
        if both := [quote(name) for name in lost if name in named]:
            steps.append(f"remove {', '.join(both[:_NAMES_SHOWN])} from {key}")
    return " and ".join(steps)
