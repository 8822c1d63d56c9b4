"""Convert a training CSV to a `Dataset` in one pass, or load it from the cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, SettingsError, quote
from ffn.storage.cache import Cache, require_space
from ffn.storage.documents import canonical_json
from ffn.storage.npy import ArrayFile, save_array
from ffn.storage.source import Source, open_source
from ffn.tabular.cell_forms import CellForm, cell_form
from ffn.tabular.columns.feature_columns import choose_features
from ffn.tabular.columns.format_advice import advice_on_dates, advice_on_format
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
from ffn.tabular.date_form import DateForm
from ffn.tabular.schema import Kind
from ffn.tabular.training_table.column_store import Columns, ColumnsFile, rows_of_a_group
from ffn.tabular.training_table.dataset import (
    CODES,
    FINGERPRINTS,
    LABELS,
    NUMBERS,
    TEXTS,
    Dataset,
)
from ffn.tabular.training_table.fingerprints import group_fingerprints
from ffn.tabular.training_table.key_columns import (
    TEST_UNLABELLED,
    UNLABELLED,
    KeyColumns,
    check_keys,
)
from ffn.tabular.training_table.label_reading import LabelReading, toml_remedy
from ffn.tabular.training_table.text_table import no_rows, refusal
from ffn.tabular.training_table.unnamed_columns import UnnamedColumns
from ffn.tabular.weighting.weight_column import WEIGHTS, WeightColumn

__all__ = ["Choice", "first_difference", "read_dataset"]

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
    time, group, time_format
        As in `SplitSettings`. These columns are features only if ``features`` names them.
    weight
        As in `DataSettings`.
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
    time: str | None = None
    group: str | None = None
    time_format: str | None = None
    weight: str | None = None

    def made_of(self) -> dict[str, Any]:
        """Return all that determines the converted table; what is not set is left out."""
        found = asdict(self)
        for key in ("time", "group", "time_format", "weight"):
            if found[key] is None:
                del found[key]
        return found


def read_dataset(path: Path, cache: Cache, choice: Choice, test: Path | None = None) -> Dataset:
    """Convert a CSV file to typed columns, or load an earlier conversion from the cache.

    Unlike scoring, training never drops an invalid row: it refuses the file. Rows without a label
    are left out and counted, and so are rows of weight 0. A column is numeric if at least 90 % of
    its values are numbers. The kind is guessed from the beginning of the file; if that turns out
    wrong at its end, the file is read again.

    Parameters
    ----------
    path
        The CSV file.
    cache
        Where the converted files are kept; entries of other tables or settings are removed.
    choice
        Settings of the table.
    test
        A second file with the same header, whose rows follow those of the first and are the
        user's own held-out rows. None, the default: there is none.

    Raises
    ------
    DataError
        The file is missing or unreadable, is not a CSV file, changes while it is read, has no
        rows, has a single column because its delimiter is another, or has a record that
        `ffn.tabular.csv.reader` rejects (the message names the first). No row has a label, or
        labels need a decision (`label_reading`). A row has no usable weight. A numeric column
        contains a text or an implausibly large number, a column has no values, or a text column
        identifies rows. A column without a name has values. The disk is full.
    SettingsError
        A column named in the settings does not exist, or the delimiter is not supported.
    """
    with ExitStack() as opened:
        files = []
        for each in (path, *([test] if test else ())):
            source = opened.enter_context(open_source(each))
            files.append(_File(each, source, source.read_through()))
        sha256, made_of = files[0].sha256, {"format": _FORMAT, **choice.made_of()}
        made_of["sha256"] = sha256
        if test:
            made_of["test_sha256"] = files[1].sha256
        name = hashlib.sha256(canonical_json(made_of)).hexdigest()[:32]
        cache.remove_others(name)
        entry = cache.entry(name, lambda folder: _Conversion(files, choice, folder).run())
    description = json.loads((entry.path / _DESCRIPTION).read_bytes())
    texts: dict[str, Any] = {
        key: tuple(value) for key, value in description.items() if isinstance(value, list)
    }
    if test:
        texts |= {"test_file": test.name, "test_sha256": files[1].sha256, "test_path": test}
    texts |= {"file": path.name, "source_sha256": sha256, "path": path}
    return Dataset(**(description | texts), entry=entry)


class _File(NamedTuple):
    path: Path
    source: Source
    sha256: str


class _Conversion:
    """Conversion of a CSV file, and of one of held-out rows, to a `Dataset` in ``folder``."""

    def __init__(self, files: Sequence[_File], choice: Choice, folder: Path) -> None:
        (self.path, self.source, _), *self.more = files
        self.choice, self.folder = choice, folder
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
            for source in (self.source, *(other.source for other in self.more)):
                source.rewind()
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
            **({"time": self.choice.time, "time_kind": self.keys.kind} if self.choice.time else {}),
            **({"group": self.choice.group} if self.choice.group else {}),
            **({"test_rows": self.rows - self.source_rows} if self.more else {}),
            **self._weighted(),
        }
        (self.folder / _DESCRIPTION).write_bytes(canonical_json(description))

    def _read(self, guess: Mapping[str, Kind]) -> None:
        """Write numbers, codes and labels, and count what each column holds.

        ``guess`` gives known kinds; others are inferred from the first block.
        """
        choice = self.choice
        records = self._records(self.path, self.source)
        names = records.header.names
        wanted = [choice.target, *(choice.features or ())]
        hint = ""
        if not set(wanted) <= set(names):
            hint = header_hint(records.header, str(self.path), choice.delimiter, wanted)
        check_for_training(records.header, str(self.path), hint)
        keys = {"time": choice.time, "group": choice.group}
        check_keys(keys, names, choice.target, self.path.name, hint)
        check_keys(
            {"weight": choice.weight}, names, choice.target, self.path.name, hint, table="data"
        )
        if choice.weight is not None and choice.weight in (choice.features or ()):
            raise SettingsError(
                f"{self.path.name}: data.weight and data.features both name "
                f"{quote(choice.weight)}. Take out one."
            )
        own = [*keys.values(), choice.weight]
        # A column of dates has more to say than what it splits the rows by.
        dated = {choice.time} if isinstance(self._format(choice.time or ""), DateForm) else set()
        left_out = [name for name in own if name and choice.features is None and name not in dated]
        self.features = choose_features(
            names,
            target=choice.target,
            features=choice.features,
            exclude=choice.exclude,
            default_exclude=choice.default_exclude,
            left_out=left_out,
            where=self.path.name,
            hint=hint,
        )
        # What [data] says of such a column held as long as it was a feature, and may hold again.
        spared = set(own).difference(self.features)
        kinds = {name: kind for name, kind in choice.kinds.items() if name not in spared}
        declared = {name: form for name, form in choice.formats.items() if name not in spared}
        check_kinds(kinds, names, self.features, self.path.name)
        check_formats(declared, kinds, self.features, self.path.name)
        self.unnamed = UnnamedColumns(names, excluded="" in (choice.exclude or ()))
        position = {name: place for place, name in enumerate(names)}
        self.keys = KeyColumns(
            self.folder,
            (choice.time, position[choice.time]) if choice.time else None,
            (choice.group, position[choice.group]) if choice.group else None,
            missing_values=choice.missing_values,
            decimal=choice.decimal,
            time_format=choice.time_format,
        )
        self.weights = choice.weight and WeightColumn(
            choice.weight, position[choice.weight], choice.missing_values, choice.decimal
        )
        self.labels = CategoryColumn(position[choice.target])
        self.is_label: list[bool] = []
        self.unlabelled_rows: list[Array] = []
        blocks = self._labelled(self._sound(records, self.path, self.unnamed), self.path.name)
        opening = next(blocks, None)
        if opening is None:
            if self.weights and self.weights.weightless:
                raise DataError(
                    f"{self.path.name}, column {quote(choice.weight)}: no row with a label has a "
                    "weight above 0, so there is nothing to learn from. Correct the column."
                )
            if not self.labels.texts:
                raise no_rows(self.path)
            raise self.reading.no_label(self._label_counts(), self._where_labels())
        first = opening[0]
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
            if self.weights:
                weight_file = files.enter_context(ArrayFile(self.folder / WEIGHTS, np.float64))

            def append(block: Block, label_codes: Array, weights: Array | None, where: str) -> None:
                number_file.append(numbers.read(block))
                codes = [column.read(block) for column in self.categories.values()]
                code_file.append(np.array(codes, dtype=np.int32).reshape(-1, len(block)))
                label_file.append(label_codes)
                self.keys.read(block, where)
                if weight_file and weights is not None:
                    weight_file.append(weights)
                self.rows += len(block)

            for found in chain([opening], blocks):
                append(*found, self.path.name)
            self.source.check_unchanged()
            self.source_rows = self.rows
            self.source_unlabelled = len(self.unlabelled_rows)
            self.bad_cells = [(each.first_text, each.first_large) for each in numbers.counts]
            for path, source, _ in self.more:
                self._append_held_out(path, source, names, append)
        self.counts = dict(zip(self.numeric, numbers.counts, strict=True)) | {
            name: column.count(choice.missing_values) for name, column in self.categories.items()
        }

    def _records(self, path: Path, source: Source) -> Records:
        return Records(
            source,
            str(path),
            delimiter=self.choice.delimiter,
            given_encoding=self.choice.encoding,
        )

    def _append_held_out(
        self,
        path: Path,
        source: Source,
        names: Sequence[str],
        append: Callable[[Block, Array, Array | None, str], None],
    ) -> None:
        """Read the file of held-out rows, whose columns must be those of the first file."""
        records = self._records(path, source)
        if list(records.header.names) != list(names):
            raise DataError(
                f"{path.name} (split.test) must have the same header as {self.path.name}: "
                f"{first_difference(names, records.header.names)}."
            )
        unnamed = UnnamedColumns(names, excluded="" in (self.choice.exclude or ()))
        for found in self._labelled(self._sound(records, path, unnamed), path.name):
            append(*found, path.name)
        unnamed.check(path.name)
        source.check_unchanged()
        if self.rows == self.source_rows:
            weighted = " and a weight above 0" if self.weights else ""
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

    def _labelled(
        self, blocks: Iterable[Block], where: str
    ) -> Iterator[tuple[Block, Array, Array | None]]:
        """Yield blocks of the rows that count, with the codes [n] of their labels, and weights [n].

        Of rows of weight 0 nothing is read, and of rows without a label nothing more.
        """
        every = True
        for block, weights in self._weighed(blocks):
            codes = self.labels.read(block)
            new = self.labels.texts[len(self.is_label) :]
            found = list(map(self.reading.is_label, new))
            self.is_label += found
            every = every and all(found)
            if not every:
                kept = np.array(self.is_label)[codes]
                self.unlabelled_rows.append(np.asarray(block.rows)[~kept])
                if not kept.any():
                    continue
                block, codes = block.take(kept), codes[kept]
                weights = None if weights is None else weights[kept]
            if self.weights and weights is not None:
                self.weights.check(weights, block, where)
            yield block, codes, weights

    def _weighed(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, Array | None]]:
        """Yield blocks without the rows of weight 0, with the weights [n] of the others."""
        for block in blocks:
            if not self.weights:
                yield block, None
                continue
            weights = self.weights.read(block)
            kept = weights != 0
            if not kept.all():
                self.unlabelled_rows.append(np.asarray(block.rows)[~kept])
            if kept.any():
                yield block.take(kept), weights[kept]

    def _weighted(self) -> dict[str, Any]:
        """Return what the description says of weights; nothing without a column of them."""
        if not self.weights:
            return {}
        return {"weight": self.choice.weight, "weightless": self.weights.weightless}

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
                check_numbers(
                    name, count, self._file_of(name), self._format(name), self.choice.decimal
                )
            elif name not in self.choice.kinds:
                self._check_categories(name, where)

    def _file_of(self, name: str) -> str:
        """Return the file that holds the first wrong cell of a numeric column."""
        count = self.counts[name]
        bad = count.first_text or count.first_large
        there = self.bad_cells[self.numeric.index(name)]
        return self.path.name if bad in (None, *there) else self.more[0].path.name

    def _check_categories(self, name: str, where: str) -> None:
        column = self.categories[name]
        rows = {
            text: int(count)
            for text, count in zip(column.texts, column.rows, strict=True)
            if text not in self.choice.missing_values
        }
        advice = advice_on_format(name, rows, self.choice.decimal) or advice_on_dates(name, rows)
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
        for file, rows in (
            (UNLABELLED, self.unlabelled_rows[: self.source_unlabelled]),
            (TEST_UNLABELLED, self.unlabelled_rows[self.source_unlabelled :]),
        ):
            if rows:
                save_array(self.folder / file, np.sort(np.concatenate(rows)))

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


def first_difference(names: Sequence[str], others: Sequence[str]) -> str:
    """Return where two headers first differ, as words; empty where they do not.

    Parameters
    ----------
    names
        The header that is expected.
    others
        The header that was found.
    """
    for place, (name, other) in enumerate(zip_longest(names, others), 1):
        if name is None:
            return f"column {place}, {quote(other)}, is one too many"
        if other is None:
            return f"column {place}, {quote(name)}, is missing"
        if name != other:
            return f"column {place} is {quote(other)} and not {quote(name)}"
    return ""
