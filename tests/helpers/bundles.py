"""A small bundle, and copies of it that are wrong in one thing and signed all the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from ffn.bundles.bundle import Bundle
from ffn.nn import Network, spawn_generators
from ffn.tabular.encodings.piecewise_encoding import PiecewiseEncoding
from ffn.tabular.encodings.pooled_categories import PooledCategories
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.preprocessing import Preparation


def make(k: int = 1, dtype: str = "float32", seed: int = 0) -> Bundle:
    """One number, one category with gaps, two classes: 1 + 2 + 1 inputs."""
    return Bundle(
        pipeline="things",
        optimizer="adam",
        schema=Schema(
            features=(
                Feature(name="größe", kind="numeric", minimum=0.5, maximum=9.0),
                Feature(name="c", kind="categorical", missing=True, categories=("p", "q")),
            ),
            target="y",
            classes=("a", "b"),
            missing_values=("", "NA"),
        ),
        preparation=Preparation(
            fill=np.array([2.0]),
            mean=np.array([0.1]),
            scale=np.array([3.0]),
            categories=np.array([2]),
            has_missing=np.array([True]),
        ),
        network=Network.create(
            (4, 3, 2), spawn_generators(np.random.SeedSequence(seed), k), np.dtype(dtype)
        ),
        fingerprints=np.arange(5, dtype=np.uint64) + np.uint64(2**63),
    )


def make_piecewise() -> Bundle:
    """The same with two bins, a clip and a quantile for the number: 4 + 2 + 1 inputs."""
    bundle = make()
    encoding = PiecewiseEncoding(
        edges=np.array([-1.0, 0.0, 1.0]),
        edge_counts=np.array([3]),
        knots=np.array([0.5, 9.0]),
        quantiles=np.array([-1.5, 1.5]),
        knot_counts=np.array([2]),
    )
    return replace(
        bundle,
        preparation=replace(bundle.preparation, piecewise=encoding),
        network=Network.create((7, 3, 2), spawn_generators(np.random.SeedSequence(0), 1)),
    )


def make_pooled() -> Bundle:
    """The same with the category q pooled: 1 + p, others, statistic, missing inputs."""
    bundle = make()
    pooled = PooledCategories(
        own_inputs=np.array([True, False]), statistics=np.array([[0.25], [-1.5]])
    )
    return replace(
        bundle,
        preparation=replace(bundle.preparation, pooled=pooled),
        network=Network.create((5, 3, 2), spawn_generators(np.random.SeedSequence(0), 1)),
    )


def sign(folder: Path, model: bytes, arrays: bytes, **manifest: Any) -> None:
    """Write a bundle of any content, with digests that are right."""
    parts = {"model.json": model, "arrays.safetensors": arrays}
    document = {
        "format": 1,
        "parts": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in parts.items()
        },
    } | manifest
    for name, content in parts.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.json").write_text(json.dumps(document))


def contents(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    return (
        json.loads((folder / "model.json").read_bytes()),
        safetensors.numpy.load((folder / "arrays.safetensors").read_bytes()),
    )


def forge(folder: Path, **changes: Any) -> None:
    """Change entries of the model and the arrays (None takes one out) and sign the result."""
    model, arrays = contents(folder)
    for name, value in changes.items():
        place: dict[str, Any] = arrays if isinstance(value, np.ndarray) or name in arrays else model
        if value is None:
            del place[name]
        else:
            place[name] = value
    sign(folder, json.dumps(model).encode(), safetensors.numpy.save(arrays))
