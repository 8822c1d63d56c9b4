"""Convert a training CSV to a `Dataset` in one pass, or load it from the cache."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ffn.storage.cache import Cache
from ffn.storage.documents import canonical_json
from ffn.storage.source import open_source
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.conversion import DESCRIPTION, FORMAT, FileRead, TableConversion
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["read_dataset"]


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
            files.append(FileRead(each, source, source.read_through()))
        sha256, made_of = files[0].sha256, {"format": FORMAT, **choice.made_of()}
        made_of["sha256"] = sha256
        if test:
            made_of["test_sha256"] = files[1].sha256
        name = hashlib.sha256(canonical_json(made_of)).hexdigest()[:32]
        cache.remove_others(name)
        entry = cache.entry(name, lambda folder: TableConversion(files, choice, folder).run())
    description = json.loads((entry.path / DESCRIPTION).read_bytes())
    texts: dict[str, Any] = {
        key: tuple(value) for key, value in description.items() if isinstance(value, list)
    }
    if test:
        texts |= {"test_file": test.name, "test_sha256": files[1].sha256, "test_path": test}
    texts |= {"file": path.name, "source_sha256": sha256, "path": path}
    return Dataset(**(description | texts), entry=entry)
