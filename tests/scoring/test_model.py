import concurrent.futures
import csv
import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

import ffn
from ffn.bundles.bundle import Bundle, read_bundle, write_bundle
from ffn.errors import BundleError, DataError, RegistryError
from ffn.nn import Network
from ffn.registry.pointer import promote
from ffn.registry.versions import add_version
from ffn.scoring.model import Model, load
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.preprocessing import Preparation
from tests.helpers.scorers import TenthsScorer

MODEL = Model(TenthsScorer())


def bundle():
    """One feature, no hidden layer: the logits are (w x, 0), so "a" has probability sigmoid(wx)."""
    return Bundle(
        pipeline="line",
        optimizer="sgd",
        schema=Schema(
            features=(Feature(name="x", kind="numeric"),), target="y", classes=("a", "b")
        ),
        preparation=Preparation(
            fill=np.zeros(1),
            mean=np.zeros(1),
            scale=np.ones(1),
            categories=np.zeros(0, dtype=np.int64),
            has_missing=np.zeros(0, dtype=bool),
        ),
        network=Network((1, 2), np.array([[2.0, 0.0, 0.0, 0.0]])),
        fingerprints=np.zeros(0, dtype=np.uint64),
    )


def test_a_frame_is_scored_like_a_file():
    frame = pd.DataFrame({"note": "x", "colour": ["red", None, "green"], "size": [2.0, 7.5, 9]})
    assert MODEL.classes_.tolist() == ["large", "small"]
    assert MODEL.predict(frame).tolist() == ["large", "large", "large"]
    assert MODEL.predict_proba(frame) == pytest.approx(
        np.array([[0.8, 0.2], [0.75, 0.25], [0.9, 0.1]]), abs=1e-7
    )
    assert MODEL.predict(frame.astype({"size": str})).tolist() == ["large"] * 3
    assert MODEL.predict(frame.iloc[:0]).tolist() == []
    assert (MODEL.pipeline, MODEL.version) == ("things", 7)


@pytest.mark.parametrize(
    "years", [[2007, 2008], [2007.0, 2008.0], ["2007", "2008"], pd.array([2007, 2008], "Int64")]
)
def test_categories_that_look_like_numbers(years):
    feature = Feature(name="colour", kind="categorical", categories=("2007", "2008"))
    size = TenthsScorer().schema.features[0]
    scorer = TenthsScorer(
        schema=Schema(features=(size, feature), target="kind", classes=("large", "small"))
    )
    frame = pd.DataFrame({"size": [9, 9], "colour": years})
    # Category 1 turns the answer round.
    assert Model(scorer).predict(frame).tolist() == ["large", "small"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"size": [1.0]}, r'the rows have no column "colour"\.'),
        ({"Size": [1.0], "colour": ["red"]}, r'no column "size"\. Did you mean "Size"\?'),
        ({"size": [1.0, np.nan], "colour": "red"}, r'row 2, column "size": no value'),
        ({"size": [1.0, -9.0], "colour": "red"}, r'row 2, column "size": no value'),
        ({"size": ["1", "NA"], "colour": "red"}, r'row 2, column "size": no value'),
        ({"size": ["1", "x"], "colour": "red"}, r'row 2, column "size": not a finite decimal'),
        ({"size": [np.inf], "colour": "red"}, r'row 1, column "size": not a finite decimal'),
        ({"size": [1, 1e300], "colour": "red"}, r"row 2: numbers too large to score"),
    ],
)
def test_a_frame_is_refused_whole(frame, message):
    with pytest.raises(DataError, match=message):
        MODEL.predict(pd.DataFrame(frame))


def test_a_frame_with_a_column_twice_is_refused():
    frame = pd.DataFrame([[1.0, 2.0, "red"]], columns=["size", "size", "colour"])
    with pytest.raises(DataError, match=r'have the column "size" twice\. Rename one\.'):
        MODEL.predict(frame)
    levels = pd.DataFrame([[1.0]], columns=pd.MultiIndex.from_tuples([("size", "cm")]))
    with pytest.raises(DataError, match=r"twice\. Rename one\."):
        MODEL.predict(levels)


def test_threads_may_share_it(tmp_path):
    sources = []
    for thread in range(4):
        sources.append(tmp_path / f"{thread}.csv")
        rows = "".join(f"{n % 10},red\n" for n in range(thread, 30_000))
        sources[-1].write_text("size,colour\n" + rows)
    outputs = [tmp_path / f"{source.stem}.out.csv" for source in sources]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        together = list(pool.map(MODEL.score_csv, sources, outputs))
    for source, output, result in zip(sources, outputs, together, strict=True):
        alone = MODEL.score_csv(str(source), str(tmp_path / "alone.csv"))
        assert result.class_counts == alone.class_counts
        assert output.read_bytes() == alone.output.read_bytes()


def test_load_takes_a_pipeline_a_version_or_a_bundle(tmp_path):
    artifacts = tmp_path / "artifacts" / "line"
    versions = [artifacts / "models" / name for name in ("0001", "0002")]
    for _ in versions:
        add_version(artifacts, lambda folder: write_bundle(bundle(), folder / "bundle"))
    write_bundle(bundle(), tmp_path / "loose")
    promote(artifacts, 2, reason="")
    for path, expected in [
        (artifacts, 2),
        (str(artifacts), 2),
        (versions[0], 1),
        (versions[0] / "bundle", 1),
        (tmp_path / "loose", 0),
    ]:
        model = load(path)
        assert (model.pipeline, model.version) == ("line", expected)
        # 1 / (1 + exp(-2 * 0.5)) = 0.7310585786...
        shares = model.predict_proba(pd.DataFrame({"x": [0.5]}))
        assert shares == pytest.approx(np.array([[0.7310585786300049, 0.2689414213699951]]))
    assert isinstance(ffn.load(artifacts), ffn.Model)


def test_load_and_score_a_file(tmp_path):
    write_bundle(bundle(), tmp_path / "bundle")
    (tmp_path / "in.csv").write_text("x\n0.5\n-1\n?\n")
    result = load(tmp_path / "bundle").score_csv(tmp_path / "in.csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["x", "predicted_y", "confidence"],
            ["0.5", "a", "0.7311"],
            # 1 / (1 + exp(-2)) = 0.8807970...
            ["-1", "b", "0.8808"],
        ]
    assert result.reject_reasons == {"not_a_number": 1}
    manifest = json.loads(result.manifest.read_bytes())
    assert manifest["bundle_sha256"] == load(tmp_path / "bundle").scorer.sha256


def test_another_bundle_in_the_place_of_the_promoted_one_is_refused(tmp_path):
    add_version(tmp_path, lambda folder: write_bundle(bundle(), folder / "bundle"))
    promoted = read_bundle(tmp_path / "models" / "0001" / "bundle").sha256
    promote(tmp_path, 1, reason="")
    other = dataclasses.replace(bundle(), optimizer="adam")
    write_bundle(other, tmp_path / "models" / "0001" / "bundle")
    with pytest.raises(BundleError, match=rf"not the bundle that was promoted .*says {promoted}"):
        load(tmp_path)


def test_nothing_to_load(tmp_path):
    with pytest.raises(RegistryError, match=r"nothing: no model in production"):
        load(tmp_path / "nothing")
    (tmp_path / "bundle").mkdir()
    with pytest.raises(BundleError, match=r"manifest\.json: cannot be read"):
        load(tmp_path)
