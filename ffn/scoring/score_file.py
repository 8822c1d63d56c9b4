"""Score a file: write its rows with label and confidence, the rejected rows, and a manifest."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffn.errors import DataError, quote
from ffn.object_stores.object_address import ObjectAddress
from ffn.scoring.columnar.detect import is_columnar
from ffn.scoring.drift.drift_report import DriftReport, check_drift
from ffn.scoring.output.checkpoint import Journal, sweep_journals
from ffn.scoring.output.described_result import described_result
from ffn.scoring.output.manifest import input_of, is_done, reasons_entry, work
from ffn.scoring.output.publish import publish_or_refuse, writing
from ffn.scoring.output.score_result import Progress, ScoreResult, unknown_sentences
from ffn.scoring.output.targets import Targets
from ffn.scoring.parallel.file_run import Run, keep_freed_memory
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import RowScorer
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.rows.tally import Tally
from ffn.storage.atomic import sweep
from ffn.storage.source import Source, open_source
from ffn.tabular.csv.parsing.position import Counts
from ffn.tabular.csv.reader import Records

__all__ = ["RangesElsewhere", "check_labels", "score_csv", "score_source"]


def score_csv(
    model: Scorer,
    source: Path,
    output: Path,
    *,
    workers: int = 1,
    force: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    elsewhere: RangesElsewhere | None = None,
    name: str = "",
    **options: Any,
) -> ScoreResult:
    """Score ``source`` into ``output``, ``<output>.rejects.csv`` and ``<output>.manifest.json``.

    No file appears before all are complete. The manifest contains the digests of the other two. It
    is written last, and an older one is removed before anything is replaced, so files with a
    manifest are always complete and from the same run; if a run is killed between the renames,
    there is no manifest. Memory use does not grow with the size of the file.

    Parameters
    ----------
    model
        A bundle, or any object with the same interface. It is not changed.
    source
        Path of the input, CSV or Parquet, compressed or not; or the address of an object.
    output
        Path of the output, or its address; the names of the other two files are derived from it.
    workers
        Number of processes for a long uncompressed file; by default this one alone. The bytes
        written do not depend on it.
    force
        Whether to score again even if the output exists and the manifest shows that model, options
        and input are the same; by default such a file is skipped.
    on_progress
        Called after each block, in this thread; by default not at all.
    elsewhere
        Scores the ranges of a long uncompressed file on other machines, in place of ``workers``;
        by default this one does. The bytes written do not depend on it.
    name
        What errors and the manifest call the input; empty, the default, for its path.
    **options
        As in `Options`.

    Raises
    ------
    ClusterError
        The other machines are lost or cannot be had. Files are left as they were, and the next run
        goes on from where this one was.
    DataError
        The file cannot be read, or is not a CSV or Parquet file that matches the model's
        schema; it changed while it was read; it is one of the files to write; the files cannot
        be written; or too many rows were rejected, or all. In the last case only the rejects
        file is written, and an older manifest is removed; in the others existing files are left
        unchanged, unless the disk failed in the very last step.
    HeldError
        The rows drifted from training, and the option ``drift`` is ``"hold"``. As with too many
        rejects, only the rejects file is written.
    SettingsError
        There is no such option, or its value is invalid.
    """
    started = time.perf_counter()
    chosen = Options(**options)
    for path in (source, output):
        _check_name(path)
    if isinstance(source, ObjectAddress) or isinstance(output, ObjectAddress):
        # Imported here, because files need nothing of it.
        from ffn.scoring.object_files import score_objects

        def score(stream: Source, near: Path, told: Callable[[Progress], None]) -> ScoreResult:
            stream.name = name or stream.name
            into = Targets.beside(near)
            return _score(model, stream, into, chosen, workers, force, told, started, elsewhere)

        return score_objects(source, output, score, on_progress)
    targets = Targets.beside(output)
    with open_source(source) as stream:
        stream.name = name or stream.name
        return _score(
            model, stream, targets, chosen, workers, force, on_progress, started, elsewhere
        )


def score_source(
    model: Scorer,
    stream: Source,
    output: Path,
    *,
    workers: int = 1,
    force: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    **options: Any,
) -> ScoreResult:
    """Score a file that is already open, even if its name now leads to another file.

    Nothing below this function opens the input by its path. Errors are those of `score_csv`.

    Parameters
    ----------
    model
        A bundle, or any object with the same interface. It is not changed.
    stream
        The input, at its beginning.
    output
        Path of the output; the names of the other two files are derived from it.
    workers, force, on_progress, **options
        As for `score_csv`.
    """
    started = time.perf_counter()
    chosen = Options(**options)
    targets = Targets.beside(output)
    return _score(model, stream, targets, chosen, workers, force, on_progress, started)


def _score(
    model: Scorer,
    stream: Source,
    targets: Targets,
    chosen: Options,
    workers: int,
    force: bool,
    on_progress: Callable[[Progress], None] | None,
    started: float,
    elsewhere: RangesElsewhere | None = None,
) -> ScoreResult:
    targets.check(stream)
    output = targets.output
    this_work = work(model, chosen)
    if not force and (done := is_done(this_work, stream, targets)):
        sweep(output.parent, files_alone=True)
        sweep_journals(output.parent, output)
        return described_result(done, targets, time.perf_counter() - started)
    job = _Job(model, stream, targets, chosen, this_work, on_progress)
    columnar = is_columnar(stream, output)
    tally, counts, drift = job.score_columns() if columnar else job.score(workers, elsewhere)
    return ScoreResult(
        pipeline=model.pipeline,
        version=model.version,
        rows=tally.scored + tally.rejected,
        scored=tally.scored,
        rejected=tally.rejected,
        output=targets.output,
        rejects=targets.rejects,
        manifest=targets.manifest,
        class_counts=tally.class_counts,
        abstained=tally.predictions.abstained,
        reject_reasons=tally.reject_reasons,
        mean_confidence=tally.mean_confidence,
        drift=drift,
        warnings=(
            *tally.warnings(chosen.max_reject_rate),
            *unknown_sentences(tally.unknown_columns),
        ),
        unknown_columns=tally.unknown_columns,
        seconds=time.perf_counter() - started,
        blocks=counts,
    )


RangesElsewhere = Callable[[Run, Scorer, Options], None]
"""Scores an input as far as it can be divided on other machines, given what is done so far, the
model and the options; ``Run.score`` then scores the rest."""

_Done = tuple[Tally, Counts, DriftReport | None]


@dataclass(frozen=True, eq=False)
class _Job:
    """One file to score, whatever its format."""

    model: Scorer
    stream: Source
    targets: Targets
    options: Options
    work: dict[str, Any]
    on_progress: Callable[[Progress], None] | None

    def score(self, workers: int, elsewhere: RangesElsewhere | None) -> _Done:
        """Score CSV to CSV; the bytes of each record are copied unchanged."""
        keep_freed_memory()
        name = self.stream.name
        options = self.options
        records = Records(
            self.stream, name, delimiter=options.delimiter, given_encoding=options.encoding
        )
        scorer = RowScorer(self.model, records.header, options, name)
        check_labels(self.model, records.encoding, name)
        tally = scorer.new_tally()
        with self._writing() as journal:
            run = Run(self.stream, records, scorer, tally, journal, self.on_progress)
            run.begin()
            if elsewhere is not None:
                elsewhere(run, self.model, options)
            elif workers > 1:
                # Importing it takes longer than scoring a small file.
                from ffn.scoring.parallel.split_file import Work, score_in_parts

                its_work = Work(self.model, self.stream.shared, name, self.options)
                score_in_parts(run, its_work, workers)
            run.score()
            self.stream.check_unchanged()
            tally.check_rows(records.rows)
            drift = self._publish(journal, tally, input_of(name, self.stream, records))
        return tally, records.counts, drift

    def score_columns(self) -> _Done:
        """Score if the input, the output or both are Parquet."""
        # Imported here, because CSV alone does not need pyarrow, a large library.
        from ffn.scoring.columnar.score_columnar import open_pieces, score_pieces

        output = self.targets.output
        with open_pieces(self.model, self.stream, output, self.options) as pieces:
            with self._writing() as journal:
                score_pieces(pieces, self.model, self.options, output, journal, self.on_progress)
                drift = self._publish(journal, pieces.tally, pieces.input())
            return pieces.tally, Counts(), drift

    def _writing(self) -> AbstractContextManager[Journal]:
        return writing(self.targets, self.work | {"bytes": self.stream.size})

    def _publish(
        self, journal: Journal, tally: Tally, about_input: dict[str, Any]
    ) -> DriftReport | None:
        account = self.work | {"input": about_input}
        account |= reasons_entry(self.model, self.options, tally)
        drift = check_drift(self.model, tally, self.options)
        publish_or_refuse(
            journal, self.targets, self.stream.name, self.options, tally, drift, account
        )
        return drift


def _check_name(path: Path) -> None:
    """Raise ``DataError`` if the name is not valid UTF-8, as a manifest requires."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise DataError(f"{quote(path, 300)} is not valid UTF-8. Rename it.") from None


def check_labels(model: Scorer, encoding: str, name: str) -> None:
    """Check that the file's encoding has every character of the added columns.

    Parameters
    ----------
    model
        The model.
    encoding
        Encoding of the file.
    name
        Name of the file in errors.

    Raises
    ------
    DataError
        It lacks one.
    """
    for text in (model.schema.target, *model.schema.classes):
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            raise DataError(
                f"{name} is in {encoding}, and so is the output, but {quote(text)}, which scoring "
                f"adds, cannot be written in {encoding}. Convert the file to UTF-8."
            ) from None
