"""Check that training fits into the memory of the machine or container."""

from __future__ import annotations

import numpy as np

from ffn.errors import SettingsError
from ffn.machine_memory import memory_limit
from ffn.nn import Network
from ffn.quantities import counted
from ffn.search.combinations import combinations
from ffn.settings.pipeline import Pipeline
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.class_counts import FOLDS
from ffn.tabular.training_table.preprocessing import Preparation
from ffn.training.tables.input_sentences import inputs_in_words

__all__ = ["check_memory", "check_statistics"]


def check_memory(schema: Schema, preparation: Preparation, pipeline: Pipeline) -> None:
    """Refuse a training that cannot fit into memory: Linux would kill the process silently.

    Parameters
    ----------
    schema, preparation
        Features and classes, from which the numbers of inputs and outputs follow.
    pipeline
        Settings of network and training.

    Raises
    ------
    SettingsError
        The networks need more memory than is available.
    """
    training = pipeline.settings.training
    candidates = list(combinations(pipeline.settings).values())
    shapes = [
        (
            preparation.n_inputs,
            *one.values.get("layers", pipeline.settings.network.hidden_layers),
            len(schema.classes),
        )
        for one in candidates
    ]
    widths = max(shapes, key=Network.count)
    item = np.dtype(training.dtype).itemsize
    rates = max(len(each.rates) for each in pipeline.settings.optimizers.candidates().values())
    # At least six arrays: parameters, gradients, an optimizer's two moments, best and last epoch.
    # Only the parameters are kept for every rate.
    networks = (5 + rates) * training.networks * Network.count(widths) * item
    figures = 4 * rates * training.networks * training.epochs * 8
    needed = networks + figures
    if len(pipeline.settings.optimizers.candidates()) < len(candidates):
        # All are kept until one is chosen: networks, if the model is made of them, and figures.
        kept = sum(map(Network.count, shapes)) * training.networks * item
        kept *= pipeline.settings.ensemble == "resamples"
        needed += kept + 8 * len(candidates) * training.networks * training.epochs * 8
    there = memory_limit()
    if needed > there:
        raise SettingsError(
            f"{pipeline.name}: {inputs_in_words(schema, preparation)}, hidden layers "
            f"{list(widths[1:-1][:8])}, {widths[-1]:,} classes and "
            f"{counted(training.networks, 'network')} need {needed / 1e9:,.1f} GB of memory, and "
            f"this machine or container has {there / 1e9:,.1f} GB. Lower "
            f"network.hidden_layers{', search.layers' if pipeline.settings.search.layers else ''}, "
            "training.networks or training.epochs, or exclude columns."
        )


def check_statistics(schema: Schema, most_categories: int | None, where: str) -> None:
    """Refuse class statistics that cannot be computed in memory.

    Parameters
    ----------
    schema
        Categories and classes.
    most_categories
        Columns with more categories than this have statistics; None for no column.
    where
        Name of the table, for the error.

    Raises
    ------
    SettingsError
        The statistics need more memory than is available.
    """
    sizes = [len(feature.categories) for feature in schema.categorical]
    count = sum(size for size in sizes if most_categories is not None and size > most_categories)
    # Counts, their complements and the statistics of each fold.
    needed = 3 * FOLDS * count * len(schema.classes) * 8
    there = memory_limit()
    if needed > there:
        raise SettingsError(
            f"{where}: the class statistics of {count:,} categories and {len(schema.classes):,} "
            f"classes need {needed / 1e9:,.1f} GB of memory, and this machine or container has "
            f"{there / 1e9:,.1f} GB. Add columns with many categories to data.exclude."
        )
