"""What a training depended on when a version was made, beside what it would depend on now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ffn.quantities import NOTHING

__all__ = ["Circumstance", "compare_circumstances"]

# Digits of a digest or commit that tell any two apart that a person compares.
_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class Circumstance:
    """Something that a training depends on.

    Attributes
    ----------
    name
        Such as ``code``, ``numpy`` or ``processor``.
    recorded
        What it was when the version was made; None if that was not recorded.
    now
        What it is now; None if it is not there.
    """

    name: str
    recorded: str | None
    now: str | None

    @property
    def differs(self) -> bool:
        """Whether both are known, and are not the same."""
        return self.recorded is not None and self.recorded != self.now

    @property
    def in_words(self) -> str:
        """Both values in a clause."""
        if self.recorded is None:
            return f"{self.name} was not recorded"
        now = NOTHING if self.now is None else _short(self.now)
        return f"{self.name} was {_short(self.recorded)} and is {now}"


def compare_circumstances(
    recorded: dict[str, Any], now: dict[str, Any]
) -> tuple[Circumstance, ...]:
    """Return all circumstances of a training, whether they differ or not.

    Parameters
    ----------
    recorded
        Provenance of the version, possibly of an older release that recorded less of it.
    now
        Result of ``ffn.registry.provenance.circumstances``.
    """
    return tuple(_compared(recorded, now))


def _compared(recorded: dict[str, Any], now: dict[str, Any]) -> Iterator[Circumstance]:
    for name, key in (
        ("code", "code_sha256"),
        ("commit", "commit"),
        ("Python", "python"),
        ("machine", "machine"),
        ("processor", "processor"),
        ("BLAS", "blas"),
    ):
        found = Circumstance(name=name, recorded=_text(recorded, key), now=_text(now, key))
        # Where the code is in no repository there is no commit to speak of.
        if found.recorded is not None or name != "commit":
            yield found
    before, after = (_table(made.get("packages")) for made in (recorded, now))
    for name in sorted({*before, *after}):
        yield Circumstance(name=name, recorded=_text(before, name), now=_text(after, name))


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(document: dict[str, Any], key: str) -> str | None:
    value = document.get(key)
    return value if isinstance(value, str) and value else None


def _short(text: str) -> str:
    is_digest = len(text) >= 40 and set(text) <= set("0123456789abcdef")
    return text[:_DIGITS] if is_digest else text
