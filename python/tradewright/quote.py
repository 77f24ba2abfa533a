"""Quotes: both sides of an account on an instrument, and what protects whoever shows them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from tradewright._decimal import Number

if TYPE_CHECKING:
    from tradewright.instrument import Instrument
    from tradewright.order import Order

QuoteSide: TypeAlias = tuple[Number, Number]
"""Price, and the quantity that is to be open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """An account's bid and ask on an instrument; a side that is not quoted is None. They are orders like any other."""

    instrument: Instrument
    bid: Order | None
    ask: Order | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteProtection:
    """How much of an account's quotes may trade in a window; the window begins with a fill.

    `max_quantity` is in units of the instrument; in lots where it is for all instruments together.
    """

    max_quantity: Decimal | None
    max_fills: int | None
    window_ns: int
    is_triggered: bool
