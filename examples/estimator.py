"""The network as a scikit-learn estimator; open it as a notebook, or run it."""

# %% [markdown]
# # The estimator in scikit-learn
#
# `FFNClassifier` is the network of [`ffn.nn`](../docs/network.md) as a scikit-learn estimator. It
# goes wherever an estimator goes: into pipelines, cross-validation and searches.
#
# The table is Wolberg's breast cancer data, which scikit-learn ships: 569 tumours, 30
# measurements each. A quarter of the rows is held out for the very end, before anything is looked
# at.

# %%
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, RepeatedStratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ffn import FFNClassifier

x, y = load_breast_cancer(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, stratify=y, random_state=0)
print(x_train.shape, x_test.shape)

# %% [markdown]
# ## Choose
#
# A scaler belongs in the pipeline: outside of it, it would have seen the rows that judge. The
# search tries two optimizers, each at two rates, on the same five folds. It compares log-losses,
# which notice a network that is wrong and sure of it; accuracy does not.

# %%
network = make_pipeline(
    StandardScaler(), FFNClassifier(hidden_layer_sizes=(16,), epochs=40, random_state=0)
)
search = GridSearchCV(
    network,
    {
        "ffnclassifier__optimizer": ["sgd", "adam"],
        "ffnclassifier__learning_rate": [0.003, 0.03],
    },
    scoring="neg_log_loss",
    cv=RepeatedStratifiedKFold(n_splits=5, n_repeats=1, random_state=0),
)
search.fit(x_train, y_train)
found = search.cv_results_
for settings, mean, spread in zip(
    found["params"], -found["mean_test_score"], found["std_test_score"], strict=True
):
    name, rate = (settings[f"ffnclassifier__{key}"] for key in ("optimizer", "learning_rate"))
    print(f"{name:5} {rate:<6} log-loss {mean:.3f}, from fold to fold {spread:.3f}")

# %% [markdown]
# ## Judge, once
#
# The rows that were held out chose nothing, so they may judge. Beside the network stands the
# simplest model there is for such a table, and the difference of the two has an interval: rows
# are drawn again and again, both models are judged on the same ones, and the middle 95 % of the
# differences are kept (a paired bootstrap).

# %%
linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x_train, y_train)
losses = []
for name, model in (("network", search.best_estimator_), ("logistic regression", linear)):
    probabilities = model.predict_proba(x_test)
    losses.append(-np.log(probabilities[np.arange(len(y_test)), y_test]))
    assert np.isclose(losses[-1].mean(), log_loss(y_test, probabilities))
    right = (model.predict(x_test) == y_test).sum()
    print(f"{name:20} {right} of {len(y_test)} right, log-loss {losses[-1].mean():.3f}")

difference = losses[0] - losses[1]
random = np.random.default_rng(0)
drawn = random.integers(0, len(difference), (2000, len(difference)))
low, high = np.quantile(difference[drawn].mean(axis=1), [0.025, 0.975])
print(f"network minus logistic regression: {difference.mean():+.3f} [{low:+.3f}, {high:+.3f}]")

# %% [markdown]
# An interval that holds zero shows no difference: the honest conclusion is to take the simpler
# model. `ffn retrain` makes [the same comparison](../docs/evaluation.md) in every report.

# %%
if low <= 0 <= high:
    print("Not shown to differ: take logistic regression.")
else:
    print(f"The {'network' if high < 0 else 'logistic regression'} is shown to be better.")
