"""Status of a pipeline: production version, recent runs, inbox and drift, read from its files."""

from __future__ import annotations

import contextlib
import datetime
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ffn.auditing.audit_figures import SplitAudit
from ffn.auditing.audit_text import kept_finding, unseen_rows_sentence
from ffn.errors import FFNError, one_line
from ffn.evaluation.inference.statistics import Interval
from ffn.lineage.kept_data import KeptTable, kept_in_words, kept_tables
from ffn.monitoring.challenger_tests import ChallengerTest, read_challengers
from ffn.monitoring.realised_quality import RealisedQuality
from ffn.promotion.overview import (
    NOTHING_RECORDED,
    HeldOutRecord,
    accuracy_and_record,
)
from ffn.promotion.verdict import audit_of, warning_about
from ffn.quantities import counted, interval
from ffn.registry.live_runs import LiveRun, working
from ffn.registry.production_bundle import Unreadable, read_production
from ffn.registry.promotion_history import HISTORY, MOST_HISTORY_BYTES
from ffn.registry.run_log import RunRecord, journal
from ffn.registry.versions import production_version, versions
from ffn.reports.at_a_glance.health import Health, health_of
from ffn.reports.decision_record_lines import (
    decision_json,
    decision_lines,
    decision_paragraphs,
)
from ffn.reports.figure_lines import (
    bounds_json,
    record_json,
    record_lines,
    record_markdown,
    wrapped,
)
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.tables import table
from ffn.reports.outcome_page import quality_in_production, quality_sentences
from ffn.reports.pictures.canvas import sentence_cut
from ffn.scoring.inbox.inbox_scan import InboxScan, scan_inbox
from ffn.settings.pipeline import Pipeline
from ffn.storage.plain_files import read_plain

__all__ = ["Status", "read_status", "status_lines", "status_markdown"]

_RUNS_SHOWN = 10
_CLASSES_SHOWN = 5
_REFUSED_SHOWN = 20
_TEXT_SHOWN = 160


