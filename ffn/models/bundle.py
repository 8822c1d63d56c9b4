"""A trained model on disk: arrays in safetensors, the rest in JSON, a digest for each part.

::

    bundle/
      manifest.json         format, size and SHA-256 of the other two
      model.json            pipeline, schema, widths, optimizer, classes
      arrays.safetensors    parameters, preparation, fingerprints of the training rows

The manifest's own SHA-256 names the bundle: it covers every byte of the others. Nothing here
can run code when it is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from ffn.errors import BundleError, quote
from ffn.files import canonical_json, write_bytes
from ffn.nn import Network
from ffn.tabular.preparation import Preparation
from ffn.tabular.schema import Schema

__all__ = ["BUNDLE_FOLDER", "BUNDLE_FORMAT", "MANIFEST", "Bundle", "read_bundle", "write_bundle"]

Array = npt.NDArray[Any]

BUNDLE_FORMAT = 1
BUNDLE_FOLDER = "bundle"
MANIFEST = "manifest.json"
_MODEL = "model.json"
_ARRAYS = "arrays.safetensors"
_MANIFEST_BYTES = 64 * 1024
_REMEDY = "Score with another version, or retrain."
_PREPARATION = ("fill", "mean", "scale", "categories", "has_missing")


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """All that scoring needs.

    Attributes
    ----------
    pipeline, optimizer
        Names.
    schema
        The contract learnt at training.
    preparation
        Typed columns to inputs.
    network
        Parameters [K, P]; with K > 1 the probabilities are averaged.
    fingerprints
        uint64 [N], sorted: the rows it was trained on.
    version
        Number in the registry; 0 for a bundle outside it.
    sha256
        Of the manifest; empty until written.
    """

    pipeline: str
    optimizer: str
    schema: Schema
    preparation: Preparation
    network: Network
    fingerprints: Array
    version: int = 0
    sha256: str = ""

    def probabilities(self, x: Array) -> Array:
        """Class probabilities. x: [n, n_in]; returns [n, C], float64.

        Computed in float64, so that a row's neighbours change its figures by no more than 1e-15.
        """
        exact = Network(self.network.widths, self.network.parameters.astype(np.float64))
        mean: Array = exact.predict_proba(x).mean(axis=0)
        return mean


def write_bundle(bundle: Bundle, folder: Path) -> str:
    """Write ``bundle`` into ``folder`` and return its SHA-256. Equal bundles give equal bytes."""
    model = {
        "pipeline": bundle.pipeline,
        "optimizer": bundle.optimizer,
        "schema": bundle.schema.to_json(),
        "widths": list(bundle.network.widths),
    }
    arrays = {name: getattr(bundle.preparation, name) for name in _PREPARATION}
    arrays |= {"parameters": bundle.network.parameters, "fingerprints": bundle.fingerprints}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    parts = {_MODEL: canonical_json(model), _ARRAYS: safetensors.numpy.save(contiguous)}
    manifest = canonical_json(
        {
            "format": BUNDLE_FORMAT,
            "parts": {
                name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for name, content in parts.items()
            },
        }
    )
    for name, content in parts.items():
        write_bytes(folder / name, content)
    write_bytes(folder / MANIFEST, manifest)
    return hashlib.sha256(manifest).hexdigest()


def read_bundle(folder: Path, *, version: int = 0) -> Bundle:
    """Read a bundle, every part checked against its digest before it is parsed.

    Raises
    ------
    BundleError
        A part is missing, changed, a link, or not of this format.
    """
    text = _read_part(folder / MANIFEST, at_most=_MANIFEST_BYTES)
    manifest = _parse_manifest(text, folder)
    contents = {}
    for name in (_MODEL, _ARRAYS):
        declared = manifest[name]
        content = _read_part(folder / name, at_most=declared["bytes"])
        if hashlib.sha256(content).hexdigest() != declared["sha256"]:
            raise BundleError(
                f"{folder / name}: SHA-256 differs from the manifest's; the bundle is damaged. "
                f"{_REMEDY}"
            )
        contents[name] = content
    try:
        return _assemble(
            _parse_json(contents[_MODEL]),
            safetensors.numpy.load(contents[_ARRAYS]),
            version=version,
            sha256=hashlib.sha256(text).hexdigest(),
        )
    except (BundleError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise BundleError(f"{folder}: the parts do not fit together ({error}). {_REMEDY}") from None


def _read_part(path: Path, *, at_most: int) -> bytes:
    """Return the bytes of a plain file; refuse a link, a device, and one that is too long."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > at_most:
                raise BundleError(
                    f"{path}: not a file of at most {at_most} bytes, as the manifest has it; "
                    f"the bundle is damaged. {_REMEDY}"
                )
            with os.fdopen(handle, "rb", closefd=False) as file:
                # Not one byte more than was measured, should the file grow now.
                return file.read(status.st_size)
        finally:
            os.close(handle)
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read as part of a bundle ({error.strerror}). {_REMEDY}"
        ) from None


