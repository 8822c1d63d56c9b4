"""Score blocks of records: return the labelled records as bytes, and the rejects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.attribution.reasons import Reasons, top_reasons
from ffn.attribution.shapley_rows import Explainer
from ffn.scoring.rows.header_match import match_header, with_given
from ffn.scoring.rows.layout import Layout
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer, finite_probabilities
from ffn.scoring.rows.suffixes import Suffixes, columns_to_add
from ffn.scoring.rows.tally import Tally
from ffn.tabular.csv.formula_guard import FormulaGuard
from ffn.tabular.csv.header import Header
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.parsing.rejects import DETAILS, Reason, Reject, shorten
from ffn.tabular.csv.writer import write_record
from ffn.tabular.text_encoding.text_signals import text_signals

__all__ = ["REJECTS_HEADER", "Labelled", "RowScorer"]

REJECTS_HEADER = b"row,line,column,value,reason,lines\n"


class Labelled(NamedTuple):
    """Records [n] that were scored, their predictions, and the rejects of the same block.

    Attributes
    ----------
    good
        The records.
    numeric, codes
        Their numbers [n, F] and category codes [n, G].
    labels, probabilities
        Index of the predicted class [n], and class probabilities [n, C].
    confidences
        Probability of the predicted class [n].
    abstained
        Booleans [n]: rows whose confidence is too low for a label.
    rejects
        The other records, in order.
    reasons
        What moved the predictions most; None if that was not asked for.
    """

    good: Block
    numeric: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int64]
    labels: npt.NDArray[np.intp]
    probabilities: npt.NDArray[np.float64]
    confidences: npt.NDArray[np.float64]
    abstained: npt.NDArray[np.bool_]
    rejects: list[Reject]
    reasons: Reasons | None = None

    def add_to(self, tally: Tally, confidence_units: int) -> None:
        """Add the records to the counts in ``tally``.

        Parameters
        ----------
        tally
            Counts of the file.
        confidence_units
            Sum of the confidences as written, in units of 1/10,000.
        """
        tally.count_rejects(self.rejects)
        tally.count_scored(
            self.good, self.numeric, self.codes, self.labels, self.abstained, confidence_units
        )
        if self.reasons is not None:
            tally.predictions.count_reasons(self.reasons)


class RowScorer:
    """Scores the records of one file with one model.

    Parameters
    ----------
    model
        The model.
    header
        Header of the file.
    options
        Options of scoring.
    name
        Name of the file in errors.
    given
        Names and cells of columns that every record has besides those of the file; none by default.

    Attributes
    ----------
    suffixes
        Texts that are appended to records.

    Raises
    ------
    DataError
        The header does not match the model's schema.
    BundleError
        Reasons are asked for, and the bundle lacks what they are compared with.
    """

    def __init__(
        self,
        model: Scorer,
        header: Header,
        options: Options,
        name: str,
        given: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._model = model
        self._explainer = Explainer(model) if options.explain else None
        self._explain = options.explain
        self._reference = None if options.drift == "off" else model.reference
        seasons = self._reference.seasons if self._reference else None
        self._dates = None
        names = with_given(header, given, name).names
        if seasons and names.count(seasons.column) == 1:
            self._dates = names.index(seasons.column)
        self._guard = FormulaGuard(options.decimal) if options.escape_formulas else None
        self._line_end = header.line_end
        self._contract = match_header(
            header,
            model.schema,
            name,
            columns_to_add(model.schema, model.rule, options),
            delimiter=options.delimiter,
            decimal=options.decimal,
            on_unknown=options.on_unknown,
            given=given,
        )
        self._layout = Layout(header, options, self._guard, name)
        self.suffixes = Suffixes(
            model.schema,
            options.delimiter,
            probabilities=options.probabilities,
            decimal=options.decimal,
            guard=self._guard,
            rule=model.rule,
            explain=options.explain,
        )

    @property
    def header_line(self) -> bytes:
        """The first line of the output, as UTF-8."""
        return self._layout.header + self.suffixes.header.encode() + self._line_end

    def new_tally(self) -> Tally:
        """Return an empty tally."""
        return Tally(self._model.schema, self._contract, self._reference, self._dates)

    def score(self, block: Block, tally: Tally) -> tuple[bytes, list[Reject]]:
        """Return the labelled records of a block as UTF-8, and its rejects in order.

        Parameters
        ----------
        block
            The records.
        tally
            Counts of the file, to which those of the block are added.
        """
        found = self.label(block)
        texts, confidence_units = self.suffixes.texts(
            found.labels,
            found.probabilities,
            found.confidences,
            found.abstained,
            found.reasons,
        )
        found.add_to(tally, confidence_units)
        return self._layout.labelled(found.good, texts), found.rejects

    def _watched(
        self, numeric: npt.NDArray[np.float64], x: npt.NDArray[np.floating[Any]]
    ) -> npt.NDArray[np.float64]:
        """Return what is counted of a file: numbers, and of texts their signals."""
        numbers = numeric[:, : len(self._model.schema.numeric)]
        encoding = getattr(self._model.preparation, "texts", None)
        if self._reference is None or not self._reference.texts or encoding is None:
            return numbers
        return np.concatenate([numbers, text_signals(encoding, x)], axis=1)

    def label(self, block: Block) -> Labelled:
        """Return the predictions for the records of ``block``, and its rejects in order."""
        typed = self._contract.read(block)
        good, numeric, codes = typed.block, typed.numeric, typed.codes
        rejects = typed.rejects
        x = self._model.preparation.transform(numeric, codes)
        numeric = self._watched(numeric, x)
        probabilities, finite = finite_probabilities(self._model, x)
        if not finite.all():
            too_large = _not_finite(good.take(~finite))
            rejects = sorted([*rejects, *too_large], key=lambda reject: reject.row)
            good, numeric, codes = good.take(finite), numeric[finite], codes[finite]
            probabilities, x = probabilities[finite], x[finite]
        rule = self._model.rule
        labels = rule.labels(probabilities)
        confidences = rule.confidences(probabilities, labels)
        reasons = None
        if self._explainer:
            reasons = top_reasons(self._explainer.explain(x, labels), self._explain)
        return Labelled(
            good,
            numeric,
            codes,
            labels,
            probabilities,
            confidences,
            rule.abstains(confidences),
            rejects,
            reasons,
        )

    def reject_line(self, reject: Reject) -> bytes:
        """Return ``reject`` as a line of the rejects file."""
        column, value = reject.column, reject.value
        if self._guard:
            column, value = self._guard.text(column), self._guard.text(value)
        line, lines = (reject.line, reject.lines) if reject.line else ("", "")
        cells = (reject.row, line, column, value, reject.reason, lines)
        return write_record(cells).encode() + b"\n"


def _not_finite(block: Block) -> list[Reject]:
    reason = Reason.NOT_FINITE
    return [
        Reject(row, line, block.lines_of(i), "", shorten(record), reason, DETAILS[reason])
        for i, (record, row, line) in enumerate(
            zip(block.records(), block.rows.tolist(), block.lines.tolist(), strict=True)
        )
    ]
