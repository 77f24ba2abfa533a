"""An account: its money, its orders and its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Unpack, cast

import numpy as np

from tradewright import commands
from tradewright._core import AccountView, Outcome
from tradewright._decimal import Number, plain, times, whole_number
from tradewright._rejections import rejection
from tradewright._venue import Venue, known, without_timers
from tradewright.conditions import Conditions, condition_codes
from tradewright.enums import (
    AccountKind,
    CloseReason,
    Contingency,
    EventKind,
    OrderFlags,
    OrderStatus,
    OrderType,
    Permissions,
    Restriction,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TransferKind,
    TriggerKind,
)
from tradewright.errors import ArgumentError, ReplacementFailed
from tradewright.instrument import Instrument, bands_of, expiry_of
from tradewright.order import Order
from tradewright.order_list import Leg, OrderList
from tradewright.quote import Quote, QuoteProtection, QuoteSide

_UINT32_MAX = 2**32 - 1
_UINT64_MAX = 2**64 - 1
_SHARD_MAX = 255


@dataclass(frozen=True, slots=True)
class Asset:
    """A currency or a coin. Its smallest amount has `scale` decimal places."""

    id: int
    name: str
    scale: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account has of an asset. `held` is promised to open orders and pending withdrawals."""

    asset: str
    available: Decimal
    held: Decimal

    def __str__(self) -> str:
        held = f" + {plain(self.held):f} held" if self.held else ""
        return f"{plain(self.available):f}{held} {self.asset}"

    @property
    def total(self) -> Decimal:
        """Everything, as ccxt calls it."""
        return self.available + self.held

    @property
    def free(self) -> Decimal:
        """What is available, as ccxt calls it."""
        return self.available

    @property
    def used(self) -> Decimal:
        """What is held, as ccxt calls it."""
        return self.held


class Withdrawal:
    """Money that is held until it has left (`confirm`) or stays (`cancel`)."""

    __slots__ = ("_venue", "account", "amount", "asset", "id")

    def __init__(self, venue: Venue, *, withdrawal_id: int, account: Account, asset: Asset, amount: Decimal) -> None:
        self._venue = venue
        self.id = withdrawal_id
        self.account = account
        self.asset = asset
        self.amount = amount

    def confirm(self) -> None:
        """Tell that the money has left."""
        self._venue.apply(commands.confirm_withdrawal(self.id), {"withdrawal": self.id})

    def cancel(self) -> None:
        """Let the money stay."""
        self._venue.apply(commands.cancel_withdrawal(self.id), {"withdrawal": self.id})

    def __repr__(self) -> str:
        return f"Withdrawal({self.id}, {self.amount} {self.asset.name} of {self.account.name})"


class ShardTransfer:
    """Money on its way to another shard, until that has taken it in (`confirm`)."""

    __slots__ = ("_venue", "account", "amount", "asset", "number", "to_shard")

    def __init__(
        self, venue: Venue, *, to_shard: int, number: int, account: Account, asset: Asset, amount: Decimal
    ) -> None:
        self._venue = venue
        self.to_shard = to_shard
        self.number = number
        self.account = account
        self.asset = asset
        self.amount = amount

    def confirm(self) -> None:
        """Tell that the other shard has received it."""
        about = {"to_shard": self.to_shard, "number": self.number}
        self._venue.apply(commands.confirm_transfer(to_shard=self.to_shard, number=self.number), about)

    def __repr__(self) -> str:
        what = f"{self.amount} {self.asset.name} of {self.account.name}"
        return f"ShardTransfer({self.number} to shard {self.to_shard}, {what})"


class Balances(Mapping[str, Balance]):
    """An account's balances by the name of the asset, as they were when asked for; every asset has one."""

    __slots__ = ("_balances",)

    def __init__(self, balances: dict[str, Balance]) -> None:
        self._balances = balances

    def __getitem__(self, name: str) -> Balance:
        return known("asset", name, self._balances)

    def __iter__(self) -> Iterator[str]:
        return iter(self._balances)

    def __len__(self) -> int:
        return len(self._balances)

    def __repr__(self) -> str:
        return f"Balances({', '.join(str(each) for each in self.values() if each.total)})"


