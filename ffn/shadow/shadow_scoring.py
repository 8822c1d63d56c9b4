"""Score the rows of finished outputs with challengers, too, and say where they differ.

The outputs of production are complete before this begins and are only read, so their bytes are the
same with and without it. Whatever goes wrong leaves a challenger out of a file, in one line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ffn.errors import FFNError, one_line
from ffn.monitoring.record.joining import join_rows
from ffn.monitoring.record.outcome_record import changing_record, reading_record
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.monitoring.record.table_columns import open_columns
from ffn.monitoring.record.taking_up import workshop
from ffn.object_stores.object_address import ObjectAddress
from ffn.scoring.output.score_result import ScoreResult
from ffn.scoring.rows.scorer import Scorer
from ffn.settings.pipeline import Pipeline
from ffn.shadow.challengers import load_challengers
from ffn.shadow.disagreements import (
    ChallengerCount,
    Disagreement,
    ShadowedTable,
    read_shadowed,
    remove_shadowed,
    write_shadowed,
)
from ffn.shadow.sampled_rows import SAMPLE_DELIMITER, SampledRows, distance
from ffn.shadow.second_scoring import score_again
from ffn.storage.source import open_source
from ffn.tabular.csv.formula_guard import FormulaGuard
from ffn.tabular.schema import prediction_columns

__all__ = ["ShadowPass", "score_in_shadow"]


@dataclass(frozen=True, kw_only=True)
class ShadowPass:
    """What challengers said of the tables of one run.

    Attributes
    ----------
    tables
        The tables that they scored.
    left_out
        Why a challenger scored nothing, or not this table, a sentence without a full stop each.
    """

    tables: tuple[ShadowedTable, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """How often each challenger differs in all tables, a sentence without a full stop each."""
        totals: dict[int, ChallengerCount] = {}
        for one in (one for table in self.tables for one in table.challengers):
            before = totals.get(one.version, replace(one, rows=0, rejected=0, differing=0))
            totals[one.version] = replace(
                one,
                rows=before.rows + one.rows,
                rejected=before.rejected + one.rejected,
                differing=before.differing + one.differing,
            )
        return [one.sentence for one in totals.values()]

    @property
    def note(self) -> str:
        """Both for the run log, without a full stop; empty if there is nothing to say."""
        told = [f"beside production: {'; '.join(self.sentences)}"] if self.tables else []
        told += [f"left out of the shadow: {why}" for why in self.left_out[:1]]
        return "; ".join(told)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "files": [
                {"output": str(one.output), "disagreements": str(one.path), **one.to_json()}
                for one in self.tables
            ],
            "left_out": list(self.left_out),
        }


def score_in_shadow(
    pipeline: Pipeline, results: Sequence[ScoreResult], check: Callable[[], None]
) -> ShadowPass | None:
    """Score the rows of finished outputs with the challengers that the settings ask for.

    Parameters
    ----------
    pipeline
        The pipeline.
    results
        The files that production scored.
    check
        Called after each block of rows; raises what ends the run, if it has to end.

    Returns
    -------
    ShadowPass or None
        None if the settings ask for no challenger.
    """
    if not pipeline.settings.shadow.count:
        for result in results:
            if not result.unchanged:
                remove_shadowed(result.output)
        return None
    if not results:
        return ShadowPass()
    try:
        found = load_challengers(pipeline, results[0].version)
    except (FFNError, OSError) as error:
        return ShadowPass(left_out=(one_line(error).rstrip("."),))
    tables, left_out = [], list(found.left_out)
    for result in results:
        if isinstance(result.output, ObjectAddress):
            left_out.append(f"{one_line(result.output)}, which is in an object store")
            continue
        try:
            done, why = _score_table(pipeline, result, found.bundles, check)
        except (FFNError, OSError) as error:
            left_out.append(f"{one_line(result.output.name)}: {one_line(error)}".rstrip("."))
            continue
        tables += [done] if done else []
        left_out += why
    return ShadowPass(tables=tuple(tables), left_out=tuple(left_out))


def _score_table(
    pipeline: Pipeline,
    result: ScoreResult,
    challengers: Sequence[Scorer],
    check: Callable[[], None],
) -> tuple[ShadowedTable | None, list[str]]:
    """Score one table with every challenger; return what they say, and why others do not."""
    table = ScoredTable.read(result.manifest)
    every = distance(result.scored, pipeline.settings.shadow.most_rows)
    before = read_shadowed(result.output)
    asked = [(one.version, one.sha256) for one in challengers]
    if (
        before
        and before.every == every
        and asked == [(one.version, one.bundle_sha256) for one in before.challengers]
        and _are_kept(pipeline, table, challengers)
    ):
        return before, []
    remove_shadowed(result.output)
    counts: list[ChallengerCount] = []
    rows: list[Disagreement] = []
    left_out: list[str] = []
    for challenger in challengers if result.scored else ():
        try:
            count, own = _score_beside(pipeline, table, challenger, every, check)
        # Whatever is wrong with a challenger, production is not to suffer from it.
        except Exception as error:
            left_out.append(
                f"version {challenger.version}, {one_line(result.output.name)}: "
                f"{one_line(error)}".rstrip(".")
            )
            continue
        counts.append(count)
        rows += own
    if not counts:
        return None, left_out
    found = ShadowedTable(
        output=result.output,
        manifest_sha256=table.digest,
        production=result.version,
        rows=result.scored,
        every=every,
        challengers=tuple(counts),
    )
    options = table.manifest["options"]
    guard = FormulaGuard(options["decimal"]) if options["escape_formulas"] else None
    write_shadowed(found, rows, guard)
    return found, left_out


def _score_beside(
    pipeline: Pipeline,
    table: ScoredTable,
    challenger: Scorer,
    every: int,
    check: Callable[[], None],
) -> tuple[ChallengerCount, list[Disagreement]]:
    """Score rows of a table with one challenger, and keep its predictions for their labels."""
    id_column = pipeline.settings.outcomes.id
    with workshop(pipeline) as folder:
        taken, result = score_again(
            pipeline, table, challenger, id_column, every, folder, lambda _progress: check()
        )
        decimal = table.manifest["options"]["decimal"]
        rows = _differing(table, challenger, taken, result.output, decimal)
        if id_column is not None and taken.with_ids:
            _keep(pipeline, table, ScoredTable.read(result.manifest), id_column)
    count = ChallengerCount(
        version=challenger.version,
        bundle_sha256=challenger.sha256,
        rows=result.scored,
        rejected=result.rejected,
        differing=len(rows),
    )
    return count, rows


def _differing(
    table: ScoredTable, challenger: Scorer, taken: SampledRows, output: Path, decimal: str
) -> list[Disagreement]:
    predicted, confidence = prediction_columns(challenger.schema.target)
    said: dict[int, tuple[str, str]] = {}
    with (
        open_source(output) as stream,
        open_columns(stream, delimiter=SAMPLE_DELIMITER, decimal=decimal, encoding=None) as columns,
    ):
        for part in columns.parts([taken.row_column, predicted, confidence]):
            texts = part.texts
            numbers = map(int, texts[taken.row_column])
            shares = (text.replace(decimal, ".") for text in texts[confidence])
            said |= dict(zip(numbers, zip(texts[predicted], shares, strict=True), strict=True))
    version = table.manifest["model_version"]
    return [
        Disagreement(row, shown, version, label, share, challenger.version, *said[row])
        for row, shown, label, share in zip(
            taken.rows, taken.ids, taken.labels, taken.confidences, strict=True
        )
        if row in said and said[row][0] != label
    ]


def _are_kept(pipeline: Pipeline, table: ScoredTable, challengers: Sequence[Scorer]) -> bool:
    """Return whether what the challengers say is recorded, where rows have ids."""
    if pipeline.settings.outcomes.id is None:
        return True
    with reading_record(pipeline.artifacts) as record:
        return record is not None and all(
            replace(table, digest=_digest(table, one.version)).is_known(record)
            for one in challengers
        )


def _digest(table: ScoredTable, version: int) -> str:
    """Return by what the record knows a table as a challenger scored it."""
    return f"{table.digest} {version}"


def _keep(pipeline: Pipeline, table: ScoredTable, beside: ScoredTable, id_column: str) -> None:
    """Record what the challenger says, so that it is known when labels come."""
    # Its own time: a label that came between the two scorings was known to nobody at the first.
    version = beside.manifest["model_version"]
    own = replace(beside, digest=_digest(table, version), at=time.time())
    with changing_record(pipeline.artifacts) as record:
        if not own.is_known(record):
            trained = own.trained_rows(pipeline)
            scoring = own.take_up(record, trained, id_column, beside=True, name=table.output.name)
            join_rows(record, scoring=scoring)
