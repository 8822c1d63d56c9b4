"""One file scored into a folder of parts, and what the parts have to be together."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from ffn.errors import DataError
from ffn.scoring.partitioned.score_dataset import score_dataset
from ffn.scoring.rows.scorer import Scorer
from ffn.tabular.csv.reader import Records
from fuzz.files import Case
from fuzz.oracle import Expected

__all__ = ["try_parts"]


def try_parts(
    case: Case, expected: Expected, folder: Path, model: Scorer, options: dict[str, Any]
) -> str:
    """Return what is wrong with the parts of a file; nothing if all is well.

    Parameters
    ----------
    case, expected, model, options
        As for ``try_whole``.
    folder
        An empty folder to work in; what is written is left there.
    """
    source, output = folder / "in.csv", folder / "out"
    source.write_bytes(case.content)
    form = {"delimiter": case.delimiter, "decimal": case.decimal, "encoding": case.encoding}
    refusal = ""
    with _small_blocks(case.step):
        try:
            score_dataset(model, source, output, part_bytes=2 * case.step, **form, **options)
        except DataError as error:
            refusal = str(error)
    refused = expected.rows > 0 and len(expected.rejects) == expected.rows
    if refused != (" rejected" in refusal) or (refusal and not refused):
        return f"refused: {refusal!r}"
    told = folder / ("out.refused.csv" if refused else "out.rejects.csv")
    listed = list(csv.DictReader(io.StringIO(told.read_bytes().decode(), newline="")))
    found = [(int(row["row"]), int(row["line"]), row["column"], row["reason"]) for row in listed]
    if found != expected.rejects:
        return f"rejects {found} instead of {expected.rejects}"
    if refused:
        return f"{output} is there" if output.exists() else ""
    joined = b""
    header, rest = _without_header(expected.output)
    for path in sorted(output.iterdir()):
        own, rows = _without_header(path.read_bytes())
        if own != header:
            return f"{path.name} begins with {own!r} instead of {header!r}"
        joined += rows
    if joined != rest:
        return f"parts {joined!r} instead of {rest!r}"
    manifest = json.loads((folder / "out.manifest.json").read_text())
    counts = manifest["rows"], manifest["scored"], manifest["rejected"]
    rows, rejected = expected.rows, len(expected.rejects)
    return "" if counts == (rows, rows - rejected, rejected) else f"manifest: {counts}"


@contextlib.contextmanager
def _small_blocks(step: int) -> Iterator[None]:
    with mock.patch.dict(Records.__init__.__kwdefaults__, block_size=step):
        yield


def _without_header(text: bytes) -> tuple[bytes, bytes]:
    """Return the header of an output, which has no line break within, and what follows it."""
    bare = text.removeprefix(codecs.BOM_UTF8)
    ends = [place for mark in (b"\r", b"\n") if (place := bare.find(mark)) >= 0]
    if not ends:
        return bare, b""
    end = min(ends) + (2 if bare[min(ends) :].startswith(b"\r\n") else 1)
    return bare[:end], bare[end:]
