"""Write CSV records."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["quoted", "write_record"]


def quoted(cell: str, delimiter: str = ",") -> str:
    """Return ``cell`` as a CSV field, quoted only if necessary with this ``delimiter``."""
    if any(character in cell for character in (delimiter, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def write_record(cells: Iterable[object], delimiter: str = ",") -> str:
    """Return ``cells`` as one CSV record with this ``delimiter``, without a line end."""
    return delimiter.join(quoted(str(cell), delimiter) for cell in cells)
