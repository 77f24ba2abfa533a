"""An order, its fills, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from tradewright import commands
from tradewright._core import OrderView
from tradewright._decimal import Number, multiply, ratio, times
from tradewright._venue import Venue
from tradewright.enums import CloseReason, EventFlags, EventKind, OrderFlags, OrderStatus, OrderType, Side, TimeInForce
from tradewright.errors import ConfigError
from tradewright.events import text_of

if TYPE_CHECKING:
    from tradewright.account import Account
    from tradewright.instrument import Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A trade of an order. `fee` is in the quote asset; negative is a rebate."""

    trade_id: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    side: Side
    is_maker: bool
    counter_order_id: int
    time_ns: int

    @property
    def cost(self) -> Decimal:
        """Price x quantity, without the fee."""
        return multiply(self.price, self.quantity)


class Order:
    """An order of an account. What changes (status, fills, ...) is read anew at each access."""

    __slots__ = (
        "__weakref__",
        "_client_order_id",
        "_close_reason",
        "_fee",
        "_filled",
        "_fills",
        "_is_whole",
        "_limit_ticks",
        "_may_pend",
        "_open",
        "_position",
        "_prevented",
        "_price_ticks",
        "_raw_notional",
        "_status",
        "_total",
        "_venue",
        "account",
        "id",
        "instrument",
        "side",
        "time_in_force",
        "type",
    )

    def __init__(
        self,
        venue: Venue,
        *,
        order_id: int,
        position: int,
        account: Account,
        instrument: Instrument,
        side: Side,
        order_type: OrderType,
        time_in_force: TimeInForce,
        client_order_id: int | str | None,
        may_pend: bool = False,
    ) -> None:
        self._venue = venue
        self._position = position
        self.id = order_id
        self.account = account
        self.instrument = instrument
        self.side = side
        self.type = order_type
        self.time_in_force = time_in_force
        self._client_order_id = client_order_id
        self._status = OrderStatus.NEW
        self._close_reason: CloseReason | None = None
        self._price_ticks = self._limit_ticks = self._total = self._open = self._filled = self._prevented = 0
        self._raw_notional = self._fee = 0
        self._fills: list[Fill] = []
        # Whether every event of the order was seen: not when it comes from a snapshot.
        self._is_whole = True
        # Whether it may wait for another order of its list.
        self._may_pend = may_pend
        venue.orders[order_id] = self

    @classmethod
    def of_view(cls, venue: Venue, view: OrderView) -> Order:
        """Return the order of a view: the one there is already, else a new one that knows what its events tell."""
        known = venue.orders.get(view.order_id)
        if known is not None:
            return known
        client_order_id = view.client_order_id
        order = cls(
            venue,
            order_id=view.order_id,
            position=venue.engine.events_begin,
            account=venue.accounts_by_id[view.account],
            instrument=venue.instruments_by_id[view.instrument],
            side=Side(view.side),
            order_type=OrderType(view.order_type),
            time_in_force=TimeInForce(view.time_in_force),
            client_order_id=int(client_order_id) if client_order_id and client_order_id.isdigit() else client_order_id,
        )
        order._may_pend = view.is_pending
        rows = venue.engine.order_events(view.order_id)
        if not len(rows) or rows[0]["kind"] != EventKind.ORDER_ACCEPTED:
            order._is_whole = False
            order._position = venue.engine.events_end
            order._price_ticks, order._total, order._open = view.price_ticks, view.total_lots, view.open_lots
            order._limit_ticks = view.price_ticks
            order._prevented = view.prevented_lots
            order._filled = view.total_lots - view.open_lots - view.prevented_lots
            order._status = OrderStatus.PARTIALLY_FILLED if order._filled else OrderStatus.NEW
        return order

    # -- what it is ----------------------------------------------------------------------------------------------

    @property
    def client_order_id(self) -> int | str | None:
        """The id that the client gave."""
        self._look()
        return self._client_order_id

    @property
    def price(self) -> Decimal:
        """The limit; of a market order the worst price that the band allows; of a following peg where it stands."""
        self._look()
        return times(self._price_ticks, self.instrument.tick)

    @property
    def quantity(self) -> Decimal:
        """The total quantity; 0 for an order by quote amount."""
        self._look()
        return times(self._total, self.instrument.lot)

    # -- what became of it ---------------------------------------------------------------------------------------

    @property
    def status(self) -> OrderStatus:
        """Where it is in its life."""
        self._look()
        return OrderStatus.PENDING_NEW if self.is_pending else self._status

    @property
    def is_open(self) -> bool:
        """Whether it is on the book, waits for its trigger or for another order of its list."""
        return self.status.is_open

    @property
    def is_pending(self) -> bool:
        """Whether it waits for another order of its list to be filled."""
        if self._may_pend:
            view = self._venue.engine.order(self.id)
            self._may_pend = view is not None and view.is_pending
        return self._may_pend

    @property
    def list_id(self) -> int | None:
        """The list that ties it to other orders, while it does."""
        view = self._venue.engine.order(self.id)
        return None if view is None else view.list_id

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for its trigger, outside the book."""
        return self.trigger_price is not None

    @property
    def trigger_price(self) -> Decimal | None:
        """The price at which it comes to the market, while it waits for it; a trailing stop's moves."""
        view = self._venue.engine.order(self.id)
        ticks = None if view is None else view.trigger_price_ticks
        return None if ticks is None else times(ticks, self.instrument.tick)

    @property
    def approvers_needed(self) -> int:
        """How many must approve it, while it waits for that outside the book; otherwise 0."""
        view = self._venue.engine.order(self.id)
        return 0 if view is None else view.approvers_needed

    @property
    def approvers(self) -> tuple[str, ...]:
        """The names of the accounts that have approved it, while it waits for more."""
        view = self._venue.engine.order(self.id)
        accounts = self._venue.accounts_by_id
        return () if view is None else tuple(accounts[approver].name for approver in view.approvers)

    @property
    def approval_hash(self) -> bytes | None:
        """What approvers approve, while it waits for them: `commands.approval_hash` computes the same."""
        view = self._venue.engine.order(self.id)
        return None if view is None or view.approval_hash is None else bytes(view.approval_hash)

    @property
    def close_reason(self) -> CloseReason | None:
        """Why it was cancelled or expired."""
        self._look()
        return self._close_reason

    @property
    def filled(self) -> Decimal:
        """What has traded."""
        self._look()
        return times(self._filled, self.instrument.lot)

    @property
    def remaining(self) -> Decimal:
        """What is open."""
        self._look()
        return times(self._open, self.instrument.lot)

    @property
    def is_hidden(self) -> bool:
        """Whether the book shows nothing of it; not of a closed order."""
        view = self._venue.engine.order(self.id)
        return view is not None and view.is_hidden

    @property
    def is_quote(self) -> bool:
        """Whether it is a quote, which another mass quote changes; not of a closed order."""
        view = self._venue.engine.order(self.id)
        return view is not None and bool(view.flags & OrderFlags.QUOTE)

    @property
    def displayed(self) -> Decimal:
        """What of it the book shows: of an iceberg its peak; nothing when it waits, is hidden or closed."""
        view = self._venue.engine.order(self.id)
        return times(0 if view is None else view.displayed_lots, self.instrument.lot)

    @property
    def prevented(self) -> Decimal:
        """What self-trade prevention took."""
        self._look()
        return times(self._prevented, self.instrument.lot)

    @property
    def fills(self) -> tuple[Fill, ...]:
        """Its trades, oldest first; those before a restored snapshot are not known."""
        self._look()
        return tuple(self._fills)

    @property
    def cost(self) -> Decimal:
        """The sum of price x quantity of its known fills."""
        self._look()
        return multiply(times(self._raw_notional, self.instrument.tick), self.instrument.lot)

    @property
    def fee(self) -> Decimal:
        """What its known fills cost in fees, in the quote asset; negative is a rebate."""
        self._look()
        return self._venue.amount(self._fee, self.instrument.quote)

    @property
    def average_price(self) -> Decimal | None:
        """The average price of its fills to 28 digits; None without fills, or when some of them are not known."""
        self._look()
        if not self._filled or not self._is_whole:
            return None
        return ratio(self.cost, self.filled)

    # -- what can be done with it --------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Cancel it. Raises `OrderNotFound` when it is not open."""
        self.account.cancel(self)

    def amend(
        self,
        *,
        price: Number | None = None,
        quantity: Number | None = None,
        trigger_price: Number | None = None,
        client_order_id: int | str | None = None,
    ) -> None:
        """Change its price, total quantity, client order id or, while it waits, its trigger price.

        On the book only a lower quantity at the same price keeps its place; a waiting order keeps it unless its trigger
        price changes.
        """
        self.account.amend(
            self, price=price, quantity=quantity, trigger_price=trigger_price, client_order_id=client_order_id
        )

    def replace(
        self,
        *,
        quantity: Number,
        price: Number | None = None,
        allow_failure: bool = False,
        cancel_only: bool = False,
        restriction: OrderStatus | None = None,
        client_order_id: int | None = None,
    ) -> Order:
        """Cancel it and place another on its side of the market in one step; see `Account.replace`.

        Raises:
            ReplacementFailed: one half failed and the other did not, or each for a reason of its own.
        """
        return self.account.replace(
            self,
            quantity=quantity,
            price=price,
            instrument=self.instrument,
            side=self.side,
            allow_failure=allow_failure,
            cancel_only=cancel_only,
            restriction=restriction,
            client_order_id=client_order_id,
        )

    def approve(self, *, by: Account) -> None:
        """Approve it; the last approval that it needs lets it into the market.

        Raises:
            InvalidApproval: it does not wait for approval, `by` owns it, is in its owner's group or has approved it.
            PermissionDenied: `by` may not approve.
        """
        digest = self.approval_hash or bytes(32)
        records = commands.approve(account=by.id, order_id=self.id, digest=digest)
        self._venue.apply(records, {"order": self.id, "by": by.name})

    def decline(self, *, by: Account) -> None:
        """Decline it: it is cancelled."""
        self._venue.apply(commands.decline(account=by.id, order_id=self.id), {"order": self.id, "by": by.name})

    def __repr__(self) -> str:
        price = f" @ {self.price}" if self.type is OrderType.LIMIT else ""
        price += f" from {self.trigger_price}" if self.is_waiting else ""
        return (
            f"Order({self.id}, {self.side.name} {self.quantity} {self.instrument.name}{price}, "
            f"{self.type.name} {self.time_in_force.name}, {self.status.name}, filled={self.filled})"
        )

    # -- reading the events --------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Read the events since the last look."""
        engine = self._venue.engine
        if self._position == engine.events_end or not self._status.is_open:
            return
        if self._position < engine.events_begin:
            raise ConfigError(
                f"order {self.id}: events up to {engine.events_begin} were drained or dropped before they were read; "
                "keep more of them with events_max, or look at the order before draining"
            )
        for row in engine.order_events(self.id, self._position):
            self._read(row)
        self._position = engine.events_end

    def _read(self, row: np.void) -> None:
        match int(row["kind"]):
            case EventKind.ORDER_ACCEPTED:
                self._price_ticks = self._limit_ticks = int(row["price_ticks"])
                self._total = self._open = int(row["quantity_lots"])
            case EventKind.LIST_UPDATED:
                self._price_ticks = int(row["price_ticks"])
            case EventKind.TRADE:
                self._traded(row)
            case EventKind.MATCH_PREVENTED:
                self._lose(row)
            case EventKind.ORDER_REPRICED:
                # 0 while it waits: then its price is the limit that it was accepted with, as far as that is known.
                self._price_ticks = int(row["price_ticks"]) or self._limit_ticks
            case EventKind.ORDER_AMENDED:
                self._price_ticks = int(row["price_ticks"])
                self._total, self._open = int(row["quantity_lots"]), int(row["open_lots"])
                if row["reference"]:
                    self._client_order_id = int(row["reference"])
            case EventKind.CLIENT_ORDER_ID_TEXT:
                self._client_order_id = text_of(row)
            case EventKind.ORDER_CANCELLED | EventKind.ORDER_EXPIRED as kind:
                self._open = 0
                self._close_reason = CloseReason(int(row["reason"]))
                spent = self._close_reason is CloseReason.QUOTE_AMOUNT_SPENT and self._filled
                is_cancel = kind == EventKind.ORDER_CANCELLED
                self._status = (
                    OrderStatus.CANCELLED if is_cancel else OrderStatus.FILLED if spent else OrderStatus.EXPIRED
                )

    def _traded(self, row: np.void) -> None:
        is_maker = int(row["counter_order_id"]) == self.id
        lots, ticks = int(row["quantity_lots"]), int(row["price_ticks"])
        name = "counter_amount" if is_maker else "amount"
        fee = (int(row[f"{name}_high"]) << 64) + int(row[f"{name}_low"])
        self._filled += lots
        self._raw_notional += ticks * lots
        self._fee += fee
        self._open = self._open - lots if is_maker else int(row["open_lots"])
        is_done = int(row["flags"]) & (EventFlags.MAKER_DONE if is_maker else EventFlags.TAKER_DONE)
        self._status = OrderStatus.FILLED if is_done else OrderStatus.PARTIALLY_FILLED
        self._fills.append(
            Fill(
                trade_id=int(row["reference"]),
                price=times(ticks, self.instrument.tick),
                quantity=times(lots, self.instrument.lot),
                fee=self._venue.amount(fee, self.instrument.quote),
                side=self.side,
                is_maker=is_maker or bool(int(row["flags"]) & EventFlags.AUCTION),
                counter_order_id=int(row["order_id"] if is_maker else row["counter_order_id"]),
                time_ns=int(row["time_ns"]),
            )
        )

    def _lose(self, row: np.void) -> None:
        is_maker = int(row["counter_order_id"]) == self.id
        lots = int(row["open_lots"] if is_maker else row["quantity_lots"])
        self._prevented += lots
        self._open = max(0, self._open - lots)
        if int(row["flags"]) & (EventFlags.MAKER_DONE if is_maker else EventFlags.TAKER_DONE):
            self._open, self._status = 0, OrderStatus.PREVENTED
