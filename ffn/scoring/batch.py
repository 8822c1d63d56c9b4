"""Score a CSV file: the same records with two columns more, and an account of every row."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from ffn.errors import DataError
from ffn.files import HashedFile, atomic_file, atomic_files, canonical_json, remove, sweep
from ffn.scoring.options import Options
from ffn.scoring.outcome import Progress, ScoreResult
from ffn.scoring.rows import REJECTS_HEADER, RowScorer, reject_line
from ffn.scoring.scorer import Scorer
from ffn.scoring.tally import Tally
from ffn.scoring.targets import Targets
from ffn.tabular.records import Records
from ffn.tabular.sources import Source, open_source

__all__ = ["MANIFEST_FORMAT", "score_csv"]

MANIFEST_FORMAT = 1


def score_csv(
    model: Scorer,
    source: Path,
    output: Path,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    **options: Any,
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
    on_progress
        Called after each block, in this thread.
    **options
        As in `Options`.

    Raises
    ------
    DataError
        The file cannot be read or is not a CSV file that keeps the contract; it changed
        while it was read; it is one of the files to write; the files cannot be written; or
        too many rows were rejected, or all. In the last two cases the rejects file is
        written, alone, and an older manifest is removed; in the others older files stay as
        they are, unless the disk failed in the very last step.
    SettingsError
        An option is not one that can be.
    """
    started = time.perf_counter()
    chosen = Options(**options)
    targets = Targets.beside(output)
    with open_source(source) as stream:
        targets.check(source)
        records = Records(stream, str(source), delimiter=chosen.delimiter)
        scorer = RowScorer(model, records.header, chosen, str(source))
        tally = scorer.new_tally()
        try:
            sweep(output.parent)
            with atomic_files(*targets) as (output_file, rejects_file, manifest):
                labelled, rejects = HashedFile(output_file), HashedFile(rejects_file)
                labelled.write(records.bom + records.encode(scorer.header_line))
                rejects.write(REJECTS_HEADER)
                for block in records:
                    scored, refused = scorer.score(block, tally)
                    labelled.write(records.encode(scored))
                    rejects.write(b"".join(map(reject_line, refused)))
                    if on_progress is not None:
                        on_progress(_progress(tally, stream))
                stream.check_unchanged()
                _check_counts(records, tally)
                refusal = tally.refusal(chosen.max_reject_rate)
                if refusal:
                    # It would speak for other rejects than those that are there now.
                    remove(targets.manifest)
                    _keep_alone(rejects_file, targets.rejects)
                    raise DataError(f"{source}: {refusal} See {targets.rejects}.")
                account = _account(model, source, stream, records) | tally.to_json()
                files = {"output": labelled.to_json(), "rejects": rejects.to_json()}
                manifest.write(canonical_json(account | {"files": files}))
        except OSError as error:
            raise DataError(
                f"{output} cannot be written: {error.strerror or error}. Make room or give "
                "another output; what has no manifest beside it is not to be used."
            ) from None
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
        reject_reasons=tally.reject_reasons,
        mean_confidence=tally.mean_confidence,
        seconds=time.perf_counter() - started,
    )


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
            "compression": records.compression,
            "encoding": records.encoding,
            "blank_lines": records.blank_lines,
        },
    }
