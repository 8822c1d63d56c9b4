"""Write the report of a retraining: an HTML page, PNG pictures, and Markdown for the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ffn.extras import is_installed
from ffn.promotion.register import CARD_FILE, Version
from ffn.reports.markup.html_page import data_uri, render_page
from ffn.reports.pictures.confusion_matrix import confusion_matrix
from ffn.reports.pictures.coverage_accuracy import coverage_accuracy
from ffn.reports.pictures.feature_importance import feature_importance
from ffn.reports.pictures.learning_curves import DRAWN_CURVES, learning_curves
from ffn.reports.pictures.loss_by_rate import loss_by_rate
from ffn.reports.pictures.reliability_diagram import reliability
from ffn.reports.pictures.search_losses import search_losses
from ffn.reports.retraining_page import retrain_markdown
from ffn.search.combinations import is_searched
from ffn.storage.atomic import atomic_files, sweep
from ffn.training.retrained import Retrained

__all__ = ["Report", "write_report"]

_FILES = {
    "search": "search.png",
    "rates": "loss_by_rate.png",
    "curves": "learning_curves.png",
    "confusion": "confusion_matrix.png",
    "reliability": "reliability.png",
    "importance": "feature_importance.png",
    "coverage": "coverage_accuracy.png",
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report on disk.

    Attributes
    ----------
    folder
        ``artifacts/<pipeline>/reports/<NNNN>``.
    pictures
        Paths of its PNG files: ``curves``, ``confusion``, ``reliability``, ``importance``,
        ``search`` if combinations of settings were compared, ``rates`` if an optimizer had several
        learning rates to choose from, and ``coverage`` if the
        model has a decision rule. Empty where matplotlib is not installed.
    html
        Path of the report as one self-contained page, readable offline.
    markdown
        The same text for the dashboard, with the pictures embedded as data URIs.
    """

    folder: Path
    pictures: dict[str, Path]
    html: Path
    markdown: str


def write_report(retrained: Retrained, version: Version) -> Report:
    """Draw the pictures, and write them and the HTML page: either all files or none.

    Where matplotlib is not installed the page has no pictures, and says so.

    Parameters
    ----------
    retrained
        Results of all steps of the retraining.
    version
        The version that was written; its number names the folder.
    """
    pipeline = retrained.pipeline
    folder = pipeline.artifacts / "reports" / f"{version.number:04d}"
    page = folder / "report.html"
    pictures = _draw(retrained) if is_installed("report") else {}
    places = {name: folder / _FILES[name] for name in pictures}
    text = partial(
        retrain_markdown,
        retrained,
        version,
        files={
            "model card": version.bundle.parent / CARD_FILE,
            "metrics": version.bundle.parent / "metrics.json",
            "provenance": version.bundle.parent / "provenance.json",
            **({"for notebooks": pipeline.export} if version.verdict.promote else {}),
            "this report": page,
        },
    )
    html = render_page(
        f"{pipeline.name}: version {version.number}",
        text(pictures={name: name for name in pictures}),
        pictures,
    )
    sweep(folder)
    with atomic_files(*places.values(), page) as (*files, page_file):
        for name, file in zip(places, files, strict=True):
            file.write(pictures[name])
        page_file.write(html.encode())
    return Report(
        folder=folder,
        pictures=places,
        html=page,
        markdown=text(pictures={name: data_uri(png) for name, png in pictures.items()}),
    )


def _draw(retrained: Retrained) -> dict[str, bytes]:
    """Return the pictures as PNG, by the name that the page gives them."""
    evaluation, leaderboard = retrained.evaluation, retrained.selection.leaderboard
    # Of a search, as many lines as can be told apart: those of the best candidates.
    searched = is_searched(retrained.pipeline.settings)
    names = {line.optimizer for line in leaderboard[:DRAWN_CURVES]} | {retrained.selection.winner}
    curves = [one for one in retrained.candidates if not searched or one.optimizer in names]
    pictures = {
        "curves": learning_curves(curves, retrained.selection.winner),
        "confusion": confusion_matrix(evaluation),
        "reliability": reliability(evaluation.calibration),
        "importance": feature_importance(retrained.examination.importance),
    }
    if any(len(line.rates) > 1 for line in leaderboard):
        # In the order of the curves, so that a candidate has the same colour in both pictures.
        order = [one.optimizer for one in curves]
        shown = [line for line in leaderboard if line.optimizer in order]
        pictures["rates"] = loss_by_rate(sorted(shown, key=lambda one: order.index(one.optimizer)))
    if searched:
        pictures["search"] = search_losses(leaderboard, retrained.selection.winner)
    if retrained.refitted.decision is not None and evaluation.decision is not None:
        curve = evaluation.decision.curve
        rule = retrained.refitted.bundle.rule
        pictures["coverage"] = coverage_accuracy(curve, rule.abstain_below)
    return pictures
