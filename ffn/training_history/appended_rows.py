"""What became of the rows that were to be appended to the training CSV."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ffn.errors import one_line
from ffn.quantities import counted

__all__ = ["AppendedRows", "NewRow"]


@dataclass(frozen=True, kw_only=True)
class NewRow:
    """A scored row whose label has come.

    Attributes
    ----------
    id
        By which the record knows it.
    cells
        Trimmed cell texts by column of the training CSV, without the target; columns that training
        does not read may be missing.
    label
        Name of its class.
    """

    id: bytes
    cells: dict[str, str]
    label: str


@dataclass(kw_only=True)
class AppendedRows:
    """What became of them, each counted once.

    Attributes
    ----------
    source
        Name of the training CSV.
    appended
        Rows that were appended.
    there
        Rows that it had before.
    left_out
        Rows that training would refuse, and others that cannot be appended, by reason.
    problems
        Why nothing was appended, or no row of a scored table, in one line each.
    postponed
        Why nothing was appended this time, in one line; empty if that is not so.
    """

    source: str
    appended: int = 0
    there: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    postponed: str = ""

    @property
    def sentence(self) -> str:
        """The counts in words; empty if there was nothing to append."""
        if self.postponed:
            return f"Nothing is appended to {one_line(self.source)} this time: {self.postponed}"
        parts = [f"{self.there:,} it had before"] if self.there else []
        if total := self.left_out.total():
            reasons = ", ".join(f"{n:,} {why}" for why, n in sorted(self.left_out.items()))
            parts.append(f"{total:,} left out: {reasons}")
        if not (self.appended or parts):
            return ""
        told = f"{counted(self.appended, 'row')} appended to {one_line(self.source)}"
        return f"{'; '.join([told, *parts])}."

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "appended": self.appended,
            "there_before": self.there,
            "left_out": dict(sorted(self.left_out.items())),
            "problems": list(self.problems),
            "postponed": self.postponed,
        }
