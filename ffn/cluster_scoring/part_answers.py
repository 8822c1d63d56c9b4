"""What a worker does with parts that it is asked for: it scores them into memory, and answers."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from ffn.cluster_scoring.file_in_pieces import OutOfReachError, SourceInPieces
from ffn.cluster_scoring.requests import answer_by_scoring
from ffn.cluster_scoring.seen_file import is_still, seen
from ffn.cluster_scoring.sent_model import model_received
from ffn.errors import DataError, OutputError
from ffn.scoring.partitioned.part_plan import InputPart, Stretch
from ffn.scoring.partitioned.part_scoring import score_opened_part
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
    for number, about in enumerate(asked["parts"]):
        own = {
            name.partition(".")[2]: content
            for name, content in pieces.items()
            if name.startswith(f"{number}.")
        }
        found, made = _score(about, own, options, model)
        if found is None:
            return {"unseen": True}
        told.append(found)
        files |= {f"{number}.{name}": content for name, content in made.items()}
    return {"parts": told, **files}


def _score(
    about: Mapping[str, Any], pieces: Mapping[str, bytes], options: Options, model: bytes
) -> tuple[dict[str, Any] | None, dict[str, bytes]]:
    """Return what is said of a part, and its files; None if its input is not seen here."""
    given = tuple((name, cell) for name, cell in about["given"])
    stretch = None if about["stretch"] is None else Stretch(*about["stretch"])
    part = InputPart(about["name"], None, about["below"], given, stretch)
    output, rejects = io.BytesIO(), io.BytesIO()
    try:
        with _opened(about, pieces) as stream:
            if stream is None:
                return None, {}
            files = output, rejects
            found = score_opened_part(part, stream, model_received(model), options, *files)
    except OutOfReachError:
        # The last record is longer than what was sent: the range is scored where it was asked for.
        found = None
    except OutputError:
        raise
    except DataError as refusal:
        return {"refusal": str(refusal)}, {}
    if found is None:
        return {"account": None}, {}
    account, state = found
    return (
        {"account": asdict(account), "state": state},
        {"output": output.getvalue(), "rejects": rejects.getvalue()},
    )


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
