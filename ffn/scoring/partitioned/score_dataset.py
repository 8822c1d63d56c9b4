"""Score a folder of tables, or a long file, into a folder of parts with one manifest."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ffn.errors import DataError, OutputError
from ffn.scoring.drift.drift_report import DriftReport, HeldError, check_drift
from ffn.scoring.output.described_result import described_result
from ffn.scoring.output.manifest import reasons_entry, work
from ffn.scoring.output.score_result import (
    PartCounts,
    Progress,
    ScoreResult,
)
from ffn.scoring.output.targets import Targets
from ffn.scoring.output.work_folder import WorkFolder, own_work_folder
from ffn.scoring.partitioned.dataset_manifest import differing_columns, manifest_of
from ffn.scoring.partitioned.dataset_output import (
    PartsInWaiting,
    finish_left,
    publish_parts,
    writing_parts,
)
from ffn.scoring.partitioned.joined_ranges import Rescore, ranges_in_order
from ffn.scoring.partitioned.joined_rejects import join_rejects
from ffn.scoring.partitioned.kept_parts import StampBook
from ffn.scoring.partitioned.part_account import PartAccount, read_state
from ffn.scoring.partitioned.part_plan import InputPart, PartPlan, plan_parts
from ffn.scoring.partitioned.part_processes import (
    PartsElsewhere,
    PartWork,
    refuse_failed,
    score_all_parts,
)
from ffn.scoring.partitioned.part_scoring import score_input_part
from ffn.scoring.partitioned.staged_parts import Staging, part_file
from ffn.scoring.partitioned.standing_output import StandingOutput, look_at_output
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import RowScorer
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.rows.tally import Tally
from ffn.storage.atomic import sweep
from ffn.storage.documents import canonical_json
from ffn.tabular.csv.formula_guard import FormulaGuard
from ffn.tabular.csv.header import Header
from ffn.tabular.csv.parsing.position import Mark

__all__ = ["score_dataset"]

# Counts of a run that its manifest has.
_TOLD = ("out_of_range", "unknown_columns", "unseen_categories")


def score_dataset(
    model: Scorer,
    source: Path,
    output: Path,
    *,
    partitioned: str = "same",
    workers: int = 1,
    force: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    part_bytes: int = 64 * 1024 * 1024,
    elsewhere: PartsElsewhere | None = None,
    **options: Any,
) -> ScoreResult:
    """Score a folder of tables, or a long file, into a folder of parts with one manifest.

    Parts that hold are kept as they are: those whose input and output are as the manifest says, if
    model and options are the same. All others appear together, and the manifest last.

    Parameters
    ----------
    model
        A bundle, or any object with the same interface.
    source
        A folder, a pattern, or a file.
    output
        Folder of the output; rejects and manifest are beside it.
    partitioned
        Format of the parts, one of `FORMATS`; by default that of their inputs.
    workers
        Number of processes; by default this one alone. The bytes written do not depend on it.
    force
        Whether to score all parts again; by default those that hold are kept.
    on_progress
        Called after each part, in this thread; by default not at all.
    part_bytes
        As for `plan_parts`.
    elsewhere
        Scores the parts on other machines, in place of ``workers``; by default this one does.
    **options
        As in `Options`.

    Raises
    ------
    ClusterError
        The other machines are lost or cannot be had. Parts that were scored are kept for the next
        run.
    DataError
        A part was refused, too many rows were rejected, or the output cannot be used. What is
        published stays as it is, and parts that could be scored need not be scored again.
    HeldError
        The rows of this run drifted, and the option ``drift`` is ``"hold"``.
    OutputError
        The output cannot be written.
    SettingsError
        An option is invalid, or the input cannot be scored in parts.
    """
    chosen = Options(**options)
    started, began = time.perf_counter(), time.time()
    targets = Targets.beside(output)
    with writing_parts(targets):
        output.parent.mkdir(parents=True, exist_ok=True)
        sweep(output.parent, files_alone=True)
        with own_work_folder(output) as folder, _tidied(folder):
            finish_left(folder, targets)
            plan = plan_parts(source, partitioned, chosen, part_bytes=part_bytes)
            run = _Run(model, source, partitioned, chosen, targets, folder, plan)
            return run.score(workers, force, on_progress, started, began, elsewhere)


@contextlib.contextmanager
def _tidied(folder: WorkFolder) -> Iterator[None]:
    """Remove the work folder after the block, unless a later run can go on from it."""
    try:
        yield
    finally:
        if not folder.noted():
            folder.remove()


@dataclass(frozen=True, eq=False)
class _Run:
    """One run: its input, model and output."""

    model: Scorer
    source: Path
    form: str
    options: Options
    targets: Targets
    folder: WorkFolder
    plan: PartPlan

    def score(
        self,
        workers: int,
        force: bool,
        on_progress: Callable[[Progress], None] | None,
        started: float,
        began: float,
        elsewhere: PartsElsewhere | None,
    ) -> ScoreResult:
        """Score what does not hold, and publish it with what does."""
        book = StampBook(self.targets)
        where = self.targets, self.source, self.plan
        found = look_at_output(*where, self._work, self.form, book, force=force)
        parts = [part for part in self.plan.parts if part.name not in found.kept]
        staging = Staging(self.folder, self._work)
        self.folder.keep_only(
            {part_file(part.key, kind) for part in parts for kind in ("part", "output", "rejects")}
        )
        counts = found.counts(self.plan, parts)
        if found.published and not parts and found.is_described:
            book.write(found.kept, began)
            return self._result(found.published.manifest, counts, started, unchanged=True)
        together = PartWork(self.model, self.options, staging)
        results = score_all_parts(parts, together, workers, on_progress, elsewhere)
        refuse_failed(self.source, results)
        accounts = {result.part.name: result.account for result in results if result.account}
        if self.plan.of_one_file and parts:
            in_order = ranges_in_order(parts, accounts, self._rescore(staging))
            accounts = {account.name: account for account in in_order}
            found.dropped.extend(part.name for part in parts if part.name not in accounts)
        tally = self._tally(accounts)
        drift = check_drift(self.model, tally, self.options)
        self._refuse_rows(tally, drift, accounts)
        manifest = self._publish(found, accounts, tally, drift)
        stamps = {name: list(account.stamp) for name, account in accounts.items()}
        book.write(found.kept | stamps, began)
        self.folder.remove()
        return self._result(manifest, counts, started)

    @cached_property
    def _work(self) -> dict[str, Any]:
        return work(self.model, self.options)

    @property
    def _refused(self) -> Path:
        """The rejects of a run whose rows were refused."""
        return self.targets.rejects.with_name(f"{self.targets.output.name}.refused.csv")

    def _rescore(self, staging: Staging) -> Rescore:
        def rescore(part: InputPart, start: Mark | None, to_end: bool) -> PartAccount:
            account = score_input_part(
                part, self.model, self.options, staging, start=start, to_end=to_end
            )
            if account is None:
                raise RuntimeError(f"{part.name} begins at {start}, and is not found there")
            return account

        return rescore

    def _tally(self, accounts: dict[str, PartAccount]) -> Tally:
        """Return the counts over all rows of this run."""
        names = [feature.name for feature in self.model.schema.features]
        seasons = self.model.reference.seasons if self.model.reference else None
        if seasons and any(account.dated for account in accounts.values()):
            names += [] if seasons.column in names else [seasons.column]
        columns = tuple(names)
        header = Header(columns, tuple(name.encode() for name in columns), b"", b"\n")
        plain = self.options if self.options.only_id is None else Options()
        tally = RowScorer(self.model, header, plain, str(self.source)).new_tally()
        for part in self.plan.parts:
            if part.name in accounts:
                # One after another, because each may hold a sample of rows.
                left = read_state(self.folder, part.key, self._work)
                if left is None:
                    raise OutputError(f"{part.name} was changed while it was in use. Run again.")
                tally.add(left[1])
        return tally

    def _refuse_rows(
        self, tally: Tally, drift: DriftReport | None, accounts: dict[str, PartAccount]
    ) -> None:
        refusal = tally.refusal(self.options.max_reject_rate)
        held = drift if drift and drift.detected and self.options.drift == "hold" else None
        if not refusal and held is None:
            return
        self._join_rejects(None, accounts)
        self.folder.rename("rejects", self._refused)
        if held is not None:
            raise HeldError(
                f"{self.source}: held, {held.sentence}. Correct it, retrain with such rows, or "
                "score it anyway: --drift warn.",
                held,
            )
        raise DataError(
            f"{self.source}: {refusal} What was published before stays. See {self._refused}."
        )

    def _publish(
        self,
        found: StandingOutput,
        accounts: dict[str, PartAccount],
        tally: Tally,
        drift: DriftReport | None,
    ) -> dict[str, Any]:
        entries = found.with_new(accounts)
        rejects = self._join_rejects(found, accounts)
        counts = tally.to_json()
        about = {
            "warnings": [
                *tally.warnings(self.options.max_reject_rate),
                *differing_columns(entries),
            ],
            "drift": None if drift is None else drift.to_json(),
            **{key: counts[key] for key in _TOLD},
            **reasons_entry(self.model, self.options, tally),
        }
        manifest = manifest_of(self._work, self.form, self.source, entries.values(), rejects, about)
        moves = [
            (part.key, part.name, accounts[part.name].output["sha256"])
            for part in self.plan.parts
            if part.name in accounts
        ]
        removals = [name for name in found.dropped if name in found.entries]
        publish_parts(
            self.folder, self.targets, PartsInWaiting(moves, removals, canonical_json(manifest))
        )
        self._refused.unlink(missing_ok=True)
        return manifest

    def _join_rejects(
        self, found: StandingOutput | None, accounts: dict[str, PartAccount]
    ) -> dict[str, Any]:
        """Write the rejects of all parts, in order, into the work folder."""
        guard = FormulaGuard(self.options.decimal) if self.options.escape_formulas else None
        keys = {part.name: part.key for part in self.plan.parts}
        copied = {name: found.entries[name] for name in found.copied} if found else {}
        return join_rejects(self.folder, keys, accounts, copied, self.targets.rejects, guard)

    def _result(
        self,
        manifest: dict[str, Any],
        counts: PartCounts,
        started: float,
        *,
        unchanged: bool = False,
    ) -> ScoreResult:
        found = described_result(manifest, self.targets, time.perf_counter() - started)
        return replace(found, unchanged=unchanged, parts=counts)
