"""Networks that were trained elsewhere, with outputs sorted by class, as estimators have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.errors import quote
from ffn.nn import Network

__all__ = ["in_order_of_classes", "refuse_inputs_of_features"]

Array = npt.NDArray[Any]


def in_order_of_classes(
    network: Network, classes: Sequence[str] | Array, rule: DecisionRule
) -> tuple[Network, Array, DecisionRule]:
    """Return networks whose outputs are sorted by class, the classes [C], and their rule.

    Parameters
    ----------
    network
        Networks with parameters [K, P], which are not changed.
    classes
        Labels [C] of the outputs, in any order.
    rule
        How to decide on a label.
    """
    labels = np.array(classes)
    order = np.argsort(labels)
    if (order != np.arange(len(order))).any():
        network = Network(network.widths, network.parameters.copy())
        network.layers[-1][:] = network.layers[-1][:, order]
    return network, labels[order], rule if rule == ARGMAX else rule.reordered(order.tolist())


def refuse_inputs_of_features(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that say how features become inputs, which the networks already have.

    Parameters
    ----------
    parameters
        Arguments of the constructor.

    Raises
    ------
    ValueError
        One of them says it.
    """
    for name, default in (("numbers", "standardised"), ("kinds", None)):
        if parameters.get(name, default) != default:
            raise ValueError(
                f"{name} is {quote(repr(parameters[name]))}; networks that were trained elsewhere "
                "take inputs as they are, so leave it out and encode features before"
            )