class Account:
    """An account. Amounts, prices and quantities are Decimals, their text or ints; floats are refused."""

    __slots__ = ("_venue", "id", "kind", "name")

    def __init__(self, venue: Venue, *, account_id: int, name: str, kind: AccountKind) -> None:
        self._venue = venue
        self.id = account_id
        self.name = name
        self.kind = kind

    # -- orders --------------------------------------------------------------------------------------------------

    def buy(
        self,
        instrument: Instrument | str,
        *,
        quantity: Number | None = None,
        price: Number | None = None,
        quote_amount: Number | None = None,
        time_in_force: TimeInForce | None = None,
        post_only: bool = False,
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_TAKER,
        client_order_id: int | str | None = None,
        **conditions: Unpack[Conditions],
    ) -> Order:
        """Buy: a limit order with a `price`, otherwise a market order by `quantity` or by `quote_amount`.

        With `conditions` it waits for a price first, expires at a time or wants a minimum at once; see `Conditions`.

        Raises:
            ArgumentError: an argument is no exact number, or no whole number of ticks or lots.
            CommandRejected: the exchange refuses the order; the subclass tells the family of the reason.
        """
        return self.place(
            instrument,
            side=Side.BUY,
            quantity=quantity,
            price=price,
            quote_amount=quote_amount,
            time_in_force=time_in_force,
            post_only=post_only,
            self_trade_prevention=self_trade_prevention,
            client_order_id=client_order_id,
            **conditions,
        )

    def sell(
        self,
        instrument: Instrument | str,
        *,
        quantity: Number | None = None,
        price: Number | None = None,
        quote_amount: Number | None = None,
        time_in_force: TimeInForce | None = None,
        post_only: bool = False,
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_TAKER,
        client_order_id: int | str | None = None,
        **conditions: Unpack[Conditions],
    ) -> Order:
        """Sell; see `buy`."""
        return self.place(
            instrument,
            side=Side.SELL,
            quantity=quantity,
            price=price,
            quote_amount=quote_amount,
            time_in_force=time_in_force,
            post_only=post_only,
            self_trade_prevention=self_trade_prevention,
            client_order_id=client_order_id,
            **conditions,
        )

    def place(
        self,
        instrument: Instrument | str,
        *,
        side: Side,
        quantity: Number | None = None,
        price: Number | None = None,
        quote_amount: Number | None = None,
        time_in_force: TimeInForce | None = None,
        post_only: bool = False,
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_TAKER,
        client_order_id: int | str | None = None,
        **conditions: Unpack[Conditions],
    ) -> Order:
        """Place an order on a side; see `buy`.

        Without `time_in_force` limits are GTC (GTD with an `expire_time_ns`) and market orders IOC.
        """
        conditions = _given(conditions)
        arguments = {
            **locals(),
            **conditions,
            "account": self.name,
            "instrument": getattr(instrument, "name", instrument),
        }
        if time_in_force is None and "expire_time_ns" in conditions:
            time_in_force = TimeInForce.GTD
        if price is None and "peg" in conditions:
            # A limit order all the same, whose price is found.
            price = 0
        terms = self._terms(
            instrument, side, quantity, price, quote_amount, time_in_force, post_only, self_trade_prevention
        )
        if conditions:
            records = terms.records(self.id)
            if client_order_id is not None:
                records = _with_client_id(records, client_order_id)
            records = commands.with_conditions(records, **condition_codes(terms.instrument, conditions))
            outcome = self._venue.execute(records, arguments)
        elif isinstance(client_order_id, str) and not _is_number(client_order_id):
            outcome = self._venue.execute(commands.with_text_id(terms.records(self.id), client_order_id), arguments)
        else:
            number = _client_number(client_order_id)
            outcome = self._venue.checked(
                self._venue.live().place(
                    self.id,
                    terms.instrument.id,
                    side,
                    terms.price_ticks,
                    terms.quantity_lots,
                    terms.time_in_force,
                    terms.order_type,
                    self_trade_prevention,
                    terms.flags,
                    number,
                ),
                arguments,
            )
        return self._order(terms, outcome, side, client_order_id)

    def cancel(self, order: Order | int | str) -> None:
        """Cancel an order: an `Order`, its id, or its text client order id.

        Raises:
            OrderNotFound: the account has no such open order.
        """
        arguments = {"order": order, "account": self.name}
        if isinstance(order, str):
            records = commands.cancel(account=self.id, order_id=0, flags=OrderFlags.BY_CLIENT_ORDER_ID)
            self._venue.execute(_by_client_id(records, order), arguments)
            return
        self._venue.checked(self._venue.live().cancel(self.id, _order_id(order)), arguments)

    def cancel_all(self, instrument: Instrument | str | None = None, *, side: Side | None = None) -> int:
        """Cancel all orders, or those on one instrument or side; return how many there were."""
        where = None if instrument is None else self._instrument(instrument).id
        events = without_timers(self._venue.live().cancel_all(self.id, where, side))
        if len(events) and events[0]["kind"] == EventKind.REJECTED:
            raise rejection(int(events[0]["reason"]), {"account": self.name, "instrument": instrument, "side": side})
        return int((events["kind"] == EventKind.ORDER_CANCELLED).sum())

    def amend(
        self,
        order: Order | int,
        *,
        price: Number | None = None,
        quantity: Number | None = None,
        trigger_price: Number | None = None,
        client_order_id: int | str | None = None,
    ) -> None:
        """Change an order's price, total quantity, client order id or, while it waits, its trigger price.

        On the book only a lower quantity at the same price keeps its place; a waiting order keeps it unless its trigger
        price changes.

        Raises:
            OrderNotFound: the account has no such open order.
        """
        view = self._venue.engine.order(_order_id(order))
        arguments = {
            "order": order,
            "price": price,
            "quantity": quantity,
            "stop_loss_price": trigger_price,
            "client_order_id": client_order_id,
            "account": self.name,
        }
        if view is None:
            # The engine says why.
            self._venue.checked(self._venue.live().amend(self.id, _order_id(order), 1, 1), arguments)
            return
        instrument = self._venue.instruments_by_id[view.instrument]
        price_ticks = view.price_ticks if price is None else instrument.ticks("price", price)
        if price is None and view.order_type == OrderType.MARKET and view.trigger_price_ticks is not None:
            # Its limit follows its trigger price.
            price_ticks = 0
        quantity_lots = view.total_lots if quantity is None else instrument.lots("quantity", quantity)
        records = commands.amend(
            account=self.id, order_id=view.order_id, price_ticks=price_ticks, quantity_lots=quantity_lots
        )
        if client_order_id is not None:
            if not isinstance(client_order_id, str):
                client_order_id = str(_client_number(client_order_id))
            records = commands.with_new_client_id(records, client_order_id)
        if trigger_price is not None:
            records = commands.with_conditions(
                records,
                trigger=view.trigger or TriggerKind.STOP_LOSS,
                source=view.trigger_source,
                trigger_price_ticks=instrument.ticks("trigger_price", trigger_price),
                trail_ticks=view.trail_ticks,
                trail_bps=view.trail_bps,
            )
        self._venue.execute(records, arguments)

    def replace(
        self,
        order: Order | int,
        *,
        quantity: Number,
        price: Number | None = None,
        instrument: Instrument | str | None = None,
        side: Side | None = None,
        time_in_force: TimeInForce | None = None,
        post_only: bool = False,
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_TAKER,
        client_order_id: int | None = None,
        allow_failure: bool = False,
        cancel_only: bool = False,
        restriction: OrderStatus | None = None,
        **conditions: Unpack[Conditions],
    ) -> Order:
        """Cancel an order and place another in one step: both happen or neither.

        Instrument and side are those of the old order unless they are named. With `allow_failure` the two halves may
        fail apart, with `cancel_only` the old order is cancelled even if the new one is too many for this second.
        `restriction` lets only an order go that is NEW, or PARTIALLY_FILLED.

        Raises:
            ReplacementFailed: one half failed and the other did not, or each for a reason of its own.
            CommandRejected: the exchange refuses the command; nothing has happened.
        """
        conditions = _given(conditions)
        arguments = {**locals(), **conditions, "account": self.name}
        if time_in_force is None and "expire_time_ns" in conditions:
            time_in_force = TimeInForce.GTD
        if price is None and "peg" in conditions:
            # A limit order all the same, whose price is found.
            price = 0
        view = self._venue.engine.order(_order_id(order))
        if view is not None:
            instrument = self._venue.instruments_by_id[view.instrument] if instrument is None else instrument
            side = Side(view.side) if side is None else side
        if instrument is None or side is None:
            self.cancel(_order_id(order))
            raise ArgumentError("order", value=order, rule="must be open")
        terms = self._terms(instrument, side, quantity, price, None, time_in_force, post_only, self_trade_prevention)
        modes = _replace_modes(allow_failure, cancel_only, restriction)
        if conditions or modes:
            records = terms.records(self.id)
            records["order_ref"] = _client_number(client_order_id)
            records = commands.replace(_order_id(order), records, flags=modes)
            if conditions:
                records = commands.with_conditions(records, **condition_codes(terms.instrument, conditions))
            outcome = self._venue.live().execute(self._venue.stamped(records))
            return self._replacement(terms, outcome, side, client_order_id, arguments)
        outcome = self._venue.live().replace(
            self.id,
            _order_id(order),
            terms.instrument.id,
            side,
            terms.price_ticks,
            terms.quantity_lots,
            terms.time_in_force,
            terms.order_type,
            self_trade_prevention,
            terms.flags,
            _client_number(client_order_id),
        )
        return self._order(terms, self._venue.checked(outcome, arguments), side, client_order_id)

    def oco(
        self, instrument: Instrument | str, first: Leg, stop: Leg, *, client_list_id: int | str | None = None
    ) -> OrderList:
        """Place two orders of which whichever is executed first cancels the other; they hold once.

        `first` is a limit order that rests, or has a `take_profit_price`; `stop` has a `stop_loss_price` or a trail.
        Both have one side and one quantity.

        Raises:
            ArgumentError: an argument is no exact number, or no whole number of ticks or lots.
            CommandRejected: the exchange refuses the list, or one of its orders; then none of them is placed.
        """
        return self._place_list(Contingency.OCO, instrument, (first, stop), client_list_id)

    def oto(
        self, instrument: Instrument | str, working: Leg, pending: Leg, *, client_list_id: int | str | None = None
    ) -> OrderList:
        """Place a limit order, and another that starts when the first is filled; see `oco`."""
        return self._place_list(Contingency.OTO, instrument, (working, pending), client_list_id)

    def otoco(
        self,
        instrument: Instrument | str,
        working: Leg,
        first: Leg,
        stop: Leg,
        *,
        client_list_id: int | str | None = None,
    ) -> OrderList:
        """Place a limit order, and two that start when it is filled and of which one cancels the other; see `oco`."""
        return self._place_list(Contingency.OTOCO, instrument, (working, first, stop), client_list_id)

    def _place_list(
        self,
        contingency: Contingency,
        instrument: Instrument | str,
        legs: Sequence[Leg],
        client_list_id: int | str | None,
    ) -> OrderList:
        given = [{name: value for name, value in leg.items() if value is not None} for leg in legs]
        terms = [self._leg_terms(instrument, cast("Leg", leg)) for leg in given]
        market = terms[0].instrument
        commands_of_legs = []
        for leg, each in zip(given, terms, strict=True):
            records = each.records(self.id)
            name = cast("int | str | None", leg.get("client_order_id"))
            if name is not None:
                records = _with_client_id(records, name)
            codes = condition_codes(market, cast("Conditions", leg))
            commands_of_legs.append(commands.with_conditions(records, **codes) if codes else records)
        is_text = isinstance(client_list_id, str) and not _is_number(client_list_id)
        name = client_list_id if is_text and client_list_id is not None else _client_number(client_list_id)
        records = commands.place_list(contingency, commands_of_legs, client_list_id=name)
        position = self._venue.engine.events_end
        arguments = {"account": self.name, "instrument": market.name, "contingency": contingency}
        events = self._venue.apply_legs(records, {**arguments, "client_list_id": client_list_id}, given)
        ids = events["order_id"][events["kind"] == EventKind.ORDER_ACCEPTED].tolist()
        orders = tuple(
            self._order_of_leg(each, order_id, position, cast("int | str | None", leg.get("client_order_id")))
            for leg, each, order_id in zip(given, terms, ids, strict=True)
        )
        return OrderList(
            self._venue,
            list_id=int(events[0]["reference"]),
            account=self,
            instrument=market,
            contingency=contingency,
            client_list_id=client_list_id,
            orders=orders,
        )

    def _leg_terms(self, instrument: Instrument | str, leg: Leg) -> _Terms:
        time_in_force = leg.get("time_in_force")
        if time_in_force is None and "expire_time_ns" in leg:
            time_in_force = TimeInForce.GTD
        prevention = leg.get("self_trade_prevention", SelfTradePrevention.EXPIRE_TAKER)
        post_only = leg.get("post_only", False)
        price = leg.get("price")
        if price is None and "peg" in leg:
            # A limit order all the same, whose price is found.
            price = 0
        return self._terms(instrument, leg["side"], leg["quantity"], price, None, time_in_force, post_only, prevention)

    def _order_of_leg(self, terms: _Terms, order_id: int, position: int, client_order_id: int | str | None) -> Order:
        return Order(
            self._venue,
            order_id=order_id,
            position=position,
            account=self,
            instrument=terms.instrument,
            side=terms.side,
            order_type=terms.order_type,
            time_in_force=terms.time_in_force,
            client_order_id=client_order_id,
            may_pend=True,
        )

    def cancel_list(self, order_list: OrderList | int | str) -> None:
        """Cancel every order that a list ties together: an `OrderList`, its id, or the text that the client gave it.

        Raises:
            OrderNotFound: the account has no such list.
        """
        arguments = {"order": order_list, "account": self.name}
        if isinstance(order_list, str):
            records = commands.cancel_list(account=self.id, list_id=0, flags=OrderFlags.BY_CLIENT_ORDER_ID)
            self._venue.apply(_by_client_id(records, order_list), arguments)
            return
        list_id = order_list.id if isinstance(order_list, OrderList) else order_list
        self._venue.apply(commands.cancel_list(account=self.id, list_id=list_id), arguments)

    def order_lists(self) -> list[OrderList]:
        """Return the lists that tie orders together, oldest first."""
        return [OrderList.of_view(self._venue, view) for view in self._venue.engine.order_lists(self.id)]

    def _replacement(
        self,
        terms: _Terms,
        outcome: Outcome,
        side: Side,
        client_order_id: int | None,
        arguments: Mapping[str, object],
    ) -> Order:
        """Return the new order of a replacement; raise when a half of it was refused."""
        cancel = rejection(outcome.cancel_reason, arguments) if outcome.cancel_reason else None
        if outcome.status != OrderStatus.REJECTED:
            order = self._order(terms, outcome, side, client_order_id)
            if cancel is not None:
                raise ReplacementFailed(cancel=cancel, order=order, refusal=None)
            return order
        refusal = rejection(outcome.reason, arguments)
        if cancel is None and not outcome.has_cancelled:
            raise refusal
        raise ReplacementFailed(cancel=cancel, order=None, refusal=refusal)

    # -- quotes --------------------------------------------------------------------------------------------------

    def quote(
        self,
        instrument: Instrument | str,
        *,
        bid: QuoteSide | None = None,
        ask: QuoteSide | None = None,
        post_only: bool = False,
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_TAKER,
    ) -> Quote:
        """Quote an instrument: replace the account's bid and ask there, each a (price, quantity); None withdraws it.

        The quantity is what is to be open. A side keeps its place when its price stays and its quantity does not rise.

        Raises:
            ArgumentError: an argument is no exact number, or no whole number of ticks or lots.
            CommandRejected: the exchange refuses the quote, and nothing has happened.
        """
        market = self._instrument(instrument)
        about = {"account": self.name, "instrument": market.name, "bid": bid, "ask": ask}
        return self._mass_quote({market: (bid, ask)}, post_only, self_trade_prevention, about)[0]

    def mass_quote(
        self,
        quotes: Mapping[Instrument | str, tuple[QuoteSide | None, QuoteSide | None]],
        *,
        post_only: bool = False,
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.EXPIRE_TAKER,
    ) -> list[Quote]:
        """Quote many instruments in one command, (bid, ask) for each: all of it happens or nothing; see `quote`.

        Quotes on instruments that are not named stay. Return the quotes in the order in which they were given.
        """
        named = {self._instrument(instrument): sides for instrument, sides in quotes.items()}
        if not named:
            raise ArgumentError("quotes", value=quotes, rule="must name an instrument")
        return self._mass_quote(named, post_only, self_trade_prevention, {"account": self.name, "quotes": quotes})

    def _mass_quote(
        self,
        quotes: Mapping[Instrument, tuple[QuoteSide | None, QuoteSide | None]],
        post_only: bool,
        self_trade_prevention: SelfTradePrevention,
        arguments: Mapping[str, object],
    ) -> list[Quote]:
        entries = [
            commands.quote_entries(
                instrument=market.id,
                **{
                    f"{name}_{field}": value
                    for name, side in (("bid", bid), ("ask", ask))
                    if side is not None
                    for field, value in (
                        ("price_ticks", market.ticks("price", side[0])),
                        ("lots", market.lots("quantity", side[1])),
                    )
                },
            )
            for market, (bid, ask) in quotes.items()
        ]
        records = commands.mass_quote(
            account=self.id,
            entries=np.concatenate(entries),
            flags=OrderFlags.POST_ONLY if post_only else OrderFlags(0),
            self_trade_prevention=self_trade_prevention,
        )
        position = self._venue.engine.events_end
        events = self._venue.events_of(records, arguments)
        told = events[events["kind"] == EventKind.QUOTE_ACCEPTED]
        return [
            Quote(
                instrument=market,
                bid=self._quoted(market, Side.BUY, int(row["order_id"]), position),
                ask=self._quoted(market, Side.SELL, int(row["counter_order_id"]), position),
            )
            for market, row in zip(quotes, told, strict=True)
        ]

    def _quoted(self, market: Instrument, side: Side, order_id: int, position: int) -> Order | None:
        """Return one side of a quote; it may have closed in its command."""
        if order_id == 0:
            return None
        view = self._venue.engine.order(order_id)
        if view is not None:
            return Order.of_view(self._venue, view)
        return self._venue.orders.get(order_id) or Order(
            self._venue,
            order_id=order_id,
            position=position,
            account=self,
            instrument=market,
            side=side,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            client_order_id=None,
        )

    def cancel_quotes(self, instrument: Instrument | str | None = None) -> int:
        """Cancel all quotes, or those on one instrument; return how many orders there were."""
        where = commands.ANY if instrument is None else self._instrument(instrument).id
        records = commands.cancel_quotes(account=self.id, instrument=where)
        events = self._venue.events_of(records, {"account": self.name, "instrument": instrument})
        cancelled = events["kind"] == EventKind.ORDER_CANCELLED
        return int((cancelled & (events["reason"] == CloseReason.CANCELLED_ALL)).sum())

    def quotes(self) -> list[Quote]:
        """Return the open quotes, by the instrument."""
        sides: dict[int, dict[int, Order]] = {}
        for view in self._venue.engine.open_orders(self.id):
            if view.flags & OrderFlags.QUOTE:
                sides.setdefault(view.instrument, {})[view.side] = Order.of_view(self._venue, view)
        return [
            Quote(
                instrument=self._venue.instruments_by_id[instrument],
                bid=sides[instrument].get(Side.BUY),
                ask=sides[instrument].get(Side.SELL),
            )
            for instrument in sorted(sides)
        ]

    def set_quote_protection(
        self,
        instrument: Instrument | str | None = None,
        *,
        max_quantity: Number | None = None,
        max_fills: int | None = None,
        window_ns: int = 0,
    ) -> None:
        """Cancel the quotes when so much of them has traded in a window, and let no more in until it is reset.

        On one instrument, or on all of them together: `max_quantity` is then a number of lots. The window begins with a
        fill. Without bounds the protection ends.
        """
        market = None if instrument is None else self._instrument(instrument)
        lots = 0
        if max_quantity is not None and market is None:
            lots = whole_number("max_quantity", max_quantity, high=_UINT64_MAX)
        elif max_quantity is not None and market is not None:
            lots = market.lots("max_quantity", max_quantity)
        records = commands.set_quote_protection(
            account=self.id,
            instrument=commands.ANY if market is None else market.id,
            lots=lots,
            fills=whole_number("max_fills", max_fills or 0, high=_UINT64_MAX),
            window_ns=whole_number("window_ns", window_ns, high=_UINT64_MAX),
        )
        self._venue.apply(records, {"account": self.name, "instrument": instrument})

    def reset_quote_protection(self, instrument: Instrument | str | None = None) -> None:
        """Let quotes in again after the protection was triggered: that of an instrument, or that of all together."""
        where = commands.ANY if instrument is None else self._instrument(instrument).id
        records = commands.reset_quote_protection(account=self.id, instrument=where)
        self._venue.apply(records, {"account": self.name, "instrument": instrument})

    def quote_protection(self, instrument: Instrument | str | None = None) -> QuoteProtection | None:
        """Return the protection of the quotes on an instrument, or that of all together; None without one."""
        market = None if instrument is None else self._instrument(instrument)
        known_terms = self._venue.engine.quote_protection(self.id, None if market is None else market.id)
        if known_terms is None:
            return None
        lots, fills, window_ns, is_triggered = known_terms
        quantity = Decimal(lots) if market is None else times(lots, market.lot)
        return QuoteProtection(
            max_quantity=quantity if lots else None,
            max_fills=fills or None,
            window_ns=window_ns,
            is_triggered=is_triggered,
        )

    def open_orders(self, instrument: Instrument | str | None = None) -> list[Order]:
        """Return the open orders, oldest first, on all instruments or on one."""
        wanted = None if instrument is None else self._instrument(instrument).id
        views = self._venue.engine.open_orders(self.id)
        return [Order.of_view(self._venue, view) for view in views if wanted is None or view.instrument == wanted]

    # -- money ---------------------------------------------------------------------------------------------------

    @property
    def balances(self) -> Balances:
        """What the account has of each asset."""
        return Balances({asset.name: self.balance(asset.name) for asset in self._venue.assets_by_id})

    def balance(self, asset: str) -> Balance:
        """Return what the account has of one asset."""
        entry = self._venue.asset(asset)
        available, held = self._venue.engine.balance(self.id, entry.id)
        return Balance(
            asset=asset, available=self._venue.amount(available, entry), held=self._venue.amount(held, entry)
        )

    def deposit(self, asset: str, amount: Number) -> None:
        """Bring money in."""
        entry = self._venue.asset(asset)
        quanta = self._venue.quanta("amount", amount, entry)
        records = commands.deposit(account=self.id, asset=entry.id, amount=quanta)
        self._venue.apply(records, {"account": self.name, "asset": asset, "amount": amount})

    def withdraw(self, asset: str, amount: Number) -> Withdrawal:
        """Hold money that is to leave; it leaves with `Withdrawal.confirm`."""
        entry = self._venue.asset(asset)
        quanta = self._venue.quanta("amount", amount, entry)
        records = commands.request_withdrawal(account=self.id, asset=entry.id, amount=quanta)
        event = self._venue.apply(records, {"account": self.name, "asset": asset, "amount": amount})
        assert event is not None, "Invariant: a withdrawal has an event"
        held = self._venue.amount(quanta, entry)
        return Withdrawal(self._venue, withdrawal_id=int(event["reference"]), account=self, asset=entry, amount=held)

    def withdrawals(self) -> list[Withdrawal]:
        """Return the withdrawals that wait for their second phase."""
        assets = self._venue.assets_by_id
        return [
            Withdrawal(
                self._venue,
                withdrawal_id=withdrawal,
                account=self,
                asset=assets[asset],
                amount=self._venue.amount(amount, assets[asset]),
            )
            for withdrawal, account, asset, amount in self._venue.engine.withdrawals()
            if account == self.id
        ]

    def transfer(self, asset: str, amount: Number, *, to: Account, kind: TransferKind = TransferKind.INTERNAL) -> None:
        """Move money to another account."""
        entry = self._venue.asset(asset)
        quanta = self._venue.quanta("amount", amount, entry)
        records = commands.transfer(account=self.id, to=to.id, asset=entry.id, amount=quanta, kind=kind)
        about = {"account": self.name, "to": to.name, "asset": asset, "amount": amount, "kind": kind}
        self._venue.apply(records, about)

    def send_transfer(self, asset: str, amount: Number, *, to_shard: int) -> ShardTransfer:
        """Send money to the account of the same number on another shard; it is in transit until that has it."""
        entry = self._venue.asset(asset)
        quanta = self._venue.quanta("amount", amount, entry)
        shard = whole_number("to_shard", to_shard, high=_SHARD_MAX)
        records = commands.send_transfer(account=self.id, asset=entry.id, amount=quanta, to_shard=shard)
        about = {"account": self.name, "asset": asset, "amount": amount, "to_shard": to_shard}
        event = self._venue.apply(records, about)
        assert event is not None, "Invariant: a transfer has an event"
        sent = self._venue.amount(quanta, entry)
        number = int(event["reference"])
        return ShardTransfer(self._venue, to_shard=shard, number=number, account=self, asset=entry, amount=sent)

    def receive_transfer(self, asset: str, amount: Number, *, from_shard: int, number: int) -> None:
        """Take in what another shard sent to the account; `number` is the one that it gave the transfer."""
        entry = self._venue.asset(asset)
        quanta = self._venue.quanta("amount", amount, entry)
        records = commands.receive_transfer(
            account=self.id,
            asset=entry.id,
            amount=quanta,
            from_shard=whole_number("from_shard", from_shard, high=_SHARD_MAX),
            number=whole_number("number", number, high=_UINT64_MAX),
        )
        about = {"account": self.name, "asset": asset, "amount": amount, "from_shard": from_shard, "number": number}
        self._venue.apply(records, about)

    def transfers_in_transit(self) -> list[ShardTransfer]:
        """Return what was sent to other shards and not confirmed yet, by shard and number."""
        assets = self._venue.assets_by_id
        return [
            ShardTransfer(
                self._venue,
                to_shard=shard,
                number=number,
                account=self,
                asset=assets[asset],
                amount=self._venue.amount(amount, assets[asset]),
            )
            for shard, number, account, asset, amount in self._venue.engine.transfers_in_transit()
            if account == self.id
        ]

    # -- limits and state ----------------------------------------------------------------------------------------

    @property
    def view(self) -> AccountView:
        """Everything the engine knows of it but its money."""
        return self._venue.engine.account(self.id)

    @property
    def is_halted(self) -> bool:
        """Whether it is halted."""
        return self.view.is_halted

    @property
    def is_killed(self) -> bool:
        """Whether a kill switch is engaged, its own or its trade group's."""
        return self.view.is_killed

    def set_limits(
        self,
        *,
        open_orders: int | None = None,
        orders_per_second: int | None = None,
        messages_per_second: int | None = None,
    ) -> None:
        """Limit open orders and rates; what is not named stays."""
        view = self.view
        values = {
            "open_orders": (open_orders, view.open_orders_max),
            "orders_per_second": (orders_per_second, view.orders_per_second_max),
            "messages_per_second": (messages_per_second, view.messages_per_second_max),
        }
        named = {
            f"{name}_max": now if value is None else whole_number(name, value, high=_UINT32_MAX)
            for name, (value, now) in values.items()
        }
        self._venue.apply(commands.set_account_limits(account=self.id, **named), {"account": self.name})

    def set_position_limit(self, instrument: Instrument | str, quantity: Number) -> None:
        """Limit how much of an instrument's base asset the account may come to hold, open bids included."""
        market = self._instrument(instrument)
        lots = market.lots("quantity", quantity)
        records = commands.set_position_limit(account=self.id, instrument=market.id, lots=lots)
        self._venue.apply(records, {"account": self.name, "instrument": market.name, "quantity": quantity})

    def set_fee_tier(self, tier: int) -> None:
        """Move the account to another tier of the fee schedules."""
        records = commands.set_account_fee_tier(account=self.id, tier=whole_number("tier", tier, high=255))
        self._venue.apply(records, {"account": self.name})

    def set_trade_group(self, group: int) -> None:
        """Put the account into a group that self-trade prevention treats as one account; 0 is none."""
        records = commands.set_trade_group(account=self.id, group=whole_number("group", group, high=_UINT32_MAX))
        self._venue.apply(records, {"account": self.name})

    def set_permissions(self, permissions: Permissions) -> None:
        """Set what the account may do."""
        records = commands.set_permissions(
            account=self.id, permissions=whole_number("permissions", permissions, high=_UINT64_MAX)
        )
        self._venue.apply(records, {"account": self.name})

    def halt(self) -> None:
        """Stop it: cancels, deposits and withdrawals pass, new and amended orders do not."""
        self._venue.apply(commands.halt(account=self.id), {"account": self.name})

    def resume(self) -> None:
        """End its halt."""
        self._venue.apply(commands.resume(account=self.id), {"account": self.name})

    def kill(self) -> int:
        """Cancel every open order and let no more in until `release`; return how many there were. Money passes."""
        return self._venue.cancelled_by(commands.engage_kill_switch(account=self.id), {"account": self.name})

    def release(self) -> None:
        """End its kill switch. That of its trade group is another."""
        self._venue.apply(commands.release_kill_switch(account=self.id), {"account": self.name})

    def restrict(self, instrument: Instrument | str, restriction: Restriction, *, cancel_open: bool = False) -> int:
        """Restrict it on an instrument; `Restriction.NONE` ends that.

        With `cancel_open` the open orders go that the restriction forbids; return how many there were.
        """
        market = self._instrument(instrument)
        records = commands.set_restriction(
            account=self.id, instrument=market.id, restriction=restriction, cancel_open=cancel_open
        )
        return self._venue.cancelled_by(records, {"account": self.name, "instrument": market.name})

    def set_approval_bands(self, *thresholds: int, expiry_ns: int = 0) -> None:
        """Set above which worth its orders need 1, 2 and 3 approvers, in the smallest amount of the quote asset.

        0 is no threshold; without any there are no bands. An order waits `expiry_ns` for its approvers.
        """
        records = commands.set_approval_bands(
            thresholds=bands_of(thresholds), expiry_ns=expiry_of(expiry_ns), account=self.id
        )
        self._venue.apply(records, {"account": self.name, "thresholds": thresholds})

    def __repr__(self) -> str:
        return f"Account({self.name}, {self.kind.name}, id={self.id})"

    # -- helpers -------------------------------------------------------------------------------------------------

    def _instrument(self, instrument: Instrument | str) -> Instrument:
        if isinstance(instrument, Instrument):
            return instrument
        return known("instrument", instrument, self._venue.instruments)

    def _terms(
        self,
        instrument: Instrument | str,
        side: Side,
        quantity: Number | None,
        price: Number | None,
        quote_amount: Number | None,
        time_in_force: TimeInForce | None,
        post_only: bool,
        self_trade_prevention: SelfTradePrevention,
    ) -> _Terms:
        market = self._instrument(instrument)
        is_market = price is None
        in_force = time_in_force or (TimeInForce.IOC if is_market else TimeInForce.GTC)
        flags = OrderFlags.POST_ONLY if post_only else OrderFlags(0)
        if (quantity is None) == (quote_amount is None):
            raise ArgumentError("quantity", value=quantity, rule="or quote_amount must be given, and not both")
        if quote_amount is not None:
            if not is_market:
                raise ArgumentError("quote_amount", value=quote_amount, rule="is for market orders, without a price")
            quanta = self._venue.quanta("quote_amount", quote_amount, market.quote)
            low = quanta & _UINT64_MAX
            price_ticks, quantity_lots = low - (low >> 63 << 64), (quanta >> 64) & _UINT64_MAX
            flags |= OrderFlags.QUOTE_AMOUNT
        else:
            assert quantity is not None, "Invariant: one of the two is given"
            price_ticks = 0 if price is None else market.ticks("price", price)
            quantity_lots = market.lots("quantity", quantity)
        return _Terms(
            instrument=market,
            side=side,
            order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
            time_in_force=in_force,
            self_trade_prevention=self_trade_prevention,
            flags=flags,
            price_ticks=price_ticks,
            quantity_lots=quantity_lots,
        )

    def _order(self, terms: _Terms, outcome: Outcome, side: Side, client_order_id: int | str | None) -> Order:
        return Order(
            self._venue,
            order_id=outcome.order_id,
            position=outcome.position,
            account=self,
            instrument=terms.instrument,
            side=side,
            order_type=terms.order_type,
            time_in_force=terms.time_in_force,
            client_order_id=client_order_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """A new order in the engine's integers."""

    instrument: Instrument
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    self_trade_prevention: SelfTradePrevention
    flags: OrderFlags
    price_ticks: int
    quantity_lots: int

    def records(self, account: int) -> commands.Records:
        return commands.place(
            account=account,
            instrument=self.instrument.id,
            side=self.side,
            price_ticks=self.price_ticks,
            quantity_lots=self.quantity_lots,
            order_type=self.order_type,
            time_in_force=self.time_in_force,
            self_trade_prevention=self.self_trade_prevention,
            flags=self.flags,
        )


def _given(conditions: Conditions) -> Conditions:
    """Return the conditions without those that are None or False, which is none."""
    is_given = {name: value is not None and value is not False for name, value in conditions.items()}
    return cast("Conditions", {name: value for name, value in conditions.items() if is_given[name]})


def _replace_modes(allow_failure: bool, cancel_only: bool, restriction: OrderStatus | None) -> OrderFlags:
    modes = OrderFlags.ALLOW_FAILURE if allow_failure else OrderFlags(0)
    if cancel_only:
        modes |= OrderFlags.CANCEL_ONLY
    if restriction is OrderStatus.NEW:
        modes |= OrderFlags.ONLY_NEW
    elif restriction is OrderStatus.PARTIALLY_FILLED:
        modes |= OrderFlags.ONLY_PARTIALLY_FILLED
    elif restriction is not None:
        raise ArgumentError("restriction", value=restriction, rule="must be NEW or PARTIALLY_FILLED")
    return modes


def _with_client_id(records: commands.Records, client_order_id: int | str) -> commands.Records:
    if isinstance(client_order_id, str) and not _is_number(client_order_id):
        return commands.with_text_id(records, client_order_id)
    records["order_ref"] = _client_number(client_order_id)
    return records


def _order_id(order: Order | int) -> int:
    return order.id if isinstance(order, Order) else order


def _is_number(text: str) -> bool:
    """Tell whether the engine takes a text id as a number: decimal, without leading zeros, of 64 bits."""
    return text.isascii() and text.isdigit() and text[0] != "0" and int(text) <= _UINT64_MAX


def _client_number(client_order_id: int | str | None) -> int:
    if client_order_id is None:
        return 0
    number = int(client_order_id)
    if not 1 <= number <= _UINT64_MAX:
        raise ArgumentError(
            "client_order_id", value=client_order_id, rule="must be a text or lie between 1 and 2^64 - 1"
        )
    return number


def _by_client_id(records: commands.Records, client_order_id: str) -> commands.Records:
    if _is_number(client_order_id):
        records["order_ref"] = int(client_order_id)
        return records
    return commands.with_text_id(records, client_order_id)
