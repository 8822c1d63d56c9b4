"""Plain decimal numbers out of bytes, a column at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["plain_decimals"]

_PLUS, _MINUS, _POINT, _ZERO = b"+-.0"
# Ten to the fifteenth and every integer below it is exact in float64.
_DIGITS = 15
_POWERS = np.array([float(10**k) for k in range(_DIGITS + 1)])


def plain_decimals(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Read the cells that are a sign or none, then digits and at most one point, 15 in all.

    The digits make an integer below 10^15 and the point a power of ten up to 10^15, both
    exact in float64. Their quotient is one correctly rounded operation, so it is the
    float64 nearest to the text, the one ``float`` gives [1]_.

    Parameters
    ----------
    data
        Bytes [m].
    starts, ends
        Cell ``i`` is ``data[starts[i]:ends[i]]``, [n] each.

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
    count = len(starts)
    if not data.size or not count:
        return np.full(count, np.nan), np.zeros(count, dtype=bool)
    first = data[np.minimum(starts, data.size - 1)]
    minus = first == _MINUS
    digits_start = starts + (minus | (first == _PLUS))
    length = ends - digits_start
    plain = (ends > starts) & (length >= 1) & (length <= _DIGITS + 1)

    width = int(length[plain].max(initial=0))
    integer, scale = np.zeros(count), np.zeros(count, dtype=np.intp)
    pointed = np.zeros(count, dtype=bool)
    for back in range(width, 0, -1):
        position = ends - back
        inside = position >= digits_start
        # Zeros before the first digit change nothing; positions before the data wrap around.
        byte = np.where(inside, data[position], _ZERO)
        digit = byte - np.uint8(_ZERO)
        point = byte == _POINT
        plain &= (digit <= 9) | (point & ~pointed)
        scale += pointed
        pointed |= point
        integer = np.where(point, integer, integer * 10.0 + digit)
    # Fewer than one digit, or sixteen of them.
    plain &= (length - pointed >= 1) & (length - pointed <= _DIGITS)
    with np.errstate(all="ignore"):
        values = integer / _POWERS[np.minimum(scale, _DIGITS)]
    np.negative(values, where=minus, out=values)
    values[~plain] = np.nan
    return values, plain
