"""Write the report of a backtest: a page, its picture, and the figures as JSON."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ffn.backtesting.backtest_picture import backtest_picture
from ffn.backtesting.backtest_result import Backtest, backtest_lines
from ffn.backtesting.backtest_text import period_rows, schedule_rows
from ffn.errors import one_line
from ffn.extras import is_installed
from ffn.quantities import NOTHING, counted, difference
from ffn.reports.markup.escaping import escape
from ffn.reports.markup.html_page import render_page
from ffn.reports.markup.tables import bullets, table
from ffn.reports.retraining_page import upper, without_pictures
from ffn.settings.pipeline import Pipeline
from ffn.storage.atomic import atomic_files, sweep
from ffn.storage.documents import canonical_json

__all__ = ["backtest_folder", "backtest_markdown", "write_backtest"]

_PAGE, _TEXT, _PICTURE, _FIGURES = "report.html", "report.md", "backtest.png", "backtest.json"


def backtest_folder(pipeline: Pipeline) -> Path:
    """Return the folder of a pipeline's backtest, in its artifacts."""
    return pipeline.artifacts / "backtest"


def write_backtest(found: Backtest, folder: Path) -> Backtest:
    """Write page, picture and figures, all of them or none, and return the result with their paths.

    Where matplotlib is not installed there is no picture, and the page says so.

    Parameters
    ----------
    found
        The result.
    folder
        Where to write; what an earlier backtest wrote there is replaced.
    """
    drawn = is_installed("report")
    pictures = {"picture": _PICTURE} if drawn else {}
    names = {"report": _PAGE, "text": _TEXT, **pictures, "figures": _FIGURES}
    found = replace(found, report={name: folder / file for name, file in names.items()})
    png = {"picture": backtest_picture(found)} if drawn else {}
    markdown = backtest_markdown(found, drawn=drawn)
    shown = {_PICTURE: png["picture"]} if drawn else {}
    page = render_page(f"{found.pipeline}: backtest", markdown, shown)
    contents = {
        **png,
        "text": markdown.encode(),
        "figures": canonical_json(_figures(found)),
        "report": page.encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    with atomic_files(*(found.report[name] for name in contents)) as files:
        for file, content in zip(files, contents.values(), strict=True):
            file.write(content)
    return found


def backtest_markdown(found: Backtest, *, drawn: bool = True) -> str:
    """Return the report in Markdown, with the picture under the name of its file.

    Parameters
    ----------
    found
        The result.
    drawn
        Whether there is a picture, as by default; without one the report says why.
    """
    name, time = escape(found.pipeline), escape(found.time)
    window = f", each training on the last {found.window}" if found.window else ""
    first, *others = backtest_lines(found)
    parts = [
        f"# Backtest of {name}",
        escape(first),
        f"{counted(found.rows, 'row')} in order of {time}; the first model was made at "
        f"{escape(found.origin)}{window}. At each step the pipeline was retrained on the rows "
        "whose labels were known, the gate judged the result against the model in production "
        "then, and the rows of the next period judged them all.",
        bullets([escape(line) for line in others]),
        f"![Promised and realised figures by period]({_PICTURE})"
        if drawn
        else f"{upper(without_pictures())}.",
        "## Schedules",
        table(_escaped(schedule_rows(found))),
    ]
    if len(found.comparisons) > 1:
        parts += [
            "## All pairs of schedules",
            table(
                [
                    {
                        "first less second": f"{one.first} less {one.second}",
                        "log-loss": difference(one.log_loss),
                        "accuracy": difference(one.accuracy),
                        "shown to be better": one.better or NOTHING,
                    }
                    for one in found.comparisons
                ]
            ),
        ]
    for what, figure in (("log-loss", "log_loss"), ("accuracy", "accuracy")):
        parts += [
            f"## Periods of {escape(found.every)}: {what}",
            table(_escaped(period_rows(found, figure))),
        ]
    parts += [
        "*Promised* is the figure of the model in production on its held-out rows, *later period* "
        "what it foretold of one, *within* whether the realised figure was inside either.",
        "## What the gate said",
        bullets(
            [
                f"{escape(text)}, {escape(name)}: "
                f"{'promoted' if one.promoted else 'kept back'}, {escape(one_line(one.reason))}"
                for text, step in found.steps
                for name, one in step.decisions.items()
            ]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _figures(found: Backtest) -> dict[str, Any]:
    """Return the figures alone, which are the same whenever and wherever they are computed."""
    return {
        key: value for key, value in found.to_json().items() if key not in ("seconds", "report")
    }


def _escaped(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{escape(key): escape(value) for key, value in row.items()} for row in rows]
