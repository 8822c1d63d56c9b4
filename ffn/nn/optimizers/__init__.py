"""Four optimizers, each in PyTorch's form: which way and how far a step moves the parameters.

In their equations ``p`` are parameters, ``g`` is the gradient ``dL/dp``, ``t`` counts steps from
1, and ``lr`` is the learning rate times the schedule's factor for the step.

Each hyper-parameter is a number, or a tuple of K numbers for the K networks of a stack.

An optimizer is a frozen set of hyper-parameters with a rule, ``update``. What it remembers from
step to step belongs to an ``OptimizerState``, so one ``Adam()`` may train any number of stacks.
"""

from __future__ import annotations

from ffn.nn.optimizers.adam import Adam, AdamW
from ffn.nn.optimizers.interface import Arrays, Optimizer
from ffn.nn.optimizers.sgd import SGD, Momentum
from ffn.nn.optimizers.state import Memory, OptimizerState

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "AdamW",
    "Arrays",
    "Memory",
    "Momentum",
    "Optimizer",
    "OptimizerState",
]

OPTIMIZERS: dict[str, type[SGD | Momentum | Adam | AdamW]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "adam": Adam,
    "adamw": AdamW,
}
"""The optimizers by the names that settings and reports give them, the simplest first."""
