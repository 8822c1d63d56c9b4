"""Programs that label a CSV file with the same network; each runs in a process of its own.

``python -m benchmarks.scoring.sides SIDE BUNDLE INPUT OUTPUT`` prints one JSON object.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from ffn.bundles.bundle import Bundle, read_bundle

__all__ = ["SIDES"]

_COMPARISONS = 8


def _ours(bundle: Path, source: str, output: str, **options: Any) -> dict[str, Any]:
    from ffn.scoring.model import load

    result = load(bundle).score_csv(source, output, **options)
    return {"rows": result.rows, "rejected": result.rejected, "blocks": result.blocks._asdict()}


def _two_processes(bundle: Path, source: str, output: str) -> dict[str, Any]:
    return _ours(bundle, source, output, workers=2)


def _comparison(bundle: Path, source: str, output: str) -> dict[str, Any]:
    """Score with and without comparing rows with training's, in turns; CPU seconds of each.

    In one process: what two processes take for the same work differs by more than this costs.
    """
    seconds: dict[str, list[float]] = {"warn": [], "off": []}
    for number in range(_COMPARISONS):
        for drift in sorted(seconds, reverse=bool(number % 2)):
            started = time.process_time()
            found = _ours(bundle, source, output, drift=drift, force=True)
            seconds[drift].append(time.process_time() - started)
    # The first of each meets memory that is not there yet.
    return found | {drift: own[1:] or own for drift, own in seconds.items()}


def _pandas(folder: Path, source: str, output: str) -> dict[str, Any]:
    """Label as people do: chunks, a scikit-learn pipeline, ``to_csv``."""
    import pandas as pd

    bundle = read_bundle(folder)
    schema, model = bundle.schema, _sklearn_pipeline(bundle)
    texts = dict.fromkeys(("id", "note"), str) | {f.name: str for f in schema.categorical}
    optional = [feature.name for feature in schema.numeric if feature.missing]
    rows = written = 0
    with Path(output).open("w", encoding="utf-8", newline="") as file:
        for chunk in pd.read_csv(source, chunksize=100_000, dtype=texts):
            rows += len(chunk)
            good = np.ones(len(chunk), dtype=bool)
            for feature in schema.numeric:
                if chunk[feature.name].dtype == object or chunk[feature.name].dtype == "str":
                    cells = chunk[feature.name]
                    chunk[feature.name] = pd.to_numeric(cells, errors="coerce")
                    good &= (chunk[feature.name].notna() == cells.notna()).to_numpy()
                if feature.name not in optional:
                    good &= chunk[feature.name].notna().to_numpy()
            chunk = chunk if good.all() else chunk[good]
            shares = model.predict_proba(chunk)
            labels = np.array(schema.classes)[shares.argmax(axis=1)]
            confidence = shares.max(axis=1).round(4)
            chunk = chunk.assign(predicted=labels, confidence=confidence)
            chunk.to_csv(file, index=False, header=not written)
            written += len(chunk)
    return {"rows": rows, "rejected": rows - written}


def _sklearn_pipeline(bundle: Bundle) -> Any:
    """Return preparation and network of the bundle as scikit-learn's own objects."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    schema, learnt, network = bundle.schema, bundle.preparation, bundle.network
    numeric = [feature.name for feature in schema.numeric]
    categorical = [feature.name for feature in schema.categorical]
    levels = [
        [*feature.categories, *(["missing"] if missing else [])]
        for feature, missing in zip(schema.categorical, learnt.has_missing, strict=True)
    ]
    imputer, scaler = SimpleImputer(strategy="median"), StandardScaler()
    parts = [("numeric", make_pipeline(imputer, scaler), numeric)]
    if learnt.numeric_missing is not None:
        gaps = [name for name, gap in zip(numeric, learnt.numeric_missing, strict=True) if gap]
        parts.append(("gaps", FunctionTransformer(pd.DataFrame.isna), gaps))
    if categorical:
        fill = SimpleImputer(strategy="constant", fill_value="missing")
        encoder = OneHotEncoder(categories=levels, handle_unknown="ignore", sparse_output=False)
        parts.append(("categorical", make_pipeline(fill, encoder), categorical))
    # Fitted on two rows whose median, mean and deviation are those learnt at training.
    spread = pd.DataFrame([learnt.mean - learnt.scale, learnt.mean + learnt.scale], columns=numeric)
    rows = spread.assign(**{name: levels[i][0] for i, name in enumerate(categorical)})
    transformer = ColumnTransformer(parts).fit(rows)
    transformer.named_transformers_["numeric"][0].statistics_[:] = learnt.fill
    classifier = MLPClassifier(network.widths[1:-1])
    classifier.n_layers_, classifier.n_outputs_ = len(network.widths), network.widths[-1]
    classifier.out_activation_, classifier.classes_ = "softmax", np.array(schema.classes)
    layers = range(len(network.layers))
    classifier.coefs_ = [network.weights(layer)[0].astype(np.float64) for layer in layers]
    classifier.intercepts_ = [network.biases(layer)[0].astype(np.float64) for layer in layers]
    return make_pipeline(transformer, classifier)


def _polars(folder: Path, source: str, output: str) -> dict[str, Any]:
    """Streaming, every column a string, so that the cells come out as they went in."""
    import polars as pl

    bundle = read_bundle(folder)
    names = [feature.name for feature in bundle.schema.numeric]
    classes = pl.Series(bundle.schema.classes)
    count = {"rows": 0, "rejected": 0}

    def label(frame: pl.DataFrame) -> pl.DataFrame:
        x = frame.select(pl.col(names).cast(pl.Float64, strict=False))
        good = x.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
        count["rows"] += len(frame)
        if not good.all():
            frame, x = frame.filter(good), x.filter(good)
            count["rejected"] += int((~good).sum())
        inputs = bundle.preparation.transform(x.to_numpy(), np.empty((len(x), 0), dtype=np.int64))
        shares = bundle.probabilities(inputs)
        return frame.with_columns(
            classes.gather(shares.argmax(axis=1)).alias("predicted"),
            pl.Series("confidence", shares.max(axis=1)),
        )

    rows = pl.scan_csv(source, infer_schema=False, empty_string_is_null=False)
    schema = rows.collect_schema() | {"predicted": pl.String, "confidence": pl.Float64}
    labelled = rows.map_batches(label, streamable=True, schema=schema)
    labelled.sink_csv(output, float_precision=4)
    return count


SIDES = {
    "ours": _ours,
    "two processes": _two_processes,
    "comparison": _comparison,
    "pandas": _pandas,
    "polars": _polars,
}


def _peak() -> int:
    """Return the bytes that this process had in memory at most, imports included."""
    status = Path("/proc/self/status").read_text()
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(kilobytes) * 1024


if __name__ == "__main__":
    side, bundle_folder, *files = sys.argv[1:]
    found = SIDES[side](Path(bundle_folder), *files) | {"peak": _peak()}
    sys.stdout.write(json.dumps(found) + "\n")
