"""Plain decimal numbers out of bytes, a column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["aligned_decimals", "plain_decimals"]

_PLUS, _MINUS, _ZERO = b"+-0"
# Ten to the fifteenth and every integer below it is exact in float64.
_DIGITS = 15
_POWERS = np.array([float(10**k) for k in range(_DIGITS + 1)])
# What eight bytes are divided by if the point is byte 0..7 of them, or there is none.
_AFTER_POINT = np.append(_POWERS[7::-1], 1.0)

Words = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]
Numbers = tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]


def _all_bytes(byte: int) -> np.uint64:
    return np.uint64(byte * 0x0101010101010101)


def plain_decimals(
    eights: Words, starts: Positions, ends: Positions, decimal: str = "."
) -> Numbers:
    """Read the cells that are a sign or none, then digits and at most one point, 15 in all.

    The digits make an integer below 10^15 and the point a power of ten up to 10^15, both
    exact in float64. Their quotient is one correctly rounded operation, so it is the
    float64 nearest to the text, the one ``float`` gives [1]_.

    Parameters
    ----------
    eights
        ``Block.eights``: at each position of a text, eight bytes from there on [m].
    starts, ends
        Where in the text each cell is, [n] each.
    decimal
        The character that is the point.

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
    lengths, point = ends - starts, ord(decimal)
    with np.errstate(all="ignore"):
        if lengths.max(initial=0) <= 8:
            values, plain = _at_most_eight(eights[starts], lengths, point)
        else:
            values, plain = np.empty(len(starts)), np.zeros(len(starts), dtype=bool)
            short, long = lengths <= 8, (lengths > 8) & (lengths <= _DIGITS + 2)
            values[short], plain[short] = _at_most_eight(
                eights[starts[short]], lengths[short], point
            )
            values[long], plain[long] = _byte_by_byte(eights, starts[long], ends[long], point)
    values[~plain] = np.nan
    return values, plain


def aligned_decimals(
    cells: npt.NDArray[np.uint8], decimal: str = "."
) -> npt.NDArray[np.float64] | None:
    """Read cells that all have their digits and point at the same places.

    Parameters
    ----------
    cells
        Bytes [n, w], n > 0.
    decimal
        The character that is the point.

    Returns
    -------
    values
        [n], what `plain_decimals` gives; None if a cell has anything else.
    """
    places = list(range(cells.shape[1]))
    # A place at a time is contiguous; what is no digit is above 9.
    digits = np.subtract(cells.T, _ZERO, order="C", dtype=np.uint8)
    mark = (ord(decimal) - _ZERO) % 256
    points = np.flatnonzero(digits[:, 0] == mark).tolist()
    scale = len(places) - 1 - points[0] if points else 0
    for place in points[:1]:
        if not (digits[place] == mark).all():
            return None
        places.remove(place)
    if not 1 <= len(places) <= _DIGITS:
        return None
    # Nine digits are an integer of 32 bits, of which a register holds twice as many.
    short = len(places) <= 9
    integer: npt.NDArray[Any] = np.zeros(len(cells), np.uint32 if short else np.float64)
    for place in places:
        if digits[place].max() > 9:
            return None
        integer *= 10
        integer += digits[place]
    values: npt.NDArray[np.float64] = integer / _POWERS[scale]
    return values


def _at_most_eight(words: Words, lengths: Positions, mark: int) -> Numbers:
    """Read cells of up to eight bytes, all bytes of a cell at once.

    ``words`` has the first byte lowest, and foreign bytes behind the last. The tricks are those
    of S. E. Anderson's collection ("determine if a word has a zero byte") and of W. Muła's
    parsers: two digits are added in one multiplication, then two pairs, then two fours.
    """
    first = words & np.uint64(0xFF)
    minus = first == _MINUS
    signed = minus | (first == _PLUS)
    any_signed = signed.any()
    if any_signed:
        words = np.where(signed, words ^ first ^ np.uint64(_ZERO), words)
    # The last byte to the top, zeros before the first. A shift by 64 is 0 in NumPy.
    bits = (lengths << 3).view(np.uint64)
    words = words << (np.uint64(64) - bits)
    words |= _all_bytes(_ZERO) >> bits

    # The highest bit of the first byte that is a point, or 0; then what stands before it is
    # moved over it. Of a second point nothing is known, but it stays where it is: no digit.
    others = words ^ _all_bytes(mark)
    point = others - _all_bytes(1)
    point &= ~others
    point &= _all_bytes(0x80)
    point &= -point
    before = (point >> np.uint64(7)) - np.uint64(1)
    moved = words & -(point << np.uint64(1))
    moved |= (words & before) << np.uint64(8)
    moved |= np.uint64(_ZERO)
    pointed = point != 0
    if not pointed.all():
        moved = np.where(pointed, moved, words)

    digits = moved ^ _all_bytes(_ZERO)
    plain = ((digits | (digits + _all_bytes(0x80 - 10))) & _all_bytes(0x80)) == 0
    plain &= lengths - signed > pointed
    for pair, base, kept in (
        (8, 10, 0x00FF00FF00FF00FF),
        (16, 100, 0x0000FFFF0000FFFF),
        (32, 10_000, 0x00000000FFFFFFFF),
    ):
        low = digits >> np.uint64(pair)
        digits *= np.uint64(base)
        digits += low
        digits &= np.uint64(kept)
    values = digits.view(np.int64) / _AFTER_POINT[np.bitwise_count(before) >> 3]
    if any_signed:
        np.negative(values, where=minus, out=values)
    return values, plain


def _byte_by_byte(eights: Words, starts: Positions, ends: Positions, mark: int) -> Numbers:
    """Read cells of more than eight bytes, a byte of all cells at a time."""
    first = eights[starts].astype(np.uint8)
    minus = first == _MINUS
    digits_start = starts + (minus | (first == _PLUS))
    length = ends - digits_start
    plain = length <= _DIGITS + 1
    integer, scale = np.zeros(len(starts)), np.zeros(len(starts), dtype=np.intp)
    pointed = np.zeros(len(starts), dtype=bool)
    for back in range(int(length[plain].max(initial=0)), 0, -1):
        position = ends - back
        inside = position >= digits_start
        # Zeros before the first digit change nothing; positions before the text wrap around.
        byte = np.where(inside, eights[position].astype(np.uint8), _ZERO)
        digit = byte - np.uint8(_ZERO)
        point = byte == mark
        plain &= (digit <= 9) | (point & ~pointed)
        scale += pointed
        pointed |= point
        integer = np.where(point, integer, integer * 10.0 + digit)
    # Sixteen digits.
    plain &= length - pointed <= _DIGITS
    values = integer / _POWERS[np.minimum(scale, _DIGITS)]
    np.negative(values, where=minus, out=values)
    return values, plain
