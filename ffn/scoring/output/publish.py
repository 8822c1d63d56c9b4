"""End a scoring run: publish its files, or only the rejects of a refused file."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ffn.errors import DataError, OutputError
from ffn.scoring.drift.drift_report import DriftReport, HeldError
from ffn.scoring.output.checkpoint import Journal, open_journal, sweep_journals
from ffn.scoring.output.targets import Targets
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.tally import Tally
from ffn.storage.atomic import sweep
from ffn.storage.documents import canonical_json

__all__ = ["publish_or_refuse", "writing"]

_REMEDY = "Correct it, retrain with such rows, or score it anyway: --drift warn."


@contextmanager
def writing(targets: Targets, key: dict[str, Any]) -> Iterator[Journal]:
    """Open the files of a run while the block runs.

    Parameters
    ----------
    targets
        Final paths of the files.
    key
        Everything that determines the output, as for `open_journal`.

    Raises
    ------
    DataError
        Another run is writing to these paths, or a name is too long.
    OutputError
        A file cannot be written.
    """
    try:
        sweep(targets.output.parent, files_alone=True)
        sweep_journals(targets.output.parent)
        with open_journal(targets, key) as journal:
            yield journal
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            # DataError, because the problem concerns this file only: others can still be scored.
            raise DataError(
                f"{targets.output}: its name is too long, because the names of the rejects and the "
                "manifest are longer still. Give a shorter one."
            ) from None
        raise OutputError(
            f"{targets.output} cannot be written: {error.strerror or error}. Make room or give "
            "another output, and use no output without a manifest beside it."
        ) from None


def publish_or_refuse(
    journal: Journal,
    targets: Targets,
    source: str,
    options: Options,
    tally: Tally,
    drift: DriftReport | None,
    account: dict[str, Any],
) -> None:
    """Publish the files of a run with a manifest, or only the rejects of a refused file.

    Parameters
    ----------
    journal
        The files of the run.
    targets
        Their final paths.
    source
        Name of the input in errors.
    options
        Options of scoring.
    tally
        Counts over the rows.
    drift
        Result of the drift test; None if there was none.
    account
        Entries of the manifest besides counts and files.

    Raises
    ------
    DataError
        Too many rows were rejected; only the rejects are published.
    HeldError
        The rows drifted, and the option ``drift`` is ``"hold"``; only the rejects are
        published.
    """
    refusal = tally.refusal(options.max_reject_rate)
    if refusal:
        journal.publish_rejects(targets)
        raise DataError(f"{source}: {refusal} See {targets.rejects}.")
    if drift and drift.detected and options.drift == "hold":
        journal.publish_rejects(targets)
        raise HeldError(f"{source}: held, {drift.sentence}. {_REMEDY}", drift)
    told = None if drift is None else drift.to_json()
    journal.pack(targets.output.name)
    manifest = {
        **account,
        **tally.to_json(),
        "warnings": tally.warnings(options.max_reject_rate),
        "drift": told,
        "files": journal.account(),
    }
    journal.publish(targets, canonical_json(manifest))
