"""An instrument and its book."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from tradewright import commands
from tradewright._core import InstrumentView
from tradewright._decimal import Number, times, units, whole_number, within
from tradewright._venue import Venue
from tradewright.enums import AllocationRule, EventKind, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tradewright.account import Account, Asset

_INT64_MAX = 2**63 - 1
_UINT64_MAX = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Level:
    """A price of a book: what is open there in all, and how many orders that is."""

    price: Decimal
    quantity: Decimal
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The best levels of both sides, best first (L2)."""

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    def __str__(self) -> str:
        rows = [(level.price, level.quantity, "ask") for level in reversed(self.asks)]
        rows += [(level.price, level.quantity, "bid") for level in self.bids]
        return "\n".join([self.symbol, *(f"{price:>16f} {quantity:>16f} {side}" for price, quantity, side in rows)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """The best prices with their quantities, and the last trade's price (L1). None where there is none."""

    symbol: str
    bid: Decimal | None
    bid_quantity: Decimal | None
    ask: Decimal | None
    ask_quantity: Decimal | None
    last: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookOrder:
    """An order on the book (L3)."""

    order_id: int
    account: str
    side: Side
    price: Decimal
    quantity: Decimal
    """What is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A trade as the market sees it. `side` is the taker's."""

    trade_id: int
    price: Decimal
    quantity: Decimal
    side: Side
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentLimits:
    """What an instrument accepts. Bounds are inclusive; bands are parts of the reference price."""

    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    max_notional: Decimal
    band_down: Decimal
    band_up: Decimal


class Instrument:
    """A market: what is traded, in which steps, and its book."""

    __slots__ = ("_venue", "base", "id", "lot", "name", "quote", "tick")

    def __init__(
        self, venue: Venue, *, instrument_id: int, name: str, base: Asset, quote: Asset, tick: Decimal, lot: Decimal
    ) -> None:
        self._venue = venue
        self.id = instrument_id
        self.name = name
        self.base = base
        self.quote = quote
        self.tick = tick
        """The smallest step of a price."""
        self.lot = lot
        """The smallest step of a quantity."""

    @property
    def symbol(self) -> str:
        """The name, as ccxt calls it."""
        return self.name

    # -- the book ------------------------------------------------------------------------------------------------

    def book(self, depth: int = 10) -> Book:
        """Return the best `depth` levels of both sides."""
        return Book(symbol=self.name, bids=self._levels(Side.BUY, depth), asks=self._levels(Side.SELL, depth))

    def _levels(self, side: Side, depth: int) -> tuple[Level, ...]:
        levels = self._venue.engine.levels(self.id, side, depth)
        return tuple(Level(times(price, self.tick), times(lots, self.lot), orders) for price, lots, orders in levels)

    @property
    def ticker(self) -> Ticker:
        """The best prices and the last one."""
        bid, ask = self._venue.engine.best(self.id)
        last = self.view.last_ticks
        return Ticker(
            symbol=self.name,
            bid=None if bid is None else times(bid[0], self.tick),
            bid_quantity=None if bid is None else times(bid[1], self.lot),
            ask=None if ask is None else times(ask[0], self.tick),
            ask_quantity=None if ask is None else times(ask[1], self.lot),
            last=None if last is None else times(last, self.tick),
        )

    @property
    def best_bid(self) -> Decimal | None:
        """The highest price that somebody pays."""
        return self.ticker.bid

    @property
    def best_ask(self) -> Decimal | None:
        """The lowest price that somebody asks."""
        return self.ticker.ask

    @property
    def last_price(self) -> Decimal | None:
        """The price of the last trade."""
        return self.ticker.last

    def orders(self, side: Side | None = None) -> list[BookOrder]:
        """Return the open orders in the order in which they would trade: bids, then asks, or one side."""
        accounts = self._venue.accounts_by_id
        return [
            BookOrder(
                order_id=view.order_id,
                account=accounts[view.account].name,
                side=each,
                price=times(view.price_ticks, self.tick),
                quantity=times(view.open_lots, self.lot),
            )
            for each in (Side if side is None else (side,))
            for view in self._venue.engine.queue(self.id, each)
        ]

    def trades(self, limit: int = 100) -> list[Trade]:
        """Return the last trades that are kept as events, oldest first."""
        rows = self._venue.engine.events()
        rows = rows[(rows["kind"] == EventKind.TRADE) & (rows["instrument"] == self.id)][-limit:]
        return [
            Trade(
                trade_id=int(row["reference"]),
                price=times(int(row["price_ticks"]), self.tick),
                quantity=times(int(row["quantity_lots"]), self.lot),
                side=Side(int(row["side"])),
                time_ns=int(row["time_ns"]),
            )
            for row in rows
        ]

    # -- its rules and its state ---------------------------------------------------------------------------------

    @property
    def view(self) -> InstrumentView:
        """Everything the engine knows of it, in ticks, lots and quanta."""
        return self._venue.engine.instrument(self.id)

    @property
    def limits(self) -> InstrumentLimits:
        """What it accepts."""
        view = self.view
        return InstrumentLimits(
            min_quantity=times(view.quantity_min_lots, self.lot),
            max_quantity=times(view.quantity_max_lots, self.lot),
            min_notional=self._venue.amount(view.notional_min, self.quote),
            max_notional=self._venue.amount(view.notional_max, self.quote),
            band_down=times(view.band_down_ppm, PPM),
            band_up=times(view.band_up_ppm, PPM),
        )

    @property
    def is_halted(self) -> bool:
        """Whether it is halted."""
        return self.view.is_halted

    @property
    def reference_price(self) -> Decimal | None:
        """The price that was set for the band."""
        ticks = self.view.reference_ticks
        return None if ticks is None else times(ticks, self.tick)

    def set_reference_price(self, price: Number | None) -> None:
        """Set the price that the band lies around; None removes it, and the last trade takes its place."""
        ticks = 0 if price is None else self.ticks("price", price)
        records = commands.set_reference_price(instrument=self.id, price_ticks=ticks)
        self._venue.apply(records, {"price": price, "instrument": self.name})

    @property
    def mark_price(self) -> Decimal | None:
        """The mark price, which triggers may look at."""
        ticks = self.view.mark_ticks
        return None if ticks is None else times(ticks, self.tick)

    def set_mark_price(self, price: Number) -> None:
        """Set the mark price; the triggers that it reaches fire."""
        records = commands.set_mark_price(instrument=self.id, price_ticks=self._positive_ticks(price))
        self._venue.apply(records, {"price": price, "instrument": self.name})

    @property
    def index_price(self) -> Decimal | None:
        """The index price, which triggers may look at."""
        ticks = self.view.index_ticks
        return None if ticks is None else times(ticks, self.tick)

    def set_index_price(self, price: Number) -> None:
        """Set the index price; the triggers that it reaches fire."""
        records = commands.set_index_price(instrument=self.id, price_ticks=self._positive_ticks(price))
        self._venue.apply(records, {"price": price, "instrument": self.name})

    @property
    def allocation(self) -> AllocationRule:
        """How the orders of one price share what comes in."""
        return AllocationRule(self.view.allocation_rule)

    def set_allocation(
        self,
        rule: AllocationRule,
        *,
        minimum: Number = 0,
        fifo: Number = 0,
        leveling: bool = False,
        weight: int = 0,
        top: tuple[Number, Number] | None = None,
        leads: Mapping[Account, Number] | None = None,
    ) -> None:
        """Choose how the orders of one price share what comes in. Only while no order stands on the book.

        `minimum`: of pro-rata and split, a share below it is none. `fifo`: of split, the part that goes in time order,
        from 0 to 1; `leveling`: a lot each, in time order, for those who got nothing. `weight`: of time-pro-rata, 0, 1
        or 3. Of split too, before all others: `top`, the smallest order that becomes TOP by bettering the market, and
        the most that it gets of one incoming order; `leads`, which part of the rest each lead market maker gets, from 0
        to 1. They are commands of their own: what stands before one that is refused has happened.
        """
        records = commands.set_allocation(
            instrument=self.id,
            rule=rule,
            weight=whole_number("weight", weight, high=255),
            minimum_lots=self.lots("minimum", minimum),
            fifo_ppm=within("fifo", fifo, units("fifo", fifo, Decimal("0.000001"), "millionth"), low=0, high=1_000_000),
            leveling=leveling,
        )
        arguments = {"rule": rule, "top": top, "leads": leads, "instrument": self.name}
        self._venue.apply(records, arguments)
        if top is not None:
            least, most = (self.lots("top", lots) for lots in top)
            self._venue.apply(commands.set_top(instrument=self.id, minimum_lots=least, maximum_lots=most), arguments)
        for account, part in (leads or {}).items():
            ppm = within("leads", part, units("leads", part, Decimal("0.000001"), "millionth"), low=0, high=1_000_000)
            self._venue.apply(commands.set_lead(instrument=self.id, account=account.id, share_ppm=ppm), arguments)

    @property
    def top(self) -> tuple[Decimal, Decimal] | None:
        """The smallest order that becomes TOP by bettering the market, and the most that it gets of one order."""
        lots = self.view.top_lots
        return None if lots is None else (times(lots[0], self.lot), times(lots[1], self.lot))

    @property
    def leads(self) -> dict[str, Decimal]:
        """Which part each lead market maker gets, by the name of the account."""
        accounts = self._venue.accounts_by_id
        return {accounts[account].name: times(ppm, PPM) for account, ppm in self.view.leads_ppm}

    def set_limits(
        self,
        *,
        min_quantity: Number | None = None,
        max_quantity: Number | None = None,
        min_notional: Number | None = None,
        max_notional: Number | None = None,
        price_band: PriceBand | None = None,
    ) -> None:
        """Change what it accepts; what is not named stays. Open orders keep what they have."""
        now = self.limits
        records = limit_records(
            self.lot,
            self.quote,
            min_quantity=now.min_quantity if min_quantity is None else min_quantity,
            max_quantity=now.max_quantity if max_quantity is None else max_quantity,
            min_notional=now.min_notional if min_notional is None else min_notional,
            max_notional=now.max_notional if max_notional is None else max_notional,
            price_band=(now.band_down, now.band_up) if price_band is None else price_band,
        )
        self._venue.apply(commands.set_instrument_limits(instrument=self.id, limits=records), {"instrument": self.name})

    def halt(self) -> None:
        """Stop it: cancels pass, new and amended orders do not."""
        self._venue.apply(commands.halt(instrument=self.id), {"instrument": self.name})

    def resume(self) -> None:
        """End its halt."""
        self._venue.apply(commands.resume(instrument=self.id), {"instrument": self.name})

    # -- conversion ----------------------------------------------------------------------------------------------

    def ticks(self, argument: str, price: Number) -> int:
        """Return a price in ticks; `argument` names it in an error."""
        return within(argument, price, units(argument, price, self.tick, "tick"), low=-_INT64_MAX, high=_INT64_MAX)

    def _positive_ticks(self, price: Number) -> int:
        return within("price", price, self.ticks("price", price), low=1, high=_INT64_MAX)

    def lots(self, argument: str, quantity: Number) -> int:
        """Return a quantity in lots; `argument` names it in an error."""
        return within(argument, quantity, units(argument, quantity, self.lot, "lot"), low=0, high=_UINT64_MAX)

    def __repr__(self) -> str:
        ticker = self.ticker
        return f"Instrument({self.name}, tick={self.tick:f}, lot={self.lot:f}, bid={ticker.bid}, ask={ticker.ask})"


PPM = Decimal("0.000001")

PriceBand = Number | tuple[Number, Number]
"""How far from the reference a price may lie, as a part of it: for both sides, or (down, up)."""


def limit_records(
    lot: Decimal,
    quote: Asset,
    *,
    min_quantity: Number | None,
    max_quantity: Number | None,
    min_notional: Number | None,
    max_notional: Number | None,
    price_band: PriceBand | None,
) -> commands.Records:
    """Return limits as records; None is the widest there is."""
    limits: dict[str, int] = {}
    if min_quantity is not None:
        limits["quantity_min_lots"] = units("min_quantity", min_quantity, lot, "lot")
    if max_quantity is not None:
        limits["quantity_max_lots"] = units("max_quantity", max_quantity, lot, "lot")
    if min_notional is not None:
        limits["notional_min_quanta"] = Venue.quanta("min_notional", min_notional, quote)
    if max_notional is not None:
        limits["notional_max_quanta"] = Venue.quanta("max_notional", max_notional, quote)
    for name, value in limits.items():
        high = 2**127 - 1 if name == "notional_max_quanta" else _UINT64_MAX
        within(name.rsplit("_", 1)[0], value, value, low=0, high=high)
    if price_band is not None:
        down, up = price_band if isinstance(price_band, tuple) else (price_band, price_band)
        for name, part in (("band_down_ppm", down), ("band_up_ppm", up)):
            ppm = units("price_band", part, PPM, "millionth")
            limits[name] = within("price_band", part, ppm, low=0, high=2**32 - 1)
    return commands.instrument_limits(**limits)