@dataclass(frozen=True, kw_only=True)
class Status:
    """State of one pipeline at one moment.

    Attributes
    ----------
    pipeline
        Its name.
    at
        Time of reading, UTC, ISO 8601.
    production
        Number of the version in production; None if there is none.
    problem
        Why the pipeline cannot score, in one line; empty if it can.
    promoted_at
        Time at which the version was promoted, ISO 8601; None if unknown.
    accuracy
        Its held-out accuracy with a 95 % interval; None if unknown.
    versions
        Number of versions in the registry.
    runs
        The most recent runs, the newest first.
    drift
        The most recent run that tested for drift; None if there is none.
    judged_from
        Number of rows from which a file is tested for drift; None if that is switched off.
    inbox
        Files in the inbox, by their state.
    at_work
        Runs in progress.
    warning
        That a simpler model is shown to be better than the version in production, in a sentence;
        empty if it is not.
    quality
        What became of its predictions; None if no scored table is recorded for outcomes.
    tables
        The training tables that are kept.
    held_out
        The held-out metrics of the version in production beside accuracy, as far as known.
    challengers
        Comparisons of that version with those that score beside it.
    latest
        The newest retraining, scoring and evaluation, in this order, as far as there are any.
    audit
        The split audit of the version in production; None if nothing was audited.
    """

    pipeline: str
    at: str
    production: int | None
    problem: str
    promoted_at: str | None
    accuracy: Interval | None
    versions: int
    runs: tuple[RunRecord, ...]
    drift: RunRecord | None
    judged_from: int | None
    inbox: InboxScan
    at_work: tuple[LiveRun, ...] = ()
    warning: str = ""
    quality: RealisedQuality | None = None
    tables: tuple[KeptTable, ...] = ()
    held_out: HeldOutRecord = NOTHING_RECORDED
    challengers: tuple[ChallengerTest, ...] = ()
    latest: tuple[RunRecord, ...] = ()
    audit: SplitAudit | None = None

    @property
    def health(self) -> Health:
        """Whether the pipeline needs attention, by the rule of `health_of`."""
        return health_of(self)

    @property
    def too_good(self) -> str:
        """That the held-out figures of production are shown to be too good; empty if not."""
        return kept_finding(self.audit, "")

    @property
    def unseen(self) -> str:
        """What to expect of later rows and new groups; empty if nothing was audited."""
        return unseen_rows_sentence(self.audit)

    @property
    def age(self) -> str:
        """How long the version has been in production, in words."""
        if self.promoted_at is None:
            return "for an unknown time"
        then = datetime.datetime.fromisoformat(self.promoted_at)
        return _age(datetime.datetime.fromisoformat(self.at) - then)

    @property
    def production_sentence(self) -> str:
        """The version in production, its age and accuracy, and whether it is trained or evaluated.

        If there are classes that the version never finds, this comes first.
        """
        doing = "; ".join(
            filter(None, (self._now("retrain", "training"), self._now("evaluate", "evaluating")))
        )
        if self.production is None:
            problem = self.problem.removeprefix(f"{self.pipeline}: ")
            found = problem if self.versions else "" if doing else "nothing trained yet"
            return "; ".join(filter(None, (doing, found.rstrip(".") if doing else found)))
        figure = f", held-out accuracy {interval(self.accuracy)}" if self.accuracy else ""
        trouble = f"; {self.problem}" if self.problem else ""
        missed = self.held_out.missed
        alarm = f"warning: {missed}; " if missed else ""
        return (
            f"{alarm}version {self.production} of {self.versions:,} in production, {self.age}"
            f"{figure}{trouble}{f'; {doing}' if doing else ''}"
        )

    @property
    def inbox_sentence(self) -> str:
        """Numbers of files in the inbox by state, and whether scoring is running."""
        inbox, scoring = self.inbox, self._now("score", "scoring")
        waiting = len(inbox.waiting) + inbox.new
        parts = [f"{len(inbox.scored):,} scored", f"{waiting:,} waiting"]
        parts += [f"{len(inbox.settling):,} being written"] if inbox.settling else []
        parts += [f"{len(inbox.refused):,} refused"] if inbox.refused else []
        return ", ".join(parts) + (f"; {scoring}" if scoring else "")

    def _now(self, what: str, doing: str) -> str:
        """Return since when a kind of run has been in progress; empty if none is."""
        begun = [run.begun for run in self.at_work if run.what == what]
        if not begun:
            return ""
        # A run whose file has no content yet began just now.
        since = _minute(min(begun))
        return f"{doing} now{f', since {since} UTC' if since else ''}"

    @property
    def drift_sentence(self) -> str:
        """The most recent result of the drift tests, with its time."""
        if self.drift is None or self.drift.drift is None:
            if self.judged_from is None:
                return 'not tested, policy is "off"'
            return f"not tested yet, needs a file of at least {counted(self.judged_from, 'row')}"
        note = self.drift.drift
        files = counted(note.judged, "file")
        found = f"in {note.detected:,} of {files}" if note.detected else f"none in {files}"
        when = f"{_time(self.drift)}, version {self.drift.version}"
        return f"{found} ({when}){f': {note.text}' if note.detected else ''}"

    def to_json(self) -> dict[str, Any]:
        """Return the status as a JSON object, as ``ffn status --json`` prints it."""
        return {
            "pipeline": self.pipeline,
            "at": self.at,
            "health": self.health.to_json(),
            "production": self.production,
            "problem": self.problem,
            "promoted_at": self.promoted_at,
            "accuracy": bounds_json(self.accuracy),
            **record_json(self.held_out),
            **decision_json(self.held_out.decision),
            "warning": self.warning,
            **({"too_good": self.too_good} if self.too_good else {}),
            **({"unseen": self.unseen} if self.unseen else {}),
            "versions": self.versions,
            "training_tables": [asdict(table) for table in self.tables],
            "inbox": self.inbox.to_json(),
            "drift": self._drift_json(),
            **({"quality": self.quality.to_json()} if self.quality else {}),
            **self._challengers_json(),
            "at_work": [{"what": run.what, "begun": run.begun} for run in self.at_work],
            "runs": [asdict(entry) for entry in self.runs],
        }

    def _challengers_json(self) -> dict[str, Any]:
        found = [one.to_json() for one in self.challengers]
        return {"challengers": found} if found else {}

    def _drift_json(self) -> dict[str, Any] | None:
        if self.drift is None or self.drift.drift is None:
            return None
        return {
            "at": self.drift.at,
            "version": self.drift.version,
            "found": self.drift.drift.detected > 0,
            **asdict(self.drift.drift),
        }


def read_status(pipeline: Pipeline) -> Status:
    """Return the present status of ``pipeline``, without writing anything."""
    production, problem = None, ""
    try:
        production = production_version(pipeline.artifacts)
        # As scoring does: a version whose bundle is damaged is there, and labels nothing.
        bundle = read_production(pipeline.artifacts)
        problem = bundle.problem if isinstance(bundle, Unreadable) else ""
    except FFNError as error:
        problem = str(error)
    try:
        inbox = scan_inbox(pipeline, production, read=False)
    except FFNError as error:
        inbox, problem = InboxScan(), problem or str(error)
    runs = journal(pipeline.artifacts, None)
    settings = pipeline.settings.drift
    accuracy, held_out = accuracy_and_record(pipeline.artifacts, production)
    return Status(
        pipeline=pipeline.name,
        at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        production=production,
        problem=problem,
        promoted_at=_promoted_at(pipeline.artifacts, production),
        accuracy=accuracy,
        versions=len(versions(pipeline.artifacts)),
        runs=tuple(runs[:_RUNS_SHOWN]),
        drift=next((entry for entry in runs if entry.drift), None),
        judged_from=None if settings.policy == "off" else settings.min_rows,
        inbox=inbox,
        at_work=tuple(working(pipeline.artifacts)),
        warning="" if production is None else warning_about(pipeline.artifacts, production),
        audit=None if production is None else audit_of(pipeline.artifacts, production),
        quality=quality_in_production(pipeline, production),
        tables=tuple(kept_tables(pipeline.artifacts)),
        held_out=held_out,
        challengers=read_challengers(pipeline),
        latest=tuple(
            newest
            for kind in ("retrain", "score", "evaluate")
            if (newest := next((entry for entry in runs if entry.what == kind), None))
        ),
    )


