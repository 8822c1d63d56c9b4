"""A moving picture of a terminal, made of the first commands of the start page.

    python -m docs.extensions.terminal_picture

writes ``docs/images/first_minute.svg``. It is one SVG file without a script: style alone moves it,
and whoever has asked for less motion sees the last moment.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from html import escape
from pathlib import Path

from docs.extensions.executed_page import blocks

__all__ = ["main", "picture", "scenes"]

FOLDER = Path(__file__).resolve().parents[1]
PAGE = FOLDER / "start/first-pipeline.md"
PICTURE = FOLDER / "images/first_minute.svg"
COLUMNS = 104
# Pixels: of a cell of the terminal, and around all of them.
WIDE, HIGH, EDGE = 7.8, 18, 16
# Seconds: for a typed letter, between two lines, after a scene, and at the end of all.
LETTER, LINE, PAUSE, END = 0.06, 0.12, 1.2, 8.0
# A retraining takes some seconds; waiting for them would tell nothing.
WORK = 1.0
EMPHASIS = (
    (re.compile(r"winner\s*$"), "won"),
    (re.compile(r"^Version \d+ is promoted"), "won"),
    (re.compile(r"^\S+, version \d+: \d+ of \d+ rows scored"), "won"),
    (re.compile(r"^On \d+ held-out rows"), "figure"),
)


def scenes() -> list[tuple[str, list[str]]]:
    """Return the two commands of ``make run``, each with the lines that it prints."""
    printed = (blocks(PAGE.read_text("utf-8"))[0].shown or "").splitlines()
    second = next(n for n, line in enumerate(printed) if "rows scored" in line)
    return [
        ("ffn retrain iris", printed[:second]),
        ("ffn score iris data/iris/inbox/new_flowers.csv", printed[second:]),
    ]


def _folded(line: str) -> list[str]:
    return textwrap.wrap(line, COLUMNS, subsequent_indent="  ") or [""]


def _timed() -> Iterator[tuple[float, str, str]]:
    """Yield when each line of the screen appears, its kind, and its text."""
    at = 0.5
    for command, printed in scenes():
        yield at, "prompt", command
        at += LETTER * len(command) + WORK
        for line in printed:
            kind = next((kind for found, kind in EMPHASIS if found.search(line)), "plain")
            for part in _folded(line):
                yield at, kind, part
            at += LINE
        at += PAUSE
    yield at, "prompt", ""


def picture() -> str:
    """Return the picture as SVG."""
    lines = list(_timed())
    total = lines[-1][0] + END
    width = round(COLUMNS * WIDE + 2 * EDGE)
    height = len(lines) * HIGH + 2 * EDGE
    style = [
        "text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono',"
        " monospace; fill: #d5dae1; white-space: pre }",
        ".won { fill: #7ee2a8; font-weight: bold } .figure { fill: #ffffff }",
        ".prompt { fill: #8ab4f8 }",
        "@media (prefers-reduced-motion: reduce) { text, .curtain { animation: none !important } }",
    ]
    body = []
    for row, (at, kind, text) in enumerate(lines):
        share = 100 * at / total
        style.append(
            f"@keyframes l{row} {{ 0%, {share:.3f}% {{ opacity: 0 }} "
            f"{share + 0.001:.3f}%, 100% {{ opacity: 1 }} }} "
            f"#r{row} {{ animation: l{row} {total:.2f}s step-end infinite }}"
        )
        y = EDGE + HIGH * row + 13
        if kind != "prompt":
            body.append(_line(row, kind, text, y))
            continue
        body.append(_line(row, "prompt", "$", y))
        if text:
            # A curtain in the colour of the screen moves off the letters one by one.
            end = share + 100 * LETTER * len(text) / total
            style.append(
                f"@keyframes t{row} {{ 0%, {share:.3f}% {{ transform: translateX("
                f"-{len(text) * WIDE:.1f}px) }} {end:.3f}%, 100% {{ transform: none }} }} "
                f"#c{row} {{ animation: t{row} {total:.2f}s steps({len(text)}) infinite }}"
            )
            body.append(_typed(row, text, y))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img">',
            "<title>ffn retrain iris, then ffn score: what a first minute looks like</title>",
            "<style>",
            *style,
            "</style>",
            f'<clipPath id="screen"><rect width="{width}" height="{height}" rx="8"/></clipPath>',
            f'<g clip-path="url(#screen)"><rect width="{width}" height="{height}" fill="#1b1f27"/>',
            *body,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _line(row: int, kind: str, text: str, y: int) -> str:
    # The width is given, so that columns stay columns in whatever font there is.
    length = f' textLength="{len(text) * WIDE:.1f}"' if len(text) > 1 else ""
    return f'<text id="r{row}" class="{kind}" x="{EDGE}" y="{y}"{length}>{escape(text)}</text>'


def _typed(row: int, text: str, y: int) -> str:
    x, wide = EDGE + 2 * WIDE, len(text) * WIDE
    return (
        f'<text x="{x:.1f}" y="{y}" textLength="{wide:.1f}">{escape(text)}</text>'
        f'<rect class="curtain" id="c{row}" x="{x + wide:.1f}" y="{y - 13}" width="{wide:.1f}" '
        f'height="{HIGH}" fill="#1b1f27"/>'
    )


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(picture(), "utf-8")


if __name__ == "__main__":
    main()
