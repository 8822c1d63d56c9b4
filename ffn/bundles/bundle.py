"""Read and write model bundles: arrays in safetensors, the rest in JSON, a digest for each part.

::

    bundle/
      manifest.json         format, size and SHA-256 of the other three
      model.json            pipeline, schema, widths, optimizer, classes
      arrays.safetensors    parameters, preparation, fingerprints of the training rows
      reference.json        histograms of the training rows, for drift detection
      manifest.hmac         signature of the manifest, if there is a key

The SHA-256 of the manifest identifies the bundle, as it covers every byte of the other files.
Reading a bundle never runs code from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from ffn.bundles.array_checks import check_arrays
from ffn.bundles.bundle_files import (
    ARRAYS,
    BUNDLE_FORMAT,
    MANIFEST,
    MANIFEST_BYTES,
    MODEL,
    OLDEST_FORMAT,
    REFERENCE,
    REMEDY,
    parse_manifest,
    read_part,
)
from ffn.bundles.signature import KEY_VARIABLE, check_signature, sign, signing_key
from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.errors import BundleError, SettingsError
from ffn.nn import Network
from ffn.storage.atomic import write_bytes
from ffn.storage.documents import canonical_json, parse_json
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.histograms import Reference
from ffn.tabular.training_table.preprocessing import Preparation

__all__ = [
    "BUNDLE_FOLDER",
    "BUNDLE_FORMAT",
    "MANIFEST",
    "SIGNATURE",
    "Bundle",
    "bundle_parts",
    "parse_parts",
    "read_bundle",
    "sign_bundle",
    "write_bundle",
]

Array = npt.NDArray[Any]

BUNDLE_FOLDER = "bundle"
SIGNATURE = "manifest.hmac"
_SIGN_IT = "If it is yours, sign it: ffn promote PIPELINE N --sign."


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A trained model with everything that scoring needs.

    Attributes
    ----------
    pipeline, optimizer
        Names of the pipeline and of the chosen optimizer.
    schema
        Schema of the training table.
    preparation
        Preprocessing from typed columns to inputs.
    network
        Networks with parameters [K, P]; for K > 1 their probabilities are averaged.
    fingerprints
        Content fingerprints of the training rows, uint64 [N], sorted.
    reference
        Histograms of the training rows; None if not recorded.
    rule
        How labels follow from the probabilities; by default the most probable class.
    version
        Number in the registry; 0 for a bundle outside one.
    sha256
        Digest of the manifest; empty until written.
    """

    pipeline: str
    optimizer: str
    schema: Schema
    preparation: Preparation
    network: Network
    fingerprints: Array
    reference: Reference | None = None
    rule: DecisionRule = ARGMAX
    version: int = 0
    sha256: str = ""

    def probabilities(self, x: Array) -> Array:
        """Return class probabilities [n, C], float64, for inputs ``x`` [n, n_in].

        The arithmetic is float64, so that the other rows of a batch change a row's probabilities
        by no more than 1e-15. A row whose class scores overflow is NaN; the caller has to check.
        """
        exact = Network(self.network.widths, self.network.parameters.astype(np.float64))
        with np.errstate(over="ignore", invalid="ignore"):
            mean: Array = exact.predict_proba(x).mean(axis=0)
        return mean


def write_bundle(bundle: Bundle, folder: Path) -> str:
    """Write a bundle and return its SHA-256, in hexadecimal. Equal bundles give equal bytes.

    It is signed if ``FFN_SIGNING_KEY`` is set.

    Parameters
    ----------
    bundle
        The model; its ``version`` and ``sha256`` are not written.
    folder
        Folder for the files, created if missing.
    """
    parts = bundle_parts(bundle)
    manifest = canonical_json(
        {
            "format": _format_of(bundle.schema),
            "parts": {
                name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for name, content in parts.items()
            },
        }
    )
    for name, content in parts.items():
        write_bytes(folder / name, content)
    key = signing_key()
    if key is not None:
        write_bytes(folder / SIGNATURE, sign(manifest, key))
    write_bytes(folder / MANIFEST, manifest)
    return hashlib.sha256(manifest).hexdigest()


def _format_of(schema: Schema) -> int:
    """Return the oldest format that has what the features need: dates and truth values are new."""
    plain = all(feature.form is feature.number_format for feature in schema.features)
    return OLDEST_FORMAT if plain else BUNDLE_FORMAT


def bundle_parts(bundle: Bundle) -> dict[str, bytes]:
    """Return the content of each file of ``bundle`` besides manifest and signature, by name."""
    model = {
        "pipeline": bundle.pipeline,
        "optimizer": bundle.optimizer,
        "schema": bundle.schema.to_json(),
        "widths": list(bundle.network.widths),
    }
    if bundle.rule != ARGMAX:
        model["decision"] = bundle.rule.to_json()
    # What is not used is absent, so that other bundles keep their bytes.
    arrays = bundle.preparation.to_arrays()
    arrays |= {"parameters": bundle.network.parameters, "fingerprints": bundle.fingerprints}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    parts = {MODEL: canonical_json(model), ARRAYS: safetensors.numpy.save(contiguous)}
    if bundle.reference is not None:
        parts[REFERENCE] = canonical_json(bundle.reference.to_json())
    return parts


