"""Feed-forward networks in NumPy alone: initialise, run forward and backward, train.

``reference`` is the whole of it as a textbook writes it, for one network. The other modules do the
same for a stack of K networks at once. Read ``network`` (how a stack is laid out), ``layers``,
``losses``, ``propagation``, ``optimizers``, and then ``training``; ``docs/network.md`` is a guide.
"""

from __future__ import annotations

from ffn.nn.gradients import loss_and_gradients
from ffn.nn.history import History
from ffn.nn.hyperparameters import Hyperparameter
from ffn.nn.initializers import he_normal, spawn_generators
from ffn.nn.layers import Dropout
from ffn.nn.losses import cross_entropy, softmax
from ffn.nn.network import Network
from ffn.nn.optimizers import (
    OPTIMIZERS,
    SGD,
    Adam,
    AdamW,
    Memory,
    Momentum,
    Optimizer,
    OptimizerState,
)
from ffn.nn.propagation import Activations, Propagation
from ffn.nn.schedules import constant, cosine
from ffn.nn.training import train

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Activations",
    "Adam",
    "AdamW",
    "Dropout",
    "History",
    "Hyperparameter",
    "Memory",
    "Momentum",
    "Network",
    "Optimizer",
    "OptimizerState",
    "Propagation",
    "constant",
    "cosine",
    "cross_entropy",
    "he_normal",
    "loss_and_gradients",
    "softmax",
    "spawn_generators",
    "train",
]
