"""Between what people write and the engine's integers. Exact or refused: nothing is rounded here."""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation
from typing import TypeAlias

from tradewright.errors import ArgumentError

Number: TypeAlias = Decimal | str | int
"""An exact number: a Decimal, its text (underscores allowed) or an int. Never a float."""

# More digits than any product of a price, a quantity and a scale has; an exact result is never rounded in it.
_EXACT = Context(prec=120)


def exact(argument: str, value: Number) -> Decimal:
    """Return `value` as a finite Decimal.

    Raises:
        ArgumentError: `value` is a float, is no number, or is not finite.
    """
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, int) and not isinstance(value, bool):
        number = Decimal(value)
    elif isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise ArgumentError(argument, value=value, rule="must be a decimal number") from None
    else:
        raise ArgumentError(argument, value=value, rule="must be a Decimal, str or int: a float is not exact")
    if not number.is_finite():
        raise ArgumentError(argument, value=value, rule="must be finite")
    return number


def units(argument: str, value: Number, unit: Decimal, name: str) -> int:
    """Return how many `unit` there are in `value`: a whole number, or the value is refused.

    Raises:
        ArgumentError: `value` is no exact number, or no whole multiple of `unit`.
    """
    number = exact(argument, value)
    try:
        whole, rest = _EXACT.divmod(number, unit)
    except InvalidOperation:
        raise ArgumentError(argument, value=value, rule=f"has too many digits for the {name} {unit:f}") from None
    if rest:
        raise ArgumentError(argument, value=value, rule=f"must be a whole multiple of the {name} {unit:f}")
    return int(whole)


def within(argument: str, value: Number, whole: int, *, low: int, high: int) -> int:
    """Return `whole` when a record can carry it.

    Raises:
        ArgumentError: it cannot.
    """
    if not low <= whole <= high:
        raise ArgumentError(argument, value=value, rule=f"must lie between {low} and {high} units")
    return whole


def whole_number(argument: str, value: object, *, high: int, low: int = 0) -> int:
    """Return an int as it is when it lies between the bounds.

    Raises:
        ArgumentError: it does not, or is no int.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ArgumentError(argument, value=value, rule=f"must be an int between {low} and {high}")
    return value


def times(count: int, unit: Decimal) -> Decimal:
    """Return `count` units, exactly."""
    return _EXACT.multiply(Decimal(count), unit)


def quantum(scale: int) -> Decimal:
    """Return the smallest amount of an asset with `scale` decimal places."""
    return Decimal((0, (1,), -scale))


def decimals(number: Decimal) -> int:
    """Return how many decimal places `number` needs."""
    exponent = number.normalize(_EXACT).as_tuple().exponent
    assert isinstance(exponent, int), "Invariant: the number is finite"
    return max(0, -exponent)


def ratio(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Return a quotient to 28 digits: for averages, which are shown and never used."""
    return numerator / denominator


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact product."""
    return _EXACT.multiply(left, right)


def divide_exactly(left: Decimal, right: Decimal) -> Decimal:
    """Return the quotient of two powers of ten and the like, which is exact."""
    return _EXACT.divide(left, right)


def plain(number: Decimal) -> Decimal:
    """Return the number with the decimal places that it needs, and no power of ten."""
    return number.quantize(quantum(decimals(number)), context=_EXACT)
