"""Normalise texts, find alternative spellings of one value, and show invisible characters."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context

from ffn.errors import quote
from ffn.tabular.cells import is_number, trim

__all__ = ["as_argument", "as_toml", "escaped", "group_spellings", "visible"]

# Invisible characters without a meaning inside words of any script. The joiners U+200C and U+200D
# have one: they are kept, and only the search for similar spellings ignores them.
_INVISIBLE = re.compile(r"[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
# Numbers are compared by value, however many digits they have.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
# "Iris setosa" and "Iris-setosa", but not the grades "A" and "A-".
_BETWEEN_WORDS = re.compile(r"(?<=\w)[-_\s]+(?=\w)")


def visible(text: str) -> str:
    """Return ``text`` as a person sees it: NFC, plain spaces, none around it, nothing invisible."""
    shown = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    # Every space of Unicode, the no-break one above all.
    return "".join(" " if c.isspace() else c for c in shown).strip(" \u200c\u200d")


def group_spellings(rows: Mapping[str, int], decimal: str) -> Iterator[list[str]]:
    """Yield groups of texts that look like spellings of one value, the most frequent text first.

    They differ in case, in spaces and hyphens between words, in surrounding quotes or a final full
    stop, in the encoding of a character, or in how a number is written.

    Parameters
    ----------
    rows
        Number of rows by text.
    decimal
        Decimal mark of numbers.
    """
    groups: dict[Hashable, list[str]] = defaultdict(list)
    for text in rows:
        groups[_key(text, decimal)].append(text)
    for spellings in groups.values():
        if len(spellings) > 1:
            # Of equally frequent ones, the short and the lower-case one.
            yield sorted(spellings, key=lambda text: (-rows[text], len(text), text.swapcase()))


def escaped(text: str) -> str:
    """Return a text in quotes, with escapes for characters that look like others."""
    plain = unicodedata.normalize("NFC", text) == text
    shown = text if plain else text.encode("ascii", "backslashreplace").decode()
    return quote(re.sub(r"[\u200c\u200d]", lambda found: ascii(found[0])[1:-1], shown))


def as_toml(text: str) -> str:
    """Return a text as a TOML string, with escapes for invisible characters."""
    return '"' + "".join(map(_toml_character, text)) + '"'


def _toml_character(c: str) -> str:
    if c in '"\\':
        return "\\" + c
    if (c.isprintable() and not unicodedata.combining(c)) or c == " ":
        return c
    return f"\\u{ord(c):04x}" if ord(c) < 2**16 else f"\\U{ord(c):08x}"


def as_argument(text: str) -> str:
    """Return a text as a shell argument; one with invisible characters needs bash."""
    escaped = "".join(map(_toml_character, text))
    if "\\u" not in escaped.lower():
        return shlex.quote(text)
    return "$'" + escaped.replace("'", "\\'") + "'"


def _key(text: str, decimal: str) -> Hashable:
    if is_number(text, decimal):
        return _EXACT.create_decimal(trim(text).replace(decimal, ".")).normalize(_EXACT)
    folded = unicodedata.normalize("NFKC", visible(text)).casefold()
    letters = "".join(c for c in folded if unicodedata.category(c) != "Cf")
    bare = letters.strip("\"' ").rstrip(".") or letters
    return _BETWEEN_WORDS.sub(" ", bare)
