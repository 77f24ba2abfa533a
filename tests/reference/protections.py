"""Quote protection: counts of what trades of an account's quotes, and what happens when they come to their bound.

Naive on purpose: every protection is looked at for every trade of a quote, and every fill of a window is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.reference import closing
from tests.reference.codes import ANY, CloseReason, EventKind
from tests.reference.event import Event
from tests.reference.instruments import Instrument
from tests.reference.orders import Order
from tests.reference.venue import Venue

TIME_END = 2**64 - 1
"""No window ends later."""


@dataclass(slots=True)
class Protection:
    account: int
    instrument: int | None
    """None is all of them together."""
    lots_max: int
    fills_max: int
    window_ns: int
    until_ns: int = 0
    fills: list[int] = field(default_factory=list)
    """The lots of each fill of the window."""
    triggered: bool = False

    def covers(self, account: int, instrument: int) -> bool:
        return self.account == account and self.instrument in (None, instrument)

    @property
    def has_lots(self) -> bool:
        return 0 < self.lots_max <= sum(self.fills)

    @property
    def has_fills(self) -> bool:
        return 0 < self.fills_max <= len(self.fills)

    def begin_anew(self) -> None:
        self.until_ns, self.fills = 0, []


def find(venue: Venue, account: int, instrument: int | None) -> Protection | None:
    """The protection of exactly this scope."""
    scope = (account, instrument)
    return next((each for each in protections(venue) if (each.account, each.instrument) == scope), None)


def protections(venue: Venue) -> list[Protection]:
    """All of them, those of one instrument before those of all."""
    known = [each for each in venue.protections if isinstance(each, Protection)]
    return sorted(known, key=lambda each: each.instrument is None)


def is_triggered(venue: Venue, account: int, instrument: int) -> bool:
    """Whether no quotes of the account may come in there."""
    return any(each.triggered for each in protections(venue) if each.covers(account, instrument))


def stops(venue: Venue, taker: Order) -> bool:
    """Whether a taker is a quote that goes no further."""
    return taker.is_quote and is_triggered(venue, taker.account, taker.instrument)


def count(venue: Venue, order: Order, lots: int) -> None:
    """Count a fill of an order, if it is a quote."""
    if not order.is_quote:
        return
    for each in protections(venue):
        if not each.covers(order.account, order.instrument) or each.triggered:
            continue
        if venue.time_ns >= each.until_ns:
            each.until_ns = min(venue.time_ns + each.window_ns, TIME_END)
            each.fills = []
        each.fills.append(lots)
        if each.has_lots or each.has_fills:
            each.triggered = True
            venue.reached.append((each, order))


def act(venue: Venue, instrument: Instrument) -> None:
    """What was triggered takes the quotes of its scope on this instrument; others are left for later."""
    while venue.reached:
        each, order = venue.reached.pop(0)
        assert isinstance(each, Protection), "Invariant: only protections are triggered"
        venue.emit(
            Event(
                EventKind.QUOTE_PROTECTION_TRIGGERED,
                instrument=ANY if each.instrument is None else each.instrument,
                order_id=order.order_id,
                account=each.account,
                order_type=1 if each.has_lots else 2,
                quantity_lots=sum(each.fills),
                open_lots=len(each.fills),
                reference=each.until_ns,
            )
        )
        _cancel(venue, [quote for quote in quotes_of(venue, each.account) if quote.instrument == instrument.id])
        if each.instrument is None:
            venue.protected_elsewhere.add(each.account)


def finish(venue: Venue) -> None:
    """The quotes go that were left for later."""
    for account in sorted(venue.protected_elsewhere):
        _cancel(venue, quotes_of(venue, account))
    venue.protected_elsewhere.clear()


def quotes_of(venue: Venue, account: int) -> list[Order]:
    """The open quotes of an account, by id."""
    orders = venue.accounts[account].open_orders.values()
    return sorted((order for order in orders if order.is_quote), key=lambda order: order.order_id)


def _cancel(venue: Venue, quotes: list[Order]) -> None:
    for quote in quotes:
        closing.cancel(venue, quote, CloseReason.QUOTE_PROTECTION)
