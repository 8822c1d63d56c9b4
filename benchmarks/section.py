"""A suite's part of the page, and its place there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Section", "with_section"]


@dataclass(frozen=True, kw_only=True)
class Section:
    """What a suite found.

    Attributes
    ----------
    text
        Markdown.
    pictures
        PNG bytes by file name.
    files
        Other files that keep what was found, by path below the repository.
    """

    text: str
    pictures: dict[str, bytes] = field(default_factory=dict)
    files: dict[Path, bytes] = field(default_factory=dict)


def with_section(page: str, suite: str, text: str) -> str:
    """Return ``page`` with ``text`` between the markers of ``suite``.

    Raises
    ------
    ValueError
        The page does not hold each marker once, in their order.
    """
    begin = f"<!-- {suite}: written by `make benchmark` -->"
    end = f"<!-- end of {suite} -->"
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(end) < page.index(begin):
        raise ValueError(f"the page must hold {begin} and then {end}, once each")
    before, rest = page.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"
