"""A view as lines of characters: readable without colour, in 80 columns."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ffn.errors import one_line
from ffn.quantities import NOTHING
from ffn.watching.class_map import ClassMap
from ffn.watching.observation import LayerFigures
from ffn.watching.view import TrainingView, View

__all__ = ["Line", "curve_lines", "map_lines", "marks_of", "page_lines", "plain_text"]

Line = list[tuple[str, str]]
"""Pieces of a line: each a text and the name of its style, empty for none."""

# Okabe and Ito 2008: told apart by most people with a colour deficiency.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_LETTERS = "abcdefghijklmnopqrstuvwxy"
_OTHERS = "z"
# Below this probability of the likeliest class the map shows no class.
_SURE = 0.6
_MOST_LAYERS = 3
_LONGEST_NAME = 20
_MOST_CLASSES_NAMED = 8
_CURVE_WIDTH = 34
# Losses that a curve can still be told by: those of the lab in docs/learn.
_LEAST_LOSS = 1e-4
# Losses below it have too few digits in four decimals.
_LEAST_DECIMAL = 1e-3


def page_lines(view: View, width: int = 80) -> list[Line]:
    """Return the page: a table of the trainings, map and curves side by side, notes.

    Parameters
    ----------
    view
        What to show.
    width
        Number of columns, at least 60; by default those of a terminal as it opens.
    """
    marks = marks_of([one.label for one in view.trainings])
    page: list[Line] = [[(one_line(view.title)[:width], "bold")], []]
    page += _table(view.trainings, marks, width)
    page.append([])
    curves = curve_lines(view.trainings, marks, _CURVE_WIDTH, 14)
    if view.map is None:
        page += curves
    else:
        drawn = map_lines(view.map)
        heading = f"answers of {view.shown}"
        left: list[Line] = [[(f"{heading:<{view.map.answers.shape[1]}}", "")], *drawn]
        right: list[Line] = [[(_which_losses(view.trainings), "")], *curves]
        page += _side_by_side(left, right, view.map.answers.shape[1] + 2)
        page.append([])
        page += _legend(view.classes, width)
    for note in view.notes:
        page += [[(line, "")] for line in textwrap.wrap(f"{one_line(note)}.", width)]
    return page


def plain_text(lines: Iterable[Line]) -> str:
    """Return ``lines`` without styles, each ended by a newline."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def marks_of(labels: Sequence[str]) -> dict[str, str]:
    """Return a letter for each label: the first of its own that no label before it has.

    Parameters
    ----------
    labels
        Names of the trainings.
    """
    marks: dict[str, str] = {}
    for label in labels:
        own = (letter for letter in (*label, *_LETTERS) if letter.isalpha())
        marks[label] = next((one for one in own if one not in marks.values()), "?")
    return marks


def map_lines(found: ClassMap) -> list[Line]:
    """Return the map: a small letter for each answer, a capital where there are rows.

    A dot stands where no answer has a probability of 0.6, a question mark where its scores are not
    finite.

    Parameters
    ----------
    found
        Answers, confidence and rows.
    """
    lines = []
    for answers, confidence, rows in zip(
        found.answers.tolist(), found.confidence.tolist(), found.rows.tolist(), strict=True
    ):
        line: Line = []
        for answer, sure, row in zip(answers, confidence, rows, strict=True):
            if row >= 0:
                line.append((_letter(row).upper(), f"bold {_colour(row)}"))
            elif answer < 0:
                line.append(("?", ""))
            else:
                line.append((_letter(answer) if sure >= _SURE else ".", _colour(answer)))
        lines.append(line)
    return lines


