"""``FFNClassifier``, a scikit-learn estimator over ``ffn.nn``."""
