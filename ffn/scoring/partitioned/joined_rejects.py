"""The rejects of all parts in one file, each with the file that it is from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from ffn.scoring.output.work_folder import WorkFolder
from ffn.scoring.partitioned.part_account import PartAccount
from ffn.scoring.rows.row_scorer import REJECTS_HEADER
from ffn.storage.hashed_file import HashedFile
from ffn.tabular.csv.formula_guard import FormulaGuard
from ffn.tabular.csv.reader import Records
from ffn.tabular.csv.writer import write_record

__all__ = ["join_rejects"]

_NAME = "the rejects of an earlier run"


def join_rejects(
    folder: WorkFolder,
    keys: Mapping[str, str],
    accounts: Mapping[str, PartAccount],
    copied: Mapping[str, Mapping[str, Any]],
    earlier: Path,
    guard: FormulaGuard | None,
) -> dict[str, Any]:
    """Write the rejects of all parts into the file ``rejects`` of the work folder.

    Returns its size and digest.

    Parameters
    ----------
    folder
        The work folder.
    keys
        Names in it, by the names of parts.
    accounts
        Parts that were scored in this run, by name.
    copied
        Entries of the parts that stay as they are, by name.
    earlier
        Path of the rejects of those.
    guard
        Protection against formulas; None for none.
    """
    rows = lines = 0
    with contextlib.ExitStack() as stack:
        before = None
        if any(entry["rejected"] for entry in copied.values()):
            before = stack.enter_context(earlier.open("rb"))
        file = HashedFile(stack.enter_context(folder.update("rejects")))
        file.restart()
        joined = _JoinedRejects(file, guard, before)
        for name in sorted({*accounts, *copied}):
            if name in copied:
                joined.keep(copied[name])
                continue
            account = accounts[name]
            joined.append(folder, keys[name], account, rows, lines)
            if account.span is not None:
                rows, lines = rows + account.span.rows, lines + account.span.lines
        file.flush()
        return file.to_json()


class _JoinedRejects:
    """Writer of the rejects of parts, in the order of their names.

    Parameters
    ----------
    file
        The file to write, at its beginning.
    guard
        Protection against formulas; None for none.
    earlier
        Rejects that are published, open at their beginning; None if no part is kept.
    """

    def __init__(
        self, file: HashedFile, guard: FormulaGuard | None, earlier: IO[bytes] | None
    ) -> None:
        self._file, self._guard = file, guard
        self._earlier = _groups(earlier) if earlier else iter(())
        file.write(b"file," + REJECTS_HEADER)

    def append(
        self, folder: WorkFolder, key: str, account: PartAccount, rows: int = 0, lines: int = 0
    ) -> None:
        """Append the rejects of a part that was scored in this run.

        Parameters
        ----------
        folder
            The work folder.
        key
            Name of the part in it.
        account
            The part.
        rows, lines
            Number of rows and lines of the file before the part; none by default.
        """
        if not account.counts["rejected"]:
            return
        name = self._named(account.source["path"])
        with folder.read(f"{key}.rejects") as rejects:
            for row, line, *others in _records(rejects):
                shifted = str(int(line) + lines) if line else line
                self._write((name, str(int(row) + rows), shifted, *others))

    def keep(self, entry: Mapping[str, Any]) -> None:
        """Copy the rejects of a part that is kept, given its ``entry`` in the manifest."""
        if not entry["rejected"]:
            return
        name = self._named(entry["input"]["path"])
        for file, rejects in self._earlier:
            if file == name:
                for cells in rejects:
                    self._write(cells)
                return

    def _named(self, file: str) -> str:
        return self._guard.text(file) if self._guard else file

    def _write(self, cells: Iterable[str]) -> None:
        self._file.write(write_record(cells).encode() + b"\n")


def _records(file: IO[bytes]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each record of a CSV file that this program wrote."""
    records = Records(file, _NAME)
    for block in records:
        yield from zip(*(block.cells(c) for c in range(len(records.header.names))), strict=True)


def _groups(file: IO[bytes]) -> Iterator[tuple[str, Iterator[tuple[str, ...]]]]:
    return groupby(_records(file), key=lambda cells: cells[0])
