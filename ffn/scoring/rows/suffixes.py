"""Text that scoring appends to each record: label, confidence, probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffn.attribution.reasons import ERROR_COLUMN, NO_REASON, Reasons, reason_columns
from ffn.decision_rules.label_sets import SET_SEPARATOR
from ffn.decision_rules.rule import ARGMAX, CONFIDENCE_UNITS, DecisionRule
from ffn.scoring.rows.options import Options
from ffn.tabular.csv.formula_guard import FormulaGuard
from ffn.tabular.csv.writer import quoted, write_record
from ffn.tabular.schema import Schema, prediction_columns, set_column

__all__ = ["UNITS", "Suffixes", "added_columns", "columns_to_add"]

# Probabilities are written in units of 1/10,000: few enough texts to create each only once.
UNITS = CONFIDENCE_UNITS
# Some ten megabytes of texts; beyond that, each is made again when needed.
_POOL_LIMIT = 100_000


def added_columns(
    schema: Schema, *, probabilities: bool, sets: bool = False, explain: int = 0
) -> tuple[str, ...]:
    """Return the names of the columns that scoring adds.

    Parameters
    ----------
    schema
        Schema of the model.
    probabilities
        Whether a column for every class is added, too.
    sets
        Whether the model has label sets, whose column comes after these. Default: no.
    explain
        Number of reasons, whose columns are the last ones. Default: none.
    """
    every = [f"probability_{label}" for label in schema.classes] if probabilities else []
    last = [set_column(schema.target)] if sets else []
    why = reason_columns(schema, explain)
    return (*prediction_columns(schema.target), *every, *last, *why)


def columns_to_add(schema: Schema, rule: DecisionRule, options: Options) -> tuple[str, ...]:
    """Return the names of the added columns that a column of the input must not have.

    Parameters
    ----------
    schema, rule
        Schema and decision rule of the model.
    options
        Options of scoring. If one column alone is kept, the names of the others do not matter.
    """
    added = added_columns(
        schema,
        probabilities=options.probabilities,
        sets=rule.set_limits is not None,
        explain=options.explain,
    )
    if options.only_id is None:
        return added
    return tuple(column for column in added if column == options.only_id)


class Suffixes:
    """Texts to append to records, each beginning with the delimiter.

    Parameters
    ----------
    schema
        Schema of the model.
    delimiter
        Character between fields.
    probabilities
        Whether to add the probability of every class.
    decimal
        Decimal mark of probabilities.
    guard
        Protection of labels against being evaluated by a spreadsheet; None for none.
    rule
        The model's rule, with its label sets if it has any; by default it has none.
    explain
        Number of reasons to add. Default: none.
    """

    def __init__(
        self,
        schema: Schema,
        delimiter: str,
        *,
        probabilities: bool,
        decimal: str = ".",
        guard: FormulaGuard | None = None,
        rule: DecisionRule = ARGMAX,
        explain: int = 0,
    ) -> None:
        sets = rule.set_limits is not None
        self.header = delimiter + write_record(
            added_columns(schema, probabilities=probabilities, sets=sets, explain=explain),
            delimiter,
        )
        names = [feature.name for feature in schema.features]
        names = list(map(guard.text, names)) if guard else names
        self._names = [(delimiter + quoted(name, delimiter)).encode() for name in names]
        # Neither a column nor a value.
        self._nothing = 2 * delimiter.encode()
        self._with_error = ERROR_COLUMN in reason_columns(schema, explain)
        self._rule = rule
        self._sets = _Sets(schema.classes, delimiter, guard) if sets else None
        self._probabilities = probabilities
        classes = map(guard.text, schema.classes) if guard else schema.classes
        labels = [(delimiter + quoted(label, delimiter)).encode() for label in classes]
        self._n_classes = len(labels)
        # Behind the classes: no label.
        labels.append(delimiter.encode())
        self._labels, self._shares = labels, _Shares(delimiter, decimal)
        # Label c with confidence u is entry c * (UNITS + 1) + u, created on first use.
        size = min(len(labels) * (UNITS + 1), _POOL_LIMIT)
        self._pool = np.full(size, None, dtype=object)
        self._made = np.zeros(size, dtype=bool)

    def texts(
        self,
        labels: npt.NDArray[np.intp],
        probabilities: npt.NDArray[np.float64],
        confidences: npt.NDArray[np.float64],
        abstained: npt.NDArray[np.bool_],
        reasons: Reasons | None = None,
    ) -> tuple[list[bytes], int]:
        """Return a text for each row, and the sum of the confidences written.

        Parameters
        ----------
        labels
            Index of each row's predicted class [n].
        probabilities
            Class probabilities [n, C], finite, from 0 to 1.
        confidences
            Probability of the predicted class [n].
        abstained
            Booleans [n]: rows that get an empty label, and their confidence.
        reasons
            Reasons of the rows, as many as ``explain`` asks for. Default: none.

        Returns
        -------
        texts
            n of them, UTF-8.
        units
            Sum of the confidences in units of 1/10,000: an integer, so that it does not
            depend on how rows are grouped.
        """
        if self._probabilities:
            units = np.rint(probabilities * UNITS).astype(np.int64)
        confidence = np.rint(confidences * UNITS).astype(np.int64)
        shown = np.where(abstained, self._n_classes, labels) if abstained.any() else labels
        texts = self._of_labels(shown * (UNITS + 1) + confidence)
        if self._probabilities:
            shares = self._shares
            texts = [
                text + b"".join([shares[unit] for unit in row])
                for text, row in zip(texts, units.tolist(), strict=True)
            ]
        if self._sets is not None:
            members = self._rule.label_sets(probabilities, labels)
            texts = [
                text + self._sets[row]
                for text, row in zip(texts, map(bytes, np.packbits(members, axis=1)), strict=True)
            ]
        if reasons is not None:
            own = map(self._of_reasons, *(part.tolist() for part in reasons[:3]))
            texts = [text + more for text, more in zip(texts, own, strict=True)]
        return texts, int(confidence.sum())

    def _of_reasons(self, columns: list[int], units: list[int], error: int) -> bytes:
        shares = self._shares
        texts = [
            self._nothing if column == NO_REASON else self._names[column] + shares[unit]
            for column, unit in zip(columns, units, strict=True)
        ]
        return b"".join([*texts, shares[error]] if self._with_error else texts)

    def _of_labels(self, entries: npt.NDArray[np.int64]) -> list[bytes]:
        if entries.max(initial=0) >= len(self._pool):
            return [self._make(entry) for entry in entries.tolist()]
        made = self._made[entries]
        if not made.all():
            # np.unique would import numpy.ma, a large module.
            new = list(set(entries[~made].tolist()))
            self._pool[new] = list(map(self._make, new))
            self._made[new] = True
        texts: list[bytes] = self._pool[entries].tolist()
        return texts

    def _make(self, entry: int) -> bytes:
        label, unit = divmod(entry, UNITS + 1)
        return self._labels[label] + self._shares[unit]


class _Sets(dict[bytes, bytes]):
    """Texts of label sets by their bits, created on first use."""

    def __init__(
        self, classes: tuple[str, ...], delimiter: str, guard: FormulaGuard | None
    ) -> None:
        super().__init__()
        self._classes, self._delimiter, self._guard = classes, delimiter, guard

    def __missing__(self, bits: bytes) -> bytes:
        inside = np.unpackbits(np.frombuffer(bits, np.uint8), count=len(self._classes))
        text = SET_SEPARATOR.join(self._classes[c] for c in np.flatnonzero(inside))
        if self._guard:
            text = self._guard.text(text)
        self[bits] = (self._delimiter + quoted(text, self._delimiter)).encode()
        return self[bits]


class _Shares(dict[int, bytes]):
    """Texts of probabilities by units, created on first use, as a short file needs few."""

    def __init__(self, delimiter: str, decimal: str) -> None:
        super().__init__()
        self._delimiter, self._decimal = delimiter, decimal

    def __missing__(self, unit: int) -> bytes:
        text = f"{unit / UNITS:.4f}".replace(".", self._decimal)
        self[unit] = (self._delimiter + quoted(text, self._delimiter)).encode()
        return self[unit]
