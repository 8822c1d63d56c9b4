"""Counts over the rows of a file: classes, rejects, confidences, unknown categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.quantities import counted, was_or_were
from ffn.scoring.rows.contract import Contract, plausible_range
from ffn.scoring.rows.day_counts import DayCounts
from ffn.scoring.rows.decimal_marks import notation_hint, notation_of
from ffn.scoring.rows.drift_counts import DriftCounts
from ffn.scoring.rows.prediction_counts import PredictionCounts
from ffn.tabular.cell_forms import written_as
from ffn.tabular.cells import UNKNOWN, trim
from ffn.tabular.csv.charsets import fitting, strange_bytes
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.parsing.rejects import NOT_AS_WRITTEN, Reason, Reject, shorten
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.histograms import Reference

__all__ = ["Tally"]

_EXAMPLES = 10
# Shares of rejected, and of undecodable, rows above which the file as a whole looks wrong.
_MANY, _SOME = 0.2, 0.01


class Tally:
    """Counts over the rows of a file: sums of integers, so the grouping of rows has no effect.

    ``contract`` is that of the file, ``dates`` the position of its column of dates, ``schema`` and
    ``reference`` are those of the model.

    Attributes
    ----------
    scored
        Number of rows with a prediction.
    reasons
        Number of rejected rows by reason.
    began
        Byte offset in the file of the block that is counted next; 0 if unknown.
    predictions
        Counts of the predictions, by class.
    drift, days
        Histograms of the scored rows, and their numbers by day; None without a reference to compare
        with, and without its seasons.
    """

    def __init__(
        self,
        schema: Schema,
        contract: Contract,
        reference: Reference | None = None,
        dates: int | None = None,
    ) -> None:
        self.scored = 0
        self.began = 0
        self.drift = DriftCounts(reference) if reference else None
        self.days = DayCounts.of(reference, dates) if reference else None
        self.reasons: Counter[Reason] = Counter()
        self._classes = schema.classes
        self._contract = contract
        self.predictions = PredictionCounts(len(schema.classes))
        self._ranges = [plausible_range(feature) for feature, _ in contract.numeric]
        self._outside = [0] * len(contract.numeric)
        self._unseen: Counter[str] = Counter()
        # By column: whether any scored row has a category known from training.
        self._recognised = [False] * len(contract.categorical)
        # Rejected cells that are numbers in another notation.
        self._notations: Counter[str] = Counter()
        # Of columns with a format, and their rejected cells.
        self._formats = {f.name: f.format for f, _ in contract.numeric if f.format is not None}
        self._unformatted: Counter[str] = Counter()
        # Invalid bytes in the shortened values of rejected records.
        self._strange = Counter[int]()
        # In the order of the file; a dict of None is an ordered set.
        self._examples: dict[str, dict[str, None]] = {}

    @property
    def rejected(self) -> int:
        """Rows without a prediction."""
        return self.reasons.total()

    @property
    def class_counts(self) -> dict[str, int]:
        """Labelled rows by class, in the order of the classes; zeros included."""
        return dict(zip(self._classes, self.predictions.labelled, strict=True))

    @property
    def reject_reasons(self) -> dict[str, int]:
        """Rejected rows by reason that occurred, most frequent first."""
        return {str(reason): count for reason, count in self.reasons.most_common()}

    @property
    def examples(self) -> dict[str, list[str]]:
        """Some unknown category texts by feature, in the order of the file."""
        return {name: list(found)[:_EXAMPLES] for name, found in self._examples.items()}

    @property
    def unknown_columns(self) -> dict[str, list[str]]:
        """Some texts of each column in which no scored row has a category known from training."""
        return {
            feature.name: self.examples[feature.name]
            for (feature, _), recognised in zip(
                self._contract.categorical, self._recognised, strict=True
            )
            if self._unseen[feature.name] and not recognised
        }

    @property
    def mean_confidence(self) -> float | None:
        """Mean of the confidences as written; None if no row was scored."""
        return self.predictions.mean_confidence

    def check_rows(self, rows: int) -> None:
        """Raise ``RuntimeError`` unless every one of ``rows`` read was scored or rejected."""
        if rows != self.scored + self.rejected:
            raise RuntimeError(f"{rows} rows read, {self.scored} scored, {self.rejected} rejected")

    def count_rejects(self, rejects: Iterable[Reject]) -> None:
        """Count the rejected rows ``rejects``."""
        for reject in rejects:
            self.reasons[reject.reason] += 1
            if reject.reason is Reason.UNDECODABLE:
                self._strange += strange_bytes(reject.value)
            if reject.reason not in NOT_AS_WRITTEN:
                continue
            if reject.column in self._formats:
                self._unformatted[reject.column] += 1
            else:
                self._notations[notation_of(reject.value, self._contract.decimal)] += 1

    def count_scored(
        self,
        block: Block,
        numeric: npt.NDArray[np.float64],
        codes: npt.NDArray[np.int64],
        labels: npt.NDArray[np.intp],
        abstained: npt.NDArray[np.bool_],
        confidence_units: int,
    ) -> None:
        """Count scored rows.

        Parameters
        ----------
        block, numeric, codes, labels
            Records [n], numbers [n, F], category codes [n, G] and predicted classes [n].
        abstained
            Booleans [n]: rows whose label was left empty.
        confidence_units
            Sum of the confidences as written, in units of 1/10,000.
        """
        self.scored += len(block)
        self.predictions.count(labels, abstained, confidence_units)
        if self.drift is not None:
            self.drift.count(numeric, codes, block.stops, self.began)
        if self.days:
            self.days.count(block, self.began, self._contract.with_cells)
        for f, (low, high) in enumerate(self._ranges):
            far = (numeric[:, f] < low) | (numeric[:, f] > high)
            self._outside[f] += int(np.count_nonzero(far))
        for g, ((feature, column), values) in enumerate(
            zip(self._contract.categorical, codes.T, strict=True)
        ):
            # True from the first block of almost every file on; not checked again then.
            self._recognised[g] = self._recognised[g] or bool((values >= 0).any())
            unseen = values == UNKNOWN
            if unseen.any():
                self._unseen[feature.name] += int(np.count_nonzero(unseen))
                examples = self._examples.setdefault(feature.name, {})
                if len(examples) < _EXAMPLES:
                    cells = map(trim, self._contract.cells(block.take(unseen), column))
                    examples |= dict.fromkeys(map(shorten, cells))

    def state(self) -> dict[str, Any]:
        """Return all counts as a JSON object, for ``add``."""
        return {
            "scored": self.scored,
            "reasons": dict(self.reasons),
            **self.predictions.state(),
            "outside": list(self._outside),
            "unseen": dict(self._unseen),
            "recognised": list(self._recognised),
            "notations": dict(self._notations),
            "unformatted": dict(self._unformatted),
            "strange": {str(byte): count for byte, count in sorted(self._strange.items())},
            "drift": None if self.drift is None else self.drift.state(),
            **({} if self.days is None else {"days": self.days.state()}),
            "examples": self.examples,
        }

    def add(self, state: dict[str, Any]) -> None:
        """Add the counts of the rows that follow in the file, given as their ``state``."""
        self.scored += state["scored"]
        self.reasons.update({Reason(code): n for code, n in state["reasons"].items()})
        self.predictions.add(state)
        self._outside = [a + b for a, b in zip(self._outside, state["outside"], strict=True)]
        self._unseen.update(state["unseen"])
        both = zip(self._recognised, state["recognised"], strict=True)
        self._recognised = [one or other for one, other in both]
        self._notations.update(state["notations"])
        self._unformatted.update(state["unformatted"])
        self._strange.update({int(byte): count for byte, count in state["strange"].items()})
        if self.drift is not None:
            self.drift.add(state["drift"])
        if self.days is not None:
            self.days.add(state["days"])
        for name, found in state["examples"].items():
            self._examples.setdefault(name, {}).update(dict.fromkeys(found))

    def refusal(self, max_reject_rate: float) -> str:
        """Return why so many rejects, given ``max_reject_rate``, refuse the file; empty if not."""
        rows = self.scored + self.rejected
        if rows and not self.scored:
            return (
                f"{'the only row was' if rows == 1 else f'all {rows:,} rows were'} rejected "
                f"({self._counts()}), so no output was written.{self._hint()}"
            )
        if self.rejected > max_reject_rate * rows:
            return (
                f"{self.rejected:,} of {counted(rows, 'row')} {was_or_were(self.rejected)} "
                f"rejected ({self._counts()}), "
                f"more than the share of {max_reject_rate:g} allowed, so no output was written."
                f"{self._hint()}"
            )
        return ""

    def warnings(self, max_reject_rate: float) -> list[str]:
        """Return warnings about rejects; on their share only if ``max_reject_rate`` is 1."""
        rows = self.scored + self.rejected
        undecodable = self.reasons[Reason.UNDECODABLE]
        if max_reject_rate == 1 and self.rejected > _MANY * rows:
            return [
                f"{self.rejected:,} of {counted(rows, 'row')} {was_or_were(self.rejected)} "
                f"rejected ({self._counts()}), and no cap "
                f"is set.{self._hint()} To refuse such a file, give --max-reject-rate, or "
                "max_reject_rate under [scoring] in pipeline.toml."
            ]
        if undecodable > _SOME * rows:
            return [
                f"{undecodable:,} of {counted(rows, 'row')} {was_or_were(undecodable)} "
                f"rejected as undecodable.{self._encoding()}"
            ]
        return []

    def _counts(self) -> str:
        return ", ".join(f"{reason} {count:,}" for reason, count in self.reject_reasons.items())

    def _encoding(self) -> str:
        found = fitting(self._strange)
        if not found:
            return ""
        return (
            f" They are not UTF-8 and may be {found[0]}: look at a rejected cell, and give "
            f"--encoding {found[0]}."
        )

    def _hint(self) -> str:
        for name, count in self._unformatted.most_common(1):
            if 2 * count >= self.rejected:
                return f" Column {quote(name)} is read as {written_as(self._formats[name])}."
        if 2 * self.reasons[Reason.UNDECODABLE] >= self.rejected:
            return self._encoding()
        return notation_hint(self._notations, self.rejected, self._contract.decimal)

    def to_json(self) -> dict[str, Any]:
        """Return all counts as they are stored in a manifest."""
        return {
            "rows": self.scored + self.rejected,
            "scored": self.scored,
            "rejected": self.rejected,
            **({"abstained": self.predictions.abstained} if self.predictions.abstained else {}),
            "classes": self.class_counts,
            "mean_confidence": self.mean_confidence,
            "rejects": self.reject_reasons,
            "out_of_range": {
                feature.name: n
                for (feature, _), n in zip(self._contract.numeric, self._outside, strict=True)
                if n
            },
            "unknown_columns": list(self.unknown_columns),
            "unseen_categories": {
                name: {"rows": count, "examples": self.examples[name]}
                for name, count in self._unseen.items()
            },
        }
