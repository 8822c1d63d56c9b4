"""Machines that score what is long, as scoring sees them, whatever software runs them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol

from ffn.scoring.parallel.file_run import Run
from ffn.scoring.partitioned.part_plan import InputPart
from ffn.scoring.partitioned.part_processes import PartResult, PartWork
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer

__all__ = ["ScoringElsewhere"]


class ScoringElsewhere(Protocol):
    """Machines that score what is long."""

    def score_ranges(self, run: Run, model: Scorer, options: Options) -> None:
        """Score a long file as far as it can be divided.

        Parameters
        ----------
        run, model, options
            As for `ffn.scoring.score_file.RangesElsewhere`.
        """
        ...

    def score_parts(self, parts: Sequence[InputPart], work: PartWork) -> Generator[PartResult]:
        """Score the parts of a partitioned output.

        Parameters
        ----------
        parts, work
            As for `ffn.scoring.partitioned.part_processes.PartsElsewhere`.
        """
        ...
