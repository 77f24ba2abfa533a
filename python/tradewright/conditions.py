"""What an order may wait for, and when it leaves by itself, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from tradewright._decimal import Number, whole_number, within
from tradewright.enums import Display, PegKind, PriceSource, TriggerKind
from tradewright.errors import ArgumentError

if TYPE_CHECKING:
    from tradewright.instrument import Instrument

_UINT32_MAX = 2**32 - 1
_UINT64_MAX = 2**64 - 1
_INT64_MAX = 2**63 - 1


class Conditions(TypedDict, total=False):
    """Conditions of an order, as keyword arguments of `Account.buy`, `sell`, `place` and `replace`.

    `stop_loss_price`: wait until the price has gone against the position, up to this for a bid, down to it for an ask.
    `take_profit_price`: wait until it has gone the position's way, down to this for a bid, up to it for an ask.
    `trailing_amount`: a stop-loss that follows the price at this distance; without `stop_loss_price` it starts from the
    price there is. `trailing_bps`: the same at so many hundredths of a percent of the price.
    `trigger_source`: which price is looked at; the last trade's unless it is named.
    `expire_time_ns`: expire at this time of the exchange's clock, in nanoseconds.
    `min_quantity`: trade at least this at once, or nothing; for IOC orders.
    `peak_quantity`: show only this much at a time, an iceberg. `peak_range`: peaks are larger than that by up to this,
    drawn by a generator that starts from `peak_seed`, which is 0 unless it is named.
    `hidden`: show nothing of it; for limit orders that may rest, and no icebergs.
    `peg`: tie the price to the best displayed ones. It follows them, `peg_offset` away from the market, and `price` is
    its limit, which is the band's edge without one. With `peg_levels` it is fixed on entry, so many price levels behind
    the best, and has no `price`.
    """

    stop_loss_price: Number
    take_profit_price: Number
    trailing_amount: Number
    trailing_bps: int
    trigger_source: PriceSource
    expire_time_ns: int
    min_quantity: Number
    peak_quantity: Number
    peak_range: Number
    peak_seed: int
    hidden: bool
    peg: PegKind
    peg_offset: Number
    peg_levels: int


def condition_codes(instrument: Instrument, conditions: Conditions) -> dict[str, int]:
    """Return conditions as the arguments of `commands.with_conditions`.

    Raises:
        ArgumentError: two of them exclude each other, or one is no whole number of ticks or lots.
    """
    stop, take = conditions.get("stop_loss_price"), conditions.get("take_profit_price")
    amount, parts = conditions.get("trailing_amount"), conditions.get("trailing_bps")
    if take is not None:
        for name in ("stop_loss_price", "trailing_amount", "trailing_bps"):
            if conditions.get(name) is not None:
                raise ArgumentError("take_profit_price", value=take, rule=f"excludes {name}")
    if amount is not None and parts is not None:
        raise ArgumentError("trailing_bps", value=parts, rule="excludes trailing_amount")
    codes: dict[str, int] = {}
    if take is not None:
        codes["trigger"] = TriggerKind.TAKE_PROFIT
        codes["trigger_price_ticks"] = instrument.ticks("take_profit_price", take)
    elif stop is not None or amount is not None or parts is not None:
        codes["trigger"] = TriggerKind.STOP_LOSS
    if stop is not None:
        ticks = instrument.ticks("stop_loss_price", stop)
        if amount is not None or parts is not None:
            # In the record 0 would mean: from the price there is.
            ticks = within("stop_loss_price", stop, ticks, low=1, high=_INT64_MAX)
        codes["trigger_price_ticks"] = ticks
    if amount is not None:
        ticks = instrument.ticks("trailing_amount", amount)
        codes["trail_ticks"] = within("trailing_amount", amount, ticks, low=1, high=_UINT32_MAX)
    if parts is not None:
        codes["trail_bps"] = whole_number("trailing_bps", parts, low=1, high=9_999)
    source, time_ns = conditions.get("trigger_source"), conditions.get("expire_time_ns")
    if source is not None:
        if "trigger" not in codes:
            raise ArgumentError("trigger_source", value=source, rule="needs a trigger or a trail")
        codes["source"] = whole_number("trigger_source", int(source), high=max(PriceSource))
    if time_ns is not None:
        codes["expire_time_ns"] = whole_number("expire_time_ns", time_ns, high=_UINT64_MAX)
    minimum = conditions.get("min_quantity")
    if minimum is not None:
        codes["minimum_lots"] = instrument.lots("min_quantity", minimum)
    if conditions.get("hidden"):
        codes["display"] = Display.HIDDEN
    return codes | _peak_codes(instrument, conditions) | _peg_codes(instrument, conditions)


def _peg_codes(instrument: Instrument, conditions: Conditions) -> dict[str, int]:
    """Return what an order's price is tied to."""
    peg, offset, levels = conditions.get("peg"), conditions.get("peg_offset"), conditions.get("peg_levels")
    if peg is None:
        for name, value in (("peg_offset", offset), ("peg_levels", levels)):
            if value is not None:
                raise ArgumentError(name, value=value, rule="needs a peg")
        return {}
    codes = {"peg": whole_number("peg", int(peg), low=1, high=max(PegKind))}
    if levels is not None:
        if offset is not None:
            raise ArgumentError("peg_offset", value=offset, rule="excludes peg_levels")
        codes["peg_levels"] = whole_number("peg_levels", levels, high=100)
    elif offset is not None:
        ticks = instrument.ticks("peg_offset", offset)
        codes["peg_offset_ticks"] = within("peg_offset", offset, ticks, low=0, high=1 << 62)
    return codes


def _peak_codes(instrument: Instrument, conditions: Conditions) -> dict[str, int]:
    """Return how an order shows itself by parts."""
    peak, span, seed = conditions.get("peak_quantity"), conditions.get("peak_range"), conditions.get("peak_seed")
    if peak is None:
        for name, value in (("peak_range", span), ("peak_seed", seed)):
            if value is not None:
                raise ArgumentError(name, value=value, rule="needs a peak_quantity")
        return {}
    lots = within("peak_quantity", peak, instrument.lots("peak_quantity", peak), low=1, high=_UINT64_MAX)
    codes = {"peak_lots": lots}
    if span is not None:
        codes["peak_range_lots"] = instrument.lots("peak_range", span)
    if seed is not None:
        if not codes.get("peak_range_lots"):
            raise ArgumentError("peak_seed", value=seed, rule="needs a peak_range")
        codes["peak_seed"] = whole_number("peak_seed", seed, high=_UINT32_MAX)
    return codes
