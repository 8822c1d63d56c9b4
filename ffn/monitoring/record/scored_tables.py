"""Take up the predictions of scored tables, so that they are known when labels come.

An output may be replaced, most often by that of the next version, before its labels arrive. So
each is taken up once, by the digest of its manifest: after it was scored, or when outcomes are
evaluated.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ffn.errors import DataError
from ffn.monitoring.record.manifest_checks import check_manifest
from ffn.monitoring.record.outcome_record import OutcomeRecord, id_digest
from ffn.monitoring.record.predicted_rows import (
    PredictedRows,
    RowCounts,
    share_units,
    unguarded,
)
from ffn.monitoring.record.table_columns import TableColumns, open_columns
from ffn.quantities import counted
from ffn.scoring.output.targets import COMPANIONS
from ffn.scoring.trained_rows import TrainedRows, trained_rows
from ffn.settings.pipeline import Pipeline
from ffn.storage.documents import parse_json
from ffn.storage.plain_files import read_plain
from ffn.storage.source import Source, open_source
from ffn.tabular.schema import prediction_columns

__all__ = ["ScoredTable", "week_of"]

_MOST_BYTES = 64 * 1024 * 1024


def week_of(at: float) -> str:
    """Return the ISO week, in UTC, of a time ``at`` in seconds since 1970: ``2026-W48``."""
    year, week, _ = datetime.datetime.fromtimestamp(at, datetime.UTC).isocalendar()
    return f"{year}-W{week:02d}"


@dataclass(frozen=True)
class ScoredTable:
    """A scored table with its manifest.

    Attributes
    ----------
    output
        Path of the scored rows.
    manifest
        Content of the manifest.
    digest
        SHA-256 of the manifest's bytes, by which the table is known.
    at
        When it was scored, in seconds since 1970: the manifest's time.
    name
        What the record calls it; empty, the default, for the name of the output.
    given
        Names and cells of the columns that the folders of a part give all of its rows; none by
        default.
    """

    output: Path
    manifest: dict[str, Any]
    digest: str
    at: float
    name: str = ""
    given: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, path: Path) -> ScoredTable:
        """Return the table of the manifest at ``path``.

        Raises
        ------
        DataError
            It is no manifest of this program.
        """
        try:
            content = read_plain(path, _MOST_BYTES)
            manifest = parse_json(content)
            at = path.stat().st_mtime
            check_manifest(manifest)
        except (OSError, ValueError, KeyError, TypeError):
            raise DataError(f"{path} is not the manifest of a scored table. Remove it.") from None
        output = path.with_name(path.name.removesuffix(COMPANIONS[1]))
        return cls(output, manifest, hashlib.sha256(content).hexdigest(), at)

    def is_known(self, record: OutcomeRecord) -> bool:
        """Return whether ``record`` has taken it up."""
        found = record.connection.execute(
            "SELECT 1 FROM scorings WHERE digest = ?", (self.digest,)
        ).fetchone()
        return found is not None

    def trained_rows(self, pipeline: Pipeline) -> TrainedRows | None:
        """Return what the version that scored it was trained on; None if that is unknown.

        Parameters
        ----------
        pipeline
            The pipeline, in whose registry the version is.
        """
        return trained_rows(
            pipeline, self.manifest["model_version"], self.manifest["bundle_sha256"]
        )

    def take_up(
        self,
        record: OutcomeRecord,
        trained: TrainedRows | None,
        id_column: str | None,
        *,
        beside: bool = False,
        name: str = "",
        known: Collection[bytes] = (),
        ids: Sequence[bytes | None] = (),
    ) -> int:
        """Add the predictions of all rows to the record, and return the number of the scoring.

        A row without an id cannot be joined, so it counts as a row and no more. Of several rows
        with one id, the last one counts.

        Parameters
        ----------
        record
            The record, open for changes.
        trained
            What the version was trained on, as `trained_rows` returns it; None if that is unknown.
        id_column
            Header of the column with the ids; None if they are given as ``ids``.
        beside
            Whether the scoring was made only for a comparison, so that nobody was given its labels.
        name
            What the record calls the table; by default the name of the output.
        known
            Ids of rows that the version is known to have been trained on; by default they are
            recognised by the features in the output.
        ids
            The id of each row, None for one that has none; by default from ``id_column``.

        Raises
        ------
        DataError
            The output is missing or is not the one that was scored, or lacks the column.
        """
        manifest, options = self.manifest, self.manifest["options"]
        version = manifest["model_version"]
        given = list(ids)
        names = list(manifest["classes"])
        codes = {one: record.class_code(one) for one in names}
        model = record.model_code(version, manifest["bundle_sha256"])
        shares = bool(options.get("probabilities"))
        cursor = record.connection.execute(
            "INSERT INTO scorings VALUES (NULL, ?, ?, ?, ?, ?, ?, 0, 0, ?)",
            (
                self.digest,
                name or self.name or self.output.name,
                model,
                self.at,
                week_of(self.at),
                manifest["scored"],
                int(beside),
            ),
        )
        scoring = int(cursor.lastrowid or 0)
        record.connection.executemany(
            "INSERT INTO classes_of VALUES (?, ?, ?)",
            [(scoring, place, codes[one]) for place, one in enumerate(names)],
        )
        found = RowCounts()
        with open_source(self.output) as stream:
            for part in self._parts(stream, id_column, names, trained, shares, found):
                if id_column is None:
                    part.ids = given[found.rows - len(part.ids) : found.rows]
                record.connection.executemany(
                    "INSERT OR REPLACE INTO predictions VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        (one, scoring, codes[label], units, blob, int(was or one in known))
                        for one, label, units, blob, was in zip(
                            part.ids, part.labels, part.units, part.shares, part.known, strict=True
                        )
                        if one is not None
                    ],
                )
        if found.sha256 != manifest["files"]["output"]["sha256"]:
            raise self._unfit("was changed since it was scored")
        if found.rows != manifest["scored"]:
            raise self._unfit(f"has {found.rows:,} rows where {manifest['scored']:,} were scored")
        record.connection.execute(
            "UPDATE scorings SET rows = ?, confidence = ?, checked = ? WHERE scoring = ?",
            (found.fresh, found.units, int(found.checked), scoring),
        )
        return scoring

    def known_ids(self, id_column: str, trained: TrainedRows) -> set[bytes]:
        """Return the ids of the rows whose content a version was trained on.

        Parameters
        ----------
        id_column
            Header of the column with the ids.
        trained
            What the version was trained on.
        """
        names, found = list(self.manifest["classes"]), RowCounts()
        with open_source(self.output) as stream:
            return {
                one
                for part in self._parts(stream, id_column, names, trained, False, found)
                for one, was in zip(part.ids, part.known, strict=True)
                if was and one is not None
            }

    def _parts(
        self,
        stream: Source,
        id_column: str | None,
        names: list[str],
        trained: TrainedRows | None,
        shares: bool,
        found: RowCounts,
    ) -> Iterator[PredictedRows]:
        if unlabelled := self.manifest.get("abstained"):
            # Without them realised accuracy would not be that of all rows, which was promised.
            raise DataError(
                f"{self.output} has {counted(unlabelled, 'row')} without a label, because "
                "decision.abstain_below is set; outcomes need a label in every row. Retrain with "
                "decision.abstain_below = 0 and score its input again."
            )
        options = self.manifest["options"]
        decimal, guarded = options["decimal"], bool(options.get("escape_formulas"))
        with open_columns(
            stream,
            delimiter=options["delimiter"],
            decimal=decimal,
            encoding=options.get("encoding"),
            schema=trained.schema if trained else None,
        ) as table:
            predicted, confidence = self._prediction_columns(table)
            if id_column is not None:
                table.require(id_column, "outcomes.id")
            own = [f"probability_{one}" for one in names] if shares else []
            beside = {one: cell for one, cell in self.given if one not in table.header.names}
            there = [*table.header.names, *beside]
            if trained and not (trained.telling and trained.are_in(there)):
                trained = None
            found.checked = trained is not None
            wanted = [*([id_column] if id_column else []), predicted, confidence, *own]
            wanted += trained.columns if trained else []
            wanted = [one for one in dict.fromkeys(wanted) if one not in beside]
            for part in table.parts(wanted):
                texts, n = part.texts, len(part.rows)
                texts = {**texts, **{one: [cell] * n for one, cell in beside.items()}}
                if guarded:
                    texts = {one: unguarded(cells, decimal) for one, cells in texts.items()}
                units = [share_units(text, decimal) for text in texts[confidence]]
                known = trained.known(texts, n, decimal).tolist() if trained else [False] * n
                found.rows += n
                # Rows that the version was trained on tell nothing of new ones.
                found.fresh += n - sum(known)
                found.units += sum(u for u, was in zip(units, known, strict=True) if not was)
                every = np.array(
                    [[share_units(text, decimal) for text in texts[one]] for one in own],
                    dtype="<u2",
                )
                yield PredictedRows(
                    ids=[id_digest(one) if one else None for one in texts[id_column]]
                    if id_column
                    else [None] * n,
                    labels=texts[predicted],
                    units=units,
                    shares=[row.tobytes() for row in every.T] if shares else [None] * n,
                    known=known,
                )
            found.sha256 = table.digest()

    def _prediction_columns(self, table: TableColumns) -> tuple[str, str]:
        columns = prediction_columns(self.manifest["target"])
        for column in columns:
            table.require(column, "scoring")
        return columns[0], columns[1]

    def _unfit(self, why: str) -> DataError:
        return DataError(
            f"{self.output} {why}, so its predictions cannot be evaluated. Score its input again."
        )
