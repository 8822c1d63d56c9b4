"""The tables of a page in Markdown."""

from __future__ import annotations

import re


def tables(text: str) -> list[list[list[str]]]:
    """The cells of each Markdown table, the heading first, its rule left out."""
    found = []
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        lines = [line.strip("| ").split(" | ") for line in block.splitlines()]
        found.append([lines[0], *lines[2:]])
    return found
