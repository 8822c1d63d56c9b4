"""The list of decision records, by their own titles."""

from __future__ import annotations

from pathlib import Path

__all__ = ["decisions_page"]

FOLDER = Path(__file__).resolve().parents[1] / "decisions"


def decisions_page() -> str:
    """Return a list of links to the records, in their order."""
    titles = {
        path.name: path.read_text("utf-8").splitlines()[0].removeprefix("# ")
        for path in sorted(FOLDER.glob("[0-9]*.md"))
    }
    return "\n".join(f"- [{title}](../decisions/{name})" for name, title in titles.items())
