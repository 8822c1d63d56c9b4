"""`FFNClassifier`, the feed-forward network as a scikit-learn estimator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.errors import TrainingError
from ffn.estimator.adopted_network import in_order_of_classes, refuse_inputs_of_features
from ffn.estimator.column_inputs import ColumnInputs
from ffn.estimator.distilled_network import distilled_network
from ffn.estimator.epoch_lines import epoch_lines
from ffn.estimator.given_rows import inputs_of, labelled_rows
from ffn.estimator.labels import classes_of_stream, encode_labels, weigh_classes
from ffn.estimator.network_training import (
    loss_curve,
    networks_to_train,
    optimizer_state,
    schedule_of,
    weights_unless_equal,
)
from ffn.estimator.number_inputs import NumberInputs, learn_numbers
from ffn.estimator.parameters import check_parameters
from ffn.estimator.rows_to_learn import (
    Learnt,
    refuse_other_inputs,
    rows_of_array,
    rows_of_columns,
)
from ffn.estimator.training_rows import hold_out
from ffn.nn import SGD, Adam, AdamW, History, Memory, Momentum, Network, spawn_generators, train
from ffn.tabular.schema import Kind

__all__ = ["FFNClassifier"]

Array = npt.NDArray[Any]

# What an optimizer remembers, with the optimizer and the frozen layers it was made for.
_KeptMemory = tuple[str, frozenset[int], Memory]


def _goes_on(classifier: FFNClassifier) -> bool:
    """Say whether training in parts is possible."""
    return not classifier.distilled and classifier.kinds is None


class FFNClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Feed-forward classifier with ReLU, softmax and cross-entropy, trained by ``ffn.nn``.

    ``fit`` trains on the *set* of rows: rows of weight zero are dropped, rows with equal features
    and label are merged and their weights added, the rest is sorted by content, and weights are
    scaled to a mean of 1. Therefore a weight of 2 is equivalent to a repeated row, the order of
    rows does not matter, and an epoch visits each *distinct* row once. Features are not scaled:
    use a ``StandardScaler`` before this estimator, unless ``numbers`` is ``"piecewise"`` or
    ``kinds`` is given.

    Parameters
    ----------
    hidden_layer_sizes
        Units of each hidden layer; ``()`` for none, which is logistic regression.
    optimizer
        ``"sgd"``, ``"momentum"``, ``"adam"`` or ``"adamw"``, in PyTorch's variants: see
        ``ffn.nn.optimizers``.
    learning_rate, momentum, beta1, beta2, epsilon, weight_decay
        Hyper-parameters of the optimizers' equations; each optimizer uses its own and ignores the
        others. AdamW decays weights, not biases.
    batch_size, epochs
        Rows per step, and passes over the distinct rows.
    schedule, warmup_epochs
        ``"constant"`` or ``"cosine"`` (decaying to 0) learning rate, after this many epochs of
        linear warm-up. ``partial_fit`` always uses ``learning_rate``, as it has no last epoch.
    early_stopping, patience, min_delta, validation_fraction
        If ``early_stopping``, hold out this fraction of the rows, stratified by class; stop after
        ``patience`` epochs in which the validation loss did not fall by more than ``min_delta``;
        keep the parameters of the best epoch.
    dropout, label_smoothing
        Probability with which a hidden unit is left out of a step, and share of each label that is
        spread over all classes; see ``ffn.nn.train``. Default 0: neither.
    class_weight
        None, ``"balanced"`` (all classes have the same total weight), or a dictionary of weights
        by class. They multiply ``sample_weight``, and shift probabilities and labels towards the
        heavy classes, as in every estimator of scikit-learn. A pipeline's ``class_weight`` does
        not: there a decision rule chooses the labels.
    n_networks
        K: number of networks with different initialisation and batch order, trained together;
        their probabilities are averaged. Networks that diverge are left out.
    distilled, student_layer_sizes
        If ``distilled``, ``fit`` then trains one network on these averaged probabilities and keeps
        it alone, which makes prediction about ``n_networks`` times faster: see
        ``ffn.distillation.student``. Units of its hidden layers; None, the default, for those of
        ``hidden_layer_sizes``. Training cannot go on from such a network: there is no
        ``partial_fit``, and ``warm_start`` is refused.
    boosted_teachers
        Models of gradient-boosted trees from which a ``distilled`` network learns as well, stopped
        by the rows that ``early_stopping`` holds out, and weighted by the log-loss of the mixture
        on these: see ``ffn.distillation.teaching_trees``. Default 0: none.
    warm_start
        Start ``fit`` from the parameters of the previous fit. Classes, features and layers must be
        the same; ``y`` need not contain every class.
    frozen_layers
        Indices of layers that are not trained, counted from 0, the first after the inputs.
    dtype
        ``"float32"`` or ``"float64"``: precision of training, to which features are rounded, also
        for prediction. Probabilities are always computed in float64.
    numbers, bins
        ``"standardised"``: features are the network's inputs as they are, and should be
        standardised. ``"piecewise"``: each feature is encoded with up to this many quantile bins,
        2 to 256; see ``ffn.tabular.encodings.piecewise_encoding``. ``fit`` learns the encoding from
        the distinct rows that it trains on, or the first ``partial_fit`` from its rows alone; a
        warm start and later calls keep it.
    kinds
        None: features are finite numbers. ``"auto"``: ``X`` is a table, usually a DataFrame of
        pandas or polars or a table of Arrow, whose columns become inputs as in a pipeline, learnt
        from the distinct rows that ``fit`` trains on: numbers, standardised unless ``numbers`` says
        otherwise, categories, dates, times of day and truth values, with missing cells. What texts
        hold is recognised where they leave no doubt, as by ``ffn init``. A dictionary by column,
        ``"numeric"``, ``"categorical"`` or ``"text"``, says it of some columns; ``"text"``, which
        reads texts by their words and parts of words, is never recognised. Columns are found by
        name, in any order; constant ones are left out. An unknown category is as in a pipeline,
        and a gap in a column without gaps in training is filled in, with a warning. There is no
        ``partial_fit``, and ``warm_start`` is refused.
    formats, missing_values
        With ``kinds``, as in ``[data]`` of ``pipeline.toml``: how columns write numbers with units,
        dates, times of day or truth values, by column, such as ``{"day": "%d/%m/%Y"}``; and the
        texts that mean "no value", None for those of a pipeline.
    most_categories, text_components
        With ``kinds``, as in ``[features]``: the largest number of categories of a column that get
        an input of their own, None for all, beyond which they are pooled and have cross-fitted
        class statistics; and the inputs of a column of texts, 1 to 256.
    verbose
        Whether ``fit`` prints the mean loss of the networks to standard output, about ten times.
        What is learnt does not depend on it. Off by default, as in scikit-learn.
    random_state
        Integer, ``numpy.random.RandomState`` or None. With an integer, ``fit`` is bit-for-bit
        reproducible on one machine.

    Attributes
    ----------
    classes_
        Labels [C], sorted.
    n_features_in_, feature_names_in_
        Number of features, and their names if ``X`` had names.
    network_
        The ``ffn.nn.Network``, parameters [K, P].
    history_
        ``ffn.nn.History`` of the last ``fit`` or ``partial_fit``; if ``distilled``, that of the
        networks that the one in ``network_`` learnt from.
    loss_curve_
        Training loss of each epoch in nats per row, averaged over the networks.
    n_iter_
        Number of epochs run.
    number_inputs_
        Encoding of the features; None if they are the inputs as they are.
    column_inputs_
        With ``kinds``, the ``schema`` of the columns and the ``preparation`` that makes inputs of
        them; else None.

    Raises
    ------
    ffn.errors.TrainingError
        Every network diverged. The estimator keeps its previous fit.
    ValueError
        A parameter or the data are invalid.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from ffn import FFNClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), FFNClassifier(random_state=0)).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] | int = (16, 4),
        *,
        optimizer: Literal["sgd", "momentum", "adam", "adamw"] = "adamw",
        learning_rate: float = SGD.learning_rate,
        batch_size: int = 32,
        epochs: int = 150,
        momentum: float = Momentum.momentum,
        beta1: float = Adam.beta1,
        beta2: float = Adam.beta2,
        epsilon: float = Adam.epsilon,
        weight_decay: float = AdamW.weight_decay,
        schedule: Literal["constant", "cosine"] = "constant",
        warmup_epochs: int = 0,
        early_stopping: bool = False,
        patience: int = 10,
        min_delta: float = 0.0,
        validation_fraction: float = 0.1,
        dropout: float = 0.0,
        label_smoothing: float = 0.0,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        n_networks: int = 1,
        distilled: bool = False,
        student_layer_sizes: Sequence[int] | int | None = None,
        boosted_teachers: int = 0,
        warm_start: bool = False,
        frozen_layers: Sequence[int] = (),
        dtype: Literal["float32", "float64"] = "float32",
        numbers: Literal["standardised", "piecewise"] = "standardised",
        bins: int = 16,
        kinds: Mapping[str, Kind] | Literal["auto"] | None = None,
        formats: Mapping[str, str] | None = None,
        missing_values: Sequence[str] | None = None,
        most_categories: int | None = None,
        text_components: int = 30,
        verbose: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.momentum = momentum
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.warmup_epochs = warmup_epochs
        self.early_stopping = early_stopping
        self.patience = patience
        self.min_delta = min_delta
        self.validation_fraction = validation_fraction
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.n_networks = n_networks
        self.distilled = distilled
        self.student_layer_sizes = student_layer_sizes
        self.boosted_teachers = boosted_teachers
        self.warm_start = warm_start
        self.frozen_layers = frozen_layers
        self.dtype = dtype
        self.numbers = numbers
        self.bins = bins
        self.kinds = kinds
        self.formats = formats
        self.missing_values = missing_values
        self.most_categories = most_categories
        self.text_components = text_components
        self.verbose = verbose
        self.random_state = random_state

    @classmethod
    def from_network(
        cls,
        network: Network,
        classes: Sequence[str] | Array,
        rule: DecisionRule = ARGMAX,
        **parameters: Any,
    ) -> FFNClassifier:
        """Return a fitted classifier from networks that were trained elsewhere.

        ``partial_fit`` and a warm start continue training. The earlier training is not known
        here: ``n_iter_`` is 0 and ``history_`` is empty.

        Parameters
        ----------
        network
            Networks with parameters [K, P].
        classes
            Labels [C] of the outputs, in any order; ``classes_`` and the outputs are sorted, as in
            every estimator.
        rule
            How ``predict`` decides on a label; by default the most probable one.
        **parameters
            Arguments of the constructor, except those that follow from the network.

        Raises
        ------
        ValueError
            ``numbers`` is not ``"standardised"``, or ``kinds`` is given: what makes the inputs of
            features is not known here.
        """
        refuse_inputs_of_features(parameters)
        network, labels, rule = in_order_of_classes(network, classes, rule)
        fitted = cls(
            hidden_layer_sizes=network.widths[1:-1],
            n_networks=len(network.parameters),
            dtype="float64" if network.parameters.dtype == np.float64 else "float32",
            **parameters,
        )
        fitted.classes_, fitted.network_ = labels, network
        if rule != ARGMAX:
            fitted.decision_rule_ = rule
        fitted.n_features_in_ = network.widths[0]
        fitted.history_ = History.empty(0, len(network.parameters))
        fitted.loss_curve_, fitted.n_iter_ = [], 0
        fitted.number_inputs_, fitted.column_inputs_ = None, None
        fitted._batch_generators, fitted._optimizer_memory = None, None
        return fitted

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickle; one of an earlier version has the defaults of later parameters."""
        known = signature(FFNClassifier.__init__).parameters.values()
        defaults = {one.name: one.default for one in known if one.default is not one.empty}
        fitted = {"number_inputs_": None, "column_inputs_": None} if "network_" in state else {}
        super().__setstate__({**defaults, **fitted, **state})

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn has to know: sparse matrices are taken, and of columns gaps."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        if self.kinds is not None:
            tags.input_tags.categorical = tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows and their labels.

        Parameters
        ----------
        X
            Features [N, n_in], finite numbers: an array, DataFrame, memory map or sparse matrix.
            The last is made dense, for prediction some rows at a time. With ``kinds``, a table of
            columns, or an array of which missing cells are NaN or None.
        y
            Labels [N].
        sample_weight
            Weights [N], not negative; None (the default): all 1.

        Returns
        -------
        FFNClassifier
            The fitted estimator itself.
        """
        check_parameters(vars(self))
        going_on = self.warm_start and hasattr(self, "network_")
        parameters = self.get_params(deep=False)
        if going_on:
            refuse_other_inputs(self.numbers, self.column_inputs_ or self.number_inputs_)
        x, y, weights = labelled_rows(self, X, y, sample_weight, reset=not going_on)
        classes = self.classes_ if going_on else np.unique(y[weights > 0])
        labels = encode_labels(y, weights, classes)
        weights = weigh_classes(weights, labels, classes, self.class_weight)
        if self.kinds is not None:
            found = rows_of_columns(x, labels, weights, parameters, classes, stacklevel=3)
        else:
            known = self.number_inputs_ if going_on else None
            found = rows_of_array(x, labels, weights, parameters, going_on=going_on, known=known)
        *generators, splitter, of_student, of_trees = self._generators(self.n_networks + 3)
        train_rows, held_out = found.rows, None
        if self.early_stopping:
            train_rows, held_out = hold_out(
                found.rows, found.labels, self.validation_fraction, splitter
            )
        x, learnt = found.learn(train_rows)
        before = self.network_ if going_on else None
        network = networks_to_train(parameters, x.shape[1], len(classes), generators, before)
        row_weights = weights_unless_equal(found.weights, found.rows, x.dtype)
        history = train(
            network,
            optimizer_state(parameters, network),
            x,
            found.labels,
            epochs=self.epochs,
            batch_size=self.batch_size,
            generators=generators,
            rows=train_rows[None],
            validation_rows=None if held_out is None else held_out[None],
            row_weights=row_weights,
            validation_weights=row_weights,
            schedule=schedule_of(parameters, math.ceil(len(train_rows) / self.batch_size)),
            patience=self.patience if self.early_stopping else None,
            min_delta=self.min_delta,
            frozen_layers=self.frozen_layers,
            dropout=self.dropout,
            label_smoothing=self.label_smoothing,
            observe=epoch_lines(self.epochs) if self.verbose else None,
        )
        if self.distilled:
            network = distilled_network(
                network,
                x,
                found,
                train_rows,
                held_out,
                learnt,
                (of_student, of_trees),
                parameters,
            )
        self._keep(classes, network, history, learnt, [])
        self._batch_generators: list[np.random.Generator] | None = generators
        self._optimizer_memory: _KeptMemory | None = None
        return self

    @available_if(_goes_on)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch on a part of the rows, continuing from all previous calls.

        The optimizer's state is kept between calls until ``optimizer`` or ``frozen_layers``
        change. Rows are not merged and weights are not scaled, because the other parts are
        unknown. After ``fit``, the first call starts from the fitted parameters with a new
        optimizer state.

        Parameters
        ----------
        X, y, sample_weight
            As in ``fit``.
        classes
            All labels that may occur in any call; required in the first call only.

        Returns
        -------
        FFNClassifier
            The estimator itself.
        """
        check_parameters(vars(self))
        if self.class_weight == "balanced":
            raise ValueError('class_weight "balanced" needs all rows at once; give a dictionary')
        going_on = hasattr(self, "network_")
        if going_on:
            refuse_other_inputs(self.numbers, self.column_inputs_ or self.number_inputs_)
        known = classes_of_stream(classes, self.classes_ if going_on else None)
        x, y, weights = labelled_rows(self, X, y, sample_weight, reset=not going_on)
        labels = encode_labels(y, weights, known)
        weights = weigh_classes(weights, labels, known, self.class_weight)
        rows = np.flatnonzero(weights)
        parameters = self.get_params(deep=False)
        inputs = self.number_inputs_ if going_on else learn_numbers(x, rows, parameters)
        if inputs is not None:
            x = inputs.transform(x)
        generators = self._batch_generators if going_on else None
        if generators is None:
            generators = self._generators(self.n_networks)
        before = self.network_ if going_on else None
        network = networks_to_train(parameters, x.shape[1], len(known), generators, before)
        kind = self.optimizer, frozenset(self.frozen_layers)
        kept = self._optimizer_memory if going_on else None
        memory = kept[2] if kept is not None and kept[:2] == kind else None
        optimizer = optimizer_state(parameters, network, memory)
        history = train(
            network,
            optimizer,
            x,
            labels,
            epochs=1,
            batch_size=self.batch_size,
            generators=generators,
            rows=rows[None],
            row_weights=weights_unless_equal(weights, rows, x.dtype),
            frozen_layers=self.frozen_layers,
            dropout=self.dropout,
            label_smoothing=self.label_smoothing,
        )
        self._keep(known, network, history, inputs, self.loss_curve_ if going_on else [])
        self._batch_generators = generators
        self._optimizer_memory = (*kind, optimizer.memory)
        return self

    def predict_proba(self, X: Any) -> Array:
        """Return probabilities of the classes ``classes_``, float64 [n, C], for ``X`` [n, n_in]."""
        check_is_fitted(self)
        usable = self.network_.parameters[np.isfinite(self.network_.parameters).all(axis=1)]
        # In float64 the other rows of X change a row's probabilities by no more than 1e-15.
        network = Network(self.network_.widths, usable.astype(np.float64))

        def answers(x: Array) -> Array:
            mean: Array = network.predict_proba(x).mean(axis=0)
            return mean

        # Without a comprehension, which is a call in some versions of Python: warnings count them.
        parts = list(map(answers, inputs_of(self, X)))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def predict_log_proba(self, X: Any) -> Array:
        """Return log-probabilities [n, C] (natural logarithm) for ``X`` [n, n_in]."""
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms

    def predict(self, X: Any) -> Array:
        """Return the most probable labels [n] for ``X`` [n, n_in].

        An estimator of ``from_network`` with another rule follows that one; where it abstains, the
        label is None.
        """
        rule: DecisionRule = getattr(self, "decision_rule_", ARGMAX)
        return rule.answers(self.predict_proba(X), self.classes_)

    def _generators(self, n: int) -> list[np.random.Generator]:
        """Return ``n`` generators seeded by ``random_state``; the first ones do not depend on n."""
        draws = check_random_state(self.random_state).randint(2**31, size=4)
        return spawn_generators(np.random.SeedSequence(draws.tolist()), n)

    def _keep(
        self,
        classes: Array,
        network: Network,
        history: History,
        learnt: Learnt,
        before: list[float],
    ) -> None:
        """Take over what was learnt, after the losses ``before``, unless every network diverged."""
        if not history.finished.any():
            raise TrainingError(
                f"training diverged ({history.diverged[0]}) with learning_rate="
                f"{self.learning_rate}; lower the learning rate or scale the features"
            )
        self.classes_, self.network_, self.history_ = classes, network, history
        self.loss_curve_ = [*before, *loss_curve(history)]
        self.n_iter_ = len(self.loss_curve_)
        self.number_inputs_: NumberInputs | None = (
            learnt if isinstance(learnt, NumberInputs) else None
        )
        self.column_inputs_: ColumnInputs | None = (
            learnt if isinstance(learnt, ColumnInputs) else None
        )
