"""Iris with four optimizers: scikit-learn, which has Adam with an L2 penalty in AdamW's place."""

import sys

import numpy as np
from sklearn.neural_network import MLPClassifier

data, epochs = np.load(sys.argv[1]), int(sys.argv[2])
x, y = data["x_train"].astype(np.float64), data["y_train"]
x_validation, y_validation = data["x_validation"].astype(np.float64), data["y_validation"]
classes = np.unique(y)

SETTINGS = {
    "sgd": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.05, "alpha": 0.0},
    "momentum": {
        "solver": "sgd",
        "momentum": 0.9,
        "nesterovs_momentum": False,
        "learning_rate_init": 0.01,
        "alpha": 0.0,
    },
    "adam": {"solver": "adam", "learning_rate_init": 0.005, "alpha": 0.0},
    "adam-l2": {"solver": "adam", "learning_rate_init": 0.005, "alpha": 0.01},
}


def evaluate(model: MLPClassifier, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return loss and accuracy."""
    p = model.predict_proba(x)
    own = np.maximum(p[np.arange(len(y)), y], np.finfo(p.dtype).eps)
    return float(-np.log(own).mean()), float((p.argmax(axis=1) == y).mean())


for name, settings in SETTINGS.items():
    model = MLPClassifier((16, 4), batch_size=32, random_state=0, **settings)
    history = []
    for _ in range(epochs):
        model.partial_fit(x, y, classes=classes)
        history.append((evaluate(model, x, y), evaluate(model, x_validation, y_validation)))
    print(name, history[-1][1][1])  # noqa: T201
