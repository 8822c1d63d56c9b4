"""One byte range of a long CSV file, scored by a worker: what is sent, and what comes back.

The worker reads the range where it sees the same file; otherwise it is sent the range, the
beginning of the file with the header, and some bytes behind the range, since the last record may
end there. It answers with what a worker process of one machine returns: labelled records, rejects
that count rows from the range's beginning, and counts; the first two as files in the work folder of
the run where it sees that. Whether the range begins where a record does is known to who joins the
ranges, as for processes.
"""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import IO, Any, NamedTuple

from ffn.cluster_scoring.file_in_pieces import FileInPieces, OutOfReachError
from ffn.cluster_scoring.plausible_counts import are_counts
from ffn.cluster_scoring.requests import answer_by_scoring, request_with
from ffn.cluster_scoring.seen_file import is_still, seen, sighting
from ffn.cluster_scoring.sent_model import model_received
from ffn.cluster_scoring.shared_folder import (
    Offer,
    OfferedFolder,
    SharedFolder,
    range_key,
    shared_folder,
)
from ffn.errors import DataError
from ffn.scoring.parallel.file_run import Run
from ffn.scoring.parallel.part_result import Part, Stored, score_records
from ffn.scoring.parallel.record_start import guess_start
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import RowScorer
from ffn.scoring.rows.tally import Tally
from ffn.tabular.csv.header import Header
from ffn.tabular.csv.parsing.position import Counts, Mark, Place
from ffn.tabular.csv.reader import Records

__all__ = ["RangeOfFile", "read_part_of_range", "score_range_for_another"]

# Behind a range, for its last record; a longer one is scored where the ranges are joined.
MARGIN = 64 * 1024
# More than the reader looks at before it reads on.
LEAST_HEAD = 16 * 1024
_SCORERS_KEPT = 16


class RangeOfFile(NamedTuple):
    """A range of the file that is scored.

    Attributes
    ----------
    begin, until
        Its first byte, and the first one behind it.
    """

    begin: int
    until: int

    def request(
        self,
        run: Run,
        options: Options,
        here: Mapping[str, str],
        offer: Offer | None,
        *,
        send: bool,
    ) -> bytes:
        """Return what a worker is asked.

        Parameters
        ----------
        run, options
            The input, and the options of scoring.
        here
            What this process is like.
        offer
            By what the worker recognises the work folder; None if it is to send the files.
        send
            Whether to send the bytes of the range; otherwise the worker may see the file, if its
            path leads to it.
        """
        stream = run.stream
        asked: dict[str, Any] = {
            "likeness": here,
            "options": asdict(options),
            "name": stream.name,
            "begin": self.begin,
            "until": self.until,
            "size": stream.size,
            "folder": offer,
        }
        if not send and (found := sighting(stream, self.begin, self.until)):
            return request_with({**asked, "seen": found}, {})
        at = self.begin - 1
        pieces = {
            _HEAD: stream.peek(run.records.header_end + LEAST_HEAD),
            _TEXT: stream.peek(self.until + MARGIN - at, at),
        }
        return request_with(asked, pieces)


_HEAD, _TEXT = "head", "text"
_OUTPUT, _REJECTS = "output", "rejects"


