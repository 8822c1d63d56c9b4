"""The result of making a version again, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ffn.errors import one_line
from ffn.quantities import counted, more, seconds
from ffn.reproduction.bundle_differences import PartDifference
from ffn.reproduction.circumstances_compared import Circumstance
from ffn.reproduction.label_changes import LabelChange

__all__ = ["Reproduction", "reproduction_lines"]

_DIGITS = 16
_DIFFERENCES_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """A version that was made again, or the reason why it was not.

    Attributes
    ----------
    pipeline, version
        The version.
    recorded_sha256
        SHA-256 that its bundle was registered with.
    circumstances
        Code, packages and processor, then and now.
    data
        Where the table came from: ``kept``, or ``source`` if the training CSV is still the same;
        empty if it is nowhere.
    made_sha256
        SHA-256 of the bundle that was made; empty if none was.
    obstacles
        Why none was made, or why it cannot be compared, a clause each.
    differences
        Differences of the two bundles.
    labels
        Held-out rows that get another label; None if that was not compared.
    timed
        Whether the training had a time budget, so that how far it got depends on the clock.
    seconds
        Wall time; 0 if nothing was made.
    """

    pipeline: str
    version: int
    recorded_sha256: str
    circumstances: tuple[Circumstance, ...]
    data: str = ""
    made_sha256: str = ""
    obstacles: tuple[str, ...] = ()
    differences: tuple[PartDifference, ...] = ()
    labels: LabelChange | None = None
    timed: bool = False
    seconds: float = 0.0

    @property
    def same(self) -> bool:
        """Whether the bundle was made again, byte for byte."""
        return bool(self.made_sha256) and self.made_sha256 == self.recorded_sha256

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        what = f"{self.pipeline}, version {self.version}"
        if not self.made_sha256:
            return f"{what} cannot be made again."
        made = f"{what} was made again in {seconds(self.seconds)} s"
        if self.same:
            return f"{made}: same digest, SHA-256 {self.made_sha256[:_DIGITS]}."
        return (
            f"{made} and differs: SHA-256 {self.made_sha256[:_DIGITS]}, registered "
            f"{self.recorded_sha256[:_DIGITS]}."
        )

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "pipeline": self.pipeline,
            "version": self.version,
            "same": self.same,
            "made": bool(self.made_sha256),
            "bundle_sha256": self.recorded_sha256,
            "made_sha256": self.made_sha256 or None,
            "data": self.data or None,
            "obstacles": list(self.obstacles),
            "circumstances": [
                {**asdict(one), "differs": one.differs} for one in self.circumstances
            ],
            "differences": [asdict(one) for one in self.differences],
            "labels": None if self.labels is None else asdict(self.labels),
            "time_budget": self.timed,
            "seconds": round(self.seconds, 3),
        }


def reproduction_lines(found: Reproduction) -> list[str]:
    """Return the result as lines for a terminal: the sentence first, then what differs.

    Parameters
    ----------
    found
        The result.
    """
    return [one_line(line) for line in _lines(found)]


def _lines(found: Reproduction) -> Iterator[str]:
    yield found.sentence
    for obstacle in found.obstacles:
        yield f"  {obstacle}"
    if found.data == "source":
        yield "  data: no sound copy is kept; the training CSV is still the same table"
    if found.timed and not found.same:
        yield "  time: it was trained within a time budget, so the result depends on the clock"
    for one in found.circumstances:
        if one.differs or (one.recorded is None and not found.same):
            yield f"  {one.in_words}"
    for difference in found.differences[:_DIFFERENCES_SHOWN]:
        yield f"  {difference.file}: {difference.text}"
    if len(found.differences) > _DIFFERENCES_SHOWN:
        yield f"  {more(len(found.differences) - _DIFFERENCES_SHOWN, 'difference')}"
    if found.labels is not None:
        yield (
            f"  labels: {found.labels.changed:,} of {counted(found.labels.rows, 'held-out row')} "
            f"{'gets' if found.labels.changed == 1 else 'get'} another label"
        )
