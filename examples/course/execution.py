"""Runs the blocks of a chapter and catches what they print."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

from examples.course.page import Chapter

__all__ = ["Run", "run_chapter"]


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
