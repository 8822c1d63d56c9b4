"""Shared functions of all pictures: reproducible PNG encoding and safe labels.

Figures use matplotlib's object interface, never ``pyplot``, which needs no window system and has
no global state, so that threads can draw at the same time. matplotlib is imported inside functions
because it takes longer to import than any other dependency.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ffn.errors import one_line
from ffn.nn import OPTIMIZERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "LEGEND_LINE",
    "default_style",
    "drawable",
    "inches",
    "legend_columns",
    "line_style",
    "middle_cut",
    "sentence_cut",
    "to_png",
]

LEGEND_LINE = 0.19
"""Inches between two lines of a legend at ten points."""

# Dots per inch, tried in this order: the first is sharp on high-density screens; the others are
# for noisy pictures of many lines, which would be too large.
_DENSITIES = (150, 110, 75)
_BYTES = 120_000
# Okabe and Ito 2008: distinguishable with every kind of colour blindness, and in grey. Dashes
# keep both curves visible where one covers another, as those of Adam and AdamW do.
_STYLES: tuple[tuple[str, Any], ...] = (
    ("#E69F00", "-"),
    ("#0072B2", "-"),
    ("#009E73", "-"),
    ("#D55E00", (0, (4, 2))),
    ("#CC79A7", (0, (1, 1.5))),
    ("#56B4E9", (0, (6, 2, 1, 2))),
)
# A legend with more characters is split over several lines.
_LEGEND_LETTERS = 90
# What labels may take, in inches, of the width above the panels: the rest are lines and gaps.
_LEGEND_WIDTH = 6.7
# matplotlib's style belongs to the process.
_STYLE = threading.RLock()


@contextlib.contextmanager
def default_style() -> Iterator[None]:
    """Draw in matplotlib's own style while the block runs.

    Otherwise a ``matplotlibrc`` in the current folder or the user's home would decide how a picture
    looks, and with ``text.usetex`` run a program.
    """
    from matplotlib import style

    with _STYLE, style.context("default"):
        yield


def line_style(optimizer: str, number: int) -> tuple[str, Any]:
    """Return the colour and dashes of an optimizer's lines, the same in every picture.

    Parameters
    ----------
    optimizer
        Name of the optimizer.
    number
        Its position among those that are drawn, which decides for a name that is not known.
    """
    if optimizer in OPTIMIZERS:
        number = list(OPTIMIZERS).index(optimizer)
    return _STYLES[number % len(_STYLES)]


def to_png(figure: Figure) -> bytes:
    """Return the figure as PNG bytes that hold no date or software version.

    Pictures are embedded in the text sent to the dashboard, so they are kept below 120 kB where
    possible: by a palette of 256 colours, which is no visible loss in a drawing with few hues, and
    if that is not enough by a lower resolution.

    Parameters
    ----------
    figure
        Its resolution is changed.
    """
    for density in _DENSITIES:
        png = _encode(figure, density)
        if len(png) <= _BYTES:
            break
    return png


def _encode(figure: Figure, density: int) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(density)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    image = Image.fromarray(pixels).convert("RGB")
    few = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    # The octree's white is 254, which looks grey on a white page.
    few.putpalette([255 if level == 254 else level for level in few.getpalette() or []])
    file = io.BytesIO()
    few.save(file, format="PNG", dpi=(density, density))
    return file.getvalue()


def middle_cut(text: str, limit: int) -> str:
    """Return ``text``, cut in the middle if it has more than ``limit`` characters.

    The end is kept because names often differ only there.
    """
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def sentence_cut(text: str, limit: int) -> str:
    """Return ``text``, with whole words left out of its middle if it is longer than ``limit``.

    A message begins with what it is about and ends with what to do. A word that is longer than a
    quarter of the limit, such as a path, is cut.

    Parameters
    ----------
    text
        A sentence or more.
    limit
        Characters at most, at least 8.
    """
    if len(text) <= limit:
        return text
    # Two spaces go around what is left out.
    tail = (limit - 3) // 2
    first, last = text[: limit - 3 - tail], text[len(text) - tail :]
    begin, end = first.rfind(" "), last.find(" ")
    if text[len(first)] != " " and begin >= len(first) - limit // 4:
        first = first[:begin]
    if text[-len(last) - 1] != " " and 0 <= end < limit // 4:
        last = last[end + 1 :]
    return f"{first.rstrip()} … {last.lstrip()}"


def drawable(texts: Sequence[str], what: str, limit: int) -> list[str]:
    """Return labels that the font can draw and that differ from each other.

    A text is put on one line and cut in the middle. Where the font lacks one of its characters, or
    where several cut texts would be the same, its label is ``what`` and its number, from 1.

    Parameters
    ----------
    texts
        Names from outside.
    what
        A noun for one of them, such as ``class``.
    limit
        Length of a label at most, in characters.
    """
    from matplotlib.font_manager import FontProperties, findfont, get_font

    labels = [middle_cut(one_line(text), limit) for text in texts]
    times = Counter(labels)
    known = get_font(findfont(FontProperties())).get_charmap()
    return [
        label
        if times[label] == 1 and all(ord(letter) in known for letter in label)
        else f"{what} {number}"
        for number, label in enumerate(labels, start=1)
    ]


def inches(text: str, size: float) -> float:
    """Return the width of ``text`` in inches at a font size of ``size`` points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return width / 72


def legend_columns(labels: Sequence[str]) -> int:
    """Return how many columns of a legend fit above a picture 8.8 inches wide, at ten points.

    Short labels share one line. Others are in two columns, or below one another where two would
    be too wide.

    Parameters
    ----------
    labels
        At least one.
    """
    if sum(len(label) + 6 for label in labels) <= _LEGEND_LETTERS:
        return len(labels)
    # matplotlib fills the first column first.
    first = (len(labels) + 1) // 2
    columns = (labels[:first], labels[first:])
    width = sum(max((inches(label, 10) for label in column), default=0.0) for column in columns)
    return 2 if width <= _LEGEND_WIDTH else 1
