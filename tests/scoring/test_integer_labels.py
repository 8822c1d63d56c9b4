"""Labels that were whole numbers in training are whole numbers again, wherever they come out."""

import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss

from ffn import FFNClassifier
from ffn.scoring.model import Model
from tests.helpers.scorers import SCHEMA, TenthsScorer

ROWS = pd.DataFrame({"size": [7.0, 2.0], "colour": ["blue", "blue"]})


def model(*classes):
    return Model(TenthsScorer(schema=dataclasses.replace(SCHEMA, classes=classes)))


@pytest.mark.parametrize(
    ("classes", "expected", "of"),
    [
        (("0", "1"), [0, 1], pa.int64()),
        # In the order of texts, as the columns of probabilities are.
        (("10", "9"), [10, 9], pa.int64()),
        (("-1", "1"), [-1, 1], pa.int64()),
        (("01", "02"), ["01", "02"], pa.string()),
        (("FALSE", "TRUE"), ["FALSE", "TRUE"], pa.string()),
        (("1", str(2**63)), ["1", str(2**63)], pa.string()),
    ],
)
def test_predictions_and_parquet_have_them(tmp_path, classes, expected, of):
    own = model(*classes)
    assert own.classes_.tolist() == expected
    assert own.predict(ROWS).tolist() == expected
    assert own.predict(ROWS).dtype == own.classes_.dtype
    # 7 tenths for the first class.
    assert own.predict_proba(ROWS)[0].tolist() == pytest.approx([0.7, 0.3])
    ROWS.to_csv(tmp_path / "in.csv", index=False)
    result = own.score_csv(tmp_path / "in.csv", tmp_path / "out.parquet", probabilities=True)
    found = pq.read_table(tmp_path / "out.parquet")
    assert found["predicted_kind"].type == of
    assert found["predicted_kind"].to_pylist() == expected
    assert found.column_names[-2:] == [f"probability_{label}" for label in classes]
    assert result.class_counts == dict.fromkeys(classes, 1)
    own.score_csv(tmp_path / "in.csv", tmp_path / "out.csv")
    text = (tmp_path / "out.csv").read_text().splitlines()
    assert [line.split(",")[2] for line in text[1:]] == list(classes)


def test_they_compare_with_the_numbers_of_a_frame():
    truth = pd.Series([0, 1])
    assert (model("0", "1").predict(ROWS) == truth).all()
    assert accuracy_score(truth, model("0", "1").predict(ROWS)) == 1


def test_an_estimator_around_a_network_sorts_its_classes_and_outputs():
    x, y = load_digits(n_class=3, return_X_y=True)
    x, y = x[:200], np.array([9, 10, 11])[y[:200]]
    trained = FFNClassifier(hidden_layer_sizes=(4,), epochs=3, random_state=0).fit(x, y.astype(str))
    # The texts are in another order: 10, 11, 9.
    assert trained.classes_.tolist() == ["10", "11", "9"]
    around = FFNClassifier.from_network(trained.network_, trained.classes_.astype(int))
    assert around.classes_.tolist() == [9, 10, 11]
    assert around.predict(x).tolist() == trained.predict(x).astype(int).tolist()
    np.testing.assert_allclose(around.predict_proba(x), trained.predict_proba(x)[:, [2, 0, 1]])
    assert log_loss(y, around.predict_proba(x)) == pytest.approx(
        log_loss(y.astype(str), trained.predict_proba(x)), rel=1e-6
    )
    # The network that it was made of is as before, and learning goes on.
    assert trained.classes_[trained.predict_proba(x).argmax(axis=1)].tolist() == (
        trained.predict(x).tolist()
    )
    around.set_params(warm_start=True, epochs=1).fit(x, y)
    assert around.classes_.tolist() == [9, 10, 11]
