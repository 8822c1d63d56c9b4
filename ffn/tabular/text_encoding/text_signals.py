"""A few numbers of each text by which drift is watched, made of the inputs that the network sees.

They are the distance from an average text and the leading components, which tell the commonest
topics apart. A text of n-grams that training never saw has components of its own, too: those of no
n-gram at all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.text_encoding.text_encoding import TextEncoding

__all__ = ["SIGNALS", "signals_of_columns", "text_signals"]

Array = npt.NDArray[Any]

_TOPICS = 3
SIGNALS = 1 + _TOPICS
"""Numbers of each column at most."""
# Components of training rows have a deviation of 1, so this is fine enough, and hides in which
# precision they were computed.
_DECIMALS = 3


def signals_of_columns(encoding: TextEncoding) -> int:
    """Return how many numbers each column has: fewer than `SIGNALS` with fewer components."""
    return 1 + min(_TOPICS, encoding.width)


def text_signals(encoding: TextEncoding, x: Array) -> Array:
    """Return the numbers of each row [n, T S], column by column; NaN where a text is missing.

    Parameters
    ----------
    encoding
        How the T columns of texts are encoded.
    x
        Inputs of the network [n, n_in], of which those of texts are the last ones.
    """
    each, width = signals_of_columns(encoding), encoding.width
    inputs = np.asarray(x[:, x.shape[1] - sum(encoding.widths()) :], dtype=np.float32)
    found = np.empty((len(inputs), each * len(encoding.widths())))
    first = 0
    for t, has_missing in enumerate(encoding.text_has_missing.tolist()):
        own = inputs[:, first : first + width].astype(np.float64)
        signals = found[:, t * each : (t + 1) * each]
        signals[:, 0] = np.sqrt(np.square(own).mean(axis=1))
        signals[:, 1:] = own[:, : each - 1]
        np.round(signals, _DECIMALS, out=signals)
        first += width
        if has_missing:
            signals[inputs[:, first] > 0] = np.nan
            first += 1
    return found
