"""``[features]``: how columns become inputs of the network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ffn.settings.strict import Count, StrictSettings

__all__ = ["FeatureSettings"]


class FeatureSettings(StrictSettings):
    """``[features]``: how columns become inputs of the network.

    Attributes
    ----------
    numbers
        ``standardised``: one input for each numeric column. ``piecewise``: a piecewise-linear
        encoding, a smooth clip and a normal quantile; see
        `ffn.tabular.encodings.piecewise_encoding.PiecewiseEncoding`.
    bins
        Quantile bins of a column in the piecewise encoding, of which those that have the same
        edges are merged.
    most_categories
        Largest number of categories of a column that get an input of their own. In a column of
        more, all others share an input, and the column gets class statistics; see
        `ffn.tabular.encodings.pooled_categories.PooledCategories`. Default: no limit.
    text_components
        Inputs of a column of texts, components of a singular value decomposition; see
        `ffn.tabular.text_encoding.text_encoding.TextEncoding`. More tell more of a text, and make
        the first layer and each row slower.
    """

    numbers: Literal["standardised", "piecewise"] = "standardised"
    bins: Annotated[int, Field(ge=2, le=256)] = 16
    most_categories: Count | None = None
    text_components: Annotated[int, Field(ge=1, le=256)] = 30
