"""What differs between two bundles: arrays by how much, documents by the keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.bundles.bundle_files import ARRAYS, MODEL, REFERENCE

__all__ = ["PartDifference", "bundle_differences"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class PartDifference:
    """A difference in a file of a bundle.

    Attributes
    ----------
    file
        Name of the file.
    where
        Name of the array, or dotted path of the value.
    difference
        Largest absolute difference of the numbers of an array; None for anything else.
    text
        What differs, in words.
    """

    file: str
    where: str
    difference: float | None
    text: str


def bundle_differences(recorded: Bundle, made: Bundle) -> list[PartDifference]:
    """Return every difference between two bundles, file by file.

    Parameters
    ----------
    recorded
        The bundle of the version.
    made
        The bundle that was made again.
    """
    return [
        *_in_arrays(recorded, made),
        *_in_documents(MODEL, _model(recorded), _model(made)),
        *_in_documents(REFERENCE, _reference(recorded), _reference(made)),
    ]


def _in_arrays(recorded: Bundle, made: Bundle) -> Iterator[PartDifference]:
    one, other = _arrays(recorded), _arrays(made)
    for name in sorted({*one, *other}):
        found = _of_arrays(name, one.get(name), other.get(name))
        if found is not None:
            difference, text = found
            yield PartDifference(file=ARRAYS, where=name, difference=difference, text=text)


def _of_arrays(
    name: str, recorded: Array | None, made: Array | None
) -> tuple[float | None, str] | None:
    """Return by how much two arrays differ, and this in words; None if they are the same bytes."""
    if recorded is None or made is None:
        return None, f"{name} {'was not there' if recorded is None else 'is not there now'}"
    if recorded.shape != made.shape:
        return None, f"{name} had the shape {_shape(recorded)} and has {_shape(made)} now"
    if recorded.dtype == made.dtype and recorded.tobytes() == made.tobytes():
        return None
    changed = f"{np.count_nonzero(recorded != made):,} of {recorded.size:,} values of {name} differ"
    if recorded.dtype.kind != "f" or made.dtype.kind != "f":
        return None, changed
    difference = float(np.abs(recorded.astype(float) - made.astype(float)).max(initial=0.0))
    return difference, f"{changed}, by at most {difference:.3g}"


def _in_documents(file: str, recorded: Any, made: Any) -> Iterator[PartDifference]:
    one, other = dict(_leaves(recorded)), dict(_leaves(made))
    for where in sorted({*one, *other}):
        if where in one and where in other and one[where] == other[where]:
            continue
        gone = "" if where in other else " is not there now"
        new = "" if where in one else " was not there"
        text = f"{where}{gone or new or ' differs'}"
        yield PartDifference(file=file, where=where, difference=None, text=text)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value that is no object, with its dotted path; a list of texts is one value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        for place, item in enumerate(value):
            yield from _leaves(item, f"{path}.{place}")
    else:
        yield path, list(value) if isinstance(value, tuple) else value


def _arrays(bundle: Bundle) -> dict[str, Array]:
    own = {"parameters": bundle.network.parameters, "fingerprints": bundle.fingerprints}
    found = {**bundle.preparation.to_arrays(), **own}
    return {name: np.asarray(array) for name, array in found.items()}


def _model(bundle: Bundle) -> dict[str, Any]:
    return {
        "pipeline": bundle.pipeline,
        "optimizer": bundle.optimizer,
        "schema": bundle.schema.to_json(),
        "widths": list(bundle.network.widths),
    }


def _reference(bundle: Bundle) -> dict[str, Any]:
    return {} if bundle.reference is None else bundle.reference.to_json()


def _shape(array: Array) -> str:
    return " by ".join(map(str, array.shape)) or "of a single number"
