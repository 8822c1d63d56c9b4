"""Score a CSV file: the same records with two columns more, and an account of every row."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np

from ffn.errors import DataError, SettingsError
from ffn.files import HashedFile, atomic_file, atomic_files, canonical_json, remove, sweep
from ffn.scoring.contract import Contract, match_header
from ffn.scoring.scorer import Scorer
from ffn.scoring.suffixes import Suffixes, added_columns
from ffn.scoring.tally import Tally
from ffn.tabular.blocks import Block
from ffn.tabular.quoting import write_record
from ffn.tabular.records import Records
from ffn.tabular.rejects import DETAILS, Reason, Reject, shorten
from ffn.tabular.sources import Source, open_source

__all__ = ["MANIFEST_FORMAT", "Progress", "ScoreResult", "score_csv"]

MANIFEST_FORMAT = 1
_REJECT_COLUMNS = ("row", "line", "column", "value", "reason")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a file is scored.

    Attributes
    ----------
    rows, rejected
        Rows so far, and how many of them were rejected.
    bytes_read, size
        Bytes so far, and of the whole file; ``size`` is None for a pipe.
    """

    rows: int
    rejected: int
    bytes_read: int
    size: int | None


@dataclass(frozen=True, kw_only=True)
class ScoreResult:
    """What became of a file.

    Attributes
    ----------
    pipeline, version
        The model.
    rows, scored, rejected
        Counts of rows; ``rows = scored + rejected``.
    output, rejects, manifest
        The three files written.
    class_counts
        Scored rows by predicted class, zeros included.
    reject_reasons
        Rejected rows by reason, those that occurred.
    mean_confidence
        None if no row was scored.
    seconds
        Wall time.
    """

    pipeline: str
    version: int
    rows: int
    scored: int
    rejected: int
    output: Path
    rejects: Path
    manifest: Path
    class_counts: dict[str, int]
    reject_reasons: dict[str, int]
    mean_confidence: float | None
    seconds: float


def score_csv(
    model: Scorer,
    source: Path,
    output: Path,
    *,
    probabilities: bool = False,
    max_reject_rate: float = 1.0,
    delimiter: str = ",",
    on_progress: Callable[[Progress], None] | None = None,
) -> ScoreResult:
    """Score ``source`` into ``output``, ``<output>.rejects.csv`` and ``<output>.manifest.json``.

    Nothing appears before everything is done. The manifest holds the digests of the other
    two and is never beside others: it comes last, and an older one goes before anything else
    is replaced. So whatever ends a run, files with a manifest are whole; where it ended
    between the renames, they have none. Memory does not grow with the file.

    Parameters
    ----------
    model
        A bundle, or anything that scores like one. Only read.
    probabilities
        True to add ``probability_<class>`` for every class.
    max_reject_rate
        Largest share of rejected rows, 0..1, for which the output is written.
    delimiter
        Of the input and the output.
    on_progress
        Called after each block, in this thread.

    Raises
    ------
    DataError
        The file cannot be read or is not a CSV file that keeps the contract; it changed
        while it was read; it is one of the files to write; the files cannot be written; or
        too many rows were rejected, or all. In the last two cases the rejects file is
        written, alone, and an older manifest is removed; in the others older files stay as
        they are, unless the disk failed in the very last step.
    SettingsError
        The rate or the delimiter is not one that can be.
    """
    started = time.perf_counter()
    if not 0 <= max_reject_rate <= 1:
        raise SettingsError(f"max_reject_rate is {max_reject_rate}; give a share from 0 to 1.")
    targets = (
        output,
        output.with_name(output.name + ".rejects.csv"),
        output.with_name(output.name + ".manifest.json"),
    )
    with open_source(source) as stream:
        _check_targets(source, targets)
        records = Records(stream, str(source), delimiter=delimiter)
        added = added_columns(model.schema, probabilities=probabilities)
        contract = match_header(records.header, model.schema, str(source), added)
        job = _Job(model, contract, Suffixes(model.schema, delimiter, probabilities=probabilities))
        try:
            sweep(output.parent)
            with atomic_files(*targets) as (output_file, rejects_file, manifest):
                labelled, rejects = HashedFile(output_file), HashedFile(rejects_file)
                _write_headers(records, job.suffixes, labelled, rejects)
                for block in records:
                    scored, refused = job.score(block)
                    labelled.write(records.encode(scored))
                    rejects.write(b"".join(map(_reject_line, refused)))
                    if on_progress is not None:
                        on_progress(_progress(job.tally, stream))
                stream.check_unchanged()
                _check_counts(records, job.tally)
                refusal = job.tally.refusal(max_reject_rate)
                if refusal:
                    # It would speak for other rejects than those that are there now.
                    remove(targets[2])
                    _keep_alone(rejects_file, targets[1])
                    raise DataError(f"{source}: {refusal} See {targets[1]}.")
                account = _account(model, source, stream, records) | job.tally.to_json()
                files = {"output": labelled.to_json(), "rejects": rejects.to_json()}
                manifest.write(canonical_json(account | {"files": files}))
        except OSError as error:
            raise DataError(
                f"{output} cannot be written: {error.strerror or error}. Make room or give "
                "another output; what has no manifest beside it is not to be used."
            ) from None
    tally = job.tally
    return ScoreResult(
        pipeline=model.pipeline,
        version=model.version,
        rows=tally.scored + tally.rejected,
        scored=tally.scored,
        rejected=tally.rejected,
        output=targets[0],
        rejects=targets[1],
        manifest=targets[2],
        class_counts=tally.class_counts,
        reject_reasons=tally.reject_reasons,
        mean_confidence=tally.mean_confidence,
        seconds=time.perf_counter() - started,
    )


