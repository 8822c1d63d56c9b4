"""What all pictures share: PNG bytes that depend on nothing but the drawing, and safe labels.

Figures are made with matplotlib's objects, never with ``pyplot``: no window system, nothing
global, so threads can draw at the same time. matplotlib takes longest to import of all that the
product uses; only drawing does.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ffn.errors import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["default_style", "drawable", "inches", "middle_cut", "to_png"]

# Dots an inch: the first is crisp on a dense screen too, the others are for what would be too
# large, a noisy picture of many lines.
_DENSITIES = (150, 110, 75)
_BYTES = 120_000
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


def to_png(figure: Figure) -> bytes:
    """Return the figure as PNG bytes, without date or software in it.

    Pictures travel inside text to the dashboard, so they are kept below 120 kB where they can:
    by at most 256 colours, which a drawing with few hues does not show, and if that is not
    enough by fewer dots.
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
    # The octree's white is 254, a grey veil on a white page.
    few.putpalette([255 if level == 254 else level for level in few.getpalette() or []])
    file = io.BytesIO()
    few.save(file, format="PNG", dpi=(density, density))
    return file.getvalue()


def middle_cut(text: str, limit: int) -> str:
    """Return ``text`` in at most ``limit`` characters: names often differ at the end alone."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def drawable(texts: Sequence[str], what: str, limit: int) -> list[str]:
    """Return each text on one line and cut, or what it is and its number, from 1 on.

    That stands where the font lacks a letter, and where cuts of several texts would be the same.
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
    """Return how wide a text of this font size is."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return width / 72
