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

_REMEDY = "Correct it, retrain with such rows, or score it all the same: --drift warn."


@contextmanager
def writing(targets: Targets, key: dict[str, Any]) -> Iterator[Journal]:
    """Open the files of a run; ``key`` as for `open_journal`.

    Raises
    ------
    DataError
        Another run writes them, or their names are too long.
    OutputError
        They cannot be written.
    """
    try:
        sweep(targets.output.parent, files_alone=True)
        sweep_journals(targets.output.parent)
        with open_journal(targets, key) as journal:
            yield journal
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            # Of this file alone, and no reason to stop before others.
            raise DataError(
                f"{targets.output}: its name is too long for the files beside it, which are named "
                "after it. Give a shorter one."
            ) from None
        raise OutputError(
            f"{targets.output} cannot be written: {error.strerror or error}. Make room or give "
            "another output; what has no manifest beside it is not to be used."
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
    """Publish what was written, with a manifest.

    Parameters
    ----------
    source
        What errors call the input.
    account
        What the manifest says besides the counts and the files.

    Raises
    ------
    DataError
        Too many rows were rejected; the rejects are published alone.
    HeldError
        The rows differ from training's, and such files are to be held; likewise.
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
