"""TableConversion of a training CSV to the files of a `Dataset`, a block at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError
from ffn.storage.cache import require_space
from ffn.storage.documents import canonical_json
from ffn.storage.npy import ArrayFile
from ffn.storage.source import Source
from ffn.tabular.cell_forms import CellForm, cell_form
from ffn.tabular.columns.inference import check_numbers, kind_of, refuse_second_header
from ffn.tabular.columns.parsers import CategoryColumn, NumberColumns
from ffn.tabular.csv.header import first_difference
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.reader import Records
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.column_checks import check_categories, check_values
from ffn.tabular.ingestion.column_roles import roles_of_columns
from ffn.tabular.ingestion.counted_rows import CountedBlock, CountedRows
from ffn.tabular.ingestion.derived_files import (
    number_labels,
    write_fingerprints,
    write_left_out,
)
from ffn.tabular.ingestion.text_table import refusal
from ffn.tabular.ingestion.unnamed_columns import UnnamedColumns
from ffn.tabular.schema import Kind
from ffn.tabular.training_table.column_store import ColumnsFile, rows_of_a_group
from ffn.tabular.training_table.dataset import CODES, LABELS, NUMBERS, TEXTS
from ffn.tabular.weighting.weight_column import WEIGHTS

__all__ = ["DESCRIPTION", "FORMAT", "FileRead", "TableConversion"]

Array = npt.NDArray[Any]

FORMAT = 2
"""Version of the file format; part of the names of cache entries."""
DESCRIPTION = "dataset.json"
"""Name of the file that describes the others."""
# Bytes of a row for its label and fingerprint, of a number, and of a category code.
_ROW_BYTES, _NUMBER_BYTES, _CODE_BYTES = 12, 8, 4
# Numbers that a text is read as, about.
_TEXT_COLUMNS = 32


class FileRead(NamedTuple):
    """A CSV file that is read.

    Attributes
    ----------
    path
        Where it is.
    source
        Its content.
    sha256
        Digest of the content, in hexadecimal digits.
    """

    path: Path
    source: Source
    sha256: str


class TableConversion:
    """TableConversion of a CSV file, and of one of held-out rows, to the files of a `Dataset`.

    Parameters
    ----------
    files
        The table, and after it the file of held-out rows, if there is one.
    choice
        Settings of the table.
    folder
        Where the files are written.
    """

    def __init__(self, files: Sequence[FileRead], choice: Choice, folder: Path) -> None:
        (self.path, self.source, _), *self.more = files
        self.choice, self.folder = choice, folder

    def run(self) -> None:
        """Write all files.

        Raises
        ------
        DataError, SettingsError
            As for `ffn.tabular.ingestion.ingest.read_dataset`.
        """
        # A column with a format is numeric.
        given: dict[str, Kind] = {
            **dict.fromkeys(self.choice.formats, "numeric"),
            **self.choice.kinds,
        }
        guess = dict(given)
        while True:
            self._read(guess)
            kinds = {name: given.get(name) or kind_of(count) for name, count in self.counts.items()}
            if kinds == self.kinds:
                break
            guess = kinds
            for file in self.folder.iterdir():
                file.unlink()
            for source in (self.source, *(other.source for other in self.more)):
                source.rewind()
        self._check()
        group, counted = self.group_rows, self.counted
        self.classes = number_labels(self.folder, counted.label_texts, self.resolved.classes, group)
        own = self.source_left_out
        write_left_out(self.folder, counted.left_out[:own], counted.left_out[own:])
        texts = {name: column.texts for name, column in self.categories.items()}
        features, missing = self.roles.features, self.choice.missing_values
        write_fingerprints(
            self.folder, features, self.numeric, texts, missing, rows=self.rows, group_rows=group
        )
        (self.folder / TEXTS).write_bytes(canonical_json(texts))
        (self.folder / DESCRIPTION).write_bytes(canonical_json(self._description()))

    def _description(self) -> dict[str, Any]:
        return {
            "target": self.choice.target,
            "classes": self.classes,
            "order": self.roles.features,
            "numeric_features": self.numeric,
            "categorical_features": list(self.categories),
            **({"text_features": self.texts} if self.texts else {}),
            "missing_values": self.choice.missing_values,
            "formats": dict(self.choice.formats),
            "notices": self.notices,
            "rows": self.rows,
            "group_rows": self.group_rows,
            "unlabelled": self.resolved.unlabelled,
            **({"time": self.choice.time, "time_kind": self.keys.kind} if self.choice.time else {}),
            **({"group": self.choice.group} if self.choice.group else {}),
            **({"test_rows": self.rows - self.source_rows} if self.more else {}),
            **self.counted.described(),
        }

    def _read(self, guess: Mapping[str, Kind]) -> None:
        """Write numbers, codes and labels, and count what each column holds.

        ``guess`` gives known kinds; others are inferred from the first block.
        """
        choice = self.choice
        records = self._records(self.path, self.source)
        self.roles = roles_of_columns(records.header, choice, self.path)
        self.unnamed = self._unnamed()
        self.keys = self.roles.keys(self.folder)
        self.counted = CountedRows(self.roles, self.path)
        blocks = self.counted.of(self._sound(records, self.path, self.unnamed), self.path.name)
        opening = next(blocks, None)
        if opening is None:
            raise self.counted.none_counts()
        numbers = self._choose_readers(guess, opening.block)
        self.rows = 0
        self._require_space(opening.block)
        with self.keys, ExitStack() as files:
            number_file, code_file = (
                files.enter_context(ColumnsFile(self.folder / file, dtype, n, self.group_rows))
                for file, dtype, n in (
                    (NUMBERS, np.float64, len(self.numeric)),
                    (CODES, np.int32, len(self.categories)),
                )
            )
            label_file = files.enter_context(ArrayFile(self.folder / LABELS, np.int32))
            weight_file = None
            if self.counted.weighted:
                weight_file = files.enter_context(ArrayFile(self.folder / WEIGHTS, np.float64))

            def append(found: CountedBlock, where: str) -> None:
                block = found.block
                number_file.append(numbers.read(block))
                codes = [column.read(block) for column in self.categories.values()]
                code_file.append(np.array(codes, dtype=np.int32).reshape(-1, len(block)))
                label_file.append(found.label_codes)
                self.keys.read(block, where)
                if weight_file and found.weights is not None:
                    weight_file.append(found.weights)
                self.rows += len(block)

            for found in chain([opening], blocks):
                append(found, self.path.name)
            self.source.check_unchanged()
            self.source_rows = self.rows
            self.source_left_out = len(self.counted.left_out)
            self.bad_cells = [(each.first_text, each.first_large) for each in numbers.counts]
            for path, source, _ in self.more:
                self._append_held_out(path, source, append)
        self.counts = dict(zip(self.numeric, numbers.counts, strict=True)) | {
            name: column.count(choice.missing_values) for name, column in self.categories.items()
        }

    def _choose_readers(self, guess: Mapping[str, Kind], first: Block) -> NumberColumns:
        """Decide on the kind of each feature, and return the reader of those that are numeric."""
        choice, roles = self.choice, self.roles
        self.kinds = {
            name: guess.get(name) or self._look(first, roles.positions[name])
            for name in roles.features
        }
        self.numeric = [name for name in roles.features if self.kinds[name] == "numeric"]
        self.categories = {
            name: CategoryColumn(roles.positions[name], choice.decimal)
            for name in roles.features
            if self.kinds[name] != "numeric"
        }
        self.texts = [name for name in roles.features if self.kinds[name] == "text"]
        # The numbers that texts are read as take part in the size of a group.
        self.group_rows = rows_of_a_group(len(roles.features) + _TEXT_COLUMNS * len(self.texts))
        places = [roles.positions[name] for name in self.numeric]
        formats = [self._format(name) for name in self.numeric]
        return NumberColumns(places, choice.missing_values, choice.decimal, formats)

    def _records(self, path: Path, source: Source) -> Records:
        delimiter, encoding = self.choice.delimiter, self.choice.encoding
        return Records(source, str(path), delimiter=delimiter, given_encoding=encoding)

    def _unnamed(self) -> UnnamedColumns:
        return UnnamedColumns(self.roles.names, excluded="" in (self.choice.exclude or ()))

    def _append_held_out(
        self, path: Path, source: Source, append: Callable[[CountedBlock, str], None]
    ) -> None:
        """Read the file of held-out rows, whose columns must be those of the first file."""
        records = self._records(path, source)
        if difference := first_difference(self.roles.names, records.header.names):
            raise DataError(
                f"{path.name} (split.test) must have the same header as {self.path.name}: "
                f"{difference}."
            )
        unnamed = self._unnamed()
        for found in self.counted.of(self._sound(records, path, unnamed), path.name):
            append(found, path.name)
        unnamed.check(path.name)
        source.check_unchanged()
        if self.rows == self.source_rows:
            weighted = " and a weight above 0" if self.counted.weighted else ""
            raise DataError(
                f"{path.name} (split.test): no row has a label{weighted}. Add labelled rows."
            )

    def _sound(self, records: Records, path: Path, unnamed: UnnamedColumns) -> Iterator[Block]:
        for block in records:
            if block.rejects:
                raise refusal(path, block.rejects[0], records)
            unnamed.read(block)
            yield block

    def _format(self, name: str) -> CellForm | None:
        declared = self.choice.formats.get(name)
        return None if declared is None else cell_form(declared)

    def _look(self, block: Block, position: int) -> Kind:
        column = CategoryColumn(position, self.choice.decimal)
        column.read(block)
        return kind_of(column.count(self.choice.missing_values))

    def _require_space(self, first: Block) -> None:
        # Estimated from the first block.
        rows = (self.source.size or 0) * len(first) / self.source.bytes_read
        row = _ROW_BYTES + _NUMBER_BYTES * len(self.numeric) + _CODE_BYTES * len(self.categories)
        require_space(self.folder, round(rows * row), "converting the training table")

    def _check(self) -> None:
        """Refuse columns and labels that cannot be learned from."""
        where, choice = self.path.name, self.choice
        self.notices = self.unnamed.check(where)
        self.resolved = self.counted.resolve()
        self.notices += self.resolved.notices
        refuse_second_header({name: self.counts[name] for name in self.numeric}, self.path)
        for name in self.roles.features:
            count = self.counts[name]
            check_values(name, count, where)
            if self.kinds[name] == "numeric":
                check_numbers(name, count, self._file_of(name), self._format(name), choice.decimal)
            elif name not in choice.kinds:
                notice = check_categories(
                    name,
                    self.categories[name],
                    self.rows,
                    where,
                    missing_values=choice.missing_values,
                    decimal=choice.decimal,
                )
                self.notices += [notice] if notice else []

    def _file_of(self, name: str) -> str:
        """Return the file that holds the first wrong cell of a numeric column."""
        count = self.counts[name]
        bad = count.first_text or count.first_large
        there = self.bad_cells[self.numeric.index(name)]
        return self.path.name if bad in (None, *there) else self.more[0].path.name
