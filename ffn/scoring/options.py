"""What can be asked of scoring."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ffn.errors import SettingsError

__all__ = ["Options"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Everything besides model and input that decides what is written.

    Attributes
    ----------
    probabilities
        True to add ``probability_<class>`` for every class.
    max_reject_rate
        Largest share of rejected rows, 0..1, for which the output is written.
    delimiter
        Of the input and the output.

    Raises
    ------
    SettingsError
        A value is not one that can be.
    """

    probabilities: bool = False
    max_reject_rate: float = 1.0
    delimiter: str = ","

    def __post_init__(self) -> None:
        if not 0 <= self.max_reject_rate <= 1:
            raise SettingsError(
                f"max_reject_rate is {self.max_reject_rate}; give a share from 0 to 1."
            )

    def to_json(self) -> dict[str, bool | float | str]:
        """Return what stands in a manifest: equal options give equal files."""
        return asdict(self)
