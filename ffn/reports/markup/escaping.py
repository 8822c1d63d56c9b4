"""Escaping of text from outside for Markdown and HTML: it is shown, never interpreted."""

from __future__ import annotations

import re

from ffn.errors import one_line

__all__ = ["escape"]

# References like "&#42;" and not backslashes: CommonMark gives them no structural meaning, they
# hold in table cells, and they are safe where Markdown lets HTML through. As few as possible,
# because a dashboard may show a table's cells as plain text: an ordinary file or class name
# ("new_flowers.csv", "Iris-setosa") has none.
_STRUCTURAL = re.compile(
    r"""
    [\\`*{}\[\]<>|!&~^$=#"'@]       # emphasis, code, links, HTML, tables, formulas, mail addresses
    | (?<![0-9A-Za-z])_             # emphasis, unless inside a word
    | _(?![0-9A-Za-z])
    | :(?=//) | (?<=www)\.          # addresses that turn into links by themselves
    | ^\s | \s$                     # indentation, line break
    | ^[-+](?=[\s-]|$)              # bullet, rule
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def escape(text: object) -> str:
    r"""Return ``text`` escaped so that Markdown and HTML show exactly this text, on one line.

    Control characters, bidirectional characters and line breaks are shown as Python writes them
    (``\n``).

    Parameters
    ----------
    text
        Converted with `str`; paths and numbers are accepted, too.
    """
    line = one_line(text)
    marked = _STRUCTURAL.sub(lambda match: f"&#{ord(match[0])};", line)
    return _NUMBERED.sub(lambda match: f"{match[1]}&#{ord(match[2])};", marked)
