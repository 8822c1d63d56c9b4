"""Check that the arrays of a bundle have the types, shapes and values that scoring relies on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.encodings.derived_columns import DerivedColumns
from ffn.tabular.encodings.piecewise_encoding import PiecewiseEncoding
from ffn.tabular.encodings.pooled_categories import PooledCategories
from ffn.tabular.schema import Schema
from ffn.tabular.text_encoding.text_encoding import TextEncoding

__all__ = ["check_arrays"]

Array = npt.NDArray[Any]

_Expected = dict[str, tuple[tuple[np.dtype[Any], ...], tuple[int | None, ...]]]

_REAL, _WHOLE = (np.dtype(np.float64),), (np.dtype(np.int64),)
_FLAG = (np.dtype(np.bool_),)


def check_arrays(arrays: dict[str, Array], schema: Schema) -> None:
    """Raise ValueError unless every array is there, and as the schema requires it.

    Parameters
    ----------
    arrays
        By name, of any content.
    schema
        Schema of the same bundle.
    """
    n_numeric, n_categorical = len(schema.numeric), len(schema.categorical)
    n_texts = len(schema.texts)
    several: _Expected = {
        "derived_owners": (_WHOLE, (None,)),
        "derived_parts": (_WHOLE, (None,)),
        "derived_origins": (_REAL, (None,)),
    }
    are_dates = [feature.date_form is not None for feature in schema.numeric]
    are_times = [feature.clock_form is not None for feature in schema.numeric]
    has_parts = any(are_dates) or any(are_times)
    n_encoded = n_numeric
    if has_parts:
        # All three are of one length: that of what is encoded.
        n_encoded = len(arrays.get("derived_owners", ()))
        several = {name: (dtypes, (n_encoded,)) for name, (dtypes, _) in several.items()}
    expected: _Expected = {
        "fill": (_REAL, (n_encoded,)),
        "mean": (_REAL, (n_encoded,)),
        "scale": (_REAL, (n_encoded,)),
        "categories": (_WHOLE, (n_categorical,)),
        "has_missing": (_FLAG, (n_categorical,)),
        "parameters": ((np.dtype(np.float32), *_REAL), (None, None)),
        "fingerprints": ((np.dtype(np.uint64),), (None,)),
    }
    if "numeric_missing" in arrays:
        expected["numeric_missing"] = (_FLAG, (n_numeric,))
    numbers: _Expected = {
        "edges": (_REAL, (None,)),
        "edge_counts": (_WHOLE, (n_encoded,)),
        "knots": (_REAL, (None,)),
        "quantiles": (_REAL, (None,)),
        "knot_counts": (_WHOLE, (n_encoded,)),
    }
    categories: _Expected = {"own_inputs": (_FLAG, (None,)), "statistics": (_REAL, (None, None))}
    texts: _Expected = {
        "text_buckets": (_WHOLE, (None,)),
        "text_bucket_counts": (_WHOLE, (n_texts,)),
        "text_rarity": (_REAL, (None,)),
        "text_directions": ((np.dtype(np.float32),), (None, None)),
        "text_centres": (_REAL, (n_texts, None)),
        "text_scales": (_REAL, (n_texts, None)),
        "text_has_missing": (_FLAG, (n_texts,)),
    }
    encoded, pooled = (not names.keys().isdisjoint(arrays) for names in (numbers, categories))
    expected |= (numbers if encoded else {}) | (categories if pooled else {})
    expected |= several if has_parts else {}
    expected |= texts if n_texts else {}
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
    problem = None
    if has_parts:
        derived = DerivedColumns(**{name: arrays[name] for name in several})
        problem = derived.problem(are_dates, are_times)
    if encoded and not problem:
        problem = PiecewiseEncoding(**{name: arrays[name] for name in numbers}).problem(n_encoded)
    if pooled and not problem:
        problem = PooledCategories(**{name: arrays[name] for name in categories}).problem(
            arrays["categories"].tolist(), len(schema.classes)
        )
    if n_texts and not problem:
        problem = TextEncoding(**{name: arrays[name] for name in texts}).problem(n_texts)
    if problem:
        raise ValueError(problem)