def read_part_of_range(
    said: Mapping[str, Any],
    pieces: Mapping[str, bytearray],
    task: RangeOfFile,
    run: Run,
    folder: OfferedFolder,
) -> tuple[Part | None] | None:
    """Return the part that a worker has scored, within a tuple.

    Parameters
    ----------
    said, pieces
        The worker's answer.
    task
        What it was asked.
    run
        The input, whose scorer knows what the counts of a part are.
    folder
        The work folder, as workers see it.

    Returns
    -------
    tuple or None
        The part, or None in its place if the worker could not tell where one begins. None alone if
        it has written files that are not there: the disk is not shared.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError, RuntimeError
        It is no part of this file.
    """
    if said["part"] is None:
        return (None,)
    begin, offset, place, counts = (
        said["part"][key] for key in ("begin", "end", "place", "counts")
    )
    # A record has a byte at least.
    size = run.stream.size or 0
    *lengths, after_stray = place
    if type(after_stray) is not bool or not are_counts([begin, offset, *lengths, *counts], size):
        raise ValueError("the numbers of the part")
    if not task.begin <= begin <= offset <= size:
        raise ValueError("the place of the part")
    mark = Mark(offset, Place(*place))
    if not are_counts(said["part"]["tally"], size):
        raise ValueError("the counts of the part")
    tally = run.scorer.new_tally()
    tally.add(said["part"]["tally"])
    tally.check_rows(mark.place.rows)
    # Whatever the manifest says of the rows can be said of these.
    tally.to_json()
    about = begin, mark, said["part"]["tally"], Counts(*counts)
    if said["stored"] is not None:
        names, sizes = said["stored"]["names"], said["stored"]["sizes"]
        stored = folder.found(names, range_key(task.begin), sizes)
        if stored is None:
            return None
        _check_rejects(run.journal.folder.read(stored[1]), tally)
        return (Part(*about, Stored(stored[0], sizes[0]), stored[1]),)
    listed = bytes(pieces[_REJECTS])
    _check_rejects(io.BytesIO(listed), tally)
    return (Part(*about, [bytes(pieces[_OUTPUT])], listed),)


def _check_rejects(listed: IO[bytes], tally: Tally) -> None:
    with listed:
        if sum(1 for _ in listed) != tally.rejected:
            raise ValueError("the number of rejects")


def score_range_for_another(request: bytes, model: bytes) -> bytes:
    """Score a range for another process, and return a parcel of it, or of what is wrong.

    Parameters
    ----------
    request
        Parcel of what is asked, and of the bytes of the range if they are sent.
    model
        Parcel of the model.
    """
    return answer_by_scoring(request, lambda asked, pieces: _compute(asked, pieces, model))


def _compute(asked: Mapping[str, Any], pieces: Mapping[str, bytes], model: bytes) -> dict[str, Any]:
    with shared_folder(asked["folder"]) as folder:
        if folder is None and asked["folder"] is not None:
            return {"unshared": True}
        if "seen" not in asked:
            text = (asked["begin"] - 1, pieces[_TEXT])
            try:
                file = FileInPieces([(0, pieces[_HEAD]), text], asked["size"])
                return _score(file, asked, model, folder)
            except OutOfReachError:
                # Longer than what was sent, which time alone mends.
                return {"part": None}
        with seen(asked["seen"]) as there:
            if there is None:
                return {"unseen": True}
            try:
                found = _score(there, asked, model, folder)
            except DataError:
                # Whatever is wrong with another file is not said of the one that was meant.
                if is_still(there, asked["seen"]):
                    raise
                return {"unseen": True}
            return found if is_still(there, asked["seen"]) else {"unseen": True}


def _score(
    file: Any, asked: Mapping[str, Any], model: bytes, folder: SharedFolder | None
) -> dict[str, Any]:
    options = Options(**asked["options"])
    records = Records(
        file, asked["name"], delimiter=options.delimiter, given_encoding=options.encoding
    )
    scorer = _scorer(model, records.header, options, asked["name"], threading.get_ident())
    start = guess_start(file, asked["begin"], records)
    if start is None:
        return {"part": None}
    file.seek(start)
    records.go_to(Mark(start, Place(rows=0, lines=0)))

    def score(output: IO[bytes], listed: IO[bytes]) -> tuple[dict[str, Any], list[int]]:
        tally = scorer.new_tally()
        output.writelines(score_records(scorer, records, asked["until"], tally, listed))
        offset, place = records.mark
        part = {
            "begin": start,
            "end": offset,
            "place": list(place),
            "counts": list(records.counts),
            "tally": tally.state(),
        }
        return part, [output.tell(), listed.tell()]

    if folder is not None:
        found, names = folder.write(range_key(asked["begin"]), score, durable=False)
        if found is not None:
            return {"part": found[0], "stored": {"names": names, "sizes": found[1]}}
    output, listed = io.BytesIO(), io.BytesIO()
    part, _ = score(output, listed)
    return {
        "part": part,
        "stored": None,
        _OUTPUT: output.getvalue(),
        _REJECTS: listed.getvalue(),
    }


@functools.lru_cache(_SCORERS_KEPT)
def _scorer(model: bytes, header: Header, options: Options, name: str, _thread: int) -> RowScorer:
    return RowScorer(model_received(model), header, options, name)