def read_bundle(folder: Path, *, version: int = 0) -> Bundle:
    """Read a bundle; every part is checked against its digest before it is parsed.

    Parameters
    ----------
    folder
        Folder of the bundle.
    version
        Number in the registry, for the result; 0 (the default) for a bundle outside one.

    Raises
    ------
    BundleError
        A part is missing, changed, a link, or not of this format; or the bundle is not signed
        with the key in ``FFN_SIGNING_KEY``.
    """
    text = read_part(folder / MANIFEST, at_most=MANIFEST_BYTES)
    problem = check_signature(folder / SIGNATURE, text, signing_key())
    if problem:
        raise BundleError(f"{folder}: {problem}. {_SIGN_IT} {REMEDY}")
    return _read_signed(folder, text, version=version)


def _read_signed(folder: Path, text: bytes, *, version: int) -> Bundle:
    """Read the parts that the manifest ``text`` declares."""
    contents = {}
    for name, declared in parse_manifest(text, folder).items():
        content = read_part(folder / name, at_most=declared["bytes"])
        if hashlib.sha256(content).hexdigest() != declared["sha256"]:
            raise BundleError(
                f"{folder / name}: SHA-256 differs from the manifest's; the bundle is damaged. "
                f"{REMEDY}"
            )
        contents[name] = content
    sha256 = hashlib.sha256(text).hexdigest()
    return parse_parts(contents, str(folder), version=version, sha256=sha256)


def parse_parts(contents: Mapping[str, bytes], where: str, *, version: int, sha256: str) -> Bundle:
    """Return the bundle whose files have the ``contents`` that `bundle_parts` gave.

    Parameters
    ----------
    contents
        Content of each file besides manifest and signature, by name.
    where
        Name of the bundle in errors.
    version
        Number in the registry; 0 for a bundle outside one.
    sha256
        Digest of the manifest.

    Raises
    ------
    BundleError
        A part is missing or of another format, or the parts contradict each other.
    """
    try:
        return _assemble(
            parse_json(contents[MODEL]),
            safetensors.numpy.load(contents[ARRAYS]),
            parse_json(contents[REFERENCE]) if REFERENCE in contents else None,
            version=version,
            sha256=sha256,
        )
    except (BundleError, KeyError, TypeError, ValueError, OverflowError, SafetensorError) as error:
        raise BundleError(f"{where}: the parts do not fit together ({error}). {REMEDY}") from None


def sign_bundle(folder: Path) -> None:
    """Sign the undamaged bundle in ``folder`` with the key in ``FFN_SIGNING_KEY``.

    An existing signature is replaced.

    Raises
    ------
    SettingsError
        There is no key.
    BundleError
        A file of the bundle other than its signature is damaged.
    """
    key = signing_key()
    if key is None:
        raise SettingsError(f"{KEY_VARIABLE} is not set, so there is nothing to sign with.")
    text = read_part(folder / MANIFEST, at_most=MANIFEST_BYTES)
    _read_signed(folder, text, version=0)
    write_bytes(folder / SIGNATURE, sign(text, key))


def _assemble(
    model: dict[str, Any],
    arrays: dict[str, Array],
    reference: dict[str, Any] | None,
    *,
    version: int,
    sha256: str,
) -> Bundle:
    """Build the bundle; raise ValueError if the parts contradict each other."""
    if set(model) - {"decision"} != {"pipeline", "optimizer", "schema", "widths"}:
        raise ValueError("the model has other fields")
    schema = Schema.from_json(model["schema"])
    check_arrays(arrays, schema)
    preparation = Preparation.of_arrays(arrays)
    network = Network(model["widths"], arrays["parameters"])
    if (network.widths[0], network.widths[-1]) != (preparation.n_inputs, len(schema.classes)):
        raise ValueError("the network's widths do not fit the schema")
    if not all(isinstance(model[name], str) for name in ("pipeline", "optimizer")):
        raise ValueError("the names are not texts")
    rule = ARGMAX
    if "decision" in model:
        rule = DecisionRule.from_json(model["decision"], len(schema.classes))
    return Bundle(
        pipeline=model["pipeline"],
        optimizer=model["optimizer"],
        schema=schema,
        preparation=preparation,
        network=network,
        fingerprints=arrays["fingerprints"],
        reference=None if reference is None else Reference.from_json(reference, schema),
        rule=rule,
        version=version,
        sha256=sha256,
    )
