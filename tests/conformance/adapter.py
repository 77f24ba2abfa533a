"""Tradewright as a candidate of the judge Tracebook: `python -m tests.conformance.adapter` speaks its line protocol.

The framing of the lines is the judge's own (`serve_stdio`). What stands here translates events into calls of the
public surface and reads the answers back out of the engine: outcomes from refusals, trades from fills, queues from the
book. It decides nothing that the engine decides, and what it cannot translate exactly ends the run instead of passing
as an answer. docs/internals/conformance.md says what the two sides mean differently.
"""

from __future__ import annotations

import sys
from decimal import Decimal

from tracebook.conformance import (
    BookSnapshot,
    BookState,
    ConformanceConfig,
    EngineMetadata,
    Observation,
    Outcome,
    RestingOrder,
    TradeFill,
    canonical_decimal,
    serve_stdio,
)
from tracebook.core.order import NO_OWNER, OrderSide, OrderType, SelfTradePolicy
from tracebook.events import MarketEvent

import tradewright as tw

LOT = Decimal("0.000000001")
"""Finer than any quantity that the judge's generator has been seen to make (7 places); up to 1,099 in one order."""

REFERENCE_PRICE = 1_000_000
"""The judge knows no price band: around this one it lets everything from a tick to 4,295,967,295 pass."""

DEPOSIT_BASE, DEPOSIT_QUOTE = 10**9, 10**19
"""The judge knows no money: more than any order can need, in a position that stays below 2^62 lots."""

SOURCE_IDS_MAX = 2**40
"""Source ids are the judge's, one range for each symbol; a client order id is an account's, for all instruments."""

SIDES = {OrderSide.BUY: tw.Side.BUY, OrderSide.SELL: tw.Side.SELL}

TIMES_IN_FORCE = {
    OrderType.LIMIT: tw.TimeInForce.GTC,
    OrderType.MARKET: tw.TimeInForce.IOC,
    OrderType.IOC: tw.TimeInForce.IOC,
    OrderType.FOK: tw.TimeInForce.FOK,
}

PREVENTIONS = {
    SelfTradePolicy.NONE: tw.SelfTradePrevention.NONE,
    SelfTradePolicy.CANCEL_RESTING: tw.SelfTradePrevention.EXPIRE_MAKER,
    SelfTradePolicy.CANCEL_INCOMING: tw.SelfTradePrevention.EXPIRE_TAKER,
}

RULES = {"fifo": tw.AllocationRule.PRICE_TIME, "pro_rata": tw.AllocationRule.PRO_RATA}
"""The judge shares in fractions, without a minimum; the exchange in whole lots. LOT is fine enough for its case."""

REASONS = {
    "DuplicateClientOrderId": "DUPLICATE_ORDER_ID",
    "UnknownOrder": "ORDER_NOT_ACTIVE",
    "PriceNotPositive": "INVALID_ORDER",
    "QuantityNotPositive": "INVALID_ORDER",
    "QuantityNotAboveExecuted": "INVALID_ORDER",
}
"""The refusals that the judge has a word for. Any other one (a band, a limit, money) is an error of this adapter."""