def status_lines(status: Status) -> list[str]:
    """Return the status as lines for a terminal: production first, recent runs last."""
    lines = [f"{status.pipeline}: {status.production_sentence}"]
    lines.append(f"  health   {status.health.sentence}")
    if status.warning:
        lines.append(f"  warning  {one_line(status.warning)}")
    lines += wrapped(status.too_good, "  warning  ") if status.too_good else []
    lines += wrapped(status.unseen, "  unseen   ") if status.unseen else []
    lines += record_lines(status.held_out, most=_CLASSES_SHOWN)
    lines += decision_lines(status.held_out.decision, most=_CLASSES_SHOWN)
    lines.append(f"  inbox    {status.inbox_sentence}")
    lines += [
        f"  refused  {one_line(name)}: {one_line(reason)}"
        for name, reason in list(status.inbox.refused.items())[:_REFUSED_SHOWN]
    ]
    if status.production is not None:
        lines.append(f"  drift    {one_line(status.drift_sentence)}")
    lines += [f"  quality  {one_line(sentence)}" for sentence in quality_sentences(status.quality)]
    lines += [f"  shadow   {one_line(one.sentence)}" for one in status.challengers]
    if status.tables:
        lines.append(f"  data     {kept_in_words(status.tables)}")
    return lines + [
        f"  {entry.what:<8} {_time(entry)}  {entry.outcome}: {one_line(entry.text)}"
        for entry in status.runs
    ]


def status_markdown(status: Status) -> str:
    """Return the status as Markdown for the dashboard."""
    parts = [f"**{escape(status.production_sentence)}**"]
    parts.append(f"Health: {escape(status.health.sentence)}")
    if status.warning:
        parts.append(f"Warning: {escape(status.warning)}")
    if status.too_good:
        parts.append(f"Warning: {escape(status.too_good)}")
    if status.unseen:
        parts.append(escape(status.unseen))
    parts += record_markdown(status.held_out)
    parts += decision_paragraphs(status.held_out.decision, most=_CLASSES_SHOWN)
    parts.append(f"Inbox: {escape(status.inbox_sentence)}")
    if status.inbox.refused:
        refused = list(status.inbox.refused.items())
        parts.append(
            table(
                [
                    {"refused file": _cell(name), "reason": _cell(reason)}
                    for name, reason in refused[:_REFUSED_SHOWN]
                ],
                left=2,
            )
        )
        if len(refused) > _REFUSED_SHOWN:
            parts.append(f"and {counted(len(refused) - _REFUSED_SHOWN, 'other')}.")
    if status.production is not None:
        parts.append(f"Drift: {escape(one_line(status.drift_sentence))}")
    parts += [
        f"Quality: {escape(one_line(sentence))}" for sentence in quality_sentences(status.quality)
    ]
    parts += [f"Shadow: {escape(one_line(one.sentence))}" for one in status.challengers]
    if status.runs:
        rows = [
            {
                "ended (UTC)": _time(entry),
                "run": escape(entry.what),
                "outcome": escape(entry.outcome),
                "what happened": _cell(entry.text),
            }
            for entry in status.runs
        ]
        parts.append(table(rows, left=4))
    parts.append(f"As of {status.at}.")
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    return escape(sentence_cut(one_line(text), _TEXT_SHOWN))


def _time(entry: RunRecord) -> str:
    return escape(_minute(entry.at))


def _minute(at: str) -> str:
    """Return ``2026-03-01 04:00`` of an ISO 8601 time."""
    return str(at)[:16].replace("T", " ")


def _age(elapsed: datetime.timedelta) -> str:
    minutes = int(elapsed.total_seconds() // 60)
    for count, unit in ((minutes // 1440, "day"), (minutes // 60, "hour"), (minutes, "minute")):
        if count >= 1:
            return f"for {counted(count, unit)}"
    return "for less than a minute"


def _promoted_at(artifacts: Path, version: int | None) -> str | None:
    found = None
    with contextlib.suppress(OSError):
        for line in read_plain(artifacts / HISTORY, MOST_HISTORY_BYTES).splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                entry = json.loads(line)
                at = datetime.datetime.fromisoformat(entry["at"])
                # Every time that is written has a zone; without one the age would be ambiguous.
                if entry["version"] == version and at.tzinfo:
                    found = entry["at"]
    return found
