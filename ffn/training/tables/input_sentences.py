"""Say in words how the columns of a table become inputs, for the user."""

from __future__ import annotations

from operator import itemgetter

from ffn.errors import quote
from ffn.quantities import counted
from ffn.tabular.schema import Schema
from ffn.tabular.text_encoding.ngram_classes import ngram_statistics_width
from ffn.tabular.training_table.preprocessing import Preparation

__all__ = ["inputs_in_words", "pooled_in_words", "texts_in_words"]


def inputs_in_words(schema: Schema, preparation: Preparation) -> str:
    """Return the number of inputs of a ``preparation``, for a message.

    It names the column of ``schema`` whose categories have the most inputs, if there is one.
    """
    widths = zip(preparation.category_widths(), schema.categorical, strict=True)
    width, widest = max(widths, key=itemgetter(0), default=(0, None))
    inputs = counted(preparation.n_inputs, "input")
    if widest is None:
        return inputs
    return f"{inputs} ({width:,} of column {quote(widest.name)})"


def pooled_in_words(schema: Schema, preparation: Preparation) -> list[str]:
    """Return a sentence about the columns of ``schema`` with pooled categories, if there are any.

    Parameters
    ----------
    schema
        The columns.
    preparation
        Which categories have an input of their own.

    Returns
    -------
    sentences
        None, or one, for the user.
    """
    pooled = [schema.categorical[g] for g in preparation.inputs_of_statistics()]
    if not pooled:
        return []
    first, *others = (
        f"{quote(feature.name)} ({len(feature.categories):,} in the training rows)"
        if feature is pooled[0]
        else f"{quote(feature.name)} ({len(feature.categories):,})"
        for feature in pooled
    )
    columns = f"{', '.join([first, *others[:-1]])} and {others[-1]}" if others else first
    return [
        f"of the categories of column{'s' * bool(others)} {columns} the most frequent have an "
        "input each, all others one together (features.most_categories)"
    ]


def texts_in_words(schema: Schema, preparation: Preparation) -> list[str]:
    """Return a sentence for each column of texts of ``schema``, for the user."""
    if preparation.texts is None:
        return []
    statistics = ngram_statistics_width(len(schema.classes))
    width = counted(preparation.texts.width - statistics, "component")
    if statistics:
        width += f" and {counted(statistics, 'class statistic')}"
    counts = preparation.texts.text_bucket_counts.tolist()
    return [
        f"column {quote(feature.name)} is read as texts, in {width} of the {counted(n, 'n-gram')} "
        "that occur in several of them (features.text_components)"
        for feature, n in zip(schema.texts, counts, strict=True)
    ]
