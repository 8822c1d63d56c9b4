"""Create a new pipeline from a user's table, with a commented ``pipeline.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ffn.auditing.audited_columns import choose_audited
from ffn.databases.address import parse_address
from ffn.durations.retraining_time import Estimate, Size, estimate_retraining
from ffn.errors import DataError, SettingsError, did_you_mean, quote
from ffn.extraction.declared_names import named_as_declared
from ffn.extraction.extracted_table import (
    ExtractedTable,
    extract_files,
    extract_objects,
    extract_query,
)
from ffn.extraction.joined_files import Dialect
from ffn.extraction.table_files import is_one_csv
from ffn.leakage.leaks import find_leaks
from ffn.object_stores.object_address import as_path, is_object_address
from ffn.profiling.commented_defaults import with_defaults
from ffn.profiling.recipe import recipe_for
from ffn.profiling.settings_text import settings_text
from ffn.profiling.table_copies import changed_while_read, copies_of, copy_unchanged
from ffn.profiling.table_profile import profile_table
from ffn.settings.document import check_settings
from ffn.settings.pipeline import SETTINGS_FILE, Pipeline, check_name
from ffn.storage.atomic import staging_folder, sweep, sync_folder, write_bytes
from ffn.storage.cache import Cache
from ffn.storage.source import refuse_pipe
from ffn.tabular.cells import trim
from ffn.tabular.columns.feature_columns import shown
from ffn.tabular.ingestion.text_table import Table, read_table
from ffn.training.tables.learning import learn, require_room
from ffn.training.tables.loading import load
from ffn.training.tables.splitting import split

__all__ = ["create_pipeline"]


def create_pipeline(
    name: str,
    *,
    source: Path | str,
    target: str,
    root: Path,
    query: str | None = None,
    delimiter: str = ",",
    decimal: str = ".",
    encoding: str | None = None,
    exclude: Sequence[str] = (),
    missing: Sequence[str] = (),
    keep: Sequence[str] = (),
    formats: Mapping[str, str] | None = None,
    labels: Sequence[tuple[str, str]] = (),
    on_estimate: Callable[[Estimate], None] | None = None,
) -> tuple[Path, list[str]]:
    """Create ``root/data/<name>`` with a copy of ``source`` and settings that can be trained.

    A CSV or Parquet file becomes ``train.csv`` or ``train.parquet``; the files of a folder or
    pattern keep their names in the folder ``train``. What a query gives stays in its database, and
    objects stay in their store.

    Parameters
    ----------
    name
        Name of the pipeline: letters, digits, ``-`` and ``_``.
    source
        Path of a table with labelled rows: a CSV or Parquet file, a folder of such, or a pattern;
        or the address of objects. With ``query``, the address of a database, in which the path of a
        file is absolute.
    target
        Name of the label column.
    root
        Folder that contains ``data/``.
    query
        What to select from the database; None, the default, for files.
    delimiter, decimal
        Character between the fields of ``source``, and decimal mark of its numbers.
    encoding
        Encoding of ``source``, one of `ENCODINGS`; None, the default, for UTF-8 or what a byte
        order mark says.
    exclude
        Columns that are not features, in addition to those detected.
    missing
        Cell texts that mean "no value", in addition to those detected.
    keep
        Columns that are features even if they look like ids, dates or notes.
    formats
        By column, how it writes 1234.5; for columns whose format cannot be detected.
    labels
        Cell texts of the target, each with the class that it means; an empty class means that the
        row has no label.
    on_estimate
        Called with how long a retraining will take. None, the default, to time nothing.

    Returns
    -------
    settings
        The ``pipeline.toml`` written.
    notices
        What was decided about columns, a sentence each.

    Raises
    ------
    SettingsError, DataError
        The pipeline exists already, the table cannot be learnt from, or it changes while it
        is looked at and copied; nothing is written.
    """
    folder = root / "data" / check_name(name)
    if folder.exists():
        raise SettingsError(f"{folder} exists already. Choose another name, or remove it.")
    with ExitStack() as room:
        extracted = _extract(source, query, root, Dialect(delimiter, decimal, encoding), room)
        with named_as_declared([extracted]):
            table = read_table(
                extracted.path,
                delimiter=delimiter,
                encoding=encoding,
                target=target,
                exclude=exclude,
            )
        table = replace(table, path=as_path(extracted.declared))
        _check_columns(table.header, extracted, target, exclude, [*keep, *(formats or ())])
        _check_texts(missing, labels)
        found = profile_table(
            table,
            target,
            exclude=exclude,
            missing=missing,
            keep=keep,
            labels=_check_labels(table, target, labels),
            decimal=decimal,
            formats=formats,
        )
        recipe = recipe_for(found, len(table.columns[target]))

        def text_of(named: str, selected: str | None = None) -> str:
            form = (delimiter, decimal, encoding)
            written = settings_text(name, (named, selected), target, form, found, recipe)
            return with_defaults(written)

        try:
            root.mkdir(parents=True, exist_ok=True)
            sweep(root)
            with staging_folder(root) as scratch:
                pipeline = Pipeline(
                    name=name,
                    settings=check_settings(
                        tomllib.loads(text_of(extracted.path.name)), SETTINGS_FILE
                    ),
                    folder=extracted.path.parent,
                    artifacts=scratch,
                )
                with named_as_declared([extracted]):
                    sha256, notices = _try(pipeline, on_estimate)
            if sha256 != table.source_sha256:
                raise changed_while_read(extracted.declared)
            stays = query is not None or is_object_address(source)
            copies, named = ([], str(source)) if stays else copies_of(source, extracted, sha256)
            _write(folder, copies, text_of(named, query))
        except OSError as error:
            raise DataError(f"{folder}: cannot be written ({error.strerror}).") from None
    return folder / SETTINGS_FILE, [*found.notices, *(one.notice for one in found.split), *notices]


def _extract(
    source: Path | str, query: str | None, root: Path, dialect: Dialect, room: ExitStack
) -> ExtractedTable:
    """Return a table as one CSV file, which is in ``room`` unless it is the source itself."""
    far = is_object_address(source)
    if query is None and not far:
        source = Path(source)
        refuse_pipe(source)
        if is_one_csv(source):
            return ExtractedTable(path=source, declared=str(source), files=(source,))
    try:
        root.mkdir(parents=True, exist_ok=True)
        sweep(root)
        cache = Cache(room.enter_context(staging_folder(root)))
        if query is not None:
            return extract_query(parse_address(str(source)), query, cache, dialect)
        if far:
            return extract_objects(str(source), cache, dialect)
        return extract_files(Path(source), cache, dialect)
    except OSError as error:
        raise DataError(f"{root}: cannot be written ({error.strerror}).") from None


def _check_columns(
    header: Sequence[str],
    table: ExtractedTable,
    target: str,
    exclude: Sequence[str],
    keep: Sequence[str],
) -> None:
    # "" stands for all columns without a name, whether there are any or not.
    for column in (target, *filter(None, exclude), *keep):
        if column not in header:
            raise SettingsError(
                f"{table.declared} has no column {quote(column)}; its columns are: {shown(header)}."
                f"{did_you_mean(column, header)}"
            )
    for column in keep:
        if column in (target, *exclude):
            other = "--target" if column == target else "--exclude"
            raise SettingsError(f"--keep and {other} both name {quote(column)}. Take out one.")


def _check_texts(missing: Sequence[str], labels: Sequence[tuple[str, str]]) -> None:
    for option, text in (
        *(("--missing", text) for text in missing),
        *(("--label", text) for pair in labels for text in pair),
    ):
        if text != text.encode(errors="ignore").decode():
            raise SettingsError(
                f"{option} {quote(text)} is no text in UTF-8, and what is read from a table is. "
                "Give it as it stands there."
            )


def _check_labels(table: Table, target: str, labels: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return class by cell text; refuse what no cell holds, and two classes for one text."""
    found: dict[str, str] = {}
    known = set(map(trim, table.columns[target]))
    for text, label in ((trim(text), trim(label)) for text, label in labels):
        if text not in known:
            raise SettingsError(
                f"--label {quote(text)}: no cell of column {quote(target)} holds that."
                f"{did_you_mean(text, known)}"
            )
        if found.setdefault(text, label) != label:
            raise SettingsError(
                f"--label reads {quote(text)} as {quote(found[text])} and as {quote(label)}. "
                "Take out one."
            )
    return found