def curve_lines(
    trainings: Sequence[TrainingView], marks: dict[str, str], width: int, height: int
) -> list[Line]:
    """Return loss by epoch, one letter for each training, on a logarithmic scale.

    The epochs are those done so far. Losses are those on validation rows, where there are any.
    Where curves meet, the first training is seen.

    Parameters
    ----------
    trainings
        With their curves.
    marks
        Letter of each training.
    width, height
        Of the plot, without the scale on its left and below.
    """
    curves = [_judged(one) for one in trainings]
    losses = np.array([loss for _, curve in curves for loss in curve])
    losses = losses[np.isfinite(losses)]
    if not len(losses):
        return [[("no loss yet", "")]]
    low, high = np.log10(np.clip([losses.min(), losses.max()], _LEAST_LOSS, None))
    if high - low < 0.1:
        low, high = low - 0.05, high + 0.05
    epochs = max(number for numbers, _ in curves for number in numbers)
    cells = [[(" ", "")] * width for _ in range(height)]
    for number in reversed(range(len(trainings))):
        style = _colour(number)
        for epoch, loss in zip(*curves[number], strict=True):
            if math.isfinite(loss):
                column = min(width - 1, int((epoch - 0.5) / epochs * width))
                level = (high - math.log10(max(loss, _LEAST_LOSS))) / (high - low)
                line = min(height - 1, int(level * height))
                cells[line][column] = (marks[trainings[number].label], style)
    lines: list[Line] = []
    for number, line_cells in enumerate(cells):
        at = number / (height - 1)
        shown = number in (0, height // 2, height - 1)
        label = f"{10 ** (high + at * (low - high)):.3g}" if shown else ""
        lines.append([(f"{label:>7} |", ""), *line_cells])
    last = f"{epochs:,}"
    lines.append([(f"{'':>7} +{'-' * width}", "")])
    lines.append([(f"{'':>9}1{last:>{width - 1}}", "")])
    return lines


def _judged(one: TrainingView) -> tuple[list[int], list[float]]:
    """Return epochs and losses of the curve that is drawn."""
    curve = one.curve
    losses = curve.train if np.isnan(curve.validation).all() else curve.validation
    return curve.epochs.tolist(), losses.tolist()


def _which_losses(trainings: Sequence[TrainingView]) -> str:
    validated = {not np.isnan(one.curve.validation).all() for one in trainings}
    if validated == {True, False}:
        return "loss by epoch: validation, else training"
    return f"{'validation' if validated == {True} else 'training'} loss by epoch"


def _table(trainings: Sequence[TrainingView], marks: dict[str, str], width: int) -> list[Line]:
    """Return the table, with less space and fewer layers where it would be too wide."""
    heading = ("  training", "rate", "epoch", "loss", "valid.", "gradient by layer", "dead units")
    lines: list[tuple[str, str]] = []
    for gap, most in ((2, _MOST_LAYERS), (1, _MOST_LAYERS), (1, 2), (1, 1)):
        rows = [
            (
                f"{marks[one.label]} {one_line(one.label)}",
                NOTHING if math.isnan(one.rate) else f"{one.rate:g}",
                f"{one.epoch:,}/{one.epochs:,}",
                _loss(one.train),
                _loss(one.validation),
                _layers(one.layers, _gradient, most),
                _layers(one.layers[:-1], _dead, most),
            )
            for one in trainings
        ]
        widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
        lines = [_row(cells, widths, " " * gap) for cells in (heading, *rows)]
        if max(len(first + others) for first, others in lines) <= width:
            break
    styles = ["", *(f"bold {_colour(number)}" for number in range(len(trainings)))]
    return [
        [(first, style), (others[: width - len(first)], "")]
        for (first, others), style in zip(lines, styles, strict=True)
    ]


def _row(cells: Sequence[str], widths: Sequence[int], gap: str) -> tuple[str, str]:
    """Return the first cell and the others of a row; numbers are aligned on the right."""
    first, *others = [
        f"{cell:<{width}}" if number in (0, 5, 6) else f"{cell:>{width}}"
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return first, gap + gap.join(others)


def _layers(layers: Sequence[LayerFigures], text: Callable[[LayerFigures], str], most: int) -> str:
    """Return the figures of so many layers, or of the first and the last."""
    shown = [text(one) for one in layers]
    if len(shown) > most:
        shown = [f"{shown[0]} … {shown[-1]}" if most == _MOST_LAYERS else f"{shown[0]}…{shown[-1]}"]
    return " ".join(shown) or NOTHING


def _gradient(layer: LayerFigures) -> str:
    return NOTHING if math.isnan(layer.gradient) else f"{layer.gradient:.2g}"


def _dead(layer: LayerFigures) -> str:
    return f"{layer.dead:,}/{layer.units:,}"


def _loss(loss: float) -> str:
    if math.isnan(loss):
        return NOTHING
    return f"{loss:.4f}" if loss >= _LEAST_DECIMAL else f"{loss:.2g}"


def _legend(classes: Sequence[str], width: int) -> list[Line]:
    named = [
        f"{_letter(c)} {one_line(name)[:_LONGEST_NAME]}"
        for c, name in enumerate(classes[:_MOST_CLASSES_NAMED])
    ]
    if len(classes) > _MOST_CLASSES_NAMED:
        named.append(f"and {len(classes) - _MOST_CLASSES_NAMED:,} more")
    text = f"{', '.join(named)}; capitals are rows, a dot is an answer less probable than {_SURE}."
    return [[(line, "")] for line in textwrap.wrap(text, width)]


def _side_by_side(left: list[Line], right: list[Line], width: int) -> list[Line]:
    page = []
    for number in range(max(len(left), len(right))):
        one = left[number] if number < len(left) else []
        other = right[number] if number < len(right) else []
        gap = width - sum(len(text) for text, _ in one)
        page.append([*one, (" " * max(1, gap), ""), *other])
    return page


def _letter(number: int) -> str:
    return _LETTERS[number] if number < len(_LETTERS) else _OTHERS


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]
