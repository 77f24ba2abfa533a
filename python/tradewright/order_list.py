"""Lists of orders that depend on each other, and their legs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Required

from tradewright import commands
from tradewright._core import ListView
from tradewright._venue import Venue
from tradewright.conditions import Conditions
from tradewright.enums import Contingency, ListStatus
from tradewright.order import Order

if TYPE_CHECKING:
    from tradewright._decimal import Number
    from tradewright.account import Account
    from tradewright.enums import SelfTradePrevention, Side, TimeInForce
    from tradewright.instrument import Instrument


class Leg(Conditions, total=False):
    """An order of a list: `Leg(side=Side.SELL, quantity=1, price=110)`, perhaps with `Conditions` too."""

    side: Required[Side]
    quantity: Required[Number]
    price: Number
    time_in_force: TimeInForce
    post_only: bool
    self_trade_prevention: SelfTradePrevention
    client_order_id: int | str


class OrderList:
    """A list of an account's orders. Its orders tell what became of each of them."""

    __slots__ = ("_venue", "account", "client_list_id", "contingency", "id", "instrument", "orders")

    def __init__(
        self,
        venue: Venue,
        *,
        list_id: int,
        account: Account,
        instrument: Instrument,
        contingency: Contingency,
        client_list_id: int | str | None,
        orders: tuple[Order, ...],
    ) -> None:
        self._venue = venue
        self.id = list_id
        self.account = account
        self.instrument = instrument
        self.contingency = contingency
        self.client_list_id = client_list_id
        self.orders = orders

    @classmethod
    def of_view(cls, venue: Venue, view: ListView) -> OrderList:
        """Return the list of a view, with the orders that it still ties together."""
        name = view.client_list_id
        views = [venue.engine.order(order_id) for order_id in view.order_ids]
        return cls(
            venue,
            list_id=view.list_id,
            account=venue.accounts_by_id[view.account],
            instrument=venue.instruments_by_id[view.instrument],
            contingency=Contingency(view.contingency),
            client_list_id=int(name) if name and name.isdigit() and name[0] != "0" else name,
            orders=tuple(Order.of_view(venue, order) for order in views if order is not None),
        )

    @property
    def status(self) -> ListStatus:
        """Whether it still ties orders together. Those that go on alone may be open after that."""
        is_open = self._venue.engine.order_list(self.id) is not None
        return ListStatus.EXECUTING if is_open else ListStatus.ALL_DONE

    @property
    def is_open(self) -> bool:
        """Whether it still ties orders together."""
        return self.status is ListStatus.EXECUTING

    def cancel(self) -> None:
        """Cancel every order that it ties together. Raises `OrderNotFound` when it is done."""
        records = commands.cancel_list(account=self.account.id, list_id=self.id)
        self._venue.apply(records, {"order": self, "account": self.account.name})

    def __repr__(self) -> str:
        orders = ", ".join(repr(order) for order in self.orders)
        return f"OrderList({self.id}, {self.contingency.name} {self.status.name}, [{orders}])"
