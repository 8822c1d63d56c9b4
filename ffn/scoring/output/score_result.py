"""Progress and result of scoring a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ffn.errors import one_line, quote
from ffn.quantities import counted
from ffn.scoring.drift.drift_report import DriftReport
from ffn.tabular.csv.parsing.position import Counts

__all__ = ["PartCounts", "Progress", "ScoreResult", "unknown_sentences"]

_EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Progress of scoring a file.

    Attributes
    ----------
    rows, rejected
        Number of rows so far, and of rejected ones among them.
    bytes_read, size
        Bytes read so far, and size of the file in bytes; ``size`` is None for a pipe.
    """

    rows: int
    rejected: int
    bytes_read: int
    size: int | None


@dataclass(frozen=True, kw_only=True)
class PartCounts:
    """What became of the parts of a partitioned output in a run.

    Attributes
    ----------
    new, changed
        Parts that were scored: for the first time, and because input, output, model or options
        are not what they were.
    kept
        Parts that were left as they are.
    vanished
        Names of parts whose input is gone; their outputs stay.
    empty
        Input files without a byte, which were passed over.
    """

    new: int
    changed: int
    kept: int
    vanished: tuple[str, ...] = ()
    empty: int = 0

    def sentence(self) -> str:
        """Return it in words."""
        told = [
            (self.new, "new"),
            (self.changed, "changed"),
            (self.kept, "as before"),
            (len(self.vanished), "vanished"),
        ]
        of = ", ".join(f"{count:,} {what}" for count, what in told if count) or "none"
        names = ", ".join(quote(name, 100) for name in self.vanished[:_EXAMPLES])
        more = ", …" if len(self.vanished) > _EXAMPLES else ""
        gone = f" The input is gone of {names}{more}; the outputs stay." if names else ""
        passed = "" if not self.empty else f" Passed over: {counted(self.empty, 'empty file')}."
        return f"Parts: {of}.{gone}{passed}"

    def to_json(self) -> dict[str, int | list[str]]:
        """Return a JSON object."""
        return {**asdict(self), "vanished": list(self.vanished)}


@dataclass(frozen=True, kw_only=True, repr=False)
class ScoreResult:
    """Result of scoring a file.

    Attributes
    ----------
    pipeline, version
        Name of the pipeline, and number of the version that scored the file.
    rows, scored, rejected
        Counts of rows; ``rows = scored + rejected``.
    output, rejects, manifest
        Paths of the three files written.
    class_counts
        Number of labelled rows by class, zeros included.
    reject_reasons
        Number of rejected rows by reason, without zeros.
    mean_confidence
        Mean probability of the predicted classes; None if no row was scored.
    seconds
        Wall-clock time in seconds.
    unchanged
        True if the output already existed for the same input, model and options, so that nothing
        was done.
    blocks
        Numbers of blocks and records by the way they were read.
    drift
        Result of the drift test; None if it was off, or the model has no reference.
    warnings
        Problems with the file as a whole, a sentence each: too many rejects, or columns in which
        no value is known from training.
    unknown_columns
        Categorical columns in which no scored row has a category known from training, with some
        of their texts.
    abstained
        Number of scored rows whose label is empty, because their confidence is too low;
        ``scored`` is the sum of ``class_counts`` and this.
    parts
        What became of the parts of a partitioned output; None for a single file.
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
    unchanged: bool = False
    blocks: Counts = field(default_factory=Counts)
    drift: DriftReport | None = None
    warnings: tuple[str, ...] = ()
    unknown_columns: dict[str, list[str]] = field(default_factory=dict)
    abstained: int = 0
    parts: PartCounts | None = None

    def __repr__(self) -> str:
        rows = f"{self.scored:,} of {counted(self.rows, 'row')}"
        return (
            f"<ScoreResult of {self.pipeline}, version {self.version}: {rows} scored into "
            f"{one_line(self.output)}>"
        )


def unknown_sentences(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a warning for each of the unknown ``columns``, given with some of their texts."""
    return [
        f"Training never saw any value of the column {quote(name)}, such as "
        f"{', '.join(quote(text, 30) for text in texts[:_EXAMPLES])}; they were scored as "
        "unknown. Is it spelled as in the training table?"
        for name, texts in columns.items()
    ]
