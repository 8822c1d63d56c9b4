"""Candidates of a retraining: optimizers, and with ``[search]`` combinations of other settings.

Without ``[search]`` a candidate is an optimizer, and is called like it. With it the candidates are
the product of the optimizers and of all lists of values, and a name says what differs:
``adamw 256-128, dropout 0.1``. Where the product has more combinations than ``search.trials``, so
many are drawn by a scrambled Halton sequence (Halton 1960; scrambled after Owen 2017, "A randomized
Halton algorithm in R", as in SciPy), whose points cover every list evenly, unlike those of a
generator (Bergstra and Bengio 2012, "Random Search for Hyper-Parameter Optimization", section 4.1,
compare such sequences with grids).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ffn.settings.document import PipelineSettings
from ffn.settings.optimizer_settings import OptimizerSearch, SearchSettings
from ffn.settings.pipeline import Pipeline

__all__ = [
    "Combination",
    "combinations",
    "combined",
    "file_label",
    "is_searched",
    "largest_first",
    "product_size",
    "with_combination",
]

# Branch of the pipeline's seed; ``ffn.training.steps`` has the others.
_DRAW = 8
# How a name calls a value: layers need no word.
_WORDS = {
    "layers": "",
    "dropout": "dropout ",
    "label_smoothing": "smoothing ",
    "batch_size": "batch ",
    "weight_decay": "decay ",
}


@dataclass(frozen=True, kw_only=True)
class Combination:
    """One candidate.

    Attributes
    ----------
    name
        What tells it apart from the other candidates.
    optimizer
        Name of its optimizer.
    values
        Value by key of ``[search]``, for the keys that are given there.
    """

    name: str
    optimizer: str
    values: Mapping[str, Any] = field(default_factory=dict)


def combinations(settings: PipelineSettings) -> dict[str, Combination]:
    """Return the candidates by name, the simplest first.

    A candidate with fewer hidden units is simpler; of equal ones the simpler optimizer, and then
    the value that is named first.

    Parameters
    ----------
    settings
        Settings with ``[optimizers]`` and ``[search]``.
    """
    optimizers = list(settings.optimizers.candidates())
    lists = _lists(settings.search)
    if not lists:
        return {name: Combination(name=name, optimizer=name) for name in optimizers}
    places = _places(settings, optimizers, lists)
    found = [_combination(optimizers, lists, own) for own in places]
    found.sort(key=lambda one: sum(one.values.get("layers", ())))
    return {one.name: one for one in found}


def product_size(settings: PipelineSettings) -> int:
    """Return how many combinations there are, of which at most ``search.trials`` are candidates.

    Parameters
    ----------
    settings
        As for `combinations`.
    """
    optimizers = list(settings.optimizers.candidates())
    total = 0
    for optimizer in optimizers:
        sizes = [
            len(own)
            for key, own in _lists(settings.search).items()
            if key != "weight_decay" or optimizer == "adamw"
        ]
        total += int(np.prod(sizes, dtype=object)) if sizes else 1
    return total


def is_searched(settings: PipelineSettings) -> bool:
    """Return whether ``[search]`` combines more than the optimizers; lists of one value do not.

    Parameters
    ----------
    settings
        As for `combinations`.
    """
    return product_size(settings) > len(settings.optimizers.candidates())


def with_combination(pipeline: Pipeline, name: str) -> tuple[Pipeline, OptimizerSearch]:
    """Return the pipeline with the settings of one candidate, and its optimizer.

    Parameters
    ----------
    pipeline
        The pipeline.
    name
        Name of one of its candidates.

    Raises
    ------
    KeyError
        There is no candidate of this name.
    """
    return combined(pipeline, combinations(pipeline.settings)[name])


def combined(pipeline: Pipeline, one: Combination) -> tuple[Pipeline, OptimizerSearch]:
    """Return the same for a candidate that is at hand; many of them need no search each.

    Parameters
    ----------
    pipeline
        The pipeline.
    one
        One of its `combinations`.
    """
    settings = pipeline.settings
    search = settings.optimizers.candidates()[one.optimizer]
    if not one.values:
        return pipeline, search
    training = dict(one.values)
    network = {"hidden_layers": training.pop("layers")} if "layers" in training else {}
    if "weight_decay" in training:
        decay = training.pop("weight_decay")
        changed: Any = replace(search.optimizer, weight_decay=decay)  # type: ignore[type-var]
        search = replace(search, optimizer=changed)
    made = settings.model_copy(
        update={
            "network": settings.network.model_copy(update=network),
            "training": settings.training.model_copy(update=training),
        }
    )
    return replace(pipeline, settings=made), search


def largest_first(settings: PipelineSettings) -> list[str]:
    """Return the candidates' names in the order in which they are trained.

    Those that take longest come first, so that no worker is left with a long one at the end: by
    hidden units and weights, and by steps an epoch. Without ``[search]`` the order is that of
    `combinations`.

    Parameters
    ----------
    settings
        As for `combinations`.
    """

    def work(one: Combination) -> float:
        layers: Sequence[int] = one.values.get("layers", ())
        weights = sum(layers) + sum(a * b for a, b in itertools.pairwise(layers))
        batch: int = one.values.get("batch_size", 1)
        return weights / batch

    return [one.name for one in sorted(combinations(settings).values(), key=work, reverse=True)]


def file_label(name: str) -> str:
    """Return a candidate's name as part of a file's name.

    Parameters
    ----------
    name
        The name, in which each character but ASCII letters, digits, points and dashes becomes a
        dash.
    """
    plain = (c if c.isascii() and (c.isalnum() or c in ".-_") else "-" for c in name)
    return "".join(plain).replace("--", "-")


def _lists(search: SearchSettings) -> dict[str, tuple[Any, ...]]:
    """Return the lists of values that are given, by key."""
    return {key: own for key in _WORDS if (own := getattr(search, key)) is not None}


def _places(
    settings: PipelineSettings, optimizers: Sequence[str], lists: Mapping[str, tuple[Any, ...]]
) -> list[tuple[int, ...]]:
    """Return positions in the lists, the optimizer's first: all, or as many as are to be drawn."""
    sizes = [len(optimizers), *map(len, lists.values())]
    trials = settings.search.trials

    def plain(own: Sequence[int]) -> tuple[int, ...]:
        # Only AdamW decays; for the others all values of that list are the first one.
        decays = optimizers[own[0]] == "adamw"
        return own[0], *(
            place if key != "weight_decay" or decays else 0
            for key, place in zip(lists, own[1:], strict=True)
        )

    if product_size(settings) <= trials:
        every = itertools.product(*map(range, sizes))
        return list(dict.fromkeys(map(plain, every)))
    from scipy.stats import qmc

    seed = np.random.SeedSequence(settings.training.seed, spawn_key=(_DRAW,))
    sequence = qmc.Halton(len(sizes), scramble=True, rng=np.random.default_rng(seed))
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < trials:
        for point in sequence.random(trials):
            places = plain((point * sizes).astype(int).tolist())
            if len(drawn) < trials:
                drawn[places] = None
    return sorted(drawn)


def _combination(
    optimizers: Sequence[str], lists: Mapping[str, tuple[Any, ...]], places: Sequence[int]
) -> Combination:
    optimizer = optimizers[places[0]]
    values = {
        key: own[place]
        for (key, own), place in zip(lists.items(), places[1:], strict=True)
        if key != "weight_decay" or optimizer == "adamw"
    }
    # A list of one value tells nothing apart.
    told = [f"{_WORDS[key]}{_text(value)}" for key, value in values.items() if len(lists[key]) > 1]
    if told and len(lists.get("layers", ())) > 1:
        name = f"{optimizer} {', '.join(told)}"
    else:
        name = ", ".join([optimizer, *told])
    return Combination(name=name, optimizer=optimizer, values=values)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value)) if value else "no hidden layer"
    return f"{value}" if isinstance(value, int) else f"{value:.12g}"
