"""Summaries and details of versions, read from their files; a damaged file leaves fields empty."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ffn.auditing.recorded_audit import recorded_audit
from ffn.auditing.unseen_figures import UnseenFigures, unseen_figures
from ffn.bundles.contents import read_contents, read_registered
from ffn.criteria.decision_record import DecisionRecord, decision_record
from ffn.criteria.recorded_values import interval_in, table_in
from ffn.errors import RegistryError
from ffn.evaluation.class_figures import ClassFigures
from ffn.evaluation.inference.statistics import NO_FIGURE, Interval
from ffn.evaluation.missed_classes import missed_classes
from ffn.promotion.verdict import VERDICT_FILE, warnings_in
from ffn.registry.pointer import predecessor
from ffn.registry.production import Promotion, read_pointer
from ffn.registry.promotion_history import read_history
from ffn.registry.provenance import PROVENANCE
from ffn.registry.versions import require_version, version_folder, versions

__all__ = [
    "METRICS_FILE",
    "NOTHING_RECORDED",
    "Detail",
    "HeldOutRecord",
    "Summary",
    "accuracy_and_record",
    "describe_version",
    "held_out_record",
    "summaries",
]

METRICS_FILE = "metrics.json"


@dataclass(frozen=True, kw_only=True)
class HeldOutRecord:
    """What ``metrics.json`` says beside accuracy and log-loss, as far as it does.

    Attributes
    ----------
    auc, average_precision, balanced_accuracy
        Held-out metrics with 95 % intervals; None in versions of earlier releases.
    positive
        Of two classes the one that average precision is of; empty if it is a mean over classes.
    classes
        Figures of each class; none if they cannot be read.
    decision
        The metric of ``[decision]`` and the label sets; None in a version that has neither.
    """

    auc: Interval | None = None
    average_precision: Interval | None = None
    balanced_accuracy: Interval | None = None
    positive: str = ""
    classes: tuple[ClassFigures, ...] = ()
    decision: DecisionRecord | None = field(default=None, metadata={"omitted": True})

    @property
    def missed(self) -> str:
        """Classes that are never found, as a clause of `missed_classes`."""
        return missed_classes(self.classes)


NOTHING_RECORDED = HeldOutRecord()


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Summary of a version; fields that its files do not give are None or empty.

    Attributes
    ----------
    version
        Number in the registry.
    created_at
        Time of registration, UTC, ISO 8601.
    winner
        Name of the chosen optimizer.
    accuracy, log_loss
        Held-out metrics with 95 % intervals; log-loss in nats per row.
    rows
        Number of held-out rows.
    held_out
        The other held-out metrics.
    missed
        Classes that the version never finds, as a clause of `missed_classes`; empty if it finds
        rows of each.
    promote, reason
        The gate's verdict.
    warning
        That a simpler model is shown to be better, or the figures too good, in sentences; empty if
        neither is so.
    unseen
        What to expect of later rows and of new groups, as far as the version has such figures.
    production
        Whether the version is in production.
    next_back
        Whether a rollback would return to it.
    bundle_sha256
        SHA-256 of its bundle.
    bytes
        Size of all its files.
    """

    version: int
    created_at: str
    winner: str
    accuracy: Interval | None
    log_loss: Interval | None
    rows: int | None
    held_out: HeldOutRecord
    missed: str
    promote: bool | None
    reason: str
    warning: str
    unseen: tuple[UnseenFigures, ...]
    production: bool
    next_back: bool
    bundle_sha256: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Detail:
    """Details of a version.

    Attributes
    ----------
    summary
        Its summary.
    provenance, metrics, verdict
        Contents of its JSON files.
    history
        Promotions and rollbacks to it.
    files
        Number of its files.
    """

    summary: Summary
    provenance: dict[str, Any]
    metrics: dict[str, Any]
    verdict: dict[str, Any]
    history: tuple[Promotion, ...]
    files: int


def summaries(artifacts: Path) -> list[Summary]:
    """Return a summary of every version, oldest first.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """
    scoring, back = _scoring(artifacts), predecessor(artifacts)
    return [_summary(artifacts, version, scoring, back) for version in versions(artifacts)]


