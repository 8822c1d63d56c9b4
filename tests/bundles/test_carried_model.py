"""A model that an engine pickles: small, complete, and independent of the sender's files."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ffn.bundles.bundle import Bundle, read_bundle, write_bundle
from ffn.bundles.carried_model import CarriedModel, unpack_model
from ffn.decision_rules.rule import DecisionRule
from ffn.errors import BundleError
from ffn.scoring.model import Model, load
from ffn.version import __version__
from tests.helpers.bundles import make
from tests.helpers.retrained import run, shipped
from tests.helpers.scorers import REFERENCE, TenthsScorer

# What a worker does: it has the package, and what comes over the wire.
WORKER = """
import json, pickle, sys
import pandas as pd
model = pickle.loads(sys.stdin.buffer.read())
rows = pd.DataFrame(json.loads(sys.argv[1]))
labelled = model.predict_batch(rows)
print(json.dumps([
    model.pipeline,
    model.version,
    model.predict(rows).tolist(),
    model.predict_proba(rows).tolist(),
    labelled["confidence"].tolist(),
]))
"""


# Trained for a few epochs only: as large as the shipped one, and faster made.
def test_iris_is_sent_in_less_than_20_kilobytes(repository: Path, tmp_path: Path) -> None:
    pipeline = shipped(repository, "iris", tmp_path, epochs=5)
    write_bundle(run(pipeline).refitted.bundle, tmp_path / "sent/bundle")
    model = load(tmp_path / "sent")
    rows = pd.read_csv(repository / "data/iris/train.csv").iloc[::15, :4]
    expected = [
        model.pipeline,
        model.version,
        model.predict(rows).tolist(),
        model.predict_proba(rows).tolist(),
        model.predict_batch(rows)["confidence"].tolist(),
    ]
    sent = pickle.dumps(model)
    assert len(sent) < 20_000
    assert str(tmp_path).encode() not in sent
    shutil.rmtree(tmp_path / "sent")
    worker = subprocess.run(
        [sys.executable, "-c", WORKER, json.dumps(rows.to_dict("list"))],
        input=sent,
        capture_output=True,
        check=True,
        cwd=repository,
    )
    assert json.loads(worker.stdout) == expected


def test_the_pickle_does_not_grow_with_the_training_rows() -> None:
    few, many = (
        replace(make(k=3), fingerprints=np.arange(n, dtype=np.uint64)) for n in (1, 48_000)
    )
    assert len(pickle.dumps(Model(few))) == len(pickle.dumps(Model(many)))
    # 8 bytes a row, as a bundle holds them.
    assert len(pickle.dumps(many)) > 384_000


def test_all_that_scoring_asks_for_is_carried(tmp_path: Path) -> None:
    rule = DecisionRule(abstain_below=0.6, set_limits=(0.3, 0.4))
    reference = replace(REFERENCE, labels=(60, 40))
    write_bundle(replace(make(k=2), rule=rule, reference=reference), tmp_path)
    bundle = read_bundle(tmp_path, version=7)
    carried = pickle.loads(pickle.dumps(Model(bundle))).scorer
    assert isinstance(carried, CarriedModel)
    for name in ("pipeline", "version", "sha256", "schema", "reference", "rule"):
        assert getattr(carried, name) == getattr(bundle, name), name
    numeric, codes = np.array([[1.5], [9.0]]), np.array([[1], [-1]])
    x = bundle.preparation.transform(numeric, codes)
    np.testing.assert_array_equal(carried.preparation.transform(numeric, codes), x)
    np.testing.assert_array_equal(carried.probabilities(x), bundle.probabilities(x))
    # Once more from a worker to another: the same bytes.
    assert pickle.dumps(Model(carried)) == pickle.dumps(Model(bundle))


def test_a_file_is_scored_alike(tmp_path: Path) -> None:
    write_bundle(make(), tmp_path / "bundle")
    model = load(tmp_path / "bundle")
    (tmp_path / "in.csv").write_text("größe,c\n1,p\n2,\nx,q\n", "utf-8")
    outputs = []
    for own in (model, pickle.loads(pickle.dumps(model))):
        result = own.score_csv(tmp_path / "in.csv", tmp_path / "out.csv", force=True)
        manifest = json.loads(result.manifest.read_bytes())
        outputs.append((result.output.read_bytes(), manifest["bundle_sha256"]))
    assert outputs[0] == outputs[1]


def test_other_scorers_are_pickled_as_they_are() -> None:
    found = pickle.loads(pickle.dumps(Model(TenthsScorer())))
    assert isinstance(found.scorer, TenthsScorer)
    assert found.predict(pd.DataFrame({"size": [9], "colour": ["red"]})).tolist() == ["small"]


def parts_of(bundle: Bundle) -> tuple[str, dict[str, bytes], int, str]:
    found: tuple[str, dict[str, bytes], int, str] = CarriedModel(bundle).__reduce__()[1]
    return found


def test_another_release_on_the_worker_is_refused() -> None:
    _, parts, version, sha256 = parts_of(make())
    with pytest.raises(
        BundleError, match=rf'sent by ffn "0\.0\.1", but this process has ffn "{__version__}"\. In'
    ):
        unpack_model("0.0.1", parts, version, sha256)


@pytest.mark.parametrize("name", ["model.json", "arrays.safetensors"])
def test_damaged_parts_are_refused(name: str) -> None:
    package, parts, version, sha256 = parts_of(make())
    for damaged in (
        {**parts, name: parts[name][:-9]},
        {k: v for k, v in parts.items() if k != name},
    ):
        with pytest.raises(BundleError, match=r"the model sent: the parts do not fit together"):
            unpack_model(package, damaged, version, sha256)
