"""Score a CSV file: the same records with two columns more, and an account of every row."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ffn.errors import DataError, OutputError
from ffn.files import canonical_json, sweep
from ffn.scoring.journal import open_journal, sweep_journals
from ffn.scoring.manifest import account, is_done, work
from ffn.scoring.options import Options
from ffn.scoring.outcome import Progress, ScoreResult
from ffn.scoring.rows import RowScorer
from ffn.scoring.run import Run
from ffn.scoring.scorer import Scorer
from ffn.scoring.targets import Targets
from ffn.tabular.records import Records
from ffn.tabular.sources import open_source

__all__ = ["score_csv"]


def score_csv(
    model: Scorer,
    source: Path,
    output: Path,
    *,
    workers: int = 1,
    force: bool = False,
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
    workers
        Processes for a long plain file. The bytes written do not depend on it.
    force
        True to score also where the same model, options and input have given the files that are
        there, digest for digest.
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
        this_work = work(model, chosen)
        if not force and (done := is_done(this_work, stream, targets)):
            sweep(output.parent)
            sweep_journals(output.parent, output)
            return _unchanged(done, targets, time.perf_counter() - started)
        records = Records(stream, str(source), delimiter=chosen.delimiter)
        scorer = RowScorer(model, records.header, chosen, str(source))
        tally = scorer.new_tally()
        try:
            sweep(output.parent)
            sweep_journals(output.parent)
            with open_journal(targets, this_work | {"bytes": stream.size}) as journal:
                run = Run(stream, records, scorer, tally, journal, on_progress)
                run.begin()
                if workers > 1:
                    # Takes longer to import than a small file to score.
                    from ffn.scoring.workers import Work, score_in_parts

                    score_in_parts(run, Work(model, source, chosen), workers)
                run.score()
                stream.check_unchanged()
                run.check_counts()
                refusal = tally.refusal(chosen.max_reject_rate)
                if refusal:
                    journal.publish_rejects(targets)
                    raise DataError(f"{source}: {refusal} See {targets.rejects}.")
                journal.pack(targets.output.name)
                journal.publish(targets, canonical_json(account(model, chosen, source, run)))
        except OSError as error:
            raise OutputError(
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
        blocks=records.counts,
    )


def _unchanged(manifest: dict[str, Any], targets: Targets, seconds: float) -> ScoreResult:
    return ScoreResult(
        pipeline=manifest["pipeline"],
        version=manifest["model_version"],
        rows=manifest["rows"],
        scored=manifest["scored"],
        rejected=manifest["rejected"],
        output=targets.output,
        rejects=targets.rejects,
        manifest=targets.manifest,
        class_counts=manifest["classes"],
        reject_reasons=manifest["rejects"],
        mean_confidence=manifest["mean_confidence"],
        seconds=seconds,
        unchanged=True,
    )
