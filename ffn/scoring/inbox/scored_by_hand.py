"""Files of the inbox that were scored by name: ``ffn score iris data/iris/inbox/new.csv``.

Such a file has its output where the inbox's own pass would put it, so it does not wait any more,
and the pass leaves it alone. It goes on waiting where the pass would still change something:
another output, because options changed the bytes; or the file's place, with ``inbox.move``.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ffn.errors import DataError
from ffn.scoring.inbox.inbox_scan import ledger_path
from ffn.scoring.inbox.ledger import Ledger, Outcome, Stamp
from ffn.scoring.inbox.listing import InboxFolder, Seen, quiet_for
from ffn.scoring.inputs import output_name
from ffn.scoring.output.targets import Targets
from ffn.scoring.own_options import own_options
from ffn.scoring.rows.options import Options
from ffn.settings.pipeline import Pipeline
from ffn.storage.plain_files import read_plain
from ffn.storage.real_path import real_path

__all__ = ["ScoredByHand"]

_MOST_BYTES = 64 * 1024 * 1024
# Of file systems that keep times, the coarsest keeps two seconds: a younger change may not show.
_CLOCK_STEP = 3.0
# They decide whether an output is written, and change no byte of it.
_TOLERANCES = ("max_reject_rate", "drift", "drift_psi", "drift_min_rows")


@dataclass(frozen=True)
class ScoredByHand:
    """Files of the inbox as they were before they were scored by name; create it with `of`.

    Attributes
    ----------
    pipeline
        The pipeline.
    seen
        State of each such file by name, before it was read.
    """

    pipeline: Pipeline
    seen: dict[str, Seen]

    @classmethod
    def of(cls, pipeline: Pipeline, names: Collection[str]) -> Self:
        """Look at files before they are scored.

        Parameters
        ----------
        pipeline
            The pipeline.
        names
            Names of the files in its inbox whose outputs go where the inbox's pass would put them.
        """
        return cls(pipeline, _listed(pipeline, names))

    def record(self, version: int, manifests: Sequence[Path]) -> None:
        """Note in the ledger which of the files were scored.

        A file that changed meanwhile goes on waiting. So does every file if the ledger cannot be
        used, which the inbox's pass will say; the scoring is done all the same.

        Parameters
        ----------
        version
            Number of the version that scored them.
        manifests
            Manifests of the outputs of the run.
        """
        if not self.seen:
            return
        written = {real_path(manifest) for manifest in manifests}
        now = _listed(self.pipeline, self.seen)
        own = _of_bytes(Options(**own_options(self.pipeline)).to_json())
        outcomes: list[Outcome] = []
        stamps: dict[str, tuple[Stamp, float, str | None]] = {}
        for name, seen in self.seen.items():
            manifest = Targets.beside(self.pipeline.predictions / output_name(name)).manifest
            if real_path(manifest) not in written:
                continue
            found = _outcome(name, version, manifest, own)
            if found is None:
                continue
            outcomes.append(found)
            # Only a file that shows no change since before it was read has that content for sure;
            # the pass reads any other one again, and compares.
            if now.get(name) == seen and quiet_for(seen.stamp) >= _CLOCK_STEP:
                stamps[name] = (seen.stamp, time.time(), found.sha256)
        if not outcomes:
            return
        with (
            contextlib.suppress(DataError, OSError),
            Ledger.opened(ledger_path(self.pipeline)) as ledger,
        ):
            ledger.keep_stamps(stamps, set())
            for one in outcomes:
                ledger.record(one)


def _outcome(name: str, version: int, manifest: Path, own: dict[str, Any]) -> Outcome | None:
    """Return what the ledger is to say; None if the pass, by its ``own`` options, writes others."""
    try:
        told = json.loads(read_plain(manifest, _MOST_BYTES))
        if told["model_version"] != version or _of_bytes(told["options"]) != own:
            return None
        return Outcome(
            name=name,
            sha256=str(told["input"]["sha256"]),
            version=version,
            at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            rows=int(told["rows"]),
            rejected=int(told["rejected"]),
            refusal="",
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _of_bytes(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _TOLERANCES}


def _listed(pipeline: Pipeline, names: Collection[str]) -> dict[str, Seen]:
    """Return the state of the files of these ``names`` in the inbox of a ``pipeline``."""
    try:
        with InboxFolder.opened(pipeline.folder / "inbox") as folder:
            found, _ = folder.list_tables()
    except OSError:
        return {}
    return {name: seen for name, seen in found.items() if name in names}
