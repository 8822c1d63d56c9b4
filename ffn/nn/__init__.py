"""A stack of feed-forward networks in NumPy: initialise, run forward and backward, train.

Read in this order: ``network`` (what a stack is), ``propagation`` (forward and backward),
``losses``, ``optimizers``, ``training``.
"""

from __future__ import annotations

from ffn.nn.gradients import loss_and_gradients
from ffn.nn.history import History
from ffn.nn.initializers import he_normal, spawn_generators
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
    "History",
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
