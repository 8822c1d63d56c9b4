"""One thing in which a training table differs from the one that production was trained on."""

from __future__ import annotations

from dataclasses import dataclass

from ffn.settings.drift_settings import Policy

__all__ = ["TableChange"]


@dataclass(frozen=True, kw_only=True)
class TableChange:
    """One thing that is not as it was.

    Attributes
    ----------
    kind
        The key of ``[contract]`` that says what is to happen.
    policy
        What does.
    text
        The end of a sentence.
    """

    kind: str
    policy: Policy
    text: str
