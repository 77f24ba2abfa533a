"""What an order may wait for, and when it leaves by itself, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from tradewright._decimal import Number, whole_number, within
from tradewright.enums import PriceSource, TriggerKind
from tradewright.errors import ArgumentError

if TYPE_CHECKING:
    from tradewright.instrument import Instrument

_UINT32_MAX = 2**32 - 1
_UINT64_MAX = 2**64 - 1


class Conditions(TypedDict, total=False):
    """Conditions of an order, as keyword arguments of `Account.buy`, `sell`, `place` and `replace`.

    `stop_loss_price`: wait until the price has gone against the position, up to this for a bid, down to it for an ask.
    `take_profit_price`: wait until it has gone the position's way, down to this for a bid, up to it for an ask.
    `trailing_amount`: a stop-loss that follows the price at this distance; without `stop_loss_price` it starts from the
    price there is. `trailing_bps`: the same at so many hundredths of a percent of the price.
    `trigger_source`: which price is looked at; the last trade's unless it is named.
    `expire_time_ns`: expire at this time of the exchange's clock, in nanoseconds.
    `min_quantity`: trade at least this at once, or nothing; for IOC orders.
    """

    stop_loss_price: Number
    take_profit_price: Number
    trailing_amount: Number
    trailing_bps: int
    trigger_source: PriceSource
    expire_time_ns: int
    min_quantity: Number


def condition_codes(instrument: Instrument, conditions: Conditions) -> dict[str, int]:
    """Return conditions as the arguments of `commands.with_conditions`.

    Raises:
        ArgumentError: two of them exclude each other, or one is no whole number of ticks or lots.
    """
    stop, take = conditions.get("stop_loss_price"), conditions.get("take_profit_price")
    amount, parts = conditions.get("trailing_amount"), conditions.get("trailing_bps")
    if stop is not None and take is not None:
        raise ArgumentError("take_profit_price", value=take, rule="excludes stop_loss_price: an order has one trigger")
    if amount is not None and parts is not None:
        raise ArgumentError("trailing_bps", value=parts, rule="excludes trailing_amount")
    codes: dict[str, int] = {}
    if take is not None:
        codes["trigger"] = TriggerKind.TAKE_PROFIT
        codes["trigger_price_ticks"] = instrument.ticks("take_profit_price", take)
    elif stop is not None or amount is not None or parts is not None:
        codes["trigger"] = TriggerKind.STOP_LOSS
    if stop is not None:
        codes["trigger_price_ticks"] = instrument.ticks("stop_loss_price", stop)
    if amount is not None:
        ticks = instrument.ticks("trailing_amount", amount)
        codes["trail_ticks"] = within("trailing_amount", amount, ticks, low=1, high=_UINT32_MAX)
    if parts is not None:
        codes["trail_bps"] = whole_number("trailing_bps", parts, low=1, high=9_999)
    if "trigger_source" in conditions:
        codes["source"] = PriceSource(conditions["trigger_source"])
    if "expire_time_ns" in conditions:
        codes["expire_time_ns"] = whole_number("expire_time_ns", conditions["expire_time_ns"], high=_UINT64_MAX)
    if "min_quantity" in conditions:
        codes["minimum_lots"] = instrument.lots("min_quantity", conditions["min_quantity"])
    return codes
