"""The interface of preprocessing that whoever reads rows to score requires."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Transformer"]


class Transformer(Protocol):
    """Transformer of typed columns to a network's inputs."""

    def transform(
        self, numeric: npt.NDArray[np.float64], codes: npt.NDArray[np.int64], /
    ) -> npt.NDArray[np.floating]:
        """Return inputs [n, n_in].

        Parameters
        ----------
        numeric
            Numbers, then the components of the texts, [n, F + T D], NaN for missing.
        codes
            Category codes [n, G].
        """
        ...
