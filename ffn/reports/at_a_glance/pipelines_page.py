"""The page of all pipelines, as HTML: how each is, what it promises and keeps, where to read on."""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote as in_address

from ffn.errors import FFNError, one_line
from ffn.quantities import counted
from ffn.registry.run_log import RunRecord
from ffn.reports.at_a_glance.health import Colour
from ffn.reports.at_a_glance.quality_sparkline import quality_sparkline
from ffn.reports.at_a_glance.version_pages import KINDS, has_page
from ffn.reports.outcome_page import quality_sentences
from ffn.reports.pictures.canvas import middle_cut
from ffn.reports.status_page import Status, read_status
from ffn.settings.pipeline import find_pipeline, pipeline_names

__all__ = ["Glance", "glance_at", "pipelines_page"]

_LONGEST = 300
_REFUSED_SHOWN = 3
_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A shape and a word for each colour, for those who do not see colours.
_SIGNS: Mapping[Colour, tuple[str, str]] = {
    "red": ("▲", "act"),
    "amber": ("◆", "look"),
    "green": ("●", "fine"),
}
# The policy forbids what the page does not do, should text ever get through as markup.
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta http-equiv="refresh" content="60">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #d8dade; --soft: #f6f7f9; --dim: #5c626b;
  --red: #b3261e; --amber: #8a5a00; --green: #1a6e37; --band: #cfe0f5; --ink: #1f4f8f; }}