class _Job:
    """One file on its way through one model."""

    def __init__(self, model: Scorer, contract: Contract, suffixes: Suffixes) -> None:
        self.model = model
        self.contract = contract
        self.suffixes = suffixes
        self.tally = Tally(model.schema, contract)

    def score(self, block: Block) -> tuple[bytes, list[Reject]]:
        """Labelled records as they go to the output, and the others in order."""
        typed = self.contract.read(block)
        good, numeric, codes = typed.block, typed.numeric, typed.codes
        rejects = typed.rejects
        x = self.model.preparation.transform(numeric, codes)
        finite = np.isfinite(x).all(axis=1)
        probabilities = np.full((len(x), len(self.model.schema.classes)), np.nan)
        probabilities[finite] = self.model.probabilities(x[finite])
        finite &= np.isfinite(probabilities).all(axis=1)
        if not finite.all():
            too_large = map(_not_finite, *_records_with_places(good.take(~finite)))
            rejects = sorted([*rejects, *too_large], key=lambda reject: reject.row)
            good, numeric, codes = good.take(finite), numeric[finite], codes[finite]
            probabilities = probabilities[finite]
        labels = probabilities.argmax(axis=1)
        texts, confidence_units = self.suffixes.texts(labels, probabilities)
        self.tally.count_rejects(rejects)
        self.tally.count_scored(good, numeric, codes, labels, confidence_units)
        parts = zip(good.records(), texts, good.line_ends(), strict=True)
        return b"".join(chain.from_iterable(parts)), rejects


def _records_with_places(block: Block) -> tuple[list[bytes], list[int], list[int]]:
    return block.records(), block.rows.tolist(), block.lines.tolist()


def _not_finite(record: bytes, row: int, line: int) -> Reject:
    reason = Reason.NOT_FINITE
    return Reject(row, line, "", shorten(record), reason, DETAILS[reason])


def _check_targets(source: Path, targets: tuple[Path, ...]) -> None:
    for path in targets:
        if not path.exists():
            continue
        if not path.is_file():
            raise DataError(f"{path} is there and is no ordinary file. Give another output.")
        if path.samefile(source):
            raise DataError(f"{path} is the file to score. Give another output.")


def _write_headers(
    records: Records, suffixes: Suffixes, labelled: HashedFile, rejects: HashedFile
) -> None:
    header = records.header
    line = header.text + suffixes.header.encode() + header.line_end
    labelled.write(records.bom + records.encode(line))
    rejects.write(write_record(_REJECT_COLUMNS).encode() + b"\n")


def _reject_line(reject: Reject) -> bytes:
    cells = (reject.row, reject.line, reject.column, reject.value, reject.reason)
    return write_record(cells).encode() + b"\n"


def _progress(tally: Tally, stream: Source) -> Progress:
    return Progress(
        rows=tally.scored + tally.rejected,
        rejected=tally.rejected,
        bytes_read=stream.bytes_read,
        size=stream.size,
    )


def _check_counts(records: Records, tally: Tally) -> None:
    if records.rows != tally.scored + tally.rejected:
        raise RuntimeError(
            f"{records.rows} rows read, {tally.scored} scored, {tally.rejected} rejected"
        )


def _keep_alone(rejects: IO[bytes], path: Path) -> None:
    rejects.seek(0)
    with atomic_file(path) as file:
        shutil.copyfileobj(rejects, file)


def _account(model: Scorer, source: Path, stream: Source, records: Records) -> dict[str, object]:
    return {
        "format": MANIFEST_FORMAT,
        "pipeline": model.pipeline,
        "model_version": model.version,
        "bundle_sha256": model.sha256,
        "target": model.schema.target,
        "input": {
            "path": str(source),
            "bytes": stream.bytes_read,
            "sha256": stream.sha256,
            "encoding": records.encoding,
            "blank_lines": records.blank_lines,
        },
    }
