"""What a worker sends back: a parcel with a JSON document that says how it went."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from typing import Any

from ffn.clusters.likeness import own_likeness, unlikeness
from ffn.clusters.parcels import pack, pieces_of
from ffn.errors import ClusterError, FFNError, one_line
from ffn.storage.documents import canonical_json, parse_json

__all__ = ["Refusals", "answer_with", "read_answer"]

Refusals = Mapping[str, type[FFNError]]
"""Errors of one task, by name, which the others survive; any other one ends the run."""

_ANSWER = "answer.json"


def answer_with(
    compute: Callable[[], Mapping[str, Any]], likeness: Callable[[], Any], refusals: Refusals
) -> bytes:
    """Return the answer of this process to another one, as a parcel; never raises.

    Parameters
    ----------
    compute
        Returns the pieces of the answer; what is no bytes becomes an entry of its document.
    likeness
        Returns what the other process is like; one that is unlike this one gets nothing else.
    refusals
        Errors of ``compute`` that the other process raises again.
    """
    try:
        own = own_likeness()
        if unlikeness(likeness(), own, "") is not None:
            return _said(likeness=own)
        found = compute()
        pieces = {name: piece for name, piece in found.items() if isinstance(piece, bytes)}
        told = {name: entry for name, entry in found.items() if name not in pieces}
        return pack({_ANSWER: _document(**told), **pieces})
    except FFNError as refusal:
        if type(refusal).__name__ in refusals:
            return _said(refusal=type(refusal).__name__, text=str(refusal))
        return _said(failure=str(refusal).rstrip("."))
    except Exception as error:
        return _said(failure=one_line(f"{type(error).__name__}: {error}").rstrip("."))


def read_answer(
    answer: bytes, name: str, here: Mapping[str, str], refusals: Refusals
) -> tuple[dict[str, Any], dict[str, bytearray]]:
    """Return the document and the other pieces of an answer.

    Parameters
    ----------
    answer
        What a worker sent back.
    name
        What messages call the cluster.
    here
        What this process is like.
    refusals
        As for `answer_with`.

    Raises
    ------
    ClusterError
        The worker is unlike this process, or failed.
    FFNError
        It refused.
    KeyError, TypeError, ValueError
        It is no answer.
    """
    pieces = pieces_of(answer)
    said: dict[str, Any] = parse_json(bytes(pieces.pop(_ANSWER)))
    worker = f"the worker on {said['worker']}"
    if "likeness" in said:
        unlike = unlikeness(here, said["likeness"], worker)
        raise ClusterError(f"{name}: {unlike or f'{worker} would compute something else.'}")
    if "refusal" in said:
        raise refusals[said["refusal"]](str(said["text"]))
    if "failure" in said:
        raise ClusterError(f"{name}: {worker} failed: {said['failure']}.")
    return said, pieces


def _said(**answer: Any) -> bytes:
    return pack({_ANSWER: _document(**answer)})


def _document(**answer: Any) -> bytes:
    return canonical_json({"worker": f"{platform.node()}, process {os.getpid()}", **answer})