@media (prefers-color-scheme: dark) {{ :root {{ --line: #3d4148; --soft: #24272c; --dim: #a2a9b3;
  --red: #ff8a80; --amber: #f0b429; --green: #7bd88f; --band: #2c405c; --ink: #9cc4ff; }} }}
* {{ box-sizing: border-box; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 0 auto;
  padding: 1.2rem 1rem 3rem; overflow-wrap: anywhere; }}
header {{ display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; align-items: baseline; }}
h1 {{ font-size: 1.5rem; margin: 0; }}
header p {{ margin: 0; color: var(--dim); }}
header nav {{ margin-left: auto; }}
main {{ display: grid; gap: 1rem; margin-top: 1.2rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); }}
article {{ border: 1px solid var(--line); border-left: .4rem solid var(--colour);
  border-radius: 6px; padding: .8rem 1rem; background: var(--soft); min-width: 0; }}
.red {{ --colour: var(--red); }} .amber {{ --colour: var(--amber); }}
.green {{ --colour: var(--green); }}
h2 {{ font-size: 1.15rem; margin: 0 0 .3rem; display: flex; gap: .6rem; flex-wrap: wrap; }}
h2 .sign {{ color: var(--colour); font-size: .95rem; align-self: center; }}
ul {{ margin: .3rem 0 .6rem; padding-left: 1.1rem; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .2rem .8rem; margin: .5rem 0;
  font-size: .94rem; }}
dt {{ color: var(--dim); }} dd {{ margin: 0; min-width: 0; }}
.sparkline {{ display: block; width: 100%; max-width: 22rem; height: 3.5rem; margin: .2rem 0; }}
.promised {{ fill: var(--band); }} .promise {{ stroke: var(--ink); stroke-dasharray: 4 3; }}
.range {{ stroke: currentColor; stroke-opacity: .45; }} .week {{ fill: var(--ink); }}
a {{ color: var(--ink); }}
footer {{ margin-top: 1.5rem; color: var(--dim); font-size: .9rem; }}
@media (max-width: 30rem) {{ dl {{ grid-template-columns: 1fr; gap: 0; }}
  dd {{ margin-bottom: .35rem; }} header nav {{ margin-left: 0; }} }}
</style>
</head>
<body>
<header><h1>Pipelines</h1><p>{summary}</p><nav>{links}</nav></header>
<main>
{articles}</main>
<footer><p>▲ red: something does not work, or is shown to be worse than promised. ◆ amber: somebody
should look. ● green: nothing needs attention. In the pictures each dot is a week's realised
accuracy with its interval, the band is the promised interval. The page reads itself again every
minute.</p></footer>
</body>
</html>
"""


@dataclass(frozen=True, kw_only=True)
class Glance:
    """One pipeline on the page.

    Attributes
    ----------
    name
        Of the pipeline.
    status
        What was read of it; None if nothing could be read.
    problem
        Why nothing could be read, in a sentence; empty otherwise.
    pages
        Those of `KINDS` that the version in production has.
    """

    name: str
    status: Status | None
    problem: str = ""
    pages: tuple[str, ...] = ()

    @property
    def colour(self) -> Colour:
        """That of its health; red if it cannot be read."""
        return self.status.health.colour if self.status else "red"


def glance_at(root: Path) -> list[Glance]:
    """Return all pipelines under a root, those that need attention first.

    A pipeline that cannot be read is among them, with the reason.

    Parameters
    ----------
    root
        The folder with ``data/`` and ``artifacts/``.
    """
    order = list(_SIGNS)
    found = [_glance(name, root) for name in pipeline_names(root)]
    return sorted(found, key=lambda one: (order.index(one.colour), one.name))


def _glance(name: str, root: Path) -> Glance:
    try:
        pipeline = find_pipeline(name, root)
        status = read_status(pipeline)
        kinds = [one for one in KINDS if has_page(pipeline.artifacts, status.production, one)]
    except FFNError as error:
        return Glance(name=name, status=None, problem=one_line(error))
    except OSError as error:
        told = f"{error.filename or name}: {error.strerror or error}"
        return Glance(name=name, status=None, problem=one_line(told))
    return Glance(name=name, status=status, pages=tuple(kinds))


def pipelines_page(
    found: Sequence[Glance], at: datetime.datetime, *, here: str, dashboard: str | None
) -> str:
    """Return the page of all pipelines: one file, no scripts, no requests.

    Parameters
    ----------
    found
        The pipelines, in the order in which they are shown.
    at
        When they were read, UTC.
    here
        Address of the page, to which those of reports are added, such as ``/overview``.
    dashboard
        Address of Prefect's dashboard, such as ``""``; None if there is none to link to.
    """
    counts = {colour: sum(one.colour == colour for one in found) for colour in _SIGNS}
    of_each = ", ".join(f"{n:,} {colour}" for colour, n in counts.items() if n)
    told = f"{counted(len(found), 'pipeline')}{f': {of_each}' if of_each else ''}"
    worst = next((_SIGNS[colour][0] for colour, n in counts.items() if n), "")
    link = (
        f'<a href="{html.escape(dashboard)}/dashboard">Prefect</a>' if dashboard is not None else ""
    )
    return _PAGE.format(
        title=html.escape(f"{worst} {told}".strip()),
        summary=html.escape(f"{told}, as of {at:%Y-%m-%d %H:%M} UTC"),
        links=link,
        articles="".join(_article(one, here, dashboard) for one in found)
        or "<p>There is no pipeline yet. Make one with: ffn init</p>\n",
    )


def _article(one: Glance, here: str, dashboard: str | None) -> str:
    sign, word = _SIGNS[one.colour]
    heading = (
        f"<h2>{html.escape(one_line(one.name))} "
        f'<span class="sign">{sign} {one.colour}: {word}</span></h2>'
    )
    body = f"<p>{_shown(one.problem)}</p>" if one.status is None else ""
    if one.status is not None:
        findings = "".join(
            f"<li>{finding.colour}: {_shown(finding.text)}</li>"
            for finding in one.status.health.findings
        )
        body = f"<ul>{findings}</ul>" if findings else ""
        body += quality_sparkline(one.status.quality)
        body += f"<dl>{''.join(_entries(one.status, dashboard))}</dl>"
        body += _links(one, here)
    return f'<article class="{one.colour}">{heading}{body}</article>\n'


def _entries(status: Status, dashboard: str | None) -> Iterator[str]:
    """Yield term and description of each line on a pipeline."""
    yield _entry("production", _shown(status.production_sentence))
    for sentence in quality_sentences(status.quality):
        yield _entry("quality", _shown(sentence))
    for run in status.latest:
        yield _entry(run.what, _run(run, dashboard))
    if status.warning:
        yield _entry("warning", _shown(status.warning))
    if status.too_good:
        yield _entry("warning", _shown(status.too_good))
    if status.unseen:
        yield _entry("unseen rows", _shown(status.unseen))
    yield _entry("inbox", _shown(status.inbox_sentence))
    for name, reason in list(status.inbox.refused.items())[:_REFUSED_SHOWN]:
        yield _entry("refused", f"{_shown(name)}: {_shown(reason)}")
    if status.production is not None:
        yield _entry("drift", _shown(status.drift_sentence))


def _entry(term: str, description: str) -> str:
    return f"<dt>{html.escape(one_line(term))}</dt><dd>{description}</dd>"


def _run(run: RunRecord, dashboard: str | None) -> str:
    when = _shown(f"{run.at[:16].replace('T', ' ')} UTC")
    # The log may have been written by others: nothing but a run's id becomes part of an address.
    if dashboard is not None and _RUN_ID.fullmatch(run.run):
        when = f'<a href="{html.escape(dashboard)}/v2/runs/flow-run/{run.run}">{when}</a>'
    return f"{when}, {_shown(run.outcome)}: {_shown(run.text)}"


def _links(one: Glance, here: str) -> str:
    if one.status is None or one.status.production is None or not one.pages:
        return ""
    at = f"{here}/{in_address(one.name, safe='')}/{one.status.production}"
    names = {"report": "report", "card": "model card"}
    linked = [f'<a href="{html.escape(at)}/{kind}">{names[kind]}</a>' for kind in one.pages]
    return f"<p>Version {one.status.production}: {', '.join(linked)}</p>"


def _shown(text: str) -> str:
    return html.escape(middle_cut(one_line(text), _LONGEST))
