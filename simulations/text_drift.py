"""Columns of texts with and without drift, put before what scoring says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import wilson
from ffn.scoring.drift.drift_report import DriftReport, build_drift_report
from ffn.scoring.rows.drift_counts import DriftCounts
from ffn.settings.drift_settings import DriftSettings
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.text_encoding.text_encoding import TextEncoding
from ffn.tabular.text_encoding.text_fit import learn_texts
from ffn.tabular.text_encoding.text_signals import text_signals
from ffn.tabular.training_table.histograms import Histogram, Reference, histogram_of

__all__ = ["FULL_TEXTS", "KINDS", "QUICK_TEXTS", "TextsSize", "report_on_texts", "texts_section"]

Array = npt.NDArray[Any]
Texts = list[str | None]

_WORDS, _TOPICS, _WIDTH = 400, 4, 16
_SCHEMA = Schema(
    features=(Feature(name="comment", kind="text", missing=True),),
    target="kind",
    classes=("x", "y"),
)


@dataclass(frozen=True)
class TextsSize:
    """How much is simulated: tables, each with its own words, and files of each kind of a table."""

    tables: int = 20
    clean: int = 25
    drifted: int = 2
    rows: tuple[int, ...] = (30, 200)
    training_rows: int = 800
    held_out: int = 200


FULL_TEXTS = TextsSize()
QUICK_TEXTS = TextsSize(tables=2, clean=3, drifted=1, rows=(100,))


class _World:
    """Words, of which each topic has some that it prefers; texts of four to fifteen of them."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        letters = np.array(list("abcdefghijklmnoprstuvw"))
        lengths = generator.integers(3, 10, 2 * _WORDS)
        words = ["".join(generator.choice(letters, n)) for n in lengths]
        self._words = np.array(words[:_WORDS], dtype=object)
        self.others = np.array(words[_WORDS:], dtype=object)
        frequencies = 1 / np.arange(1, _WORDS + 1)
        shares = np.stack(
            [
                frequencies * np.where(generator.random(_WORDS) < 1 / _TOPICS, 8, 1)
                for _ in range(_TOPICS)
            ]
        )
        # Ends below 1, so that every draw lies below a bound.
        self._below = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)[:, :-1]

    def texts(
        self,
        n: int,
        topics: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1),
        longest: int = 15,
        missing: float = 0.02,
        strange: float = 0.0,
    ) -> Texts:
        """Draw texts.

        Parameters
        ----------
        n
            Number of texts.
        topics
            Share of each topic.
        longest
            Words of the longest texts; the shortest have four.
        missing
            Share of rows without a text.
        strange
            Share of texts in words that training has not.
        """
        own, found = self._generator, []
        chosen = own.choice(_TOPICS, n, p=topics)
        words = own.integers(4, longest + 1, n)
        absent, foreign = own.random(n) < missing, own.random(n) < strange
        for row in range(n):
            if absent[row]:
                found.append(None)
                continue
            draws = own.random(words[row])
            if foreign[row]:
                told = self.others[(draws * _WORDS).astype(int)]
            else:
                told = self._words[np.searchsorted(self._below[chosen[row]], draws)]
            found.append(" ".join(told))
        return found


KINDS: dict[str, Callable[[_World, int], Texts]] = {
    "the rarest topic becomes the commonest": lambda w, n: w.texts(n, (0.1, 0.2, 0.3, 0.4)),
    "a single topic": lambda w, n: w.texts(n, (0.0, 0.0, 1.0, 0.0)),
    "a third in unknown words": lambda w, n: w.texts(n, strange=1 / 3),
    "all in unknown words": lambda w, n: w.texts(n, strange=1.0),
    "four or five words": lambda w, n: w.texts(n, longest=5),
    "a third without a text": lambda w, n: w.texts(n, missing=1 / 3),
}
"""What is done to a file, by name."""


def _signals(encoding: TextEncoding, texts: Texts) -> Array:
    components = encoding.components(0, texts)
    inputs = np.empty((sum(encoding.widths()), len(texts)), dtype=np.float32)
    encoding.write_inputs(components.T, inputs)
    return text_signals(encoding, inputs.T)


def report_on_texts(signals: Array, histograms: tuple[Histogram, ...]) -> DriftReport:
    """Return what scoring says of a file whose only column is one of texts.

    Parameters
    ----------
    signals
        Of the rows of the file [n, S].
    histograms
        Of the held-out rows [S].
    """
    reference = Reference(numeric=(), categorical=(), labels=(1, 1), texts=histograms)
    counts = DriftCounts(reference)
    counts.count(signals, np.empty((len(signals), 0), dtype=np.int64))
    settings = DriftSettings()
    return build_drift_report(
        _SCHEMA,
        reference,
        counts,
        (len(signals), 0),
        {},
        threshold=settings.psi,
        min_rows=settings.min_rows,
    )


def texts_section(size: TextsSize) -> str:
    """Return the table of alarms.

    Parameters
    ----------
    size
        How much is simulated.
    """
    kinds: dict[str, Callable[[_World, int], Texts]] = {"": lambda w, n: w.texts(n), **KINDS}
    alarms = {(kind, rows): [0, 0] for kind in kinds for rows in size.rows}
    for table in range(size.tables):
        world = _World(np.random.default_rng([20261128, table]))
        known = {text for text in world.texts(size.training_rows) if text is not None}
        encoding = learn_texts([known], [True], _WIDTH)
        if encoding is None:
            raise RuntimeError("there is a column of texts")
        held_out = _signals(encoding, world.texts(size.held_out))
        histograms = tuple(histogram_of(column) for column in held_out.T)
        for (kind, rows), found in alarms.items():
            for _ in range(size.drifted if kind else size.clean):
                signals = _signals(encoding, kinds[kind](world, rows))
                found[0] += report_on_texts(signals, histograms).detected
                found[1] += 1
    lines = [
        f"Of {size.tables} tables, each with {size.training_rows:,} training and "
        f"{size.held_out:,} held-out rows of texts in words of its own, "
        f"{size.tables * size.clean:,} files without drift, and {size.tables * size.drifted:,} of "
        "each other kind (share of alarms; in brackets 95 % intervals that take files for "
        "independent):",
        "",
        f"| files | {' | '.join(f'{rows:,} rows' for rows in size.rows)} |",
        f"|---|{'---|' * len(size.rows)}",
    ]
    for kind in kinds:
        cells = [_cell(*alarms[kind, rows], clean=not kind) for rows in size.rows]
        lines.append(f"| {kind or 'without drift'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(alarms: int, files: int, *, clean: bool) -> str:
    if not clean:
        return f"{alarms / files:.2f}"
    share = wilson(alarms, files)
    return f"**{share.value:.3f}** [{share.low:.3f}, {share.high:.4f}]"
