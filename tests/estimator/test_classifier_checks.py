"""Every check that scikit-learn has for estimators, in several configurations."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from ffn import FFNClassifier

CONFIGURATIONS = [
    FFNClassifier(),
    FFNClassifier(
        (8,),
        optimizer="momentum",
        learning_rate=0.02,
        schedule="cosine",
        warmup_epochs=2,
        epochs=40,
    ),
    FFNClassifier(
        optimizer="adam",
        learning_rate=0.02,
        epochs=40,
        early_stopping=True,
        validation_fraction=0.2,
        n_networks=3,
        dtype="float64",
    ),
    FFNClassifier(numbers="piecewise", bins=8, optimizer="adam", learning_rate=0.02, epochs=40),
    FFNClassifier(32, dropout=0.2, label_smoothing=0.05, learning_rate=0.02, epochs=80),
    FFNClassifier(
        optimizer="adam",
        learning_rate=0.02,
        epochs=40,
        batch_size=1024,
        early_stopping=True,
        validation_fraction=0.2,
        n_networks=2,
        distilled=True,
        student_layer_sizes=8,
        boosted_teachers=1,
    ),
    FFNClassifier(kinds="auto"),
    FFNClassifier(
        kinds="auto",
        numbers="piecewise",
        bins=8,
        most_categories=5,
        optimizer="adam",
        learning_rate=0.02,
        epochs=40,
        n_networks=3,
        dtype="float64",
    ),
    FFNClassifier((), optimizer="sgd", learning_rate=0.05, epochs=40, batch_size=8),
]


@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learns_estimator_checks(
    estimator: FFNClassifier, check: Callable[[Any], None]
) -> None:
    check(estimator)


def test_no_check_is_skipped() -> None:
    # SciPy reads the variable when it is imported; without it the array API checks are skipped.
    script = (
        "from sklearn.utils.estimator_checks import check_estimator\n"
        "from ffn import FFNClassifier\n"
        "results = check_estimator(FFNClassifier(), on_skip=None)\n"
        "print(len(results), {result['status'] for result in results})"
    )
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    n_checks, statuses = done.stdout.split(maxsplit=1)
    assert int(n_checks) > 50
    assert statuses.strip() == "{'passed'}"
