"""A change of the training table since the version in production was trained."""

from __future__ import annotations

from dataclasses import dataclass

from ffn.settings.drift_settings import Policy

__all__ = ["TableChange"]


@dataclass(frozen=True, kw_only=True)
class TableChange:
    """One change of a training table.

    Attributes
    ----------
    kind
        Key of ``[contract]`` that sets the policy.
    policy
        Policy that applied.
    text
        What changed, as a clause.
    """

    kind: str
    policy: Policy
    text: str
