"""What was copied between a registry and a mirror, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["CopiedVersion", "Pulled", "Pushed"]


@dataclass(frozen=True, kw_only=True)
class CopiedVersion:
    """A version that was copied, with what is in production now where it was copied to.

    Attributes
    ----------
    address
        The mirror.
    version
        Number of the version that is in production now.
    before
        Number of the version that was before; None if none was.
    files, bytes
        Number and size of the files that were copied.
    """

    address: str
    version: int
    before: int | None
    files: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)

    def since_when(self) -> str:
        """Return how long the version has been in production, to end a sentence."""
        if self.before == self.version and not self.files:
            return "already."
        was = f"version {self.before} was before" if self.before else "none was before"
        return f"now; {was}."


class Pulled(CopiedVersion):
    """A version that was fetched from a mirror."""

    def sentence(self) -> str:
        """Return it in words."""
        here = f"version {self.version} of {self.address} is in production here"
        return f"{here} {self.since_when()}"


class Pushed(CopiedVersion):
    """A version that was written to a mirror."""

    def sentence(self) -> str:
        """Return it in words."""
        return f"{self.address} has version {self.version} in production {self.since_when()}"