def _scoring(artifacts: Path) -> int | None:
    target = read_pointer(artifacts).target
    return target.version if target else None


def _summary(artifacts: Path, version: int, scoring: int | None, back: int | None) -> Summary:
    folder = version_folder(artifacts, version)
    metrics = read_registered(folder, METRICS_FILE)
    provenance, verdict = read_registered(folder, PROVENANCE), read_registered(folder, VERDICT_FILE)
    test = table_in(metrics, "test")
    rows, promote, held_out = test.get("rows"), verdict.get("promote"), _record_in(metrics)
    try:
        contents = read_contents(folder, pipeline=artifacts.name, version=version)
        digest, size = contents.bundle_sha256, sum(int(f["bytes"]) for f in contents.files.values())
    except RegistryError:
        digest, size = "", 0
    return Summary(
        version=version,
        created_at=_text(provenance, "created_at"),
        winner=_text(table_in(metrics, "selection"), "winner"),
        accuracy=interval_in(test, "accuracy"),
        log_loss=interval_in(test, "log_loss"),
        rows=rows if type(rows) is int else None,
        held_out=held_out,
        missed=held_out.missed,
        promote=promote if type(promote) is bool else None,
        reason=_text(verdict, "reason"),
        warning=warnings_in(verdict, _text(verdict, "reason")),
        unseen=unseen_figures(test, recorded_audit(verdict)),
        production=scoring == version,
        next_back=back == version,
        bundle_sha256=digest,
        bytes=size,
    )


def describe_version(artifacts: Path, version: int) -> Detail:
    """Return all about one version.

    Raises
    ------
    RegistryError
        There is no such version.
    """
    folder = require_version(artifacts, version)
    entries = read_history(artifacts).entries
    return Detail(
        summary=_summary(artifacts, version, _scoring(artifacts), predecessor(artifacts)),
        provenance=read_registered(folder, PROVENANCE),
        metrics=read_registered(folder, METRICS_FILE),
        verdict=read_registered(folder, VERDICT_FILE),
        history=tuple(entry for entry in entries if entry.version == version),
        files=sum(path.is_file() for path in folder.rglob("*")),
    )


def accuracy_and_record(
    artifacts: Path, version: int | None
) -> tuple[Interval | None, HeldOutRecord]:
    """Return the held-out accuracy of a version, and the metrics beside it.

    ``artifacts`` is the folder of the pipeline's results, and ``version`` a number in its registry;
    of None nothing is known.
    """
    if version is None:
        return None, NOTHING_RECORDED
    metrics = read_registered(version_folder(artifacts, version), METRICS_FILE)
    return interval_in(table_in(metrics, "test"), "accuracy"), _record_in(metrics)


def _record_in(metrics: dict[str, Any]) -> HeldOutRecord:
    """Return all that ``metrics.json`` says beside accuracy and log-loss."""
    return replace(held_out_record(table_in(metrics, "test")), decision=decision_record(metrics))


def held_out_record(test: dict[str, Any]) -> HeldOutRecord:
    """Return what is recorded in ``test``, the object of that name in ``metrics.json``."""
    listed = test.get("classes")
    classes = [_of_class(one) for one in listed] if isinstance(listed, list) else []
    return HeldOutRecord(
        auc=interval_in(test, "auc"),
        average_precision=interval_in(test, "average_precision"),
        balanced_accuracy=interval_in(test, "balanced_accuracy"),
        positive=_text(test, "positive"),
        classes=tuple(one for one in classes if one) if all(classes) else (),
    )


def _of_class(found: Any) -> ClassFigures | None:
    """Return the figures of a class; None unless they have a name, rows and recall."""
    if not isinstance(found, dict) or type(found.get("rows")) is not int:
        return None
    if not isinstance(found.get("name"), str) or not table_in(found, "recall"):
        return None
    recall, precision, auc, average_precision = (
        interval_in(found, key) or NO_FIGURE
        for key in ("recall", "precision", "auc", "average_precision")
    )
    share = found.get("weighted_share")
    return ClassFigures(
        name=found["name"],
        rows=found["rows"],
        recall=recall,
        precision=precision,
        auc=auc,
        average_precision=average_precision,
        weighted_share=share if type(share) is float else None,
    )


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""
