"""From a training CSV to the files of a `Dataset`, in one pass."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.files import canonical_json
from ffn.tabular.arrays import ArrayFile
from ffn.tabular.blocks import Block
from ffn.tabular.cache import Cache, require_space
from ffn.tabular.columns import Columns, ColumnsFile, rows_of_a_group
from ffn.tabular.dataset import CODES, FINGERPRINTS, LABELS, NUMBERS, TEXTS, Dataset
from ffn.tabular.features import choose_features
from ffn.tabular.fingerprints import group_fingerprints
from ffn.tabular.format_advice import advice_on_format
from ffn.tabular.headers import check_for_training
from ffn.tabular.kinds import check_formats, check_kinds, check_numbers, kind_of, names_rows
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.records import Records
from ffn.tabular.schema import Kind
from ffn.tabular.sources import Source, open_source
from ffn.tabular.table import no_rows, refusal
from ffn.tabular.typed import CategoryColumn, Cell, NumberColumns

__all__ = ["Choice", "read_dataset"]

Array = npt.NDArray[Any]

# Of what is written; another format makes other names in the cache.
_FORMAT = 1
_DESCRIPTION = "dataset.json"
# Beside the numbers: label, fingerprint, and each category's code.
_ROW_BYTES, _NUMBER_BYTES, _CODE_BYTES = 12, 8, 4


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the settings say of a table.

    Attributes
    ----------
    target, features, exclude, missing_values, kinds, formats, delimiter, decimal, encoding
        As in the settings.
    default_exclude
        Left out where ``exclude`` is None.
    """

    target: str
    features: Sequence[str] | None = None
    exclude: Sequence[str] | None = None
    default_exclude: Sequence[str] = ()
    missing_values: tuple[str, ...]
    kinds: Mapping[str, Kind]
    formats: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    decimal: str = "."
    encoding: str | None = None


def read_dataset(path: Path, cache: Cache, choice: Choice) -> Dataset:
    """Type the columns of a CSV file, or take from the cache what was made of it before.

    Unlike scoring, training drops no row: a bad one refuses the file. A column is numeric if at
    least nine in ten of its values are numbers. That is known at the end only, so it is guessed
    from the file's beginning, and where the guess was wrong the file is read once more.

    Raises
    ------
    DataError
        The file is missing or unreadable, is not a CSV file, changes while it is read, has no
        rows, has one column only because its delimiter is another, or has a record that
        `ffn.tabular.records` rejects (the first is named). A label is missing, a numeric column
        holds text or an absurd number, a column has no value, or a text column names each row.
        The disk is full.
    SettingsError
        A column that the settings name is not there, or the delimiter is none.
    """
    with open_source(path) as source:
        sha256 = source.read_through()
        made_of = {"format": _FORMAT, "sha256": sha256, **asdict(choice)}
        name = hashlib.sha256(canonical_json(made_of)).hexdigest()[:32]
        cache.remove_others(name)
        entry = cache.entry(name, lambda folder: _Conversion(path, source, choice, folder).run())
    description = json.loads((entry.path / _DESCRIPTION).read_bytes())
    texts = {key: tuple(value) for key, value in description.items() if isinstance(value, list)}
    return Dataset(**(description | texts), file=path.name, source_sha256=sha256, entry=entry)


