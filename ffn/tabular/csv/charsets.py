"""Supported character encodings, and detection of the one that fits non-UTF-8 bytes.

Besides UTF-8 and UTF-16, only single-byte encodings that extend ASCII are supported: separators,
quotes and line ends are the same bytes in all of them, and decoding is reversible. Multi-byte
encodings, such as cp932 or big5, do not guarantee that.
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
"""Names of all supported encodings."""

# The most likely first; the others differ from these in few or rare characters.
_LIKELY = ("cp1252", "cp1250", "cp1251", "mac-roman", "cp850", "koi8-r")
# Common letters of the languages written in these encodings; others hardly ever occur.
_COMMON = frozenset(
    "äöüßéèêëàâáåãæçñóòôõøíìîïúùûýœąćęłńśźżčďěňřšťůžőűабвгдежзийклмнопрстуфхцчшщъыьэюяё"
)
# Signs other than letters that are usual in tables.
_USUAL = frozenset("€£¥°²³µ±×÷·½¼¾«»“”„‘’–—…©®™ªº\xa0ß¿¡")  # noqa: RUF001
_USUAL_SHARE = 0.9
_OTHERS_TOLD = 2
_ESCAPED = re.compile(r"\\x([89a-f][0-9a-f])")
_EDGES = re.compile(rb'[,;\t|:"\r\n]')


def encoding_named(name: str) -> str:
    """Return the name in `ENCODINGS` of the encoding ``name``, any alias that Python knows.

    Raises
    ------
    ValueError
        The encoding is unknown or not supported.
    """
    try:
        found = codecs.lookup(name).name.removesuffix("-sig")
    except (LookupError, ValueError):
        found = ""
    if found not in ENCODINGS:
        raise ValueError(
            f"encoding {quote(name)} is not supported. Supported are UTF-8, UTF-16, and "
            "single-byte encodings such as cp1252, iso8859-1 (latin-1), cp1250 or "
            "mac-roman. Convert the file to UTF-8"
        )
    return found


def fitting(counts: Mapping[int, int]) -> list[str]:
    """Return the encodings that decode the given bytes to plausible text, the best first.

    An encoding fits if it has a character for every byte, and at least 90 % of the occurrences are
    letters or usual signs. The best one gives the most common letters.

    Parameters
    ----------
    counts
        Number of occurrences of each byte above 127.
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
    # `sorted` is stable: equally good encodings keep their order in `_LIKELY`.
    return sorted(found, key=lambda name: -found[name])


def strange_bytes(text: bytes | str) -> Counter[int]:
    r"""Count the bytes above 127 in ``text``; in a str, the escapes of such bytes, as ``\xfc``."""
    if isinstance(text, str):
        return Counter(int(digits, 16) for digits in _ESCAPED.findall(text))
    return Counter({byte: n for byte, n in Counter(text).items() if byte > 127})


def reading_of(record: bytes, counts: Mapping[int, int] | None = None) -> str:
    """Describe a record that is not UTF-8: the first bad byte, and likely encodings.

    Parameters
    ----------
    record
        Bytes of the record.
    counts
        Number of occurrences of each byte above 127 in the file; default: those of the record.
    """
    try:
        record.decode()
    except UnicodeDecodeError as error:
        at = error.start
    else:
        return "bytes that are not text"
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
