"""128-bit decimals for Arrow, from integers that numpy can hold: exact, and without a Python object a row."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tradewright._decimal import quantum, times

_DIGITS_MAX: Final = 38
_MASK: Final = np.uint64(0xFFFF_FFFF)
_BITS: Final = np.uint64(32)


def decimal_array(
    low: npt.NDArray[Any],
    high: npt.NDArray[np.int64] | None,
    factors: npt.NDArray[Any],
    scale: int,
    known: npt.NDArray[np.bool_],
) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return `value * factor / 10**scale` as decimal128, null where not `known`; as text beyond 38 digits.

    A value is `low` alone, signed or not, or the lower half of a 128-bit number whose upper half is `high`.
    """
    import pyarrow as pa

    if high is None:
        high = low >> 63 if low.dtype.kind == "i" else np.zeros(len(low), np.int64)
    low = np.where(known, low.astype(np.uint64), np.uint64(0))
    high = np.where(known, high, 0)
    is_negative = high < 0
    magnitude_low, magnitude_high = _negated(low, high.view(np.uint64), is_negative)
    # A bound in floating point: it only decides whether the slow, exact way is taken.
    largest = (magnitude_high.astype(float) * 2.0**64 + magnitude_low.astype(float)) * factors.astype(float)
    if factors.dtype != object and (not len(low) or largest.max() < 10.0 ** (_DIGITS_MAX - 1)):
        product_low, product_high = _multiplied(magnitude_low, magnitude_high, factors)
        product_low, product_high = _negated(product_low, product_high, is_negative)
        halves = np.stack((product_low, product_high), axis=1).astype("<u8")
        bits = np.packbits(known, bitorder="little")
        buffers = [pa.py_buffer(bits.tobytes()), pa.py_buffer(halves.tobytes())]
        return pa.Array.from_buffers(pa.decimal128(_DIGITS_MAX, scale), len(low), buffers)
    wholes = zip(low.tolist(), high.tolist(), factors.tolist(), known.tolist(), strict=True)
    unit = quantum(scale)
    texts = [format(times(((h << 64) + w) * f, unit), "f") if k else None for w, h, f, k in wholes]
    return pa.array(texts, pa.string())


def _negated(
    low: npt.NDArray[np.uint64], high: npt.NDArray[np.uint64], chosen: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return the two's complement of the chosen numbers, the others as they are."""
    flipped_low = ~low + np.uint64(1)
    flipped_high = ~high + (flipped_low == 0)
    return np.where(chosen, flipped_low, low), np.where(chosen, flipped_high, high)


def _multiplied(
    low: npt.NDArray[np.uint64], high: npt.NDArray[np.uint64], factors: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return the lower 128 bits of the products, limb by limb of 32 bits."""
    a0, a1 = low & _MASK, low >> _BITS
    b0, b1 = factors & _MASK, factors >> _BITS
    p00, p01, p10, p11 = a0 * b0, a0 * b1, a1 * b0, a1 * b1
    middle = (p00 >> _BITS) + (p01 & _MASK) + (p10 & _MASK)
    product_low = (p00 & _MASK) | (middle << _BITS)
    product_high = p11 + (p01 >> _BITS) + (p10 >> _BITS) + (middle >> _BITS) + high * factors
    return product_low, product_high
