"""Train one network, the student, on the averaged probabilities of an ensemble, its teachers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.distillation.pseudo_rows import pseudo_rows
from ffn.distillation.teaching_trees import Beside
from ffn.nn import Adam, History, Network, cosine, spawn_generators, train

__all__ = [
    "STUDENT_BATCH",
    "STUDENT_EPOCHS",
    "STUDENT_FIGURE_ROWS",
    "STUDENT_OPTIMIZER",
    "Student",
    "averaged",
    "copies_for",
    "distil",
]

Array = npt.NDArray[Any]

STUDENT_EPOCHS = 60
"""Passes over all rows, at a rate that falls to 0 along a cosine."""

STUDENT_FIGURE_ROWS = 4_000
"""Rows on which it is compared with its teacher after each pass, at most; all would take a fifth of
the time."""

# With 8,000 rows, or half as many epochs, students were worse on some of the tables that the recipe
# was chosen on; see docs/recipe.md.
_ENOUGH_ROWS = 20_000
STUDENT_BATCH = 128
"""Rows a step at least: smaller batches take longer and gained nothing."""
# Inputs of rows and pseudo-rows: 128 MB as float32, twice that while they are made. Of wider tables
# there are fewer pseudo-rows.
_MOST_INPUTS = 2**25
# Targets of all rows: 256 MB as float32. Of longer tables every second row is taken, or third, ….
_MOST_TARGETS = 2**26
STUDENT_OPTIMIZER = Adam(learning_rate=0.003)
"""It sees exact targets instead of labels: it can step faster than its teachers, without decay."""
_ANSWERS_AT_ONCE = 2**20
# With a smaller share trees would change nothing but the time.
_LEAST_SHARE = 0.01


class Student(NamedTuple):
    """A network that has learnt from others.

    Attributes
    ----------
    network
        A stack of one.
    history
        Of its training. The loss is the cross-entropy to the teacher's probabilities, in nats a
        row, and the accuracy is the share of rows in which both find the same class most probable,
        of at most 4,000 rows at even distances.
    rows, made
        Rows of the table that it learnt from, and pseudo-rows.
    teachers
        Networks whose average it learnt.
    boosted
        Models of boosted trees that were fitted to teach as well; by default none.
    share
        That of their average in the answer, from 0 to 1; 0 if they were left out.
    """

    network: Network
    history: History
    rows: int
    made: int
    teachers: int
    boosted: int = 0
    share: float = 0.0


def distil(
    teacher: Network,
    x: Array,
    groups: Sequence[Sequence[int]],
    hidden_layers: Sequence[int],
    seed: np.random.SeedSequence,
    *,
    batch_size: int,
    beside: Beside | None = None,
    on_epoch: Callable[[int], None] | None = None,
) -> Student:
    """Train a student on the teachers' averaged probabilities.

    Bucila, Caruana and Niculescu-Mizil 2006, "Model Compression"; Hinton, Vinyals and Dean 2015,
    "Distilling the Knowledge in a Neural Network", at temperature 1. Where rows are few,
    `pseudo_rows` are added, for which the teacher answers as well. No labels are used: they are in
    the teacher's answers, and the student, which cannot see more than these, needs no dropout.

    For rows that some of its networks were trained on, the teacher's answer is still the average of
    all. Only those networks that were not trained on a row would be less sure of it, but they are
    few, often one, and the student would learn their noise.

    Parameters
    ----------
    teacher
        Networks [K, P] whose probabilities are averaged.
    x
        Inputs [n, n_in].
    groups
        Positions of the inputs of each feature.
    hidden_layers
        Units of each of the student's hidden layers.
    seed
        Of pseudo-rows, initial weights and batch order.
    batch_size
        Rows a step, but 128 at least.
    beside
        Trees that teach as well, unless their share is less than 1 %; None, the default, for
        networks alone.
    on_epoch
        Called with the number of epochs done, out of `STUDENT_EPOCHS`. None, the default, to call
        nothing.
    """
    own, drawing = spawn_generators(seed, 2)
    n_classes, dtype = teacher.widths[-1], teacher.parameters.dtype
    x = x[:: max(1, -(-len(x) * n_classes // _MOST_TARGETS))]
    joined = beside if beside is not None and beside.share >= _LEAST_SHARE else None
    rows, copies = len(x), copies_for(len(x), x.shape[1])
    if copies:
        x = np.concatenate([x, pseudo_rows(np.asarray(x), groups, copies, drawing)])
    widths = (teacher.widths[0], *hidden_layers, n_classes)
    batch_size = max(batch_size, STUDENT_BATCH)
    network = Network.create(widths, [own], dtype)
    history = train(
        network,
        STUDENT_OPTIMIZER,
        x,
        _answers(teacher, joined, x),
        epochs=STUDENT_EPOCHS,
        batch_size=batch_size,
        generators=[own],
        schedule=cosine(STUDENT_EPOCHS * -(-len(x) // batch_size)),
        figure_rows=STUDENT_FIGURE_ROWS,
        on_epoch=on_epoch,
    )
    found = Student(network, history, rows, len(x) - rows, len(teacher.parameters))
    if beside is None:
        return found
    share = 0.0 if joined is None else joined.share
    return found._replace(boosted=len(beside.trees.models), share=share)


def _answers(teacher: Network, beside: Beside | None, x: Array) -> Array:
    """Return what the student shall answer [n, C]."""
    answers = averaged(teacher, x)
    if beside is not None:
        step = max(1, _ANSWERS_AT_ONCE // answers.shape[1])
        for start in range(0, len(x), step):
            some = slice(start, start + step)
            answers[some] *= 1 - beside.share
            answers[some] += beside.share * beside.trees.predict_proba(np.asarray(x[some]))
    return answers


def copies_for(n: int, n_inputs: int) -> int:
    """Return how many pseudo-rows to make of each row of a table.

    So many that there are at least 20,000 rows in all, if they fit into memory.

    Parameters
    ----------
    n
        Rows of the table; for one there is no other to exchange features with.
    n_inputs
        Inputs of a row.
    """
    if n < 2:
        return 0
    fit = _MOST_INPUTS // (n * n_inputs) - 1
    return max(0, min(-(-_ENOUGH_ROWS // n) - 1, fit))


def averaged(teacher: Network, x: Array) -> Array:
    """Return the mean probabilities [n, C] of the networks, in their dtype.

    Parameters
    ----------
    teacher
        Networks [K, P].
    x
        Inputs [n, n_in].
    """
    k, n_classes = len(teacher.parameters), teacher.widths[-1]
    answers = np.empty((len(x), n_classes), teacher.parameters.dtype)
    step = max(1, _ANSWERS_AT_ONCE // (k * n_classes))
    for start in range(0, len(x), step):
        some = slice(start, start + step)
        answers[some] = teacher.predict_proba(np.asarray(x[some])).mean(axis=0)
    return answers
