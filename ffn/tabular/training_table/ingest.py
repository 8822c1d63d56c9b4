"""Convert a training CSV to a `Dataset` in one pass, or load it from the cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.storage.cache import Cache, require_space
from ffn.storage.documents import canonical_json
from ffn.storage.npy import ArrayFile, save_array
from ffn.storage.source import Source, open_source
from ffn.tabular.columns.feature_columns import choose_features
from ffn.tabular.columns.format_advice import advice_on_format
from ffn.tabular.columns.inference import (
    check_formats,
    check_kinds,
    check_numbers,
    kind_of,
    names_rows,
    refuse_second_header,
)
from ffn.tabular.columns.parsers import CategoryColumn, NumberColumns
from ffn.tabular.csv.header import check_for_training
from ffn.tabular.csv.header_search import header_hint
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.reader import Records
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.schema import Kind
from ffn.tabular.training_table.column_store import Columns, ColumnsFile, rows_of_a_group
from ffn.tabular.training_table.dataset import (
    CODES,
    FINGERPRINTS,
    LABELS,
    NUMBERS,
    TEXTS,
    UNLABELLED,
    Dataset,
)
from ffn.tabular.training_table.fingerprints import group_fingerprints
from ffn.tabular.training_table.label_reading import LabelReading, toml_remedy
from ffn.tabular.training_table.text_table import no_rows, refusal, refuse_parquet
from ffn.tabular.training_table.unnamed_columns import UnnamedColumns

__all__ = ["Choice", "read_dataset"]

Array = npt.NDArray[Any]

# Version of the file format; part of the names of cache entries.
_FORMAT = 2
_DESCRIPTION = "dataset.json"
# Bytes of a row for its label and fingerprint, of a number, and of a category code.
_ROW_BYTES, _NUMBER_BYTES, _CODE_BYTES = 12, 8, 4


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Settings that determine how a table is read.

    Attributes
    ----------
    target, features, exclude, missing_values, kinds, formats, labels, delimiter, decimal, encoding
        As in `DataSettings`.
    default_exclude
        Columns to leave out if ``exclude`` is None.
    missing_labels
        Cell texts of the target that mean "no label"; None (the default): ``missing_values``.
    """

    target: str
    features: Sequence[str] | None = None
    exclude: Sequence[str] | None = None
    default_exclude: Sequence[str] = ()
    missing_values: tuple[str, ...]
    kinds: Mapping[str, Kind]
    formats: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    missing_labels: tuple[str, ...] | None = None
    delimiter: str = ","
    decimal: str = "."
    encoding: str | None = None


def read_dataset(path: Path, cache: Cache, choice: Choice) -> Dataset:
    """Convert a CSV file to typed columns, or load an earlier conversion from the cache.

    Unlike scoring, training never drops an invalid row: it refuses the file. Rows without a label
    are left out and counted. A column is numeric if at least 90 % of its values are numbers. The
    kind is guessed from the beginning of the file; if that turns out wrong at its end, the file is
    read again.

    Parameters
    ----------
    path
        The CSV file.
    cache
        Where the converted files are kept; entries of other tables or settings are removed.
    choice
        Settings of the table.

    Raises
    ------
    DataError
        The file is missing or unreadable, is not a CSV file, changes while it is read, has no
        rows, has a single column because its delimiter is another, or has a record that
        `ffn.tabular.csv.reader` rejects (the message names the first). No row has a label, or
        labels need a decision (`label_reading`). A numeric column contains a text or an
        implausibly large number, a column has no values, or a text column identifies rows. A
        column without a name has values. The disk is full.
    SettingsError
        A column named in the settings does not exist, or the delimiter is not supported.
    """
    with open_source(path) as source:
        refuse_parquet(source, path)
        sha256 = source.read_through()
        made_of = {"format": _FORMAT, "sha256": sha256, **asdict(choice)}
        name = hashlib.sha256(canonical_json(made_of)).hexdigest()[:32]
        cache.remove_others(name)
        entry = cache.entry(name, lambda folder: _Conversion(path, source, choice, folder).run())
    description = json.loads((entry.path / _DESCRIPTION).read_bytes())
    texts = {key: tuple(value) for key, value in description.items() if isinstance(value, list)}
    return Dataset(**(description | texts), file=path.name, source_sha256=sha256, entry=entry)


