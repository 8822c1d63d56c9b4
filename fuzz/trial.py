"""One file put through the reader and the scorer as a run puts it through, and judged."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ffn.errors import FFNError
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import RowScorer
from ffn.scoring.rows.scorer import Scorer
from ffn.tabular.csv.parsing.rejects import Reject
from ffn.tabular.csv.reader import Records
from fuzz.files import Case
from fuzz.model import TenthsScorer
from fuzz.oracle import Expected, Rules, expect
from fuzz.whole import try_whole

__all__ = ["try_case", "try_file"]

_MODEL = TenthsScorer()


class _Trickle(io.BytesIO):
    """A file that gives no more than ``at_once`` bytes at a time."""

    def __init__(self, content: bytes, at_once: int) -> None:
        super().__init__(content)
        self._at_once = at_once

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._at_once if not size or size < 0 else min(size, self._at_once))


def try_case(case: Case) -> str:
    """Return what is wrong with what became of a case; nothing if all is well."""
    return try_file(case, _MODEL)[0]


def try_file(
    case: Case, model: Scorer, rules: Rules | None = None, **options: Any
) -> tuple[str, Expected | None]:
    """Return what is wrong, and what had to become of a file; None if it need not be scored.

    Parameters
    ----------
    case
        The file.
    model
        The model that scores it.
    rules
        What has to become of its rows; by default what ``fuzz.model`` says.
    **options
        Options of scoring besides those of the case.
    """
    try:
        output, rejects, rows = _score(case, model, options)
    except FFNError as error:
        if _is_utf8_after_all(case):
            fits = "Give --encoding utf-8" in str(error) or not case.sound
            return ("" if fits else str(error)), None
        return (f"refused: {error}" if case.sound else ""), None
    if not case.sound:
        return "", None
    if _is_utf8_after_all(case):
        return f"read as {case.encoding}, and is UTF-8", None
    encoding = case.encoding or "utf-8"
    expected = expect(case.content, case.delimiter, case.decimal, encoding, rules)
    return _difference(expected, output, rejects, rows) or _whole(
        case, expected, model, options
    ), expected


def _difference(expected: Expected, output: bytes, rejects: list[Reject], rows: int) -> str:
    found = [(r.row, r.line, r.column, str(r.reason)) for r in rejects]
    if found != expected.rejects:
        return f"rejects {found} instead of {expected.rejects}"
    if (lines := [r.lines for r in rejects]) != expected.lines:
        return f"rejects on {lines} lines instead of {expected.lines}"
    if rows != expected.rows:
        return f"{rows} rows instead of {expected.rows}"
    values = [r.value for r in rejects if r.column]
    if values != expected.values:
        return f"rejected values {values} instead of {expected.values}"
    if output != expected.output:
        return f"output {output!r} instead of {expected.output!r}"
    return ""


def _whole(case: Case, expected: Expected, model: Scorer, options: dict[str, Any]) -> str:
    if not case.step:
        return ""
    with TemporaryDirectory(prefix="ffn-fuzz-") as folder:
        return try_whole(case, expected, Path(folder), model, options)


def _is_utf8_after_all(case: Case) -> bool:
    """Whether a file in another encoding became UTF-8 by its damage."""
    if case.encoding is None or case.content.isascii():
        return False
    return case.content.decode("utf-8", "ignore").encode() == case.content


def _score(case: Case, model: Scorer, more: dict[str, Any]) -> tuple[bytes, list[Reject], int]:
    """Score in ranges, each by a reader of its own, as processes do."""
    options = Options(
        delimiter=case.delimiter, decimal=case.decimal, encoding=case.encoding, **more
    )
    how = {"delimiter": case.delimiter, "given_encoding": case.encoding}
    output, rejects = b"", []
    mark = tally = scorer = None
    for until in (*case.cuts, None):
        stream = _Trickle(case.content, case.at_once)
        records = Records(stream, "t.csv", block_size=case.block_size, **how)
        if mark is None:
            scorer = RowScorer(model, records.header, options, "t.csv")
            tally = scorer.new_tally()
            output = records.bom + records.encode(scorer.header_line)
        elif records.encoding == "utf-8":
            stream.seek(mark.offset)
            records.go_to(mark)
        if records.encoding != "utf-8":
            until = None
        for block in records.blocks(until):
            scored, refused = scorer.score(block, tally)
            output += records.encode(scored)
            rejects += refused
        if until is None:
            break
        mark = records.mark
    if tally.scored + tally.rejected != records.rows or tally.rejected != len(rejects):
        raise RuntimeError(f"{records.rows} rows, {tally.scored} + {tally.rejected} accounted for")
    return output, rejects, records.rows
