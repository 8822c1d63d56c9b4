"""The report of a retraining on disk, and its text for the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ffn.files import atomic_files, sweep
from ffn.models.evaluation import Evaluation
from ffn.models.pipeline import Pipeline
from ffn.models.retraining import Prepared, Refitted
from ffn.models.selection import Candidate, Selection
from ffn.models.serialisation import Version
from ffn.reports.confusion import confusion_matrix
from ffn.reports.curves import learning_curves
from ffn.reports.html import data_uri, render_page
from ffn.reports.markdown import retrain_markdown

__all__ = ["Report", "write_report"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report that was written.

    Attributes
    ----------
    folder
        ``artifacts/<pipeline>/reports/<NNNN>``.
    curves, confusion
        PNG files in it.
    html
        The whole report as one page, readable offline.
    markdown
        The same for a dashboard, the pictures inside as data URIs.
    """

    folder: Path
    curves: Path
    confusion: Path
    html: Path
    markdown: str


def write_report(
    pipeline: Pipeline,
    prepared: Prepared,
    candidates: Sequence[Candidate],
    selection: Selection,
    refitted: Refitted,
    evaluation: Evaluation,
    version: Version,
) -> Report:
    """Draw the pictures and write them with the page, all three or none."""
    folder = pipeline.artifacts / "reports" / f"{version.number:04d}"
    curves = folder / "learning_curves.png"
    confusion = folder / "confusion_matrix.png"
    page = folder / "report.html"
    pictures = {
        "curves": learning_curves(candidates, selection.winner),
        "confusion": confusion_matrix(evaluation),
    }
    text = partial(
        retrain_markdown,
        pipeline=pipeline,
        version=version,
        prepared=prepared,
        candidates=candidates,
        selection=selection,
        refitted=refitted,
        evaluation=evaluation,
        files={
            "figures": version.bundle.parent / "metrics.json",
            "where it comes from": version.bundle.parent / "provenance.json",
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
    with atomic_files(curves, confusion, page) as (curves_file, confusion_file, page_file):
        curves_file.write(pictures["curves"])
        confusion_file.write(pictures["confusion"])
        page_file.write(html.encode())
    return Report(
        folder=folder,
        curves=curves,
        confusion=confusion,
        html=page,
        markdown=text(pictures={name: data_uri(png) for name, png in pictures.items()}),
    )