def _try(
    pipeline: Pipeline, on_estimate: Callable[[Estimate], None] | None
) -> tuple[str, list[str]]:
    """Take the first steps of a retraining, so that whatever it refuses is refused before.

    Returns the digest of the table, and notices.
    """
    try:
        dataset = load(pipeline)
        division = split(dataset, pipeline)
        schema, preparation, notices = learn(dataset, division, pipeline.settings.features)
        require_room(pipeline.artifacts, dataset, schema, preparation, pipeline)
        settings = pipeline.settings
        leaks = find_leaks(
            dataset, division.training, dataset.path, settings.data, settings.training.seed
        )
        if on_estimate is not None:
            size = Size(
                rows=dataset.rows,
                columns=len(schema.features),
                training_rows=int(division.training.sum()),
                inputs=preparation.n_inputs,
                classes=len(schema.classes),
                audited=sum(not one.apart for one in choose_audited(dataset, division, pipeline)),
            )
            on_estimate(estimate_retraining(size, pipeline))
    except (DataError, SettingsError) as error:
        # There is no pipeline.toml yet in which to do what the refusal says.
        raise type(error)(
            f"{error} (Nothing was written; ffn init takes --exclude COLUMN, --missing TEXT and "
            "--label TEXT CLASS.)"
        ) from None
    return dataset.source_sha256, [*notices, *(leak.sentence for leak in leaks)]


def _write(folder: Path, copies: Sequence[tuple[Path, str, str]], text: str) -> None:
    """Make the pipeline's folder with copies of the table's files, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent)
    with staging_folder(folder.parent) as staging:
        (staging / "inbox").mkdir()
        for source, name, sha256 in copies:
            target = staging / name
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_unchanged(source, target, sha256)
        write_bytes(staging / SETTINGS_FILE, text.encode())
        staging.rename(folder)
    sync_folder(folder.parent)
