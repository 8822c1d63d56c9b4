"""Vectorised parsing of plain decimal numbers from the bytes of a column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["aligned_decimals", "plain_decimals"]

_ZERO = "0"
_LAST = np.uint64(56)
# This bit is set in every byte below "0" after XOR with "0", and in no digit.
_NO_DIGIT = 0x10
# Ten to the fifteenth and every integer below it is exact in float64.
_DIGITS = 15
_POWERS = np.array([float(10**k) for k in range(_DIGITS + 1)])
# Divisor for eight bytes whose point is byte 0 to 7, or that have none.
_AFTER_POINT = np.append(_POWERS[7::-1], 1.0)

Words = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]
Numbers = tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]


def _all_bytes(byte: int) -> np.uint64:
    return np.uint64(byte * 0x0101010101010101)


def plain_decimals(
    endings: Words, starts: Positions, ends: Positions, decimal: str = "."
) -> Numbers:
    """Parse cells of an optional sign, up to 15 digits and at most one decimal mark.

    The digits form an integer below 10^15, the mark gives a power of ten up to 10^15, and both
    are exact in float64. Their quotient is one correctly rounded operation, so the result is the
    float64 nearest to the text, the same that ``float`` gives [1]_.

    Parameters
    ----------
    endings
        ``Block.endings``: for each position of a text, the eight bytes before it [m].
    starts, ends
        Byte positions of the cells in the text, [n] each.
    decimal
        Decimal mark.

    Returns
    -------
    values
        [n], NaN where the cell is anything else.
    plain
        [n], False where the cell is anything else: empty, spaced, longer, with an exponent,
        or no number at all.

    References
    ----------
    .. [1] W. D. Clinger, How to read floating point numbers accurately, PLDI 1990.
    """
    mark = ord(decimal) ^ ord(_ZERO)
    values, plain = _unsigned(endings, starts, ends, mark)
    if not plain.all():
        others = np.flatnonzero(~plain & (ends > starts))
        first = (endings[starts[others] + 1] >> _LAST).astype(np.uint8)
        minus, plus = first == ord("-"), first == ord("+")
        for sign, some in ((-1, others[minus]), (1, others[plus])):
            if len(some):
                found, plain[some] = _unsigned(endings, starts[some] + 1, ends[some], mark)
                values[some] = np.copysign(found, sign)
        values[np.flatnonzero(~plain)] = np.nan
    return values, plain


def aligned_decimals(
    cells: npt.NDArray[np.uint8], decimal: str = "."
) -> npt.NDArray[np.float64] | None:
    """Parse cells that all have digits and the decimal mark at the same positions.

    Parameters
    ----------
    cells
        Bytes [n, w], n > 0.
    decimal
        Decimal mark.

    Returns
    -------
    values
        Numbers [n], equal to those of `plain_decimals`; None if a cell is laid out differently.
    """
    places = list(range(cells.shape[1]))
    # Transposed, each position is contiguous. Bytes that are not digits become more than 9.
    digits = np.bitwise_xor(cells.T, np.uint8(ord(_ZERO)), order="C")
    mark = ord(decimal) ^ ord(_ZERO)
    points = np.flatnonzero(digits[:, 0] == mark).tolist()
    scale = len(places) - 1 - points[0] if points else 0
    for place in points[:1]:
        if not (digits[place] == mark).all():
            return None
        places.remove(place)
    if not 1 <= len(places) <= _DIGITS:
        return None
    # Nine digits fit in 32 bits, of which a SIMD register holds twice as many as of 64.
    short = len(places) <= 9
    integer: npt.NDArray[Any] = np.zeros(len(cells), np.uint32 if short else np.float64)
    for place in places:
        if digits[place].max() > 9:
            return None
        integer *= 10
        integer += digits[place]
    values: npt.NDArray[np.float64] = integer / _POWERS[scale]
    return values


def _unsigned(endings: Words, starts: Positions, ends: Positions, mark: int) -> Numbers:
    """Parse cells without a sign. ``mark`` is the byte of the decimal mark XOR that of "0"."""
    lengths = ends - starts
    if lengths.max(initial=0) <= 8:
        return _at_most_eight(endings[ends], lengths, mark)
    values, plain = np.empty(len(starts)), np.zeros(len(starts), dtype=bool)
    short, long = lengths <= 8, (lengths > 8) & (lengths <= _DIGITS + 1)
    values[short], plain[short] = _at_most_eight(endings[ends[short]], lengths[short], mark)
    values[long], plain[long] = _byte_by_byte(endings, ends[long], lengths[long], mark)
    return values, plain


def _at_most_eight(words: Words, lengths: Positions, mark: int) -> Numbers:
    """Parse cells of up to eight bytes, all bytes of a cell at once.

    ``words`` has a cell's last byte highest and foreign bytes before its first; it is overwritten.
    The bit tricks are from S. E. Anderson's collection and W. Muła's parsers: ``x & -x`` isolates
    the lowest set bit; one multiplication combines two digits, the next two pairs, then two
    groups of four.
    """
    bits = (lengths << 3).view(np.uint64)
    # Digits become 0 to 9, and the bytes before the cell 0. A shift by 64 gives 0 in NumPy.
    words ^= _all_bytes(ord(_ZERO))
    words &= _all_bytes(0xFF) << (np.uint64(64) - bits)
    # This finds the decimal mark and some bytes that no number contains. Only the first is
    # removed; a second one stays, and fails the check for digits.
    point = words & _all_bytes(_NO_DIGIT)
    if not point.any():
        plain = _are_digits(words)
        plain &= lengths > 0
        return _eight_digits(words).astype(np.float64), plain
    point &= -point
    unit = point >> np.uint64(4)
    below = unit - np.uint64(1)
    before = words & below
    point <<= np.uint64(4)
    behind = words & -point
    words ^= before
    words ^= behind
    unit *= np.uint64(mark)
    plain = words == unit
    pointed = unit > 0
    plain &= lengths > pointed
    # The digits before the mark are shifted over it; without a mark nothing moves.
    behind |= before << (pointed.view(np.uint8) << 3)
    plain &= _are_digits(behind)
    values = _eight_digits(behind) / _AFTER_POINT.take(np.bitwise_count(below) >> 3)
    return values, plain


def _are_digits(words: Words) -> npt.NDArray[np.bool_]:
    """Return whether all eight bytes are 0 to 9."""
    # Only a byte whose highest bit is set can carry into the next, and it is found by that bit.
    beyond = words + _all_bytes(0x80 - 10)
    beyond |= words
    beyond &= _all_bytes(0x80)
    digits: npt.NDArray[np.bool_] = beyond == 0
    return digits


def _eight_digits(words: Words) -> Positions:
    """Return the number of eight digits, the highest byte being the units; overwrites ``words``."""
    for pair, base, kept in (
        (8, 10, 0x00FF00FF00FF00FF),
        (16, 100, 0x0000FFFF0000FFFF),
        (32, 10_000, 0x00000000FFFFFFFF),
    ):
        low = words >> np.uint64(pair)
        words *= np.uint64(base)
        words += low
        words &= np.uint64(kept)
    return words.view(np.int64)


def _byte_by_byte(endings: Words, ends: Positions, lengths: Positions, mark: int) -> Numbers:
    """Parse cells of more than eight bytes, one byte of all cells at a time."""
    integer, scale = np.zeros(len(ends)), np.zeros(len(ends), dtype=np.intp)
    plain, pointed = np.ones(len(ends), dtype=bool), np.zeros(len(ends), dtype=bool)
    for back in range(int(lengths.max(initial=0)), 0, -1):
        # Positions before a cell's first byte count as leading zeros.
        inside = lengths >= back
        byte = (endings[np.maximum(ends - back, 0) + 1] >> _LAST).astype(np.uint8)
        digit = np.where(inside, byte ^ ord(_ZERO), 0)
        point = digit == mark
        plain &= (digit <= 9) | (point & ~pointed)
        scale += pointed
        pointed |= point
        integer = np.where(point, integer, integer * 10.0 + digit)
    # A cell of sixteen bytes without a mark has too many digits.
    plain &= lengths - pointed <= _DIGITS
    return integer / _POWERS[np.minimum(scale, _DIGITS)], plain
