"""A stack of feed-forward networks in NumPy: initialise, run forward and backward, train.

Read in this order: ``network`` (what a stack is), ``propagation`` (forward and backward),
``losses``, ``optimizers``, ``training``.
"""

from __future__ import annotations

from ffn.nn.history import History
from ffn.nn.initializers import he_normal, spawn_generators
from ffn.nn.losses import cross_entropy, softmax
from ffn.nn.network import Network
from ffn.nn.optimizers import SGD, Adam, AdamW, Momentum, Optimizer, create_optimizer
from ffn.nn.propagation import Propagation, loss_and_gradients
from ffn.nn.schedules import constant, cosine
from ffn.nn.training import train

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "History",
    "Momentum",
    "Network",
    "Optimizer",
    "Propagation",
    "constant",
    "cosine",
    "create_optimizer",
    "cross_entropy",
    "he_normal",
    "loss_and_gradients",
    "softmax",
    "spawn_generators",
    "train",
]
