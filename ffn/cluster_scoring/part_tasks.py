"""Parts of a partitioned output, scored by a worker: what is sent, and what comes back.

A part is a whole table, or a range of a long file; small ones are sent several at a time. The
worker reads a part where it sees the same file, and is sent it otherwise. It writes the files of
the part into the work folder of the run where it sees that, and otherwise they come back and are
put there as if they had been made here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from ffn.cluster_scoring.plausible_counts import are_counts
from ffn.cluster_scoring.range_tasks import LEAST_HEAD, MARGIN
from ffn.cluster_scoring.requests import request_with
from ffn.cluster_scoring.seen_file import sighting
from ffn.cluster_scoring.shared_folder import Offer, StoredNames
from ffn.scoring.partitioned.part_account import PartAccount, stamp_of, write_account
from ffn.scoring.partitioned.part_plan import InputPart
from ffn.scoring.partitioned.part_processes import PartResult, PartWork
from ffn.scoring.partitioned.part_scoring import naming_part
from ffn.scoring.partitioned.staged_parts import part_file
from ffn.scoring.rows.options import Options
from ffn.storage.source import Source
from ffn.tabular.csv.reader import Records

__all__ = [
    "OpenPart",
    "ShareOfParts",
    "request_for",
    "shares_of",
]

# As for worker processes: handing a part over costs as much as scoring a small file.
SHARE_PARTS, SHARE_BYTES = 32, 8 * 1024 * 1024
# A compressed table may have more rows than bytes; sums of so many fit into 64 bits.
_MOST_ROWS = 2**40


class ShareOfParts(NamedTuple):
    """Parts that one task scores.

    Attributes
    ----------
    parts
        The parts.
    size
        Bytes of all of them.
    """

    parts: tuple[InputPart, ...]
    size: int


def shares_of(parts: Sequence[InputPart], most_bytes: int) -> Iterator[ShareOfParts]:
    """Yield parts in the order given, small ones together.

    Parameters
    ----------
    parts
        The parts.
    most_bytes
        Limit of what may be under way; parts that fit into it do not go with one that does not.

    Raises
    ------
    DataError
        The input of one is gone.
    """
    limit = min(SHARE_BYTES, most_bytes)
    share: list[InputPart] = []
    size = 0
    for part in parts:
        its = part.size
        if share and (len(share) == SHARE_PARTS or size + its > limit):
            yield ShareOfParts(tuple(share), size)
            share, size = [], 0
        share.append(part)
        size += its
    if share:
        yield ShareOfParts(tuple(share), size)


class OpenPart(NamedTuple):
    """A part whose input is open here.

    Attributes
    ----------
    part
        The part.
    stream
        Its input.
    """

    part: InputPart
    stream: Source

    @property
    def size(self) -> int:
        """Bytes of the input."""
        return (
            self.part.stretch.until - self.part.stretch.begin
            if self.part.stretch
            else (self.stream.size or 0)
        )

    def asked(self, options: Options, *, send: bool) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return what a worker is told of the part, and the bytes that it is sent.

        Parameters
        ----------
        options
            Options of scoring.
        send
            Whether to send the bytes; otherwise it may see the file, if the path leads to it.
        """
        part, stream, stretch = self.part, self.stream, self.part.stretch
        size = stream.size or 0
        begin, until = (stretch.begin, stretch.until) if stretch else (0, size)
        told: dict[str, Any] = {
            "name": part.name,
            "below": part.below,
            "path": stream.name,
            "given": part.given,
            "stretch": stretch,
            "size": size,
            "seen": None if send else sighting(stream, begin, until),
        }
        if told["seen"] is not None:
            return told, {}
        if stretch is None:
            return told, {"text": _all_of(stream, 0, size)}
        at = begin - 1
        with stream.shared.open() as file:
            header_end = Records(
                file, stream.name, delimiter=options.delimiter, given_encoding=options.encoding
            ).header_end
        return told, {
            "head": _all_of(stream, 0, header_end + LEAST_HEAD),
            "text": _all_of(stream, at, until + MARGIN),
        }

    def take(
        self,
        found: Mapping[str, Any],
        files: tuple[bytearray, bytearray] | StoredNames,
        work: PartWork,
    ) -> PartResult:
        """Put the files of a part into their place in the work folder, as if made here.

        Parameters
        ----------
        found
            What the worker says of it.
        files
            Content of the output and of the rejects, or their names in the work folder.
        work
            What all parts are scored with.

        Raises
        ------
        DataError
            The input has changed meanwhile, or the work folder cannot be written.
        KeyError, TypeError, ValueError, AttributeError
            It is no part of this input.
        """
        part, staging = self.part, work.staging
        account = PartAccount.from_json(found["account"])
        whole = account.span is None
        if account.name != part.name or whole != (part.stretch is None):
            raise ValueError("another part")
        counts = {**found["state"], "confidence_units": account.confidence_units}
        if not are_counts(counts, _MOST_ROWS):
            raise ValueError("the counts of the part")
        if found["state"]["scored"] != account.counts["scored"]:
            raise ValueError("the counts of the part")
        contents: list[bytearray | str] = [*files]
        for its, content in zip((account.output, account.rejects), contents, strict=True):
            if isinstance(content, str):
                continue
            digest = hashlib.sha256(content).hexdigest()
            if (its["bytes"], its["sha256"]) != (len(content), digest):
                raise ValueError("a file is not what it is said to be")
        self.stream.check_untouched()
        account = replace(
            account,
            stamp=stamp_of(self.stream.status),
            source={**account.source, "path": part.below},
        )
        with naming_part(part):
            staging.folder.unlink(part_file(part.key, "part"))
            for kind, content in zip(("output", "rejects"), contents, strict=True):
                if isinstance(content, str):
                    staging.folder.settle(content, part_file(part.key, kind))
                    continue
                with staging.folder.update(part_file(part.key, kind)) as file:
                    file.write(content)
                    file.truncate()
            if not isinstance(files[0], str):
                staging.folder.sync(part_file(part.key, "output"))
            write_account(staging.folder, part.key, staging.work, account, dict(found["state"]))
        return PartResult(part, account, None)


def request_for(
    parts: Sequence[OpenPart],
    options: Options,
    here: Mapping[str, str],
    offer: Offer | None,
    *,
    send: bool,
) -> bytes:
    """Return what a worker is asked.

    Parameters
    ----------
    parts
        The parts that it is to score.
    options
        Options of scoring.
    here
        What this process is like.
    offer
        By what the worker recognises the work folder; None if it is to send the files.
    send
        As for `OpenPart.asked`.
    """
    told: list[dict[str, Any]] = []
    pieces: dict[str, bytes] = {}
    for number, part in enumerate(parts):
        about, content = part.asked(options, send=send)
        told.append(about)
        pieces |= {f"{number}.{name}": some for name, some in content.items()}
    asked = {"likeness": here, "options": asdict(options), "folder": offer, "parts": told}
    return request_with(asked, pieces)


def _all_of(stream: Source, begin: int, end: int) -> bytes:
    """Return the bytes of a range, as far as there are any."""
    found = bytearray()
    while begin + len(found) < end:
        some = stream.peek(end - begin - len(found), begin + len(found))
        if not some:
            break
        found += some
    return bytes(found)
