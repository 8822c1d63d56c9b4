"""What a worker is asked to score: a parcel with a JSON document; and the answer to it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ffn.blas_threads import one_blas_thread
from ffn.clusters.answers import answer_with
from ffn.clusters.parcels import pack, unpack
from ffn.scoring.parallel.file_run import keep_freed_memory
from ffn.storage.documents import canonical_json, parse_json

__all__ = ["answer_by_scoring", "request_with"]

_ASKED = "asked.json"
Pieces = Mapping[str, bytes]


def request_with(asked: Mapping[str, Any], pieces: Pieces) -> bytes:
    """Return a request as a parcel.

    Parameters
    ----------
    asked
        What is asked; the entry ``likeness`` says what the asking process is like.
    pieces
        Bytes by name, as far as the worker is sent any.
    """
    return pack({_ASKED: canonical_json(asked), **pieces})


def answer_by_scoring(
    request: bytes, score: Callable[[Mapping[str, Any], Pieces], Mapping[str, Any]]
) -> bytes:
    """Return a worker's answer to a request, as `ffn.clusters.answers.answer_with` does.

    Parameters
    ----------
    request
        Result of `request_with`.
    score
        Returns the pieces of the answer to what is asked, given the pieces that were sent.
    """

    @functools.cache
    def opened() -> tuple[dict[str, Any], dict[str, bytes]]:
        pieces = unpack(request)
        return dict(parse_json(pieces.pop(_ASKED))), pieces

    def compute() -> Mapping[str, Any]:
        keep_freed_memory()
        with one_blas_thread():
            return score(*opened())

    return answer_with(compute, lambda: opened()[0]["likeness"], {})