class _Conversion:
    """Conversion of one CSV file to the files of a `Dataset` in ``folder``."""

    def __init__(self, path: Path, source: Source, choice: Choice, folder: Path) -> None:
        self.path, self.source, self.choice, self.folder = path, source, choice, folder
        missing = choice.missing_values if choice.missing_labels is None else choice.missing_labels
        self.reading = LabelReading(labels=choice.labels, missing=missing, decimal=choice.decimal)

    def run(self) -> None:
        """Write all files."""
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
            self.source.rewind()
        self._check()
        self._sort_classes()
        self._write_fingerprints()
        texts = {name: column.texts for name, column in self.categories.items()}
        (self.folder / TEXTS).write_bytes(canonical_json(texts))
        description = {
            "target": self.choice.target,
            "classes": self.classes,
            "order": self.features,
            "numeric_features": self.numeric,
            "categorical_features": list(self.categories),
            "missing_values": self.choice.missing_values,
            "formats": dict(self.choice.formats),
            "notices": self.notices,
            "rows": self.rows,
            "group_rows": self.group_rows,
            "unlabelled": self.resolved.unlabelled,
        }
        (self.folder / _DESCRIPTION).write_bytes(canonical_json(description))

    def _read(self, guess: Mapping[str, Kind]) -> None:
        """Write numbers, codes and labels, and count what each column holds.

        ``guess`` gives known kinds; others are inferred from the first block.
        """
        choice = self.choice
        records = Records(
            self.source,
            str(self.path),
            delimiter=choice.delimiter,
            given_encoding=choice.encoding,
        )
        names = records.header.names
        wanted = [choice.target, *(choice.features or ())]
        hint = ""
        if not set(wanted) <= set(names):
            hint = header_hint(records.header, str(self.path), choice.delimiter, wanted)
        check_for_training(records.header, str(self.path), hint)
        self.features = choose_features(
            names,
            target=choice.target,
            features=choice.features,
            exclude=choice.exclude,
            default_exclude=choice.default_exclude,
            where=self.path.name,
            hint=hint,
        )
        check_kinds(choice.kinds, names, self.features, self.path.name)
        check_formats(choice.formats, choice.kinds, self.features, self.path.name)
        self.unnamed = UnnamedColumns(names, excluded="" in (choice.exclude or ()))
        position = {name: place for place, name in enumerate(names)}
        self.labels = CategoryColumn(position[choice.target])
        self.is_label: list[bool] = []
        self.unlabelled_rows: list[Array] = []
        blocks = self._labelled(self._sound(records))
        first, first_codes = next(blocks, (None, None))
        if first is None or first_codes is None:
            if not self.labels.texts:
                raise no_rows(self.path)
            raise self.reading.no_label(self._label_counts(), self._where_labels())
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
            for block, label_codes in chain([(first, first_codes)], blocks):
                number_file.append(numbers.read(block))
                codes = [column.read(block) for column in self.categories.values()]
                code_file.append(np.array(codes, dtype=np.int32).reshape(-1, len(block)))
                label_file.append(label_codes)
                self.rows += len(block)
        self.source.check_unchanged()
        self.counts = dict(zip(self.numeric, numbers.counts, strict=True)) | {
            name: column.count(choice.missing_values) for name, column in self.categories.items()
        }

    def _sound(self, records: Records) -> Iterator[Block]:
        for block in records:
            if block.rejects:
                raise refusal(self.path, block.rejects[0], records)
            self.unnamed.read(block)
            yield block

    def _format(self, name: str) -> NumberFormat | None:
        example = self.choice.formats.get(name)
        return None if example is None else NumberFormat.of(example)

    def _look(self, block: Block, position: int) -> Kind:
        column = CategoryColumn(position, self.choice.decimal)
        column.read(block)
        return kind_of(column.count(self.choice.missing_values))

    def _labelled(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, Array]]:
        """Yield blocks of the rows that have a label, with the codes [n] of their labels."""
        every = True
        for block in blocks:
            codes = self.labels.read(block)
            new = self.labels.texts[len(self.is_label) :]
            found = list(map(self.reading.is_label, new))
            self.is_label += found
            every = every and all(found)
            if every:
                yield block, codes
                continue
            kept = np.array(self.is_label)[codes]
            self.unlabelled_rows.append(np.asarray(block.rows)[~kept])
            if kept.any():
                yield block.take(kept), codes[kept]

    def _require_space(self, first: Block) -> None:
        """Refuse a table that does not fit on the disk, by an estimate from the first block."""
        rows = (self.source.size or 0) * len(first) / self.source.bytes_read
        row = _ROW_BYTES + _NUMBER_BYTES * len(self.numeric) + _CODE_BYTES * len(self.categories)
        require_space(self.folder, round(rows * row), "converting the training table")

    def _check(self) -> None:
        """Refuse columns and labels that cannot be learned from."""
        where = self.path.name
        self.notices = self.unnamed.check(where)
        self._resolve_labels()
        self.notices += self.resolved.notices
        refuse_second_header({name: self.counts[name] for name in self.numeric}, self.path)
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
                f"column {quote(name)} is read as {len(rows):,} categories. {advice.rstrip('.')}"
            )

    def _resolve_labels(self) -> None:
        self.resolved = self.reading.resolve(
            self._label_counts(), self._where_labels(), toml_remedy
        )

    def _label_counts(self) -> dict[str, int]:
        return dict(zip(self.labels.texts, self.labels.rows.tolist(), strict=True))

    def _where_labels(self) -> str:
        return f"{self.path.name}, column {quote(self.choice.target)}"

    def _sort_classes(self) -> None:
        """Renumber the labels in the sorted order of the classes."""
        found = self.resolved.classes
        self.classes = sorted(set(found.values()))
        number = {name: place for place, name in enumerate(self.classes)}
        # No row has the code of a text that is not a label.
        place = np.array(
            [number[found[text]] if text in found else -1 for text in self.labels.texts], np.int32
        )
        labels = np.load(self.folder / LABELS, mmap_mode="r+")
        for start in range(0, self.rows, self.group_rows):
            part = labels[start : start + self.group_rows]
            part[:] = place[part]
        if self.unlabelled_rows:
            save_array(self.folder / UNLABELLED, np.concatenate(self.unlabelled_rows))

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
