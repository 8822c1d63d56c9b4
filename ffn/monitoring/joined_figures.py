"""Figures of the rows whose labels were joined by an id: by weights and groups, with slices.

The record holds predictions and labels alone. What else is needed is in the scored tables, if they
are still there: the rows are read from them, with the cells that they were scored with, labelled
again by the version that had scored them, and judged as any labelled table is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ffn.errors import DataError, FFNError, OutputError
from ffn.monitoring.record.delivery import Delivery, LabelRow
from ffn.monitoring.record.outcome_record import reading_record
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.monitoring.record.taking_up import workshop
from ffn.promotion.champion import read_version
from ffn.quantities import counted
from ffn.registry.versions import require_version
from ffn.scoring.judged.row_keys import KeyNames
from ffn.scoring.judged.table_figures import NoRowToEvaluateError, TableEvaluation
from ffn.scoring.model import Model, load
from ffn.settings.pipeline import Pipeline
from ffn.storage.source import open_source
from ffn.tabular.csv.writer import write_record
from ffn.training_history.appended_rows import NewRow
from ffn.training_history.joined_rows import Wanted, rows_of, scored_tables

__all__ = ["judge_joined"]

_OF_ONE = (
    "SELECT version, bundle_sha256, digest FROM joined JOIN scorings USING (scoring) "
    "JOIN models ON models.model = scorings.model WHERE joined.id = ? AND NOT beside"
)
_PURPOSE = "in the figures by weights, groups and slices"
_ENCODING = "utf-8"


@dataclass(kw_only=True)
class _Joined:
    """The rows that one model had scored: their ids by the digest of the scored table."""

    version: int
    sha256: str
    tables: dict[str, list[bytes]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(map(len, self.tables.values()))


def judge_joined(pipeline: Pipeline, labels: Sequence[LabelRow], found: Delivery) -> None:
    """Add to ``found`` the figures of the rows that labels were joined to, or why there are none.

    They are of the version that had scored most of these rows. Weights and groups are those of the
    scored table, or else of the file of labels.

    Parameters
    ----------
    pipeline
        The pipeline, whose record has taken up the labels.
    labels
        Rows of the file of labels that have an id and a label.
    found
        What became of the file.
    """
    models = _models(pipeline, labels)
    if not models:
        return
    most = max(models, key=lambda one: (one.rows, one.version))
    try:
        found.figures = _figures(pipeline, most, {one.id: one for one in labels}, found)
    except OutputError:
        raise
    except FFNError as error:
        found.notices.append(f"Rows of these labels are not {_PURPOSE}: {error}")
        return
    others = sum(one.rows for one in models) - most.rows
    if found.figures is not None and others:
        found.notices.append(
            f"The figures by weights, groups and slices are of version {most.version} alone; "
            f"{counted(others, 'row')} had been scored by other versions."
        )


def _models(pipeline: Pipeline, labels: Sequence[LabelRow]) -> list[_Joined]:
    """Return the models by which the rows had been scored, with their ids."""
    models: dict[tuple[int, str], _Joined] = {}
    with reading_record(pipeline.artifacts) as record:
        if record is None:
            return []
        for one in labels:
            for version, sha256, digest in record.connection.execute(_OF_ONE, (one.id,)):
                model = models.setdefault(
                    (version, sha256), _Joined(version=version, sha256=sha256)
                )
                model.tables.setdefault(digest, []).append(one.id)
    return list(models.values())


def _figures(
    pipeline: Pipeline, joined: _Joined, labels: dict[bytes, LabelRow], found: Delivery
) -> TableEvaluation | None:
    # Imported here, because joining labels does not need what these figures need.
    from ffn.scoring.table_evaluation import evaluate_table

    model = load(require_version(pipeline.artifacts, joined.version))
    if model.scorer.sha256 != joined.sha256:
        raise DataError(f"version {joined.version} is no longer the one that had scored them.")
    rows, on_unknown = _rows(pipeline, model, joined, labels, found)
    if not rows:
        return None
    data = pipeline.settings.data
    with workshop(pipeline) as folder:
        # As CSV, because cells mean there what they meant when they were scored.
        path = folder / "joined.csv"
        _write(path, rows, data.delimiter)
        try:
            return evaluate_table(
                model.scorer,
                model.artifacts,
                path,
                delimiter=data.delimiter,
                decimal=data.decimal,
                encoding=_ENCODING,
                on_unknown=on_unknown,
            )
        except NoRowToEvaluateError:
            return None


def _rows(
    pipeline: Pipeline,
    model: Model,
    joined: _Joined,
    labels: dict[bytes, LabelRow],
    found: Delivery,
) -> tuple[list[dict[str, str]], str]:
    """Return the labelled rows that are still there, and what became of unknown categories."""
    version = read_version(model.artifacts, joined.version) if model.artifacts else None
    settings = version.settings if version and version.settings else pipeline.settings
    keys = KeyNames(weight=settings.data.weight, group=settings.split.group).columns
    needed = [feature.name for feature in model.scorer.schema.features]
    told = version.columns if version and version.columns else {}
    columns = list(dict.fromkeys([*needed, *told, *keys]))
    there, rows, gone = scored_tables(pipeline), dict[bytes, dict[str, str]](), 0
    options = set[str]()
    for digest, ids in joined.tables.items():
        if digest not in there:
            gone += len(ids)
            continue
        wanted = {one: Wanted(label=labels[one].text, digests=(digest,)) for one in ids}
        try:
            for row in _cells(pipeline, there[digest], wanted, columns, needed):
                own = labels[row.id]
                cells = {**own.keys, **row.cells}
                rows[row.id] = {**cells, model.scorer.schema.target: own.text}
        except FFNError as error:
            found.notices.append(str(error))
            continue
        options.add(there[digest].manifest["options"]["on_unknown"])
    if gone:
        found.notices.append(
            f"{counted(gone, 'row')} of these labels {'is' if gone == 1 else 'are'} not "
            f"{_PURPOSE}, because the scored table is not, or no longer, in {pipeline.predictions}."
        )
    return list(rows.values()), min(options, default="")


def _cells(
    pipeline: Pipeline,
    table: ScoredTable,
    wanted: dict[bytes, Wanted],
    columns: Sequence[str],
    needed: Sequence[str],
) -> Iterator[NewRow]:
    """Yield the rows of a scored table, or else, as with --only-id, those that it was made of."""
    try:
        yield from rows_of(pipeline, table, wanted, columns, needed, purpose=_PURPOSE)
    except DataError:
        source = _input_of(table)
        if source is None:
            raise
        yield from rows_of(pipeline, source, wanted, columns, needed, purpose=_PURPOSE)


def _input_of(table: ScoredTable) -> ScoredTable | None:
    """Return the file that was scored in place of the output; None if it is not as it was."""
    known = table.manifest["input"]
    path = Path(known.get("path", ""))
    try:
        if not path.is_absolute() or not path.is_file():
            return None
        with open_source(path) as stream:
            if stream.read_through() != known["sha256"]:
                return None
    except (FFNError, OSError):
        return None
    options = {**table.manifest["options"], "escape_formulas": False}
    files = {"output": {"sha256": known["sha256"]}}
    manifest = {**table.manifest, "options": options, "files": files}
    return replace(table, output=path, manifest=manifest)


def _write(path: Path, rows: Sequence[dict[str, str]], delimiter: str) -> None:
    header = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding=_ENCODING, newline="") as file:
        for record in (header, *([row.get(name, "") for name in header] for row in rows)):
            file.write(write_record(record, delimiter) + "\n")