def _parse_manifest(text: bytes, folder: Path) -> dict[str, dict[str, Any]]:
    where = folder / MANIFEST
    try:
        manifest = _parse_json(text)
        written = manifest["format"]
    except (ValueError, KeyError, TypeError):
        raise BundleError(f"{where}: not a bundle's manifest, or damaged. {_REMEDY}") from None
    if type(written) is int and written > BUNDLE_FORMAT:
        raise BundleError(
            f"{where}: format {quote(written)}; this version reads format {BUNDLE_FORMAT}. "
            "Upgrade ffn to read a newer one."
        )
    if type(written) is not int or written != BUNDLE_FORMAT:
        raise BundleError(f"{where}: no bundle has format {quote(written)}. {_REMEDY}")
    parts = manifest.get("parts")
    sound = isinstance(parts, dict) and set(parts) == {_MODEL, _ARRAYS}
    if not sound or not all(_is_declaration(part) for part in parts.values()):
        raise BundleError(f"{where}: its list of parts is damaged. {_REMEDY}")
    return dict(parts)


def _is_declaration(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and type(part.get("bytes")) is int
        and isinstance(part.get("sha256"), str)
    )


def _parse_json(text: bytes) -> Any:
    """Return what JSON says in one way only; ValueError for a key given twice, or a NaN."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _assemble(
    model: dict[str, Any], arrays: dict[str, Array], *, version: int, sha256: str
) -> Bundle:
    """Build the bundle; ValueError where the parts contradict each other."""
    if set(model) != {"pipeline", "optimizer", "schema", "widths"}:
        raise ValueError("the model has other fields")
    schema = Schema.from_json(model["schema"])
    _check_arrays(arrays, schema)
    preparation = Preparation(**{name: arrays[name] for name in _PREPARATION})
    network = Network(model["widths"], arrays["parameters"])
    if (network.widths[0], network.widths[-1]) != (preparation.n_inputs, len(schema.classes)):
        raise ValueError("the network's widths do not fit the schema")
    if not all(isinstance(model[name], str) for name in ("pipeline", "optimizer")):
        raise ValueError("the names are no texts")
    return Bundle(
        pipeline=model["pipeline"],
        optimizer=model["optimizer"],
        schema=schema,
        preparation=preparation,
        network=network,
        fingerprints=arrays["fingerprints"],
        version=version,
        sha256=sha256,
    )


def _check_arrays(arrays: dict[str, Array], schema: Schema) -> None:
    """Raise ValueError unless every array has its type and the shape that the schema needs."""
    n_numeric, n_categorical = len(schema.numeric), len(schema.categorical)
    real = (np.dtype(np.float64),)
    expected: dict[str, tuple[tuple[np.dtype[Any], ...], tuple[int | None, ...]]] = {
        "fill": (real, (n_numeric,)),
        "mean": (real, (n_numeric,)),
        "scale": (real, (n_numeric,)),
        "categories": ((np.dtype(np.int64),), (n_categorical,)),
        "has_missing": ((np.dtype(np.bool_),), (n_categorical,)),
        "parameters": ((np.dtype(np.float32), *real), (None, None)),
        "fingerprints": ((np.dtype(np.uint64),), (None,)),
    }
    if set(arrays) != set(expected):
        raise ValueError(f"the arrays are {', '.join(sorted(arrays))}")
    for name, (dtypes, shape) in expected.items():
        array = arrays[name]
        fits = array.ndim == len(shape) and all(
            want is None or found == want for found, want in zip(array.shape, shape, strict=True)
        )
        if array.dtype not in dtypes or not fits:
            raise ValueError(f"{name} is {array.dtype}{list(array.shape)}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")
    if not len(arrays["parameters"]):
        raise ValueError("there is no network")
    if not (arrays["scale"] > 0).all():
        raise ValueError("scale is not positive")
    if arrays["categories"].tolist() != [len(f.categories) for f in schema.categorical]:
        raise ValueError("categories do not fit the schema")
