"""A file of labels, and what became of each of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ffn.errors import did_you_mean, one_line, quote
from ffn.quantities import counted

if TYPE_CHECKING:
    from ffn.scoring.judged.table_figures import TableEvaluation

__all__ = ["Delivery", "LabelRow", "place_of"]

_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class LabelRow:
    """A row of a file of labels.

    Attributes
    ----------
    id
        Digest of its id.
    shown
        The id as text, for errors.
    label
        Name of the class.
    row, line
        Where it is, from 1; line 0 in a file without lines.
    text
        The label as the file writes it; empty by default, where nobody needs it.
    keys
        Cells of the columns of weights and groups that the file has, by column; none by default.
    """

    id: bytes
    shown: str
    label: str
    row: int
    line: int
    text: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Line, or row in a file without lines."""
        return place_of(self.row, self.line)


def place_of(row: int, line: int) -> str:
    """Return where a row is: its ``line``, or its ``row`` in a file without lines."""
    return f"line {line:,}" if line else f"row {row:,}"


@dataclass(kw_only=True)
class Delivery:
    """A file of labels and what became of its rows, each of which is counted once.

    Attributes
    ----------
    name
        Name of the file.
    sha256
        SHA-256 of its content.
    rows
        Number of its rows.
    joined
        Rows that were joined to a prediction.
    known
        Rows whose id already had this label, from an earlier row or an earlier file.
    unscored
        Rows whose id is in no scored table.
    late
        Rows that were scored only after their label had come.
    trained_on
        Rows left out because the versions that scored them were trained on their content.
    unlabelled
        Rows without a label.
    without_id
        Rows with a label and without an id.
    rejected
        Rows that could not be scored when the table was scored and evaluated at once.
    unreadable
        Damaged records.
    unknown_labels
        Joined rows by label, for labels that the version does not know: they count as mistakes.
    classes
        Names of the classes that versions know, of which one may be meant instead.
    waiting
        Predictions in the record whose label has not come yet.
    at_once
        Number of the version that scored the table in order to evaluate it; None if its rows were
        joined by their ids.
    notices
        What else has to be known about the file, a sentence each.
    problems
        What the settings ask to be done with its rows and could not be done, in one line each.
    figures
        Figures of this table alone, by weights and groups, with slices, where it was scored and
        evaluated at once; or of the rows that its labels were joined to, as far as the scored
        tables have what is needed. None if no row can be evaluated.
    postponed
        Whether some of it was left to the next evaluation, which has to be given the file again.
    """

    name: str
    sha256: str
    rows: int = 0
    joined: int = 0
    known: int = 0
    unscored: int = 0
    late: int = 0
    trained_on: int = 0
    unlabelled: int = 0
    without_id: int = 0
    rejected: int = 0
    unreadable: int = 0
    unknown_labels: dict[str, int] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    waiting: int = 0
    at_once: int | None = None
    notices: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    figures: TableEvaluation | None = None
    postponed: bool = False

    @property
    def not_joined(self) -> int:
        """Rows that were not joined; with ``joined`` they add up to ``rows``."""
        return (
            self.known
            + self.unscored
            + self.late
            + self.trained_on
            + self.unlabelled
            + self.without_id
            + self.rejected
            + self.unreadable
        )

    @property
    def sentence(self) -> str:
        """What became of the rows, in one sentence."""
        done = "joined to predictions"
        if self.at_once is not None:
            done = f"scored with version {self.at_once} and evaluated at once"
        them = "it" if self.trained_on == 1 else "them"
        parts = [
            (self.known, "already counted"),
            (self.unscored, "never scored"),
            (self.late, f"scored only after {'its' if self.late == 1 else 'their'} label had come"),
            (self.trained_on, f"left out, as the version was trained on {them}"),
            (self.unlabelled, "without a label"),
            (self.without_id, "without an id"),
            (self.rejected, "rejected by scoring"),
            (self.unreadable, "unreadable"),
        ]
        told = [f"{self.joined:,} of {counted(self.rows, 'row')} {done}"]
        told += [f"{count:,} {what}" for count, what in parts if count]
        return f"{one_line(self.name)}: {', '.join(told)}."

    @property
    def told_of_figures(self) -> tuple[str, ...]:
        """Sentences on the figures of this table alone, and on the slices that were searched."""
        found = self.figures
        if found is None:
            return ()
        what = "This table alone, "
        if self.at_once is None:
            what = f"The rows of these labels alone that version {found.version} had scored, "
        said = f"{what}{counted(found.evaluated, 'row')}{found.judges}: "
        said += f"{found.said}; ordinary 95 % intervals, valid for one look."
        return (said, *found.notices, *found.by_group, *found.searched)

    def remarks(self) -> list[str]:
        """Return sentences about labels that the version does not know, and other notices."""
        found = [
            f"The label {quote(label)} ({counted(count, 'row')}) is unknown to the version and "
            f"counts as a mistake.{did_you_mean(label, self.classes)}"
            for label, count in list(self.unknown_labels.items())[:_NAMED]
        ]
        if len(self.unknown_labels) > _NAMED:
            others = counted(len(self.unknown_labels) - _NAMED, "other label")
            found.append(f"So do {others} that it does not know.")
        return found + self.notices

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object with every count."""
        return {
            "file": self.name,
            "sha256": self.sha256,
            "rows": self.rows,
            "joined": self.joined,
            "already_counted": self.known,
            "never_scored": self.unscored,
            "scored_too_late": self.late,
            "trained_on": self.trained_on,
            "without_label": self.unlabelled,
            "without_id": self.without_id,
            "rejected": self.rejected,
            "unreadable": self.unreadable,
            "unknown_labels": self.unknown_labels,
            "predictions_without_label": self.waiting,
            "scored_at_once_with": self.at_once,
            "notices": self.notices,
            **({"figures": self.figures.to_json()} if self.figures else {}),
        }