class _Conversion:
    """One file on its way into a folder."""

    def __init__(self, path: Path, source: Source, choice: Choice, folder: Path) -> None:
        self.path, self.source, self.choice, self.folder = path, source, choice, folder

    def run(self) -> None:
        """Fill the folder."""
        # What has a format is numeric.
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
            self.source.rewind()
        self._check()
        self._sort_classes()
        self._write_fingerprints()
        texts = {name: column.texts for name, column in self.categories.items()}
        (self.folder / TEXTS).write_bytes(canonical_json(texts))
        description = {
            "target": self.choice.target,
            "classes": sorted(self.labels.texts),
            "order": self.features,
            "numeric_features": self.numeric,
            "categorical_features": list(self.categories),
            "missing_values": self.choice.missing_values,
            "formats": dict(self.choice.formats),
            "notices": self.notices,
            "rows": self.rows,
            "group_rows": self.group_rows,
        }
        (self.folder / _DESCRIPTION).write_bytes(canonical_json(description))

    def _read(self, guess: Mapping[str, Kind]) -> None:
        """Write numbers, codes and labels; know of each column what it holds."""
        choice = self.choice
        records = Records(
            self.source,
            str(self.path),
            delimiter=choice.delimiter,
            given_encoding=choice.encoding,
        )
        names = records.header.names
        check_for_training(records.header, str(self.path))
        self.features = choose_features(
            names,
            target=choice.target,
            features=choice.features,
            exclude=choice.exclude,
            default_exclude=choice.default_exclude,
            where=self.path.name,
        )
        check_kinds(choice.kinds, self.features, self.path.name)
        check_formats(choice.formats, choice.kinds, self.features, self.path.name)
        position = {name: place for place, name in enumerate(names)}
        blocks = self._sound(records)
        first = next(blocks, None)
        if first is None:
            raise no_rows(self.path)
        self.kinds = {
            name: guess.get(name) or self._look(first, position[name]) for name in self.features
        }
        self.numeric = [name for name in self.features if self.kinds[name] == "numeric"]
        places = [position[name] for name in self.numeric]
        formats = [self._format(name) for name in self.numeric]
        numbers = NumberColumns(places, choice.missing_values, choice.decimal, formats)
        self.categories = {
            name: CategoryColumn(position[name], choice.decimal)
            for name in self.features
            if self.kinds[name] == "categorical"
        }
        self.labels = CategoryColumn(position[choice.target])
        self.unlabelled: Cell | None = None
        self.group_rows = rows_of_a_group(len(self.features))
        self.rows = 0
        self._require_space(first)
        with ExitStack() as files:
            number_file, code_file = (
                files.enter_context(ColumnsFile(self.folder / file, dtype, n, self.group_rows))
                for file, dtype, n in (
                    (NUMBERS, np.float64, len(self.numeric)),
                    (CODES, np.int32, len(self.categories)),
                )
            )
            label_file = files.enter_context(ArrayFile(self.folder / LABELS, np.int32))
            for block in chain([first], blocks):
                number_file.append(numbers.read(block))
                codes = [column.read(block) for column in self.categories.values()]
                code_file.append(np.array(codes, dtype=np.int32).reshape(-1, len(block)))
                label_file.append(self._label(block))
                self.rows += len(block)
        self.source.check_unchanged()
        self.counts = dict(zip(self.numeric, numbers.counts, strict=True)) | {
            name: column.count(choice.missing_values) for name, column in self.categories.items()
        }

    def _sound(self, records: Records) -> Iterator[Block]:
        for block in records:
            if block.rejects:
                raise refusal(self.path, block.rejects[0], records)
            yield block

    def _format(self, name: str) -> NumberFormat | None:
        example = self.choice.formats.get(name)
        return None if example is None else NumberFormat.of(example)

    def _look(self, block: Block, position: int) -> Kind:
        column = CategoryColumn(position, self.choice.decimal)
        column.read(block)
        return kind_of(column.count(self.choice.missing_values))

    def _label(self, block: Block) -> Array:
        known = len(self.labels.texts)
        codes = self.labels.read(block)
        new = enumerate(self.labels.texts[known:], start=known)
        missing = [code for code, text in new if self._means_missing(text)]
        if missing and self.unlabelled is None:
            i = int(np.flatnonzero(np.isin(codes, missing))[0])
            text = self.labels.texts[codes[i]]
            self.unlabelled = Cell(int(block.rows[i]), int(block.lines[i]), text)
        return codes

    def _means_missing(self, label: str) -> bool:
        return not label or label in self.choice.missing_values

    def _require_space(self, first: Block) -> None:
        """Refuse what cannot fit, as far as the first block tells how long the rest is."""
        rows = (self.source.size or 0) * len(first) / self.source.bytes_read
        row = _ROW_BYTES + _NUMBER_BYTES * len(self.numeric) + _CODE_BYTES * len(self.categories)
        require_space(self.folder, round(rows * row), "converting the training table")

    def _check(self) -> None:
        """Refuse what cannot be learnt from."""
        where = self.path.name
        if self.unlabelled is not None:
            row, line, text = self.unlabelled
            also = f" ({quote(text)} is one of data.missing_values)" if text else ""
            raise DataError(
                f"{where} row {row} (line {line}), column {quote(self.choice.target)}: the label "
                f"is missing{also}. Fill it in, or take the row out."
            )
        self.notices: list[str] = []
        for name in self.features:
            count = self.counts[name]
            if not count.numbers and not count.texts:
                raise DataError(
                    f"{where}, column {quote(name)}: no values to learn from. Add it to "
                    "data.exclude."
                )
            if self.kinds[name] == "numeric":
                check_numbers(name, count, where, self._format(name), self.choice.decimal)
            elif name not in self.choice.kinds:
                self._check_categories(name, where)

    def _check_categories(self, name: str, where: str) -> None:
        column = self.categories[name]
        rows = {
            text: int(count)
            for text, count in zip(column.texts, column.rows, strict=True)
            if text not in self.choice.missing_values
        }
        advice = advice_on_format(name, rows, self.choice.decimal)
        if names_rows(len(rows), self.rows):
            raise DataError(
                f"{where}, column {quote(name)}: {len(rows):,} different texts in "
                f"{self.rows:,} rows look like names or ids. {advice and advice + ' Or add'}"
                f"{'' if advice else 'Add'} it to data.exclude, or set its kind in [data.kinds]."
            )
        if advice:
            self.notices.append(
                f"column {quote(name)} is taken for {len(rows):,} categories. {advice.rstrip('.')}"
            )

    def _sort_classes(self) -> None:
        """Give the labels numbers in the order of the alphabet, not of who came first."""
        texts = self.labels.texts
        place = np.empty(len(texts), dtype=np.int32)
        place[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
        labels = np.load(self.folder / LABELS, mmap_mode="r+")
        for start in range(0, self.rows, self.group_rows):
            part = labels[start : start + self.group_rows]
            part[:] = place[part]

    def _write_fingerprints(self) -> None:
        texts = {name: column.texts for name, column in self.categories.items()}
        numbers, codes = (
            Columns(self.folder / file, n, self.rows, self.group_rows).groups()
            for file, n in ((NUMBERS, len(self.numeric)), (CODES, len(texts)))
        )
        with ArrayFile(self.folder / FINGERPRINTS, np.uint64) as file:
            for (_, values), (_, own) in zip(numbers, codes, strict=True):
                file.append(
                    group_fingerprints(
                        values,
                        own,
                        self.numeric,
                        texts,
                        self.choice.missing_values,
                        names=self.features,
                    )
                )
