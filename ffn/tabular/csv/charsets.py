"""Which encodings are read, and which of them fits bytes that are not UTF-8.

Besides UTF-8 and UTF-16 these are encodings of one byte a character that agree with ASCII, so that
separators, quotes and line ends are the same bytes, and what was decoded encodes to the same bytes
again. Encodings of several bytes, such as cp932 or big5, do not keep that promise.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

from ffn.errors import quote

__all__ = ["ENCODINGS", "encoding_named", "fitting", "reading_of", "strange_bytes"]

_UTF = ("utf-8", "utf-16", "utf-16-le", "utf-16-be")
_ONE_BYTE = (
    *(f"cp{number}" for number in (1252, 1250, 1251, *range(1253, 1259))),
    *(f"iso8859-{number}" for number in (*range(1, 12), *range(13, 17))),
    *(f"cp{number}" for number in (437, 737, 775, 850, 852, 855, 857, 858)),
    *(f"cp{number}" for number in (*range(860, 864), 865, 866, 869, 874)),
    "koi8-r",
    "koi8-u",
    *(f"mac-{name}" for name in ("roman", "latin2", "cyrillic", "greek", "turkish", "iceland")),
)
ENCODINGS = (*_UTF, *_ONE_BYTE)
"""Every encoding that is read, by the name it has here."""

# The most likely first; the others differ from these in few characters, or in rare ones.
_LIKELY = ("cp1252", "cp1250", "cp1251", "mac-roman", "cp850", "koi8-r")
# Of the languages that are written so; every encoding has others, which hardly ever occur.
_COMMON = frozenset(
    "äöüßéèêëàâáåãæçñóòôõøíìîïúùûýœąćęłńśźżčďěňřšťůžőűабвгдежзийклмнопрстуфхцчшщъыьэюяё"
)
# Beside letters, what people write in tables.
_USUAL = frozenset("€£¥°²³µ±×÷·½¼¾«»“”„‘’–—…©®™ªº\xa0ß¿¡")  # noqa: RUF001
_USUAL_SHARE = 0.9
_OTHERS_TOLD = 2
_ESCAPED = re.compile(r"\\x([89a-f][0-9a-f])")
_EDGES = re.compile(rb'[,;\t|:"\r\n]')


def encoding_named(name: str) -> str:
    """Return an encoding's name as it stands in ``ENCODINGS``, whatever alias is given.

    Raises
    ------
    ValueError
        It is no encoding, or none that is read.
    """
    try:
        found = codecs.lookup(name).name.removesuffix("-sig")
    except (LookupError, ValueError):
        found = ""
    if found not in ENCODINGS:
        raise ValueError(
            f"encoding {quote(name)} is not one that is read. Those are UTF-8, UTF-16, and "
            "encodings of one byte a character, such as cp1252, iso8859-1 (latin-1), cp1250 or "
            "mac-roman. Convert the file to UTF-8"
        )
    return found


def fitting(counts: Mapping[int, int]) -> list[str]:
    """Return the encodings that make text of bytes above 127, the best first.

    One fits if it has a character for every byte, and nine in ten of them are letters or signs
    that people write. The best is the one with most letters that are common.

    Parameters
    ----------
    counts
        How often each byte occurs.
    """
    found: dict[str, int] = {}
    for name in _LIKELY:
        usual = common = 0
        for byte, count in counts.items():
            character = bytes([byte]).decode(name, "replace")
            category = unicodedata.category(character)
            if character == "\ufffd" or category == "Cc":
                break
            sign = character in _USUAL
            usual += count * (sign or category in ("Lu", "Ll", "Lo"))
            common += count * (sign or character.lower() in _COMMON)
        else:
            if usual >= _USUAL_SHARE * sum(counts.values()):
                found[name] = common
    # `sorted` keeps the order of those that fit equally well.
    return sorted(found, key=lambda name: -found[name])


def strange_bytes(text: bytes | str) -> Counter[int]:
    r"""Count the bytes above 127; in a text, of escapes such as ``\xfc``."""
    if isinstance(text, str):
        return Counter(int(digits, 16) for digits in _ESCAPED.findall(text))
    return Counter({byte: n for byte, n in Counter(text).items() if byte > 127})


def reading_of(record: bytes, counts: Mapping[int, int] | None = None) -> str:
    """Return what is wrong with a record that is not UTF-8, and what to do about it.

    Parameters
    ----------
    counts
        How often each byte above 127 occurs in the file, if that is known.
    """
    try:
        record.decode()
    except UnicodeDecodeError as error:
        at = error.start
    else:
        return "bytes that are no text"
    start = max((m.end() for m in _EDGES.finditer(record, 0, at)), default=0)
    end = next((m.start() for m in _EDGES.finditer(record, at)), len(record))
    cell = record[max(start, at - 40) : min(end, at + 40)]
    told = f"the byte 0x{record[at]:02X} in {quote(cell.decode('utf-8', 'backslashreplace'))}"
    found: dict[str, str] = {}
    for name in fitting(strange_bytes(record) if counts is None else counts):
        found.setdefault(cell.decode(name), name)
    if not found:
        return f"{told}, which is not UTF-8. Convert the file to UTF-8"
    (text, best), *others = found.items()
    also = "; ".join(f"{name}: {quote(other)}" for other, name in others[:_OTHERS_TOLD])
    return (
        f"{told}, which is not UTF-8. In {best} it reads {quote(text)}"
        f"{f' ({also})' if also else ''}. If that is right, give --encoding {best}, or "
        f'encoding = "{best}" under [data] in pipeline.toml'
    )
