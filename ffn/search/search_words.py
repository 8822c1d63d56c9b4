"""Say in words what the candidates of a retraining are and how they were trained."""

from __future__ import annotations

from ffn.quantities import counted, listed
from ffn.search.combinations import combinations, is_searched
from ffn.settings.document import PipelineSettings

__all__ = ["batches_in_words", "candidate_noun"]


def candidate_noun(settings: PipelineSettings) -> str:
    """Return what one candidate is called: an optimizer, unless ``[search]`` combines more."""
    return "candidate" if is_searched(settings) else "optimizer"


def batches_in_words(settings: PipelineSettings) -> str:
    """Return in what batches the candidates were trained: ``batches of 32 and 64 rows``.

    Parameters
    ----------
    settings
        Settings of the pipeline; the sizes are those that its candidates have.
    """
    usual = settings.training.batch_size
    found = {one.values.get("batch_size", usual) for one in combinations(settings).values()}
    *others, last = sorted(found)
    return f"batches of {listed([*(f'{size:,}' for size in others), counted(last, 'row')])}"
