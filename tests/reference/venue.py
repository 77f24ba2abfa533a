"""The venue: everything that commands change, and the events that say so."""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.reference.accounts import Account
from tests.reference.codes import AccountKind, EventKind, OrderFlags, Permissions, Phase, Side, State
from tests.reference.controls import Controls
from tests.reference.event import Event
from tests.reference.fees import FeeRates, resolved_tier
from tests.reference.instruments import Instrument
from tests.reference.ledger import Ledger, Place
from tests.reference.orders import Order, OrderList


def _first_accounts() -> list[Account]:
    return [
        Account(0, b"fees", AccountKind.FEE, Permissions.TRANSFER),
        Account(1, b"insurance", AccountKind.INSURANCE, Permissions.TRANSFER),
    ]


@dataclass(slots=True)
class Venue:
    time_ns: int = 0
    sequence: int = 0
    session: int = 0
    """By which the command at hand came."""
    halted: bool = False
    controls: Controls = field(default_factory=Controls)
    orders_accepted: int = 0
    assets: list[bytes] = field(default_factory=list)
    """Their names, by id."""
    accounts: list[Account] = field(default_factory=_first_accounts)
    instruments: list[Instrument] = field(default_factory=list)
    fee_tiers: dict[tuple[int, int], FeeRates] = field(default_factory=dict)
    """Those that were set, by schedule and tier."""
    ledger: Ledger = field(default_factory=Ledger)
    events: list[Event] = field(default_factory=list)
    """Those of the command at hand."""
    arrivals: int = 0
    market_close: int | None = None
    """The close that the market-wide levels refer to."""
    market_reached: int = 0
    market_until_ns: int = 0
    """Until when the market-wide pause lasts; 0 is the rest of the session."""
    lists_accepted: int = 0
    lists: list[OrderList] = field(default_factory=list)
    """Those that tie orders together, by id."""
    line: list[tuple[Order, int] | OrderList] = field(default_factory=list)
    """Orders that fired and have not come to the market yet, each with its price; lists whose legs start."""
    unapproved: list[Order] = field(default_factory=list)
    """Orders that wait for approval."""
    sessions: list[object] = field(default_factory=list)
    """Those that were opened, by number from 1; what they are stands in `sessions.py`."""
    keys: dict[bytes, tuple[int, object]] = field(default_factory=dict)
    """Account and key, by id; what a key is stands in `decoding.py`."""
    protections: list[object] = field(default_factory=list)
    """Those of quotes; what they are stands in `protections.py`."""
    reached: list[tuple[object, Order]] = field(default_factory=list)
    """Protections that were triggered and have not acted yet, each with the quote that traded."""
    protected_elsewhere: set[int] = field(default_factory=set)
    """Accounts whose quotes on other instruments than the one that trades are still to go."""

    @property
    def is_paused(self) -> bool:
        """Whether the whole market pauses."""
        return self.market_reached > 0 and (self.market_until_ns == 0 or self.time_ns < self.market_until_ns)

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def account(self, account_id: int) -> Account | None:
        return self.accounts[account_id] if account_id < len(self.accounts) else None

    def instrument(self, instrument_id: int) -> Instrument | None:
        return self.instruments[instrument_id] if instrument_id < len(self.instruments) else None

    def rates_of(self, account: Account, instrument: Instrument) -> FeeRates:
        return resolved_tier(self.fee_tiers, instrument.fee_schedule, account.tier)

    def open_orders(self) -> list[Order]:
        """Every order in a book or waiting for its trigger, by id."""
        orders = (order for account in self.accounts for order in account.open_orders.values())
        return sorted(orders, key=lambda order: order.order_id)

    # An order in the book, or among those that wait, in its account's list and in the ledger: always all three.

    def next_arrival(self) -> int:
        self.arrivals += 1
        return self.arrivals

    def rest(self, order: Order) -> None:
        """Put an order into the book and hold what it can cost."""
        self.take_place(order)
        self._keep(order)

    def take_place(self, order: Order) -> None:
        """Put an order behind those of its price; an iceberg with a new peak."""
        instrument = self.instruments[order.instrument]
        order.arrived = self.next_arrival()
        before = instrument.book.referred_to(order.side)
        instrument.book.insert(order)
        # In a call it takes part with all that it has open.
        order.unfolded = instrument.joined is not Phase.NONE
        if not order.unfolded:
            self.show_peak(order)
        if instrument.top_lots is not None and not order.hidden:
            # Who betters the market is TOP, if he is large enough and there is no call; nobody else is any more.
            best = before[0].price_ticks if before else None
            if best is None or (best != order.price_ticks and order.side.crosses(order.price_ticks, best)):
                admitted = not order.unfolded and order.displayed_lots >= instrument.top_lots[0]
                instrument.tops[order.side] = order if admitted else None

    def _lose_place(self, instrument: Instrument, order: Order) -> None:
        """An order leaves its place on the book."""
        instrument.book.remove(order)
        if instrument.tops[order.side] is order:
            instrument.tops[order.side] = None

    def show_peak(self, order: Order) -> None:
        """Let an iceberg show its next peak."""
        instrument, iceberg = self.instruments[order.instrument], order.conditions.iceberg
        if iceberg is None:
            return
        increment = instrument.limits.quantity_increment_lots
        peak = iceberg.peak_lots
        if iceberg.range_lots >= increment:
            peak = iceberg.peaks(increment, order.peaks_drawn)
            order.peaks_drawn += 1
        order.shown_lots = min(peak, order.open_lots)
        self.emit(
            Event(
                EventKind.ORDER_REFRESHED,
                instrument=order.instrument,
                order_id=order.order_id,
                account=order.account,
                side=order.side,
                price_ticks=order.price_ticks,
                quantity_lots=order.shown_lots,
                open_lots=order.open_lots,
                reference=order.reference,
            )
        )

    def refresh(self, order: Order) -> None:
        """Let an iceberg whose peak has traded show the next one."""
        if order.conditions.iceberg is not None and order.shown_lots == 0 and order.open_lots > 0:
            self._lose_place(self.instruments[order.instrument], order)
            self.take_place(order)

    def wait(self, order: Order) -> None:
        """Let an order wait for its trigger and hold what it needs on entry."""
        self.instruments[order.instrument].waiting.append(order)
        self._keep(order)

    def follow(self, order: Order) -> None:
        """Let a following peg wait outside the book, and hold what its limit can cost."""
        order.limit_ticks, order.is_placed = order.price_ticks, False
        self.instruments[order.instrument].following.append(order)
        self._keep(order)

    def pend(self, order: Order) -> None:
        """Let a leg wait for another one."""
        order.pending = True
        self._keep(order)

    def stand_beside(self, order: Order) -> None:
        """Let an order stand beside the book, for an auction; it holds what a resting order holds."""
        order.beside, order.arrived = True, self.next_arrival()
        self.instruments[order.instrument].beside.append(order)
        self._keep(order)

    def wait_for_approval(self, order: Order) -> None:
        """Let an order wait for approval and hold what it needs on entry."""
        self.unapproved.append(order)
        self._keep(order)

    def _keep(self, order: Order) -> None:
        self.accounts[order.account].open_orders[order.order_id] = order
        self._hold(order, 1)

    def _hold(self, order: Order, sign: int) -> None:
        """Hold what an order adds to what is held for the other legs of its list, or give that back."""
        units = self.instruments[order.instrument].units
        open_orders = self.accounts[order.account].open_orders
        legs = [] if order.in_list is None else order.in_list.legs
        others = [leg.hold(units) for leg in legs if leg is not order and leg.order_id in open_orders]
        # Together they hold the largest of their holds.
        more = max([order.hold(units), *others]) - max(others, default=0)
        self.ledger.hold(order.account, order.held_asset(units), sign * more)

    def take_out(self, order: Order) -> None:
        """Take an order out of the book, or from those that wait, and give back its hold."""
        instrument = self.instruments[order.instrument]
        if order.approvers_needed:
            self.unapproved.remove(order)
        elif order.waits:
            # Who fired stands in the line.
            if order in instrument.waiting:
                instrument.waiting.remove(order)
        elif order.beside:
            instrument.beside.remove(order)
        elif order.is_placed and not order.pending:
            self._lose_place(instrument, order)
        if order.follows:
            instrument.following.remove(order)
        self.let_go(order)

    def let_go(self, order: Order) -> None:
        """Give back the hold of an order that is in no list of its instrument any more."""
        self._hold(order, -1)
        del self.accounts[order.account].open_orders[order.order_id]

    def reduce(self, order: Order, *, executed: int = 0, prevented: int = 0, notional: int = 0) -> None:
        """Take quantity from a resting order; its hold follows, and at zero it is closed."""
        instrument = self.instruments[order.instrument]
        before = order.hold(instrument.units)
        order.executed_lots += executed
        order.shown_lots = max(order.shown_lots - executed, 0)
        order.prevented_lots += prevented
        order.keep_shown_within_open()
        order.maker_notional += notional
        self.ledger.hold(order.account, order.held_asset(instrument.units), order.hold(instrument.units) - before)
        if order.open_lots == 0:
            self.take_out(order)

    def deliver(self, instrument: Instrument, taker: Order, maker: Order, lots: int, notional: int) -> None:
        """The bid gives the notional, the ask gives the base."""
        bid, ask = (taker, maker) if taker.side is Side.BUY else (maker, taker)
        units, base = instrument.units, instrument.units.base_quanta(lots)
        for giver, receiver, asset, amount in ((bid, ask, units.quote, notional), (ask, bid, units.base, base)):
            self.ledger.credit(giver.account, asset, -amount)
            self.ledger.credit(receiver.account, asset, amount)

    def broken_rules(self) -> list[str]:
        """What is wrong, in words; empty when all is well."""
        broken = []
        holds: defaultdict[Place, int] = defaultdict(int)
        booked = [order for instrument in self.instruments for order in instrument.book.bids + instrument.book.asks]
        waiting = [order for instrument in self.instruments for order in instrument.waiting]
        beside = [order for instrument in self.instruments for order in instrument.beside]
        pending = [order for order in self.open_orders() if order.pending]
        outside = [order for each in self.instruments for order in each.following if not order.is_placed]
        everything = booked + waiting + beside + outside + self.unapproved
        for order in everything:
            units = self.instruments[order.instrument].units
            if order.in_list is None:
                holds[order.account, order.held_asset(units)] += order.hold(units)
            if order.open_lots <= 0 or order.flags & OrderFlags.QUOTE_AMOUNT or not (order.is_away or order.may_rest):
                broken.append(f"an order in the book that cannot rest: {order}")
            if 0 < order.conditions.expire_time_ns <= self.time_ns:
                broken.append(f"an open order whose time has come: {order}")
        if any(order.beside for order in booked + waiting) or not all(order.beside for order in beside):
            broken.append("only orders for auctions stand beside the book")
        broken.extend(
            f"an order in the book that shows nothing, or more than it has: {order}"
            for order in booked
            if not order.waits and not 0 < order.displayed_lots <= order.open_lots
        )
        for order_list in self.lists:
            units = self.instruments[order_list.instrument].units
            standing = [leg for leg in order_list.legs if not leg.pending]
            holds[order_list.account, standing[0].held_asset(units)] += max(leg.hold(units) for leg in standing)
            if len(order_list.legs) < 2 or any(leg.in_list is not order_list for leg in order_list.legs):
                broken.append(f"a list that ties nothing together: {order_list}")
            if order_list.is_pair and len({(leg.side, leg.open_lots) for leg in standing}) != 1:
                broken.append(f"a pair that differs: {order_list}")
        tied = [leg for order_list in self.lists for leg in order_list.legs]
        if {order.order_id for order in self.open_orders() if order.in_list is not None} != {
            leg.order_id for leg in tied
        }:
            broken.append("lists and orders disagree about who is tied to whom")
        if any(order.waits for order in booked + beside) or not all(order.waits for order in waiting):
            broken.append("only orders that have not fired wait")
        if any(self.controls.is_killed(account) and account.open_orders for account in self.accounts):
            broken.append("an open order of an account whose kill switch is engaged")
        if self.reached or self.protected_elsewhere:
            broken.append("a protection was triggered and has not done its part")
        quoted = [(order.account, order.instrument, order.side) for order in everything if order.is_quote]
        if len(quoted) > len(set(quoted)):
            broken.append(f"an account has two quotes on one side: {quoted}")
        if any(self.controls.is_session_killed(order.session) for order in self.open_orders()):
            broken.append("an open order of a session whose kill switch is engaged")
        if self.line:
            broken.append(f"an order that fired has not come to the market: {self.line}")
        for withdrawal in self.ledger.withdrawals.values():
            holds[withdrawal.account, withdrawal.asset] += withdrawal.amount
        if any(0 < order.deadline_ns <= self.time_ns for order in self.unapproved):
            broken.append("an order waits for approval for too long")
        if sorted(everything + pending, key=lambda order: order.order_id) != self.open_orders():
            broken.append("books and accounts disagree about the open orders")
        for instrument in self.instruments:
            book = instrument.book
            trades = instrument.state is State.CONTINUOUS
            if trades and book.bids and book.asks and book.bids[0].price_ticks >= book.asks[0].price_ticks:
                broken.append(f"crossed book: {instrument.id=} {book.bids[0].price_ticks=} {book.asks[0].price_ticks=}")
            for orders in (book.bids, book.asks):
                sign = -1 if orders is book.bids else 1
                places = [(sign * order.price_ticks, order.hidden) for order in orders]
                if places != sorted(places):
                    broken.append(f"book out of order: {instrument.id=} {places=}")
        return broken + list(self.ledger.broken_rules(holds))
