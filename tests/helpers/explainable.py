"""A random network over numbers and categories, and its answers without anything that is tested."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np

from ffn.bundles.bundle import Bundle
from ffn.nn import Network, spawn_generators
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.histograms import Histogram, Reference
from ffn.tabular.training_table.preprocessing import Preparation

CATEGORIES = ("p", "q", "r")


def explainable(
    numbers: int = 2,
    categories: int = 2,
    *,
    hidden: Sequence[int] = (6,),
    networks: int = 2,
    seed: int = 0,
    scale: float = 1.0,
) -> Bundle:
    """Columns n0, c0, n1, c1, ...: medians 0, 1, 2, ...; most have the category q."""
    names = [f"{kind}{i}" for i in range(max(numbers, categories)) for kind in "nc"]
    known = {
        **{f"n{i}": Feature(name=f"n{i}", kind="numeric", missing=True, minimum=-9.0, maximum=9.0)
           for i in range(numbers)},
        **{f"c{i}": Feature(name=f"c{i}", kind="categorical", missing=True, categories=CATEGORIES)
           for i in range(categories)},
    }  # fmt: skip
    schema = Schema(
        features=tuple(known[name] for name in names if name in known),
        target="y",
        classes=("a", "b", "c"),
        missing_values=("", "NA"),
    )
    preparation = Preparation(
        fill=np.arange(numbers, dtype=float),
        mean=np.full(numbers, 0.25),
        scale=np.full(numbers, 2.0),
        categories=np.full(categories, len(CATEGORIES), dtype=np.int64),
        has_missing=np.ones(categories, dtype=bool),
        numeric_missing=np.ones(numbers, dtype=bool),
    )
    widths = (preparation.n_inputs, *hidden, 3)
    network = Network.create(widths, spawn_generators(np.random.SeedSequence(seed), networks))
    network.parameters *= np.float32(scale)
    return Bundle(
        pipeline="things",
        optimizer="adam",
        schema=schema,
        preparation=preparation,
        network=network,
        fingerprints=np.arange(3, dtype=np.uint64),
        reference=Reference(
            numeric=tuple(
                Histogram(edges=(0.0,), counts=(5, 5), missing=1) for _ in range(numbers)
            ),
            categorical=tuple(
                Histogram(counts=(3, 6, 1), missing=1) for _ in range(categories)
            ),
            labels=(4, 4, 3),
        ),
        sha256="ab" * 32,
    )  # fmt: skip


def answer(bundle: Bundle, cells: dict[str, Any]) -> Any:
    """Return the probabilities of one row of cells by name; None is missing."""
    numbers = [cells[feature.name] for feature in bundle.schema.numeric]
    codes = [
        -1 if (text := cells[feature.name]) is None else CATEGORIES.index(text)
        for feature in bundle.schema.categorical
    ]
    x = bundle.preparation.transform(
        np.array([[np.nan if n is None else n for n in numbers]]), np.array([codes], dtype=int)
    )
    return bundle.probabilities(x)[0]


def typical(bundle: Bundle) -> dict[str, Any]:
    """Return the reference row as it follows from `explainable`: medians, and the category q."""
    return {
        feature.name: float(feature.name[1:]) if feature.kind == "numeric" else "q"
        for feature in bundle.schema.features
    }


def shapley_by_orders(bundle: Bundle, cells: dict[str, Any], label: int) -> dict[str, float]:
    """Return the definition: the mean gain of each column over all orders in which they come."""
    names = [feature.name for feature in bundle.schema.features]
    found = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for order in orders:
        mixed = typical(bundle)
        before = answer(bundle, mixed)[label]
        for name in order:
            mixed[name] = cells[name]
            after = answer(bundle, mixed)[label]
            found[name] += (after - before) / len(orders)
            before = after
    return found
