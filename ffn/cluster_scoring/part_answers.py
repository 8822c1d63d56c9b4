"""What a worker does with parts that it is asked for: it scores them, and answers.

It scores them into the work folder of the run where it sees that, and otherwise into memory.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, NamedTuple

from ffn.cluster_scoring.file_in_pieces import OutOfReachError, SourceInPieces
from ffn.cluster_scoring.requests import answer_by_scoring
from ffn.cluster_scoring.seen_file import is_still, seen
from ffn.cluster_scoring.sent_model import model_received
from ffn.cluster_scoring.shared_folder import SharedFolder, shared_folder
from ffn.errors import DataError, OutputError
from ffn.scoring.partitioned.part_account import PartAccount
from ffn.scoring.partitioned.part_plan import InputPart, Stretch
from ffn.scoring.partitioned.part_scoring import naming_part, score_opened_part
from ffn.scoring.rows.options import Options
from ffn.storage.source import Source

__all__ = ["score_parts_for_another"]


def score_parts_for_another(request: bytes, model: bytes) -> bytes:
    """Score parts for another process, and return a parcel of them, or of what is wrong.

    Parameters
    ----------
    request
        Parcel of what is asked, and of the bytes of the parts if they are sent.
    model
        Parcel of the model.
    """
    return answer_by_scoring(request, lambda asked, pieces: _score_all(asked, pieces, model))


def _score_all(
    asked: Mapping[str, Any], pieces: Mapping[str, bytes], model: bytes
) -> dict[str, Any]:
    options = Options(**asked["options"])
    told: list[dict[str, Any]] = []
    files: dict[str, bytes] = {}
    with shared_folder(asked["folder"]) as folder:
        if folder is None and asked["folder"] is not None:
            return {"unshared": True}
        for number, about in enumerate(asked["parts"]):
            own = {
                name.partition(".")[2]: content
                for name, content in pieces.items()
                if name.startswith(f"{number}.")
            }
            found, made = _Work(about, own, options, model, folder).answer()
            if found is None:
                return {"unseen": True}
            told.append(found)
            files |= {f"{number}.{name}": content for name, content in made.items()}
    return {"parts": told, **files}


class _Work(NamedTuple):
    """One part, what was sent of it, and where to put it."""

    about: Mapping[str, Any]
    pieces: Mapping[str, bytes]
    options: Options
    model: bytes
    folder: SharedFolder | None

    def answer(self) -> tuple[dict[str, Any] | None, dict[str, bytes]]:
        """Return what is said of the part, and its files; None if its input is not seen here."""
        about = self.about
        given = tuple((name, cell) for name, cell in about["given"])
        stretch = None if about["stretch"] is None else Stretch(*about["stretch"])
        part = InputPart(about["name"], None, about["below"], given, stretch)
        try:
            with _opened(about, self.pieces) as stream:
                if stream is None:
                    return None, {}
                found, stored, made = self._scored(part, stream)
        except OutOfReachError:
            # The last record is longer than what was sent: the range is scored where it was asked
            # for.
            found = None
        except OutputError:
            raise
        except DataError as refusal:
            return {"refusal": str(refusal)}, {}
        if found is None:
            return {"account": None}, {}
        account, state = found
        return {"account": asdict(account), "state": state, "stored": stored}, made

    def _scored(
        self, part: InputPart, stream: Source
    ) -> tuple[tuple[PartAccount, dict[str, Any]] | None, list[str] | None, dict[str, bytes]]:
        """Return what is known of a part; the names of its files, or None, and their content."""
        received = model_received(self.model)

        def score(output: Any, rejects: Any) -> tuple[PartAccount, dict[str, Any]] | None:
            return score_opened_part(part, stream, received, self.options, output, rejects)

        if self.folder is not None:
            with naming_part(part):
                return *self.folder.write(part.key, score, durable=True), {}
        output, rejects = io.BytesIO(), io.BytesIO()
        found = score(output, rejects)
        return found, None, {"output": output.getvalue(), "rejects": rejects.getvalue()}


@contextmanager
def _opened(about: Mapping[str, Any], pieces: Mapping[str, bytes]) -> Iterator[Source | None]:
    """Open the input of a part while the block runs; None if it is not seen here."""
    name = str(about["path"])
    if about["seen"] is not None:
        with seen(about["seen"]) as file:
            yield None if file is None else Source(file, name)
            if file is not None and not is_still(file, about["seen"]):
                raise DataError(f"{name} changed while it was read. Try again when it is left.")
    elif about["stretch"] is None:
        with tempfile.TemporaryFile() as copy:
            copy.write(pieces["text"])
            copy.seek(0)
            yield Source(copy, name)
    else:
        text = (about["stretch"][0] - 1, pieces["text"])
        yield SourceInPieces([(0, pieces["head"]), text], about["size"], name)