class TradewrightAdapter:
    """One exchange behind the judge's interface: an account for each owner, an instrument for each symbol."""

    def __init__(self, config: ConformanceConfig) -> None:
        self.config = config
        self.metadata = EngineMetadata("tradewright", tw.build_info().version, "Rust")
        self.exchange = tw.Exchange()
        self.tick = Decimal(canonical_decimal(config.tick_size))
        self.nobody = self.exchange.open_account("nobody")
        self.instruments: dict[str, tw.Instrument] = {}
        self.owners: dict[int, tw.Account] = {}
        # The last order with each of the judge's ids, whether or not it is still open: the engine tells which.
        self.orders: dict[tuple[str, int], tw.Order] = {}
        self.source_ids: dict[int, int] = {}

    def apply(self, event: MarketEvent, index: int) -> Observation:
        """Send one event to the exchange and say what became of it."""
        taker: tw.Order | None = None
        try:
            match event.op:
                case "new":
                    taker = self._place(event)
                case "cancel":
                    self._account_of(event).cancel(self._order_id(event))
                case "reduce":
                    self._reduce(event)
                case "replace":
                    taker = self._replace(event)
                case "clear":
                    instrument = self._instrument(event.symbol)
                    for account in self.owners.values():
                        account.cancel_all(instrument)
        except tw.CommandRejected as rejected:
            if rejected.reason not in REASONS:
                raise
            reason = REASONS[rejected.reason]
            if event.op == "replace" and reason == "INVALID_ORDER":
                reason = "INVALID_REPLACEMENT"
            outcome = Outcome("rejected", reason, str(rejected))
        else:
            outcome = Outcome("applied")
        # Every field of the engine's state is held against every other, after each event.
        self.exchange.check_invariants()
        state = self.snapshot()
        trades = () if taker is None else self._trades(event.symbol, taker)
        return Observation(index, outcome, trades, state.digest(), state.order_count)

    def snapshot(self) -> BookState:
        """Return every queue as the engine would match it."""
        return BookState(
            tuple(
                BookSnapshot(symbol, self._queue(instrument, tw.Side.BUY), self._queue(instrument, tw.Side.SELL))
                for symbol, instrument in sorted(self.instruments.items())
            )
        )

    def close(self) -> None:
        """End the exchange."""
        self.exchange.close()

    # -- events into commands ------------------------------------------------------------------------------------

    def _place(self, event: MarketEvent) -> tw.Order:
        assert event.order_id is not None, "Invariant: the judge has checked the event"
        assert event.side is not None, "Invariant: the judge has checked the event"
        instrument, account = self._instrument(event.symbol), self._account(event.owner)
        known = self.orders.get((event.symbol, event.order_id))
        if known is not None and known.is_open and known.account is not account:
            # An id is an account's here; the judge's is the symbol's.
            raise tw.DuplicateOrderId("DuplicateClientOrderId", sentence="Another owner's open order has this id.")
        order = account.place(
            instrument,
            side=SIDES[event.side],
            quantity=self._quantity(event.quantity),
            price=None if event.order_type is OrderType.MARKET else self._price(event.price),
            time_in_force=TIMES_IN_FORCE[event.order_type],
            self_trade_prevention=self._prevention(event.owner),
            client_order_id=self._client_order_id(instrument, event.order_id),
        )
        return self._note(event, order)

    def _reduce(self, event: MarketEvent) -> None:
        """Take `quantity` away from what is open. An amendment names the total, and never one that leaves nothing."""
        account, order = self._account_of(event), self.orders.get((event.symbol, event.order_id or 0))
        by = self._quantity(event.quantity)
        if order is None or by == order.remaining:
            account.cancel(self._order_id(event))
        else:
            account.amend(order, quantity=max(order.quantity - by, Decimal(0)))

    def _replace(self, event: MarketEvent) -> tw.Order:
        """Put another order in the place of one: with its id, side and owner, behind the others at its price."""
        order = self.orders.get((event.symbol, event.order_id or 0))
        if order is None or event.order_id is None:
            raise tw.OrderNotFound("UnknownOrder", sentence="No order has had this id.")
        replacement = order.account.replace(
            order,
            quantity=order.remaining if event.quantity is None else self._quantity(event.quantity),
            price=order.price if event.price is None else self._price(event.price),
            self_trade_prevention=self._prevention(int(order.account.name)),
            client_order_id=self._client_order_id(order.instrument, event.order_id),
        )
        return self._note(event, replacement)

    def _note(self, event: MarketEvent, order: tw.Order) -> tw.Order:
        assert event.order_id is not None, "Invariant: the judge has checked the event"
        self.orders[event.symbol, event.order_id] = order
        self.source_ids[order.id] = event.order_id
        return order

    def _account_of(self, event: MarketEvent) -> tw.Account:
        """Return who sends a message about an order: its owner, or nobody, so that the engine finds no such order."""
        order = self.orders.get((event.symbol, event.order_id or 0))
        return self.nobody if order is None else order.account

    def _order_id(self, event: MarketEvent) -> int:
        order = self.orders.get((event.symbol, event.order_id or 0))
        return 0 if order is None else order.id

    def _price(self, price: float | None) -> Decimal:
        """Snap a price to the grid as the judge does, half to even. The exchange itself refuses what lies between."""
        assert price is not None, "Invariant: the judge has checked the event"
        return max(round(price / self.config.tick_size), 0) * self.tick

    @staticmethod
    def _quantity(quantity: float | None) -> Decimal:
        """Return a quantity as it is; the exchange refuses one that is no whole number of lots."""
        assert quantity is not None, "Invariant: the judge has checked the event"
        return max(Decimal(canonical_decimal(quantity)), Decimal(0))

    def _prevention(self, owner: int) -> tw.SelfTradePrevention:
        """Return the mode of the run; orders of nobody in particular trade with each other."""
        return tw.SelfTradePrevention.NONE if owner == NO_OWNER else PREVENTIONS[self.config.self_trade_policy]

    @staticmethod
    def _client_order_id(instrument: tw.Instrument, source_id: int) -> int:
        assert source_id < SOURCE_IDS_MAX, f"{source_id=} must be below {SOURCE_IDS_MAX}"
        return instrument.id * SOURCE_IDS_MAX + source_id

    # -- what it trades on ---------------------------------------------------------------------------------------

    def _instrument(self, symbol: str) -> tw.Instrument:
        if symbol not in self.instruments:
            instrument = self.exchange.list_spot(
                f"S{len(self.instruments)}/QUOTE",
                tick=self.tick,
                lot=LOT,
                price_band=None,
                reference_price=REFERENCE_PRICE,
            )
            instrument.set_allocation(RULES[self.config.matching_algorithm])
            self.instruments[symbol] = instrument
            for account in self.owners.values():
                account.deposit(instrument.base.name, DEPOSIT_BASE)
                if len(self.instruments) == 1:
                    account.deposit(instrument.quote.name, DEPOSIT_QUOTE)
        return self.instruments[symbol]

    def _account(self, owner: int) -> tw.Account:
        if owner not in self.owners:
            account = self.owners[owner] = self.exchange.open_account(str(owner))
            for instrument in self.instruments.values():
                account.deposit(instrument.base.name, DEPOSIT_BASE)
            account.deposit("QUOTE", DEPOSIT_QUOTE)
        return self.owners[owner]

    # -- answers -------------------------------------------------------------------------------------------------

    def _trades(self, symbol: str, taker: tw.Order) -> tuple[TradeFill, ...]:
        taker_id = self.source_ids[taker.id]
        trades = []
        for fill in taker.fills:
            if fill.is_maker:
                continue
            maker_id = self.source_ids[fill.counter_order_id]
            buyer, seller = (taker_id, maker_id) if taker.side is tw.Side.BUY else (maker_id, taker_id)
            trades.append(TradeFill(symbol, buyer, seller, canonical_decimal(fill.price), self._plain(fill.quantity)))
        return tuple(trades)

    def _queue(self, instrument: tw.Instrument, side: tw.Side) -> tuple[RestingOrder, ...]:
        return tuple(
            RestingOrder(
                order_id=self.source_ids[order.order_id],
                price=canonical_decimal(order.price),
                remaining_quantity=self._plain(order.quantity),
                owner=int(order.account),
            )
            for order in instrument.orders(side)
        )

    def _plain(self, quantity: Decimal) -> str:
        return canonical_decimal(quantity, self.config.quantity_decimal_places)


if __name__ == "__main__":
    sys.exit(serve_stdio(TradewrightAdapter))
