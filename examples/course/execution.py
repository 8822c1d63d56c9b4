"""Runs the blocks of a chapter and catches what they print."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import numpy as np

from examples.course.page import Chapter
from ffn.nn import reference

__all__ = ["Run", "run_chapter", "unstable_lines"]


class Run:
    """What the blocks of a chapter printed, and the names they left behind.

    Attributes
    ----------
    printed
        Of each block of code, in their order.
    names
        What the blocks defined; pictures are drawn from it.
    """

    def __init__(self, printed: list[str], names: dict[str, Any]) -> None:
        self.printed = printed
        self.names = names


def run_chapter(chapter: Chapter) -> Run:
    """Run all blocks of code of a chapter, one after another, in one namespace.

    Parameters
    ----------
    chapter
        Its code is trusted: it is a part of the repository.

    Raises
    ------
    Exception
        Whatever a block raises. A warning counts as an error.
    """
    names: dict[str, Any] = {"__name__": chapter.name}
    printed = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number, code in enumerate(chapter.code, 1):
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                exec(compile(code, f"{chapter.name}, block {number}", "exec"), names)  # noqa: S102
            printed.append(said.getvalue())
    return Run(printed, names)


def unstable_lines(chapter: Chapter, printed: list[str]) -> list[str]:
    """Return what a chapter prints that depends on the last bits of what a network computes.

    Another processor rounds otherwise. Where training amplifies that, as at rates far too high, a
    page should print fewer digits. Stacks of ``ffn.nn`` are not varied.

    Parameters
    ----------
    chapter
        The page.
    printed
        What its blocks print as they are.
    """
    exact, random = reference.forward, np.random.default_rng(0)

    def rounded_otherwise(parameters: list[reference.Array], x: reference.Array) -> Any:
        first, *others = exact(parameters, x)
        return [first, *(a * (1 + 2e-16 * random.integers(-1, 2, a.shape)) for a in others)]

    try:
        reference.forward = rounded_otherwise
        varied = run_chapter(chapter).printed
    finally:
        reference.forward = exact
    pairs = zip("".join(printed).splitlines(), "".join(varied).splitlines(), strict=True)
    return [
        f"docs/learn/{chapter.name}: another rounding prints {other!r} for {line!r}"
        for line, other in pairs
        if line != other
    ]
