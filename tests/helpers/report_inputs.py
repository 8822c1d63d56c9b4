"""Histories, candidates and evaluations as a retraining would make them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import numpy as np
import numpy.typing as npt
from markdown_it import MarkdownIt

from ffn.evaluation.calibration import Calibration, ReliabilityBin
from ffn.evaluation.class_figures import ClassFigures
from ffn.evaluation.inference.differences import Difference
from ffn.evaluation.inference.statistics import Interval
from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.nn import SGD, History
from ffn.promotion.register import Version
from ffn.promotion.verdict import Verdict
from ffn.training.examination import Examination
from ffn.training.rate_search import search_rates
from ffn.training.retrained import Retrained
from ffn.training.selection.candidate import Candidate

FIRST = Verdict(
    promote=True,
    reason="no version was in production",
    mode="not_worse",
    production=None,
    floors=(),
    calibration_error=0.05,
    columns={},
)
FIGURES = ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")
OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")


@dataclass(frozen=True, kw_only=True)
class Reported(Retrained):
    """A retraining, and the version that it became."""

    version: Version


def random_history(epochs: int, networks: int, seed: int, noise: float = 0.3) -> History:
    """Return a history that falls (loss) and rises (accuracy) with noise."""
    generator = np.random.default_rng(seed)
    history = History.empty(epochs, networks)
    progress = np.linspace(0, 1 + seed % 4, epochs)[:, None]
    for name in FIGURES:
        blur = generator.normal(0, noise, (epochs, networks))
        if name.endswith("loss"):
            getattr(history, name)[:] = np.exp(0.3 - 1.2 * progress + blur)
        else:
            getattr(history, name)[:] = 1 - 0.6 * np.exp(-progress) * np.exp(-np.abs(blur))
    history.best_epoch[:] = epochs - 1
    return history


def stop(history: History, network: int, epochs: int, reason: str | None = None) -> None:
    """Let a network have trained for ``epochs`` alone; with a reason, it diverged."""
    for name in FIGURES:
        getattr(history, name)[epochs:, network] = np.nan
    history.diverged[network] = reason
    if reason:
        history.best_epoch[network] = -1


def candidate(name: str, history: History) -> Candidate:
    """Return a candidate with this history."""
    return Candidate(
        optimizer=name,
        hyperparameters=SGD(learning_rate=0.005),
        search=search_rates((0.005,), history.at_best("validation_loss")[None], 0.25),
        history=history,
        final=history,
        validation_to_train=0.25,
        seconds=1.5,
    )


def four_candidates(epochs: int, networks: int, noise: float = 0.3) -> list[Candidate]:
    """Return one candidate for each optimizer."""
    return [
        candidate(name, random_history(epochs, networks, seed, noise))
        for seed, name in enumerate(OPTIMIZERS)
    ]


def evaluation_of(confusion: npt.ArrayLike, names: Sequence[str]) -> HeldOutEvaluation:
    """Return an evaluation with these counts; its intervals are the widest there are."""
    counts = np.array(confusion)
    unknown = Interval(0.5, 0.0, 1.0)
    return HeldOutEvaluation(
        rows=int(counts.sum()),
        correct=int(np.trace(counts)),
        accuracy=unknown,
        macro_f1=unknown,
        log_loss=unknown,
        brier=unknown,
        calibration=Calibration(
            error=0.1,
            expected=0.1,
            limit=0.2,
            bins=(ReliabilityBin(low=0.5, high=0.6, rows=1, confidence=0.55, accuracy=unknown),),
        ),
        classes=tuple(
            ClassFigures(name=name, rows=int(row.sum()), recall=unknown, precision=unknown)
            for name, row in zip(names, counts, strict=True)
        ),
        confusions=tuple((a, b, int(counts[a, b])) for a, b in np.argwhere(counts).tolist()),
        usual=0,
    )


def undecided(examination: Examination) -> Examination:
    """Return an examination in which no difference to any baseline is shown."""
    unknown = Interval(0.0, -0.5, 0.5)
    none = Difference(accuracy=unknown, log_loss=unknown)
    baselines = (dataclasses.replace(b, difference=none) for b in examination.baselines)
    return dataclasses.replace(examination, baselines=tuple(baselines))


class Page(HTMLParser):
    """Tags with their attributes, and the text between, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.cells: list[list[str]] = []
        self._cell = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.cells.append([])
        if tag in {"td", "th"}:
            self.cells[-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._cell:
            self.cells[-1][-1] += data

    def handle_comment(self, data: str) -> None:
        self.tags.append(("<!--", {}))

    def handle_pi(self, data: str) -> None:
        self.tags.append(("<?", {}))

    def unknown_decl(self, data: str) -> None:
        self.tags.append(("<![", {}))

    def names(self) -> list[str]:
        return [name for name, _ in self.tags]


def render(markdown: str, **options: Any) -> Page:
    """Return Markdown as the most permissive reader shows it: HTML let through, all extensions."""
    parser = MarkdownIt("commonmark", {"html": True, **options})
    return Page(parser.enable(["table", "strikethrough"]).render(markdown))
