"""What is published already, and which parts of it hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ffn.errors import DataError, quote
from ffn.scoring.output.score_result import PartCounts
from ffn.scoring.output.targets import Targets
from ffn.scoring.partitioned.dataset_manifest import PublishedParts, part_entry, read_published
from ffn.scoring.partitioned.dataset_output import check_folder
from ffn.scoring.partitioned.kept_parts import StampBook, holds_digest, kept_parts
from ffn.scoring.partitioned.part_account import PartAccount
from ffn.scoring.partitioned.part_plan import InputPart, PartPlan

__all__ = ["StandingOutput", "look_at_output"]


class StandingOutput(NamedTuple):
    """An output before a run.

    Attributes
    ----------
    published
        What its manifest says; None if there is none.
    kept
        Names of the parts that hold, with the stamps of their inputs.
    vanished
        Names of parts whose input is gone, and whose output is there.
    dropped
        Names of parts that will not be part of the output any more.
    rejects_hold
        Whether the rejects are as they were published.
    """

    published: PublishedParts | None
    kept: dict[str, list[int]]
    vanished: list[str]
    dropped: list[str]
    rejects_hold: bool

    @property
    def copied(self) -> set[str]:
        """Names of the parts that stay as they are."""
        return {*self.kept, *self.vanished}

    @property
    def entries(self) -> dict[str, dict[str, Any]]:
        """Entries of the manifest, by name; none if there is no manifest."""
        return self.published.entries if self.published else {}

    @property
    def is_described(self) -> bool:
        """Whether the manifest describes the rejects and the parts that stay, and nothing else."""
        gone = {name for name, entry in self.entries.items() if entry.get("vanished")}
        return (
            self.published is not None
            and self.rejects_hold
            and set(self.vanished) == gone
            and self.copied == set(self.entries)
        )

    def with_new(self, accounts: Mapping[str, PartAccount]) -> dict[str, dict[str, Any]]:
        """Return the entries of all parts after a run that scored those in ``accounts``."""
        found = {name: part_entry(account) for name, account in accounts.items()}
        if self.published:
            for name in self.copied:
                entry = self.entries[name]
                entry = {**entry, "columns": list(self.published.columns_of(entry))}
                gone = name in self.vanished
                found[name] = self.published.as_vanished(entry) if gone else entry
        return found

    def counts(self, plan: PartPlan, parts: Sequence[InputPart]) -> PartCounts:
        """Return what becomes of all parts in a run.

        Parameters
        ----------
        plan
            All parts.
        parts
            Those that are scored.
        """
        changed = sum(part.name in self.entries for part in parts)
        return PartCounts(
            new=len(parts) - changed,
            changed=changed,
            kept=len(self.kept),
            vanished=tuple(self.vanished),
            empty=len(plan.empty),
        )


def look_at_output(
    targets: Targets,
    source: Path,
    plan: PartPlan,
    work: Mapping[str, Any],
    form: str,
    book: StampBook,
    *,
    force: bool,
) -> StandingOutput:
    """Return what is published, and what of it holds.

    Parameters
    ----------
    targets
        Paths of the output, the rejects and the manifest.
    source
        Path of the input.
    plan
        The parts to be.
    work
        What determines the output besides the input.
    form
        Format of the parts.
    book
        Stamps of inputs and outputs.
    force
        Whether nothing is to be kept.

    Raises
    ------
    DataError
        The output is of another input, holds other files, or was changed so that what it says of
        vanished parts cannot be carried on; or an input cannot be read.
    """
    published = read_published(targets)
    planned = {part.name for part in plan.parts}
    known = set(published.entries) if published else set()
    check_folder(targets, source, planned | known)
    if published is None:
        return StandingOutput(None, {}, [], [], rejects_hold=False)
    if published.source != str(source):
        raise DataError(
            f"{targets.output} holds what was scored of {quote(published.source, 200)}. Give "
            "another output."
        )
    same = published.is_work_of(work, form) and not force
    kept = kept_parts(plan, published, book, targets.output) if same else {}
    inputs = {part.below for part in plan.parts}
    gone = sorted(known - planned)
    # Of these the input is still there, and makes other parts now.
    dropped = [
        name
        for name in gone
        if plan.of_one_file or published.entries[name]["input"]["path"] in inputs
    ]
    vanished = sorted(
        name for name in set(gone).difference(dropped) if (targets.output / name).exists()
    )
    rejects = targets.rejects
    hold = holds_digest(rejects.parent, rejects.name, published.rejects["sha256"])
    if not hold:
        # The rejects of a file that was cut are those of all its parts.
        some = {name for name in kept if published.entries[name]["rejected"]}
        lost = set(kept) if some and plan.of_one_file else some
        kept = {name: stamp for name, stamp in kept.items() if name not in lost}
        if any(published.entries[name]["rejected"] for name in vanished):
            raise DataError(
                f"{rejects} is not what was written, and parts are gone from the input. "
                "Bring it back, or give another output."
            )
    return StandingOutput(published, kept, vanished, dropped, hold)
