"""The model as workers are sent it: the bytes of its bundle, once; nothing is unpickled."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import replace
from typing import NamedTuple

from ffn.bundles.bundle import Bundle, bundle_parts, parse_parts
from ffn.clusters.parcels import pack, unpack
from ffn.errors import ClusterError
from ffn.scoring.rows.scorer import Scorer
from ffn.storage.documents import canonical_json, parse_json

__all__ = ["SentModel", "model_received"]

_ABOUT = "about.json"
_MODELS_KEPT = 4


class SentModel(NamedTuple):
    """A model without the fingerprints of its training rows, as a parcel.

    Attributes
    ----------
    parcel
        The files of its bundle, and its number and digest.
    key
        Digest of the parcel, by which workers are asked for it.
    """

    parcel: bytes
    key: str

    @classmethod
    def of(cls, model: Scorer) -> SentModel:
        """Return ``model`` as it is sent.

        Raises
        ------
        ClusterError
            It is no bundle.
        """
        if not isinstance(model, Bundle):
            raise ClusterError(
                f"a model of the type {type(model).__name__} cannot be sent to workers. Score "
                "with one of a registry."
            )
        # Scoring does not ask for them, and they are nearly all of a bundle's bytes.
        parts = bundle_parts(replace(model, fingerprints=model.fingerprints[:0]))
        about = canonical_json({"version": model.version, "sha256": model.sha256})
        parcel = pack({**parts, _ABOUT: about})
        return cls(parcel, hashlib.sha256(parcel).hexdigest())


@functools.lru_cache(_MODELS_KEPT)
def model_received(parcel: bytes) -> Bundle:
    """Return the model in a parcel, checked like one that is read from its files.

    Parameters
    ----------
    parcel
        What `SentModel` has.

    Raises
    ------
    BundleError
        Its parts do not fit together.
    ValueError
        It is not a parcel.
    """
    parts = unpack(parcel)
    about = parse_json(parts.pop(_ABOUT))
    return parse_parts(parts, "the model sent", version=about["version"], sha256=about["sha256"])
