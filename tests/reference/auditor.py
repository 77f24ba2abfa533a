"""The auditor: keeps its own books from events alone and stops at the first event that they do not bear out.

It never sees a command or an exchange. What events do not carry it takes as an argument: the units of the instruments,
which must be there when an instrument is listed.
Quantity increments it does not know, so of an order by amount it checks what was spent, not that no lot more was due.
Bands it does not know either: the limit of a market order that waited is checked when it expires, and tells it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.reference.audited_calls import AuditedCall
from tests.reference.audited_controls import BY_CONTROL, AuditedControls
from tests.reference.audited_lists import AuditedList, AuditedLists
from tests.reference.audited_orders import AuditedOrder, AuditedWaiting
from tests.reference.audited_quotes import AuditedQuotes, quotes_of
from tests.reference.audited_sessions import AuditedSessions
from tests.reference.codes import (
    AMOUNT_MAX,
    ANY,
    FEE_ACCOUNT,
    TIERS,
    AccountKind,
    Cause,
    CloseReason,
    CommandKind,
    ControlScope,
    Display,
    EventFlags,
    EventKind,
    HaltScope,
    OrderFlags,
    OrderType,
    PegKind,
    Permissions,
    Phase,
    Prevention,
    PriceSource,
    Restriction,
    Side,
    State,
    TimeInForce,
    TransferKind,
    TriggerKind,
    known,
)
from tests.reference.event import Event
from tests.reference.fees import FeeRates, fee_of_fill, fee_on, resolved_tier
from tests.reference.instruments import Units
from tests.reference.records import signed
from tests.reference.reject import RejectReason

Place = tuple[int, int]
BY_TIME = (CloseReason.GOOD_TILL_DATE, CloseReason.APPROVAL_EXPIRED)
OF_QUOTES = (CloseReason.QUOTE_REPLACED, CloseReason.QUOTE_PROTECTION)
"""Why a quote goes that its owner did not cancel; others go by id."""
AT_RELEASE = (*range(40, 50), *range(52, 54), 72, 90, 91)
"""The reasons for which a released order can be refused, but for those of its account."""
_OF_AN_ACCEPTED_ORDER = (
    EventKind.ORDER_ACCEPTED,
    EventKind.CLIENT_ORDER_ID_TEXT,
    EventKind.ORDER_CONDITIONS,
    EventKind.ORDER_DISPLAY,
    EventKind.APPROVAL_REQUIRED,
)


class AuditError(AssertionError):
    """An event breaks a rule."""

    def __init__(self, rule: str, event: Event | None) -> None:
        where = "at the end" if event is None else f"sequence={event.sequence} k={event.k}: {event.words()}"
        super().__init__(f"{rule} [{where}]")
        self.rule = rule
        self.event = event


@dataclass(slots=True)
class AuditedAccount:
    kind: int
    tier: int = 0
    group: int = 0
    permissions: int = Permissions.INITIAL
    halted: bool = False

    @property
    def may_trade(self) -> bool:
        return bool(self.permissions & Permissions.TRADE) and self.kind in (AccountKind.CLIENT, AccountKind.HOUSE)


class Auditor:
    """Feed it the events of whole commands, in order, by [`Auditor.audit`]; then [`Auditor.finish`]."""

    def __init__(self, units: Mapping[int, Units]) -> None:
        self._units = units
        self._available: defaultdict[Place, int] = defaultdict(int)
        self._held: defaultdict[Place, int] = defaultdict(int)
        self._totals: defaultdict[int, int] = defaultdict(int)
        self._withdrawals: dict[int, tuple[int, int, int]] = {}
        self._withdrawals_requested = 0
        self._in_transit: dict[tuple[int, int], tuple[int, int, int]] = {}
        """By shard and number: account, asset, amount."""
        self._sent: defaultdict[int, int] = defaultdict(int)
        self._received: defaultdict[int, int] = defaultdict(int)
        self._away: defaultdict[int, int] = defaultdict(int)
        """What is in transit or elsewhere, by asset."""
        fee_and_insurance = (AccountKind.FEE, AccountKind.INSURANCE)
        self._accounts = [AuditedAccount(kind, permissions=Permissions.TRANSFER) for kind in fee_and_insurance]
        self._assets = 0
        self._schedules: list[int] = []
        """By instrument."""
        self._tiers: dict[tuple[int, int], FeeRates] = {}
        self._venue_halted = False
        self._calls: defaultdict[int, AuditedCall] = defaultdict(AuditedCall)
        self._arrivals = 0
        self._ended_phase = Phase.NONE
        self._must_pause: set[int] = set()
        self._guarded: set[int] = set()
        """Instruments with a breaker."""
        self._market_close = 0
        self._controls = AuditedControls()
        self._sessions = AuditedSessions(_require)
        self._quotes = AuditedQuotes()
        self._shared: set[int] = set()
        """Instruments whose prices are shared by a rule: which share is whose, the auditor does not judge."""
        self._orders: dict[int, AuditedOrder] = {}
        """Those in a book or waiting, those in the line too."""
        self._waiting = AuditedWaiting()
        self._queues: defaultdict[tuple[int, Side], list[AuditedOrder]] = defaultdict(list)
        self._orders_accepted = 0
        self._trades: defaultdict[int, int] = defaultdict(int)
        self._prevented: defaultdict[int, int] = defaultdict(int)
        # The command at hand.
        self._last: Event | None = None
        self._traded_on = 0
        """The instrument of the last trade."""
        self._taker: AuditedOrder | None = None
        self._touched: set[Place] = set()
        self._text_due: AuditedOrder | None = None
        self._text_may_come: AuditedOrder | None = None
        """Of an amended order whose id was text: whether that is new shows when the text follows."""
        self._accepted_first = False
        """Whether the command began with a new order, but for its timers."""
        self._half_due = False
        """Whether the new order of a replacement is still to be refused, as the old one is cancelled without it."""
        self._half_may_come = False
        """Whether the new order of a replacement may still be refused, as its other half was just before."""
        self._is_first = False
        """Whether the event at hand is the command's first, but for those of timers."""
        self._conditions_due: AuditedOrder | None = None
        self._display_due: AuditedOrder | None = None
        self._cover_due: AuditedOrder | None = None
        self._peak_due: AuditedOrder | None = None
        self._moved: set[int] = set()
        """Instruments on which pegs moved."""
        self._in_timers = True
        """Whether all of its events came from timers so far."""
        self._replacing = False
        self._last_cancelled = 0
        """The order that its cancel-all named last."""
        self._list_text_due = False
        self._lists = AuditedLists(_require)
        self._approval_due: tuple[AuditedOrder, int, int] | None = None
        """An order that needs approval, how many and for how long."""
        self._released: AuditedOrder | None = None
        """An order that has its approvals, and a trigger to wait for now."""
        self._references: dict[int, int] = {}
        self._last_prices: dict[int, int] = {}
        self._handlers: dict[EventKind, Callable[[Event], None]] = {
            EventKind.REJECTED: self._rejected,
            EventKind.ORDER_ACCEPTED: self._accepted,
            EventKind.TRADE: self._traded,
            EventKind.MATCH_PREVENTED: self._match_prevented,
            EventKind.ORDER_CANCELLED: self._cancelled,
            EventKind.ORDER_EXPIRED: self._expired,
            EventKind.ORDER_AMENDED: self._amended,
            EventKind.CLIENT_ORDER_ID_TEXT: self._text,
            EventKind.ORDER_CONDITIONS: self._conditions,
            EventKind.ORDER_TRIGGERED: self._triggered,
            EventKind.ORDER_DISPLAY: self._display,
            EventKind.ORDER_REFRESHED: self._refreshed,
            EventKind.ORDER_REPRICED: self._repriced,
            EventKind.APPROVAL_REQUIRED: self._approval_required,
            EventKind.ORDER_APPROVED: self._approved,
            EventKind.APPROVAL_DECLINED: self._declined,
            EventKind.ORDER_RELEASED: self._order_released,
            EventKind.DEPOSITED: self._deposited,
            EventKind.WITHDRAWAL_REQUESTED: self._withdrawal_requested,
            EventKind.WITHDRAWAL_CONFIRMED: self._withdrawal_ended,
            EventKind.WITHDRAWAL_CANCELLED: self._withdrawal_ended,
            EventKind.TRANSFERRED: self._transferred,
            EventKind.TRANSFER_SENT: self._transfer_sent,
            EventKind.TRANSFER_RECEIVED: self._transfer_received,
            EventKind.TRANSFER_CONFIRMED: self._transfer_confirmed,
            EventKind.SETTING_APPLIED: self._setting,
            EventKind.LIST_ACCEPTED: self._list_accepted,
            EventKind.LIST_UPDATED: self._list_updated,
            EventKind.LIST_DONE: self._list_done,
            EventKind.CLIENT_LIST_ID_TEXT: self._list_text,
            EventKind.INSTRUMENT_STATE_CHANGED: self._state_changed,
            EventKind.AUCTION_INDICATION: self._indication,
            EventKind.AUCTION_UNCROSSED: self._uncrossed,
            EventKind.BREAKER_TRIPPED: self._tripped,
            EventKind.MARKET_WIDE_LEVEL_REACHED: self._market_wide,
            EventKind.QUOTE_ACCEPTED: self._quoted,
            EventKind.QUOTE_PROTECTION_TRIGGERED: self._protected,
            EventKind.SESSION_OPENED: self._sessions.tell,
            EventKind.SESSION_NAME_TEXT: self._sessions.tell,
            EventKind.COMMAND_REPEATED: self._sessions.tell,
            EventKind.KEY_REGISTERED: self._sessions.tell,
            EventKind.KEY_REVOKED: self._sessions.tell,
            EventKind.KEY_ID_TEXT: self._sessions.tell,
        }

    def audit(self, events: Iterable[Event]) -> None:
        """Check events one by one; raises [`AuditError`] at the first that breaks a rule."""
        for event in events:
            self._numbering(event)
            if self._text_due is not None and event.kind is not EventKind.CLIENT_ORDER_ID_TEXT:
                raise AuditError("a client order id that is text follows its order", event)
            if self._text_due is None and self._conditions_due is not None:
                is_text = event.kind is EventKind.CLIENT_ORDER_ID_TEXT and self._text_may_come is not None
                fine = event.kind is EventKind.ORDER_CONDITIONS or is_text
                _require(fine, "conditions follow their order", event)
            if self._display_due is not None:
                _require(event.kind is EventKind.ORDER_DISPLAY, "conditions tell of one at least", event)
            if self._peak_due is not None:
                fine = event.kind is EventKind.ORDER_REFRESHED
                _require(fine, "an iceberg with a reserve shows its next peak", event)
            if event.kind not in _ABOUT_ORDER:
                self._check_cover(event)
            self._is_first = self._in_timers and _is_of_command(event)
            if self._is_first:
                # What timers brought to the market has found its place.
                self._rest(event)
                self._nothing_is_due(event)
                self._in_timers = False
            if event.kind not in _OF_AN_ACCEPTED_ORDER:
                _require(self._approval_due is None, "an order above a band waits for approval", event)
            self._go_on(event)
            self._check_quotes(event)
            self._before(event)
            self._sessions.before(event)
            self._check_place(event)
            self._handlers[event.kind](event)
            if event.kind is not EventKind.ORDER_AMENDED:
                self._text_may_come = None
            if event.has(EventFlags.LAST):
                self._end_of_command(event)
            self._last = event

    def _before(self, event: Event) -> None:
        """What earlier events of the command have to say about the next one."""
        lists = self._lists
        arriving = lists.arriving
        is_text = event.kind is EventKind.CLIENT_LIST_ID_TEXT
        _require(self._list_text_due == is_text, "the text of a list follows it", event)
        about_leg = is_text or event.kind in _ABOUT_ORDER
        if arriving is not None and not about_leg:
            if arriving.is_whole:
                self._arrived(arriving)
            else:
                _require(event.kind is EventKind.ORDER_ACCEPTED, "the legs of a list follow it", event)
        starting = lists.starting
        goes_on = event.kind is EventKind.LIST_UPDATED and starting is not None and event.reference == starting.list_id
        if starting is not None and not goes_on and len(starting.legs) == 2:
            self._pair_started(starting, event)
        lists.before_event(event, event.kind in (EventKind.ORDER_CANCELLED, EventKind.LIST_DONE))

    def finish(self) -> None:
        """Check what must hold when no command is under way."""
        if self._last is not None and not self._last.has(EventFlags.LAST):
            raise AuditError("the last event of a command has the flag LAST", self._last)
        sums: defaultdict[int, int] = defaultdict(int)
        for balances in (self._available, self._held):
            for (_account, asset), amount in balances.items():
                sums[asset] += amount
        if any(sums[asset] + self._away[asset] != self._totals[asset] for asset in sums.keys() | self._totals.keys()):
            raise AuditError("money is conserved", None)

    def balances(self) -> dict[Place, tuple[int, int]]:
        """Available and held of every (account, asset) where either is not zero."""
        places = sorted(self._available.keys() | self._held.keys())
        both = {place: (self._available.get(place, 0), self._held.get(place, 0)) for place in places}
        return {place: amounts for place, amounts in both.items() if amounts != (0, 0)}

    def in_transit(self) -> dict[tuple[int, int], tuple[int, int, int]]:
        """Account, asset and amount of what was sent to other shards and is not confirmed, by shard and number."""
        return dict(self._in_transit)

    def open_orders(self) -> list[int]:
        """The ids of the orders in the books and of those that wait."""
        return sorted(self._orders)

    # Numbering.

    def _numbering(self, event: Event) -> None:
        last = self._last
        starts = last is None or last.has(EventFlags.LAST)
        last_sequence, last_time = (0, 0) if last is None else (last.sequence, last.time_ns)
        _require(event.time_ns >= last_time, "time never goes back", event)
        _require((event.k == 0) == starts, "a command ends with LAST and the next starts at k = 0", event)
        if starts:
            _require(event.sequence > last_sequence, "sequence numbers rise", event)
        elif last is not None:
            _require(event.sequence == last_sequence, "a command has one sequence number", event)
            _require(event.k == last.k + 1, "k counts the events of a command", event)
            _require(event.time_ns == last_time, "a command has one time", event)
        _require(event.schema_version == 1, "the schema version is 1", event)

    def _end_of_command(self, event: Event) -> None:
        _require(self._text_due is None, "a client order id that is text follows its order", event)
        self._check_cover(event)
        _require(not self._replacing, "a replaced order is followed by the new one", event)
        _require(not self._half_due, "the new order of a replacement is refused behind its other half", event)
        self._text_may_come = None
        _require(self._conditions_due is None, "conditions follow their order", event)
        lists = self._lists
        if lists.arriving is not None:
            _require(lists.arriving.is_whole and not self._list_text_due, "the legs of a list follow it", event)
            self._arrived(lists.arriving)
        if lists.starting is not None:
            self._pair_started(lists.starting, event)
        _require(lists.ending is None and not lists.must_act, "a list that ends is done", event)
        _require(self._display_due is None, "conditions tell of one at least", event)
        _require(self._peak_due is None, "an iceberg with a reserve shows its next peak", event)
        _require(not self._waiting.line, "what fired comes to the market", event)
        self._last_cancelled = 0
        _require(not self._controls.due, "a control takes all that it forbids", event)
        self._nothing_of_quotes(event)
        self._controls.session_reason = None
        _require(self._approval_due is None, "an order above a band waits for approval", event)
        self._go_on(None)
        self._rest(event)
        if self._in_timers:
            self._nothing_is_due(event)
        for instrument in self._moved:
            bids, asks = (self._queues[instrument, side] for side in Side)
            crossed = bids and asks and bids[0].price >= asks[0].price
            fine = not crossed or self._calls[instrument].state is not State.CONTINUOUS
            _require(fine, "no peg crosses anybody", event)
        self._moved.clear()
        self._in_timers = True
        self._states_hold(event)
        self._accepted_first = self._half_may_come = False
        for account, asset in self._touched:
            fine = self._available[account, asset] >= 0 or account == FEE_ACCOUNT
            _require(fine and self._held[account, asset] >= 0, f"no balance below zero: {account=} {asset=}", event)
        self._touched.clear()

    def _check_place(self, event: Event) -> None:
        """Some events are their command's first, but for those of timers; indications are its last."""
        if self._last is not None and not self._last.has(EventFlags.LAST):
            ends = self._last.kind is EventKind.AUCTION_INDICATION and event.kind is not EventKind.AUCTION_INDICATION
            _require(not ends, "indications are the last events of a command", event)
            may_follow = (EventKind.AUCTION_INDICATION, EventKind.ORDER_REPRICED)
            refused = self._last.kind is EventKind.REJECTED and event.kind not in may_follow
            both = event.kind is EventKind.REJECTED and self._half_may_come
            _require(both or not refused, "a refusal is the only event, but for those of timers", event)
        if event.kind is EventKind.ORDER_AMENDED and not self._quotes.changes:
            _require(self._is_first, "an amendment is its command's first event, but for timers", event)
        by_lists = (CloseReason.OTHER_LEG_EXECUTED, CloseReason.LIST_CLOSED)
        of_many = (CloseReason.CANCELLED_ALL, CloseReason.INSTRUMENT_EXPIRED, CloseReason.SESSION_ENDED)
        behind = (*of_many, CloseReason.DECLINED, *BY_CONTROL)
        several = event.reason in (*behind, *by_lists, *OF_QUOTES)
        ends = self._lists.ending is not None
        if event.kind is EventKind.ORDER_CANCELLED and not self._is_first and not ends:
            _require(several, "only a cancel-all or a control cancels several", event)

    def _states_hold(self, event: Event) -> None:
        """What states promise of their orders, now that a command is done."""
        for order in self._orders.values():
            state = self._calls[order.instrument].state
            _require(state is not State.EXPIRED, "an expired instrument has no orders", event)
            ends = order.time_in_force in (TimeInForce.DAY, TimeInForce.AT_CLOSE)
            _require(not (ends and state is State.CLOSED), "a closed instrument has no day orders", event)
        _require(not any(call.traded for call in self._calls.values()), "an auction is told of", event)
        for (instrument, _), queue in self._queues.items():
            calls = self._calls[instrument].joined is not Phase.NONE
            folds = all(order.unfolded <= calls for order in queue if order.peak)
            _require(folds, "behind a call icebergs show a peak", event)
        for instrument in self._must_pause:
            stopped = self._calls[instrument].state in (State.PAUSED, State.HALTED, State.CLOSED, State.EXPIRED)
            _require(stopped, "what a breaker stopped does not trade", event)
        self._must_pause.clear()

    def _rest(self, event: Event) -> None:
        """What is left of the taker rests, now that something else comes."""
        taker = self._taker
        if taker is None:
            return
        call = self._calls[taker.instrument]
        self._arrivals += 1
        taker.arrived = self._arrivals
        if taker.is_for_auction and not (call.joins(taker) and taker.order_type == OrderType.LIMIT):
            taker.beside = True
            call.beside.append(taker)
            self._orders[taker.order_id] = taker
            self._hold(taker, 1)
            self._taker = None
            return
        _require(taker.may_rest, "only good till cancel or date rests", event)
        fine = not taker.peak or event.kind is EventKind.ORDER_REFRESHED or call.joined is not Phase.NONE
        _require(fine, "an iceberg shows a peak when it rests", event)
        _require(not taker.must_be_refused, "an order that fires is refused when its account may not trade", event)
        protected = taker.is_quote and self._quotes.is_triggered(taker)
        _require(not protected, "a quote whose protection was triggered expires", event)
        free = call.state is not State.CONTINUOUS or next(self._crossing(taker), None) is None
        _require(free, "what rests crosses nobody while the instrument trades", event)
        if taker.peak and call.joined is not Phase.NONE:
            taker.unfolded, taker.shown = True, taker.open
        self._stand(taker)
        self._orders[taker.order_id] = taker
        taker.stands = True
        self._hold(taker, 1)
        self._taker = None

    def _stand(self, order: AuditedOrder) -> None:
        """Put an order behind the others of its price."""
        queue = self._queues[order.instrument, order.side]
        queue.insert(bisect_right(queue, order.sort_key, key=lambda other: other.sort_key), order)

    def _nothing_is_due(self, event: Event) -> None:
        due = any(0 < order.due_ns <= event.time_ns for order in self._orders.values())
        _require(not due, "timers that are due fire before anything else", event)

    # Books.

    def _crossing(self, taker: AuditedOrder) -> Iterator[AuditedOrder]:
        for maker in self._queues[taker.instrument, taker.side.opposite]:
            if not taker.side.crosses(taker.bound, maker.price):
                return
            yield maker

    def _hold_of(self, order: AuditedOrder) -> int:
        units = self._units[order.instrument]
        if order.pending:
            return 0
        if order.side is Side.SELL:
            return units.base_quanta(order.open)
        if order.is_away:
            return _cover(order, units)
        notional = units.notional(order.limit if order.follows else order.price, order.open)
        return notional + fee_of_fill(order.maker_notional, notional, max(order.rates.maker_ppm, 0))

    def _hold(self, order: AuditedOrder, sign: int) -> None:
        """Hold for an order, or give its hold back."""
        units = self._units[order.instrument]
        place = order.account, units.quote if order.side is Side.BUY else units.base
        partner = self._lists.partner_of(order)
        together = 0 if partner is None else self._hold_of(partner)
        # A pair holds once.
        amount = (max(self._hold_of(order), together) - together) * sign
        self._available[place] -= amount
        self._held[place] += amount
        self._touched.add(place)

    def _pay(self, account: int, asset: int, amount: int) -> None:
        self._available[account, asset] += amount
        self._touched.add((account, asset))

    def _take_out(self, order: AuditedOrder) -> None:
        order.stands = False
        if order.waits and not order.needed:
            self._waiting.remove(order)
        elif order.beside:
            self._calls[order.instrument].beside.remove(order)
        elif not order.pending and not order.needed and order.is_placed:
            self._queues[order.instrument, order.side].remove(order)
        del self._orders[order.order_id]

    def _open(self, event: Event, *, may_be_renamed: bool = False) -> AuditedOrder:
        order = self._orders.get(event.order_id)
        if order is None:
            raise AuditError("the order is open", event)
        same = (order.account, order.instrument, order.side) == (event.account, event.instrument, event.side)
        _require(same, "an order keeps its account, instrument and side", event)
        keeps_its_name = event.reference == _number(order)
        _require(may_be_renamed or keeps_its_name, "an order keeps its client order id", event)
        return order

    def _meeting(self, event: Event) -> tuple[AuditedOrder, AuditedOrder]:
        """The taker and the maker of a trade or a prevented match."""
        taker = self._taker
        if taker is None or taker.order_id != event.order_id:
            raise AuditError("the taker is the order that came in with this command", event)
        trades = self._calls[event.instrument].state is State.CONTINUOUS and not self._venue_halted
        _require(trades, "orders meet in continuous trading", event)
        queue = self._queues[event.instrument, taker.side.opposite]
        _require(not taker.must_stop, "an order by amount stops where it cannot take the whole maker", event)
        first = queue[0] if queue else None
        if first is not None and event.instrument in self._shared and not first.hidden:
            level = (maker for maker in queue if maker.price == queue[0].price and not maker.hidden)
            first = next((maker for maker in level if maker.order_id == event.counter_order_id), None)
        if first is None or first.order_id != event.counter_order_id:
            raise AuditError("the maker is first by price, then by time", event)
        names = (taker.account, taker.instrument, taker.side, first.account)
        told = (event.account, event.instrument, event.side, event.counter_account)
        _require(names == told, "both orders keep account, instrument and side", event)
        _require(event.price_ticks == first.price, "the price is the maker's", event)
        _require(taker.side.crosses(taker.bound, first.price), "the taker's limit is respected", event)
        _require(not taker.flags & OrderFlags.POST_ONLY, "a post-only order never takes", event)
        _require(not taker.must_be_refused, "an order that fires is refused when its account may not trade", event)
        protected = taker.is_quote and self._quotes.is_triggered(taker)
        _require(not protected, "a quote whose protection was triggered takes nothing more", event)
        if taker.minimum and not taker.met_a_maker:
            _require(self._fills(taker, taker.minimum), "a minimum quantity trades at once or nothing does", event)
        taker.met_a_maker = True
        taker.worst_traded = first.price
        return taker, first

    def _is_own(self, taker: AuditedOrder, maker: AuditedOrder) -> bool:
        group = self._accounts[taker.account].group
        same_group = group != 0 and group == self._accounts[maker.account].group
        return taker.prevention != Prevention.NONE and (taker.account == maker.account or same_group)

    # Order events.

    def _rejected(self, event: Event) -> None:
        _require(known(RejectReason, event.reason), "the reason is known", event)
        if self._half_due or self._half_may_come:
            fine = event.open_lots == CommandKind.PLACE_ORDER
            _require(fine, "the new order of a replacement is refused behind its other half", event)
            self._half_due = self._half_may_come = False
            return
        if event.open_lots != CommandKind.REPLACE_ORDER:
            _require(self._is_first, "a refusal is the only event, but for those of timers", event)
            return
        if self._is_first:
            # Alone it is about both halves.
            self._half_may_come = True
            return
        self._rest(event)
        fine = self._accepted_first
        _require(fine, "of a replacement the half that failed comes behind the one that did not", event)
        self._only_moves_follow = True

    def _accepted(self, event: Event) -> None:
        if self._quotes.announced:
            self._rest(event)
        arriving = self._lists.arriving
        _require(self._taker is None, "one order comes in at a time", event)
        _require(event.order_id == self._orders_accepted + 1, "order ids are consecutive", event)
        _require(event.account < len(self._accounts), "the account is open", event)
        _require(event.instrument < len(self._schedules), "the instrument is listed", event)
        account = self._accounts[event.account]
        state = self._calls[event.instrument].state
        # What stops while a mass quote is under way stops none of it: all of it was checked before.
        stopped_by_itself = bool(self._quotes.announced) and event.instrument in self._must_pause
        open_for_orders = state is State.CONTINUOUS or state.is_call or stopped_by_itself
        halted = self._venue_halted or account.halted or not open_for_orders
        _require(not halted, "nothing is accepted in a halt, or in a state that lets no orders in", event)
        must_trade = not TimeInForce(event.time_in_force).may_rest and not event.order_flags & OrderFlags.CONDITIONS
        _require(not (state.is_call and must_trade), "a call takes no orders that must trade at once", event)
        controls = (event.account, account.group, event.instrument, Side(event.side))
        _require(self._controls.refusal(*controls) is None, "no control is in the way", event)
        _require(account.may_trade, "the account may trade", event)
        rates = FeeRates(_rate(event.open_lots), _rate(event.open_lots >> 32))
        due = resolved_tier(self._tiers, self._schedules[event.instrument], account.tier)
        _require(rates == due, "the rates are those of the account's tier", event)
        self._orders_accepted += 1
        self._replacing = False
        self._accepted_first = self._accepted_first or self._is_first
        order = AuditedOrder(
            order_id=event.order_id,
            account=event.account,
            instrument=event.instrument,
            side=Side(event.side),
            order_type=event.order_type,
            time_in_force=event.time_in_force,
            prevention=event.self_trade_prevention,
            flags=event.order_flags,
            price=event.price_ticks,
            open=event.quantity_lots,
            total=event.quantity_lots,
            unspent=event.amount,
            rates=rates,
            client_order_id=event.reference or None,
        )
        sized = (order.open == 0) == order.by_amount and (order.unspent > 0) == order.by_amount
        waits = arriving is not None and arriving.contingency.has_working_leg and len(arriving.legs) > 0
        # A market order and a fixed peg find theirs when they start.
        may_lack = order.order_type == OrderType.MARKET or bool(event.order_flags & OrderFlags.CONDITIONS)
        has_price = order.price >= 1 or (waits and order.price == 0 and may_lack)
        _require(sized and has_price, "an order has a price, and a quantity or an amount", event)
        self._announced(order, event)
        if arriving is None:
            self._taker = order
        else:
            told = (order.account, order.instrument, order.by_amount)
            _require(told == (arriving.account, arriving.instrument, False), "a leg is of its list", event)
            order.list_id, order.pending = arriving.list_id, waits
            arriving.legs.append(order)
        self._unique_client_id(order, event)
        if event.order_flags & OrderFlags.TEXT_ID:
            self._text_due = order
        if event.order_flags & OrderFlags.CONDITIONS:
            self._conditions_due = order
        else:
            _require(order.time_in_force != TimeInForce.GOOD_TILL_DATE, "good till date has a date", event)
        if order.pending:
            # It is compared, and covered, when it starts.
            worth = 0
        elif event.order_flags & OrderFlags.CONDITIONS:
            # A following peg needs less: what there is of conditions comes first.
            self._cover_due = order
            worth = self._worth(order)
        else:
            self._covered(order, event)
            worth = self._worth(order)
        needed, expiry_ns = self._controls.approvers(order.account, order.instrument, worth)
        # A quote was judged before others of its command made prices.
        if needed and not order.is_quote:
            fine = arriving is None and not order.by_amount
            fine = fine and not TimeInForce(order.time_in_force).is_for_auction
            _require(fine, "an order that needs approval is alone, sized by quantity, and not for an auction", event)
            self._approval_due = (order, needed, expiry_ns)
        if arriving is not None:
            order.pending = True
            self._orders[order.order_id] = order

    def _covered(self, order: AuditedOrder, event: Event) -> None:
        """What the order costs at worst is available."""
        units = self._units[order.instrument]
        if order.side is Side.SELL:
            lots = order.open
            if order.by_amount:
                lots = order.unspent // (order.price * units.quote_quanta_per_tick_lot)
                _require(lots > 0, "an amount comes to a lot at its worst price", event)
            asset, needed = units.base, units.base_quanta(lots)
        elif order.by_amount:
            asset, needed = units.quote, order.unspent
        else:
            asset, notional = units.quote, units.notional(order.price, order.open)
            _require(notional <= AMOUNT_MAX, "a bid's worst value has a bound", event)
            needed = _cover(order, units)
            if order.is_for_auction:
                needed = notional + fee_on(notional, max(order.rates.maker_ppm, 0))
        _require(self._available[order.account, asset] >= needed, "an order is covered at its worst price", event)

    def _check_cover(self, event: Event) -> None:
        """What an order with conditions costs at worst was available."""
        if self._cover_due is not None:
            self._covered(self._cover_due, event)
        self._cover_due = None

    def _unique_client_id(self, order: AuditedOrder, event: Event) -> None:
        if order.client_order_id is not None:
            mine = [other for other in self._orders.values() if other.account == order.account and other is not order]
            used = any(other.client_order_id == order.client_order_id for other in mine)
            _require(not used, "a client order id is unique among the account's open orders", event)

    def _text(self, event: Event) -> None:
        order = self._text_due or self._text_may_come
        if order is None or (order.order_id, order.instrument) != (event.order_id, event.instrument):
            raise AuditError("a client order id that is text follows its order", event)
        _require(1 <= len(event.text) <= 36, "a client order id has 1 to 36 characters", event)
        order.client_order_id = event.text
        self._unique_client_id(order, event)
        self._text_due = None

    def _conditions(self, event: Event) -> None:
        order = self._conditions_due
        if order is None or order.order_id != event.order_id:
            raise AuditError("conditions follow their order", event)
        told = (event.account, event.instrument, event.side)
        _require(told == (order.account, order.instrument, order.side), "conditions are those of their order", event)
        self._conditions_due = None
        if order.waits:
            self._waits_elsewhere(order, event)
            return
        order.learn_conditions(event)
        if not any((order.trigger_kind, order.minimum, order.expire_time_ns)):
            self._display_due = order
        dated = order.time_in_force == TimeInForce.GOOD_TILL_DATE
        _require((order.expire_time_ns > event.time_ns) == dated, "good till date has a date to come", event)
        _require(dated or order.expire_time_ns == 0, "only good till date has a date", event)
        at_once = order.time_in_force == TimeInForce.IMMEDIATE_OR_CANCEL and order.minimum <= order.total
        _require(order.minimum == 0 or at_once, "a minimum is part of what may trade at once", event)
        if order.trigger is not None:
            self._check_cover(event)
        if order.trigger_kind == 0:
            no_trigger = (event.price_ticks, event.time_in_force, event.self_trade_prevention, event.quantity_lots)
            _require(no_trigger == (0, 0, 0, 0), "without a trigger there is nothing to tell of it", event)
            return
        known_codes = known(TriggerKind, order.trigger_kind) and known(PriceSource, order.source)
        has_price = order.pending or (order.trigger or 0) >= 1
        _require(known_codes and has_price, "a trigger has a kind, a source and a price", event)
        stops = order.trail is None or order.trigger_kind == TriggerKind.STOP_LOSS
        _require(stops, "only a stop-loss trails", event)
        plain = not order.flags & (OrderFlags.POST_ONLY | OrderFlags.QUOTE_AMOUNT)
        _require(plain, "an order with a trigger has a quantity and may take", event)
        if order.list_id is not None:
            # It stands, or starts, later.
            return
        _require(not self._waiting.is_there(order), "the price that an order waits for is still to come", event)
        self._taker = None
        self._orders[order.order_id] = order
        self._waiting.add(order)
        self._hold(order, 1)

    def _waits_elsewhere(self, order: AuditedOrder, event: Event) -> None:
        """An amendment moved the trigger price of an order that waits."""
        trail = (0, 0) if order.trail is None else (order.trail.unit, order.trail.size)
        told = (event.order_type, event.time_in_force, (event.self_trade_prevention, event.quantity_lots))
        _require(told == (order.trigger_kind, order.source, trail), "an amendment moves nothing but the price", event)
        kept = (event.open_lots, event.reference) == (order.minimum, order.expire_time_ns)
        _require(kept and event.price_ticks != order.trigger, "conditions are told again when one is new", event)
        order.trigger = event.price_ticks
        _require(order.trigger >= 1, "a trigger has a kind, a source and a price", event)
        _require(not self._waiting.is_there(order), "the price that an order waits for is still to come", event)
        self._waiting.remove(order)
        self._waiting.add(order)

    def _display(self, event: Event) -> None:
        last = self._last
        behind = last is not None and (last.kind, last.order_id) == (EventKind.ORDER_CONDITIONS, event.order_id)
        _require(behind, "how an order shows itself follows its conditions", event)
        order = self._orders.get(event.order_id, self._taker)
        if order is None or order.order_id != event.order_id:
            raise AuditError("how an order shows itself follows its conditions", event)
        told = (event.account, event.instrument, event.side)
        _require(told == (order.account, order.instrument, order.side), "an order keeps what it said", event)
        if order.waits and order.peak:
            # An amendment moved its trigger price: what else it has is told again, and may be above its total by now.
            same = (order.peak, order.peak_range) == (event.quantity_lots, event.open_lots)
            _require(same, "an amendment moves nothing but the price", event)
            return
        order.peak, order.peak_range = event.quantity_lots, event.open_lots
        order.hidden = event.order_type == Display.HIDDEN
        _require(known(Display, event.order_type), "an order is displayed or hidden", event)
        pegged, fixed = event.time_in_force, event.self_trade_prevention
        fine = not order.hidden if order.peak else order.hidden or pegged != 0
        _require(fine, "an order shows peaks, or nothing at all, or is pegged", event)
        _require(pegged == 0 or known(PegKind, pegged), "a peg refers to something that there is", event)
        _require(pegged != 0 or (fixed, event.price_ticks) == (0, 0), "only a peg has an offset", event)
        _require(order.peak + order.peak_range <= order.total, "a peak is part of the order", event)
        _require(order.peak > 0 or order.peak_range == 0, "only peaks have a range", event)
        _require(event.reference == 0 or order.peak_range > 0, "only peaks of different sizes have a seed", event)
        _require(order.order_type == OrderType.LIMIT and order.may_rest, "what is shown by parts can rest", event)
        self._display_due = None
        order.is_fixed = bool(fixed)
        if pegged and not fixed:
            _require(order.list_id is None, "no leg of a list follows a price", event)
            _require(order.trigger is None and order.peak == 0, "a following peg waits for nothing else", event)
            order.follows, order.is_placed, order.limit = True, False, order.price
            self._cover_due = None
            self._taker = None
            self._orders[order.order_id] = order
            self._hold(order, 1)

    def _repriced(self, event: Event) -> None:
        if event.price_ticks:
            # Pegs leave the book at once where it stops trading; else they move when all is done.
            self._rest(event)
        order = self._open(event)
        _require(order.follows, "only a following peg moves", event)
        before = order.price if order.is_placed else 0
        told = (event.open_lots, event.quantity_lots)
        _require(told == (before, order.open), "a move tells the price before and what is open", event)
        _require(event.price_ticks != before, "a peg that stays does not move", event)
        trades = self._calls[event.instrument].state is State.CONTINUOUS
        _require(not (trades and self._venue_halted), "nothing moves in a halt", event)
        _require(trades or event.price_ticks == 0, "pegs stand on the book only where it trades", event)
        if order.is_placed:
            self._queues[order.instrument, order.side].remove(order)
        order.is_placed = event.price_ticks != 0
        order.price = event.price_ticks or order.limit
        _require(order.side.crosses(order.limit, order.price), "a peg is never better than its limit", event)
        if order.is_placed:
            self._stand(order)
        self._moved.add(event.instrument)

    def _refreshed(self, event: Event) -> None:
        if self._peak_due is None:
            # What is left of the taker comes to the book.
            self._rest(event)
        order = self._open(event)
        _require(self._peak_due in (None, order), "an iceberg shows its next peak at once", event)
        unfolded = order.unfolded and self._calls[order.instrument].joined is Phase.NONE
        due = order.shown == 0 or unfolded
        _require(order.peak > 0 and due, "only an iceberg without a peak, or behind a call, shows one", event)
        told = (event.price_ticks, event.open_lots)
        _require(told == (order.price, order.open), "a new peak tells price and open quantity", event)
        least, most = min(order.peak, order.open), min(order.peak + order.peak_range, order.open)
        _require(least <= event.quantity_lots <= most, f"a peak is from {least} to {most}", event)
        order.shown = event.quantity_lots
        self._peak_due = None
        if unfolded:
            order.unfolded = False
            return
        self._queues[order.instrument, order.side].remove(order)
        self._arrivals += 1
        order.arrived = self._arrivals
        self._stand(order)

    def _worth(self, order: AuditedOrder) -> int:
        """What an order is worth with all that its owner has open on its side."""
        units, bids = self._units[order.instrument], self._queues[order.instrument, Side.BUY]
        least = 0
        if order.side is Side.SELL:
            reference = self._references.get(order.instrument) or self._last_prices.get(order.instrument, 0)
            least = max(reference, bids[0].price if bids else 0)
        group = self._accounts[order.account].group
        owners = {n for n, account in enumerate(self._accounts) if group and account.group == group} | {order.account}
        arriving = self._lists.arriving
        beside = [order] if arriving is None else [order, *arriving.legs]
        others = (other for other in self._orders.values() if other not in beside and other.account in owners)
        same = [other for other in others if (other.instrument, other.side) == (order.instrument, order.side)]
        own = order.unspent if order.by_amount else 0
        return own + sum(units.notional(max(each.price, least), each.open) for each in (order, *same))

    def _approval_required(self, event: Event) -> None:
        due = self._approval_due
        if due is None or due[0].order_id != event.order_id:
            raise AuditError("only an order above a band waits for approval", event)
        order, needed, expiry_ns = due
        order.needed = needed
        order.hash_words = (event.amount, event.counter_amount)
        _require(order.hash_words != (0, 0), "an order has a hash", event)
        order.deadline_ns = event.time_ns + expiry_ns
        if order.expire_time_ns:
            order.deadline_ns = min(order.deadline_ns, order.expire_time_ns)
        self._approval_step(order, event)
        self._approval_due = None
        if order.waits:
            self._waiting.remove(order)
        else:
            self._taker = None
            self._orders[order.order_id] = order
            self._hold(order, 1)

    def _approval_step(self, order: AuditedOrder, event: Event) -> None:
        told = (event.account, event.instrument, event.side, event.price_ticks, event.quantity_lots)
        kept = (order.account, order.instrument, order.side, order.price, order.open)
        _require(told == kept, "an order keeps what it said", event)
        words = (event.amount, event.counter_amount)
        _require(words == order.hash_words, "the hash is that of the order", event)
        steps = (event.order_type, event.time_in_force, event.reference)
        due = (order.needed, len(order.approvers), order.deadline_ns)
        _require(steps == due, f"needed, given and deadline are {due}", event)

    def _approver(self, event: Event) -> AuditedOrder:
        order = self._orders.get(event.order_id)
        if order is None or not order.needed:
            raise AuditError("only an order that waits for approval has approvers", event)
        _require(self._is_first, "a word about an order is its command's first event", event)
        owner, approver = self._accounts[order.account], self._accounts[event.counter_account]
        together = event.counter_account == order.account or (owner.group != 0 and owner.group == approver.group)
        _require(not together, "nobody approves for himself", event)
        _require(bool(approver.permissions & Permissions.APPROVE), "the account may approve", event)
        return order

    def _approved(self, event: Event) -> None:
        order = self._approver(event)
        approver = self._accounts[event.counter_account]
        killed = self._controls.is_killed(event.counter_account, approver.group)
        trades = self._calls[event.instrument].state is State.CONTINUOUS
        halted = self._venue_halted or not trades or approver.halted
        _require(not halted and not killed, "nobody approves in a halt", event)
        _require(event.counter_account not in order.approvers, "each approves once", event)
        order.approvers.append(event.counter_account)
        self._approval_step(order, event)
        if len(order.approvers) == order.needed:
            _require(not event.has(EventFlags.LAST), "an order with all its approvals is released", event)

    def _declined(self, event: Event) -> None:
        self._approval_step(self._approver(event), event)
        _require(not event.has(EventFlags.LAST), "an order that is declined is cancelled", event)

    def _order_released(self, event: Event) -> None:
        order = self._open(event)
        last = self._last
        approved = last is not None and (last.kind, last.order_id) == (EventKind.ORDER_APPROVED, order.order_id)
        _require(approved and len(order.approvers) == order.needed > 0, "all approvals release an order", event)
        told = (event.price_ticks, event.quantity_lots)
        _require(told == (order.price, order.open), "an order keeps what it said", event)
        self._hold(order, -1)
        del self._orders[order.order_id]
        order.needed = 0
        account = self._accounts[order.account]
        controlled = self._controls.refusal(order.account, account.group, order.instrument, order.side) is not None
        order.must_be_refused = account.halted or not account.may_trade or controlled
        if order.waits:
            self._released = order
            return
        order.come_to_market()
        self._taker = order

    def _go_on(self, event: Event | None) -> None:
        """A released order that nothing refuses waits for its trigger."""
        order, self._released = self._released, None
        if order is None:
            return
        if event is not None and event.kind is EventKind.ORDER_EXPIRED and event.order_id == order.order_id:
            order.trigger = None
            self._taker = order
            return
        last = self._last if event is None else event
        assert last is not None, "Invariant: a release is an event"
        _require(not order.must_be_refused, "an order is refused when its account may not trade", last)
        _require(not self._waiting.is_there(order), "the price that an order waits for is still to come", last)
        self._orders[order.order_id] = order
        self._waiting.add(order)
        self._hold(order, 1)

    def _triggered(self, event: Event) -> None:
        self._rest(event)
        _require(bool(self._waiting.line), "only what a price reached comes to the market", event)
        order, price = self._waiting.line.pop(0)
        if isinstance(order, AuditedList):
            raise AuditError(f"they come in the order of the line: list {order.list_id} first", event)
        _require(event.order_id == order.order_id, f"they come in the order of the line: {order.order_id} first", event)
        _require(order.list_id is None, "a leg of a pair comes to the market alone", event)
        told = (event.account, event.instrument, event.side, event.reference)
        kept = (order.account, order.instrument, order.side, _number(order))
        _require(told == kept, "an order keeps what it said", event)
        trigger = (event.time_in_force, event.price_ticks, event.quantity_lots, event.open_lots)
        due = (order.source, order.trigger, order.open, price)
        _require(trigger == due, f"source, trigger, open quantity and price are {due}", event)
        self._hold(order, -1)
        del self._orders[order.order_id]
        order.stands = False
        order.come_to_market()
        account = self._accounts[order.account]
        controlled = self._controls.refusal(order.account, account.group, order.instrument, order.side) is not None
        order.must_be_refused = account.halted or not account.may_trade or controlled
        self._taker = order

    def _traded(self, event: Event) -> None:
        self._traded_on = event.instrument
        if event.has(EventFlags.AUCTION):
            self._auctioned(event)
            return
        taker, maker = self._meeting(event)
        _require(not self._is_own(taker, maker), "nobody trades with himself, unless he asked for it", event)
        tied = self._lists.list_of(maker)
        _require(tied is None or not tied.is_pair, "a leg of a pair trades alone", event)
        self._trades[event.instrument] += 1
        _require(event.reference == self._trades[event.instrument], "trade ids are consecutive", event)
        lots, units = event.quantity_lots, self._units[event.instrument]
        notional = units.notional(maker.price, lots)
        taker_fee = fee_of_fill(taker.taker_notional, notional, taker.rates.taker_ppm)
        maker_fee = fee_of_fill(maker.maker_notional, notional, maker.rates.maker_ppm)
        fees_fit = (event.amount, event.counter_amount) == (taker_fee, maker_fee)
        _require(fees_fit, f"fees are rounded on the cumulative notional: {taker_fee=} {maker_fee=}", event)
        if taker.by_amount:
            _require(0 < lots <= maker.displayed, "a trade is not larger than what the maker shows", event)
            taker.unspent -= notional + (taker_fee if taker.side is Side.BUY else 0)
            _require(taker.unspent >= 0, "no more than the amount is spent", event)
            taker.must_stop = lots < maker.displayed and (event.instrument not in self._shared or maker.hidden)
        else:
            smaller = min(taker.open, maker.displayed)
            shares = event.instrument in self._shared and not maker.hidden
            fits = lots == smaller or (0 < lots < smaller and shares)
            _require(fits, "a trade takes the smaller open quantity", event)
            taker.open -= lots
        self._hold(maker, -1)
        maker.open -= lots
        maker.shown = max(maker.shown - lots, 0)
        if maker.peak and maker.open and not maker.shown:
            self._peak_due = maker
        maker.maker_notional += notional
        taker.taker_notional += notional
        self._hold(maker, 1)
        self._deliver(taker, maker, lots, notional)
        self._pay(taker.account, units.quote, -taker_fee)
        self._pay(maker.account, units.quote, -maker_fee)
        self._pay(FEE_ACCOUNT, units.quote, taker_fee + maker_fee)
        _require(event.open_lots == taker.open, "open_lots is what the taker has left", event)
        done = taker.unspent == 0 if taker.by_amount else taker.open == 0
        self._close_both(event, maker, done)
        self._last_prices[event.instrument] = event.price_ticks
        for order in (maker, taker):
            self._quotes.count(order, lots, event.time_ns)
        self._waiting.see(event.instrument, PriceSource.LAST, event.price_ticks, halted=False)
        if done:
            self._working_leg_filled(taker)

    def _working_leg_filled(self, order: AuditedOrder) -> None:
        """The other legs of its list join the line."""
        tied = self._lists.list_of(order)
        if tied is not None:
            tied.legs.remove(order)
            order.list_id = None
            self._waiting.line.append((tied, 0))

    def _deliver(self, taker: AuditedOrder, maker: AuditedOrder, lots: int, notional: int) -> None:
        units = self._units[taker.instrument]
        bid, ask = (taker, maker) if taker.side is Side.BUY else (maker, taker)
        self._pay(bid.account, units.quote, -notional)
        self._pay(ask.account, units.quote, notional)
        self._pay(ask.account, units.base, -units.base_quanta(lots))
        self._pay(bid.account, units.base, units.base_quanta(lots))

    def _close_both(self, event: Event, maker: AuditedOrder, taker_done: bool) -> None:
        _require(event.has(EventFlags.TAKER_DONE) == taker_done, "TAKER_DONE marks a closed taker", event)
        _require(event.has(EventFlags.MAKER_DONE) == (maker.open == 0), "MAKER_DONE marks a closed maker", event)
        if taker_done:
            self._taker = None
        if maker.open == 0:
            self._take_out(maker)
            if event.kind is EventKind.TRADE:
                self._working_leg_filled(maker)

    def _match_prevented(self, event: Event) -> None:
        taker, maker = self._meeting(event)
        _require(self._is_own(taker, maker), "prevention is for orders of one owner", event)
        self._prevented[event.instrument] += 1
        _require(event.reference == self._prevented[event.instrument], "prevented matches are consecutive", event)
        moves = taker.prevention == maker.prevention == Prevention.TRANSFER and taker.account != maker.account
        decrements = taker.prevention == Prevention.TRANSFER and not moves
        mode = Prevention.DECREMENT if decrements else Prevention(taker.prevention)
        _require(event.self_trade_prevention == mode, f"the taker's mode decides: {mode=}", event)
        ends = mode in (Prevention.EXPIRE_TAKER, Prevention.EXPIRE_BOTH)
        shrinks = mode in (Prevention.DECREMENT, Prevention.TRANSFER)
        smaller = min(taker.open, maker.open)
        taker_loses = taker.open if ends else smaller if shrinks else 0
        maker_loses = smaller if shrinks else 0 if mode is Prevention.EXPIRE_TAKER else maker.open
        losses = (event.quantity_lots, event.open_lots)
        _require(losses == (taker_loses, maker_loses), f"{mode.name} takes {taker_loses} and {maker_loses}", event)
        _require(event.has(EventFlags.TRANSFERRED) == moves, "a transfer is between two accounts", event)
        free = (not taker_loses or taker.list_id is None) and (not maker_loses or maker.list_id is None)
        _require(free, "who loses quantity is tied to nobody", event)
        self._hold(maker, -1)
        maker.open -= maker_loses
        maker.shown = min(maker.shown, maker.open)
        taker.open -= taker_loses
        self._hold(maker, 1)
        amount = taker.unspent if ends else 0
        if moves:
            amount = self._units[event.instrument].notional(maker.price, maker_loses)
            self._deliver(taker, maker, maker_loses, amount)
        _require(event.amount == amount, f"the amount is what moved or was not spent: {amount=}", event)
        self._close_both(event, maker, ends or (not taker.by_amount and taker.open == 0))

    def _cancelled(self, event: Event) -> None:
        order = self._open(event)
        by_lists = (CloseReason.OTHER_LEG_EXECUTED, CloseReason.LIST_CLOSED)
        reasons = (
            CloseReason.CANCELLED_BY_OWNER,
            CloseReason.CANCELLED_ALL,
            CloseReason.REPLACED,
            CloseReason.DECLINED,
            CloseReason.NOT_REPLACED,
            CloseReason.SESSION_ENDED,
            *OF_QUOTES,
            *BY_CONTROL,
            *by_lists,
        )
        expired = event.reason == CloseReason.INSTRUMENT_EXPIRED
        _require(event.reason in reasons or expired, "a cancel has a reason of its own", event)
        has_ended = self._calls[event.instrument].state is State.EXPIRED
        _require(expired == has_ended, "the orders of an instrument go when it expires", event)
        is_tied = order.list_id is not None
        _require(is_tied or event.reason not in by_lists, "only a leg of a list is cancelled because of it", event)
        _require(not is_tied or event.reason != CloseReason.REPLACED, "a leg of a list is not replaced", event)
        told = (event.price_ticks, event.quantity_lots, event.amount)
        _require(told == (order.price, order.open, 0), "a cancel tells price and open quantity", event)
        if event.reason == CloseReason.DECLINED:
            last = self._last
            declined = last is not None and (last.kind, last.order_id) == (EventKind.APPROVAL_DECLINED, event.order_id)
            _require(declined, "an order is declined by somebody", event)
        if event.reason == CloseReason.QUOTE_REPLACED:
            changes = self._quotes.changes
            _require(bool(changes) and changes.pop(0) == (order, 0), "a mass quote takes what it replaces", event)
        elif event.reason == CloseReason.QUOTE_PROTECTION:
            self._taken_by_protection(order, event)
        elif event.reason not in by_lists and self._lists.ending is None:
            _require(self._last_cancelled < event.order_id, "a cancel-all goes by order id", event)
            self._last_cancelled = event.order_id
        due = self._controls.due
        of_session = self._controls.session_reason is not None and event.reason not in by_lists
        if of_session or event.reason == CloseReason.SESSION_ENDED:
            _require(event.reason == self._controls.session_reason, "a session takes what came by it", event)
        elif event.reason in BY_CONTROL:
            _require(bool(due) and due.pop(0) is order, "a control takes what it forbids, by order id", event)
        elif order in due:
            # It went with its list.
            due.remove(order)
        self._replacing = event.reason == CloseReason.REPLACED
        self._half_due = event.reason == CloseReason.NOT_REPLACED
        self._hold(order, -1)
        self._take_out(order)
        self._lists.leave(order, event, by_timer=False)

    def _timer(self, event: Event) -> None:
        """An order expires by date."""
        # One that a timer before it brought to the market has found its place.
        self._rest(event)
        order = self._open(event)
        _require(self._in_timers, "timers fire before anything else", event)
        dated = [other for other in self._orders.values() if other.due_ns]
        first = min(dated, key=lambda other: (other.due_ns, other.order_id), default=None)
        is_own_time = order.due_ns == order.expire_time_ns
        _require(is_own_time == (event.reason == CloseReason.GOOD_TILL_DATE), "a timer tells whose time it was", event)
        _require(order is first and order.due_ns <= event.time_ns, "timers fire by time and order id", event)
        told = (event.price_ticks, event.quantity_lots, event.amount)
        _require(told == (order.price, order.open, 0), "the rest expires", event)
        self._hold(order, -1)
        self._take_out(order)
        self._lists.leave(order, event, by_timer=True)

    def _expired(self, event: Event) -> None:
        if event.reason in BY_TIME:
            self._timer(event)
            return
        if event.reason == CloseReason.REFUSED_AT_START:
            self._refused_at_start(event)
            return
        if event.reason == CloseReason.OUTSIDE_COLLAR:
            self._crossed(event)
            return
        if event.reason in (CloseReason.DAY_ENDED, CloseReason.AUCTION_ENDED):
            self._ended(event)
            return
        order = self._taker
        if order is None or order.order_id != event.order_id:
            raise AuditError("only the order that came in with this command expires", event)
        refused = event.reason in (CloseReason.REFUSED_AT_TRIGGER, CloseReason.REFUSED_AT_RELEASE)
        if order.limit_is_untold and not refused:
            self._limit_told(order, event)
        told = (event.account, event.instrument, event.side, event.price_ticks, event.reference)
        kept = (order.account, order.instrument, order.side, order.price, _number(order))
        _require(told == kept, "an order keeps what it said", event)
        _require((event.quantity_lots, event.amount) == (order.open, order.unspent), "the rest expires", event)
        _require(refused or not order.must_be_refused, "an order fires in vain when its account may not trade", event)
        if event.reason == CloseReason.QUOTE_PROTECTION:
            protected = order.is_quote and self._quotes.is_triggered(order)
            _require(protected, "a quote expires when its protection was triggered", event)
            self._taker = None
            return
        blocked = next(self._crossing(order), None) is None
        _require(known(CloseReason, event.reason), "the reason is known", event)
        reason = CloseReason(event.reason)
        if reason is CloseReason.FILL_OR_KILL:
            kills = order.time_in_force == TimeInForce.FILL_OR_KILL and not order.met_a_maker
            fills = self._fills(order, order.open)
            # How far a breaker lets an order reach, the auditor does not know.
            guarded = order.instrument in self._guarded
            _require(kills and (guarded or not fills), "fill or kill expires whole, when it cannot fill", event)
        elif reason is CloseReason.MINIMUM_QUANTITY:
            fills = order.instrument not in self._guarded and self._fills(order, order.minimum)
            misses = order.minimum > 0 and not order.met_a_maker and not fills
            _require(misses, "a minimum quantity expires whole, when there is less", event)
        elif reason is CloseReason.REFUSED_AT_RELEASE:
            self._refused_at_release(order, event)
        elif refused:
            self._refused_at_trigger(order, event)
        elif reason is CloseReason.TRADING_STOPPED:
            stopped = self._calls[order.instrument].state is not State.CONTINUOUS and not order.may_rest
            _require(stopped, "an order that may not rest expires when trading has stopped", event)
        elif order.minimum > 0 and not order.met_a_maker:
            raise AuditError("an order that finds less than its minimum expires because of that", event)
        elif reason is CloseReason.IMMEDIATE_OR_CANCEL:
            is_limit = order.order_type == OrderType.LIMIT and order.time_in_force == TimeInForce.IMMEDIATE_OR_CANCEL
            _require(is_limit and blocked, "immediate or cancel takes what there is first", event)
        elif reason is CloseReason.NO_LIQUIDITY:
            is_market = order.order_type == OrderType.MARKET
            _require(is_market and blocked, "a market order takes what there is first", event)
        else:
            # What it could not pay may have gone since, with the quotes that its last trade took away.
            spent = reason is CloseReason.QUOTE_AMOUNT_SPENT and order.by_amount
            _require(
                spent and (not blocked or order.lost_a_quote) and order.unspent > 0,
                "an amount is spent when the next lot costs more",
                event,
            )
        self._taker = None
        self._lists.leave(order, event, by_timer=False)

    def _limit_told(self, order: AuditedOrder, event: Event) -> None:
        """A market order that waited tells by its end what its limit was."""
        limit = event.price_ticks
        capped = 1 <= limit <= order.price if order.side is Side.BUY else limit >= 1
        _require(capped, "a bid's limit is not above the price that is held for", event)
        kept_to = order.worst_traded is None or order.side.crosses(limit, order.worst_traded)
        _require(kept_to, "the taker's limit is respected", event)
        order.price, order.limit_is_untold = limit, False

    def _refused_at_release(self, order: AuditedOrder, event: Event) -> None:
        last = self._last
        released = last is not None and (last.kind, last.order_id) == (EventKind.ORDER_RELEASED, order.order_id)
        _require(released, "only an order that has just been released is refused", event)
        account = self._accounts[order.account]
        due = self._controls.refusal(order.account, account.group, order.instrument, order.side)
        if account.halted:
            due = RejectReason.ACCOUNT_HALTED
        elif not account.may_trade:
            due = RejectReason.ACCOUNT_NOT_PERMITTED
        _require(due is None or event.open_lots == due, f"it is refused because of {due}", event)
        _require(due is not None or event.open_lots in AT_RELEASE, "the reason is one of its checks", event)

    def _refused_at_trigger(self, order: AuditedOrder, event: Event) -> None:
        last = self._last
        fired = last is not None and last.kind is EventKind.ORDER_TRIGGERED and last.order_id == order.order_id
        _require(fired, "only an order that has just fired is refused", event)
        account = self._accounts[order.account]
        by_price = RejectReason.PRICE_OUTSIDE_BAND
        if order.order_type == OrderType.MARKET:
            by_price = RejectReason.NO_REFERENCE_PRICE
        due = by_price
        if account.halted:
            due = RejectReason.ACCOUNT_HALTED
        elif not account.may_trade:
            due = RejectReason.ACCOUNT_NOT_PERMITTED
        else:
            due = self._controls.refusal(order.account, account.group, order.instrument, order.side) or by_price
        _require(event.open_lots == due, f"it is refused because of {due.name}", event)

    def _fills(self, order: AuditedOrder, lots: int) -> bool:
        """Whether so much could trade at once: at each price what is shown, then what stands behind that."""
        quantity = 0
        closes = order.prevention in (Prevention.EXPIRE_TAKER, Prevention.EXPIRE_BOTH)
        makers = list(self._crossing(order))
        for price in sorted({maker.price for maker in makers}, reverse=order.side is Side.SELL):
            level = [maker for maker in makers if maker.price == price]
            own = [maker for maker in level if self._is_own(order, maker)]
            seen = [maker for maker in level if not maker.hidden]
            if closes and order.instrument in self._shared and any(maker in own for maker in seen):
                return False
            for maker in [*seen, None, *(maker for maker in level if maker.hidden)]:
                if maker is None:
                    # Behind all that is displayed come the reserves of it.
                    quantity += sum(other.open - other.displayed for other in seen if other not in own)
                elif maker not in own:
                    quantity += maker.displayed
                elif closes:
                    return False
                if quantity >= lots:
                    return True
        return False

    def _amended(self, event: Event) -> None:
        order = self._open(event, may_be_renamed=True)
        _require(not order.beside, "an order that waits for its auction is not amended", event)
        _require(order.list_id is None, "a leg of a list is not amended", event)
        group = self._accounts[order.account].group
        refusal = self._controls.refusal(order.account, group, order.instrument, order.side)
        _require(refusal is None, "no control is in the way", event)
        _require(order.needed == 0, "an order that waits for approval is not amended", event)
        if order.is_quote:
            change = (order, event.open_lots)
            fine = bool(self._quotes.changes) and self._quotes.changes.pop(0) == change
            _require(fine, "a quote is amended by another mass quote only", event)
        kept = event.has(EventFlags.KEPT_PRIORITY)
        reduces = event.price_ticks == order.price and event.quantity_lots <= order.total
        _require(kept == reduces or order.waits, "only a reduction keeps its place", event)
        open_lots = order.open + event.quantity_lots - order.total
        _require(event.open_lots == open_lots > 0, "the new total less what is done is open", event)
        self._renamed(order, event)
        self._hold(order, -1)
        if not kept and not order.waits:
            self._take_out(order)
            self._taker = order
            order.met_a_maker = False
        if order.waits:
            fine = not kept or order.order_type == OrderType.LIMIT or event.price_ticks == order.price
            _require(fine, "a market order's limit follows its trigger price", event)
            self._conditions_due = None if kept else order
        order.price, order.total, order.open = event.price_ticks, event.quantity_lots, event.open_lots
        order.shown = min(order.shown, order.open) if kept else 0
        if kept or order.waits:
            self._hold(order, 1)
        else:
            self._covered(order, event)
            needed, _ = self._controls.approvers(order.account, order.instrument, self._worth(order))
            _require(needed == 0, "an amendment does not pass a band", event)

    def _renamed(self, order: AuditedOrder, event: Event) -> None:
        """An amendment may give an order another client order id."""
        if event.reference not in (0, order.client_order_id):
            order.client_order_id = event.reference
            self._unique_client_id(order, event)
        elif event.reference == 0 and isinstance(order.client_order_id, int):
            self._text_due = order
        elif event.reference == 0:
            self._text_may_come = order

    # Quotes.

    def _check_quotes(self, event: Event) -> None:
        """What must come next because of what quotes did."""
        quotes, in_auction = self._quotes, any(call.traded for call in self._calls.values() if call.joined)
        if quotes.changes:
            changes = event.kind is EventKind.ORDER_AMENDED or event.reason == CloseReason.QUOTE_REPLACED
            _require(changes or event.kind is EventKind.QUOTE_ACCEPTED, "first goes what a mass quote replaces", event)
        if quotes.due:
            goes = event.kind is EventKind.ORDER_CANCELLED and event.reason == CloseReason.QUOTE_PROTECTION
            _require(goes, "a protection takes the quotes of its instrument at once", event)
        elif quotes.reached and not in_auction:
            tells = event.kind is EventKind.QUOTE_PROTECTION_TRIGGERED or self._peak_due is not None
            _require(tells, "a protection is triggered right behind the trade", event)

    def _quote(self, account: int, instrument: int, side: Side) -> AuditedOrder | None:
        own = quotes_of(self._orders.values(), account)
        here = [order for order in own if (order.instrument, order.side) == (instrument, side)]
        assert len(here) <= 1, "Invariant: an account has one quote on each side"
        return here[0] if here else None

    def _quoted(self, event: Event) -> None:
        behind = self._last is not None and self._last.kind is EventKind.QUOTE_ACCEPTED
        _require(self._is_first or behind, "a mass quote tells of its entries first", event)
        ask_price = signed(event.reference)
        both = event.quantity_lots > 0 and event.open_lots > 0
        _require(not both or event.price_ticks < ask_price, "the bid of a quote is below its ask", event)
        for side, order_id, price, lots in (
            (Side.BUY, event.order_id, event.price_ticks, event.quantity_lots),
            (Side.SELL, event.counter_order_id, ask_price, event.open_lots),
        ):
            now = self._quote(event.account, event.instrument, side)
            keeps = now is not None and now.price == price and 0 < lots <= now.open
            if now is not None and keeps:
                _require(order_id == now.order_id, "a quote that is no better keeps its place", event)
                if lots < now.open:
                    self._quotes.changes.append((now, lots))
                continue
            if now is not None:
                self._quotes.changes.append((now, 0))
            if lots == 0:
                _require((order_id, price) == (0, 0), "a side that is withdrawn has no order", event)
                continue
            following = self._orders_accepted + len(self._quotes.announced) + 1
            _require(order_id == following, "the orders of a mass quote have the next ids", event)
            self._quotes.announced.append((order_id, event.instrument, side, price, lots))

    def _announced(self, order: AuditedOrder, event: Event) -> None:
        """A quote comes as it was announced, when what it replaces and what protections take is gone."""
        quotes = self._quotes
        _require(
            order.is_quote == bool(quotes.announced), "quotes come in by mass quotes, and nothing else does", event
        )
        if not order.is_quote:
            return
        told = (order.order_id, order.instrument, order.side, order.price, order.open)
        _require(told == quotes.announced.pop(0), "a quote comes as it was announced", event)
        _require(not quotes.changes, "first goes what a mass quote replaces", event)
        left = any(quotes_of(self._orders.values(), account) for account in quotes.elsewhere)
        _require(not left, "first go the quotes whose protection was triggered", event)
        quotes.elsewhere.clear()
        one = self._quote(order.account, order.instrument, order.side) is None
        _require(one, "an account has one quote on each side", event)

    def _protected(self, event: Event) -> None:
        quotes, scope = self._quotes, (event.account, event.instrument)
        fine = bool(quotes.reached) and quotes.reached.pop(0) == (scope, event.order_id)
        _require(fine, "a protection is triggered when its bound is reached", event)
        protection = quotes.protections[scope]
        has_lots = 0 < protection.lots_max <= protection.lots
        told = (event.order_type, event.quantity_lots, event.open_lots, event.reference)
        due = (1 if has_lots else 2, protection.lots, protection.fills, protection.until_ns)
        _require(told == due, f"kind of the bound, lots, fills and end of the window are {due}", event)
        own = quotes_of(self._orders.values(), event.account)
        quotes.due = [order for order in own if order.instrument == self._traded_on]
        if event.instrument == ANY:
            quotes.elsewhere.add(event.account)

    def _taken_by_protection(self, order: AuditedOrder, event: Event) -> None:
        quotes = self._quotes
        if quotes.due:
            _require(quotes.due.pop(0) is order, "a protection takes quotes by order id", event)
            taker = self._taker
            if taker is not None and (taker.instrument, taker.side) == (order.instrument, order.side.opposite):
                taker.lost_a_quote = True
            return
        # Those on other instruments, when all is done.
        self._rest(event)
        _require(not self._waiting.line, "quotes elsewhere go when the line is worked off", event)
        left = [account for account in sorted(quotes.elsewhere) if quotes_of(self._orders.values(), account)]
        first = quotes_of(self._orders.values(), left[0])[0] if left else None
        _require(order is first, "quotes elsewhere go by account, then by order id", event)

    def _nothing_of_quotes(self, event: Event) -> None:
        quotes = self._quotes
        _require(not quotes.changes and not quotes.announced, "a mass quote does what it announced", event)
        _require(not quotes.due and not quotes.reached, "protections do their part", event)
        left = any(quotes_of(self._orders.values(), account) for account in quotes.elsewhere)
        _require(not left, "protections take the quotes elsewhere too", event)
        quotes.elsewhere.clear()

    # Lists.

    def _list_accepted(self, event: Event) -> None:
        _require(self._is_first, "a list comes first, but for timers", event)
        self._lists.accept(event)
        self._list_text_due = bool(event.order_flags & OrderFlags.TEXT_ID)

    def _list_text(self, event: Event) -> None:
        _require(1 <= len(event.text) <= 36, "a client id has 1 to 36 characters", event)
        self._list_text_due = False
        self._lists.name(event)

    def _arrived(self, arrived: AuditedList) -> None:
        """All legs of a list are told: those come in that wait for nobody."""
        self._lists.arriving, arrived.is_arriving = None, False
        self._lists.lists[arrived.list_id] = arrived
        if arrived.contingency.has_working_leg:
            self._come_in(arrived.legs[0])
        elif not self._meets(arrived.legs[0]):
            self._stand_or_wait(arrived.legs)

    def _come_in(self, order: AuditedOrder) -> None:
        del self._orders[order.order_id]
        order.pending = False
        self._taker = order

    def _meets(self, order: AuditedOrder) -> bool:
        """Whether the first leg of a pair meets somebody: then it comes in alone, when the other one is cancelled."""
        return order.trigger_kind == 0 and next(self._crossing(order), None) is not None

    def _stand_or_wait(self, legs: list[AuditedOrder]) -> None:
        for order in legs:
            order.pending = False
            self._arrivals += 1
            order.arrived = self._arrivals
            if order.trigger_kind:
                if order.trigger is None:
                    order.trigger = order.given_trigger
                self._waiting.add(order)
            else:
                self._stand(order)
            self._hold(order, 1)
            order.stands = True

    def _list_updated(self, event: Event) -> None:
        order = self._orders.get(event.order_id)
        if order is None or order.list_id != event.reference or not order.pending:
            raise AuditError("who starts waited for another order of its list", event)
        tied = self._lists.lists[event.reference]
        if self._lists.starting is None:
            self._rest(event)
            self._next_in_line(tied, event)
            self._lists.starting = tied
        _require(self._lists.starting is tied, "the legs of one list start together", event)
        told = (event.account, event.instrument, event.side, event.quantity_lots)
        kept = (order.account, order.instrument, order.side, order.open)
        _require(told == kept, "an order keeps what it said", event)
        is_priced_now = order.order_type == OrderType.MARKET or order.is_fixed
        _require(event.price_ticks == order.price or is_priced_now, "a limit order keeps its limit", event)
        due = order.given_trigger
        if order.trail is not None and not due:
            due = order.trail.trigger_ticks(order.side, self._waiting.price(order) or 0)
        _require(event.open_lots == due, f"its first trigger price is {due}", event)
        order.price = event.price_ticks
        _require(order.price >= 1, "an order has a price", event)
        account = self._accounts[order.account]
        _require(account.may_trade and not account.halted, "the account may trade", event)
        self._covered(order, event)
        if due:
            order.given_trigger = due

    def _next_in_line(self, tied: AuditedList, event: Event) -> None:
        is_next = bool(self._waiting.line) and self._waiting.line[0][0] is tied
        _require(is_next, "they come in the order of the line", event)
        self._waiting.line.pop(0)

    def _pair_started(self, tied: AuditedList, event: Event) -> None:
        """Both legs of a pair are told to start."""
        self._lists.starting = None
        _require(len(tied.legs) == 2, "a single leg's list is done when it starts", event)
        if not self._meets(tied.legs[0]):
            self._stand_or_wait(tied.legs)

    def _list_done(self, event: Event) -> None:
        started = self._lists.starting
        alone = self._lists.done(event)
        if alone is None or not alone.pending:
            return
        # It starts, or comes in because its pair meets somebody.
        self._lists.must_act.discard(alone.order_id)
        if alone.trigger_kind:
            _require(started is not None, "only a leg that starts waits then", event)
            self._stand_or_wait([alone])
        else:
            self._come_in(alone)

    def _refused_at_start(self, event: Event) -> None:
        self._rest(event)
        order = self._open(event)
        tied = self._lists.list_of(order)
        _require(tied is not None and order.pending, "only who waits for another order is refused then", event)
        assert tied is not None
        self._next_in_line(tied, event)
        _require(known(RejectReason, event.open_lots), "the reason is known", event)
        _require((event.price_ticks, event.quantity_lots) == (order.price, order.open), "the rest expires", event)
        self._take_out(order)
        self._lists.leave(order, event, by_timer=False)

    # States and auctions.

    def _state_changed(self, event: Event) -> None:
        if Cause(event.reason) is not Cause.BREAKER:
            self._rest(event)
        call = self._calls[event.instrument]
        old, to, phase = State(event.self_trade_prevention), State(event.order_type), Phase(event.time_in_force)
        _require(old is call.state, f"the state was {call.state.name}", event)
        cause = Cause(event.reason)
        same = cause is Cause.EXTENDED or (cause is Cause.MARKET_WIDE and old in (State.HALTED, State.PAUSED))
        _require((old is to) == same or (same and to is State.PAUSED), "a state changes, or goes on", event)
        if old is State.HALTED and cause is Cause.MARKET_WIDE:
            call.before_halt = State.PAUSED
        if old is to:
            return
        _require(old is not State.EXPIRED, "what expired stays so", event)
        auctioned = (old.is_call and to is State.CONTINUOUS) or (old is State.AUCTION and to is State.CLOSED)
        told = self._last is not None and call.joined is Phase.NONE
        _require(told or not auctioned, "a call ends by an auction", event)
        if old is State.HALTED and cause is Cause.RESUME:
            _require(to is call.before_halt, "a resumed instrument is what it was", event)
        reopens = to is State.CONTINUOUS and not old.is_call
        _require(not reopens or cause is Cause.RESUME, "what stopped starts again by a call", event)
        goes_on = to in (State.HALTED, State.PAUSED, State.EXPIRED) or (to.is_call and phase is call.joined)
        if call.joined is not Phase.NONE and not goes_on:
            for side in Side:
                queue = self._queues[event.instrument, side]
                for order in [order for order in queue if call.joins(order)]:
                    queue.remove(order)
                    order.beside = True
                    call.beside.append(order)
            call.joined = Phase.NONE
        call.before_halt = old if to is State.HALTED else None
        call.state = to
        if to is State.AUCTION:
            call.told = (0, 0, 0)
        if to.is_call and call.joined is not phase:
            call.joined = phase
            for side in Side:
                for order in self._queues[event.instrument, side]:
                    order.unfolded, order.shown = True, order.open
            for order in sorted(call.beside, key=lambda order: order.arrived):
                if call.joins(order):
                    self._arrivals += 1
                    order.arrived = self._arrivals
                    if order.order_type == OrderType.LIMIT:
                        call.beside.remove(order)
                        order.beside = False
                        self._stand(order)
        if call.traded:
            price = call.traded[0][0]
            call.traded.clear()
            halted = self._venue_halted or to is not State.CONTINUOUS
            self._waiting.see(event.instrument, PriceSource.LAST, price, halted=halted)

    def _tripped(self, event: Event) -> None:
        """A trade that does not happen: its taker is at hand, somebody stands at the price, the instrument pauses."""
        taker = self._taker
        if taker is None or (taker.order_id, taker.account, taker.side) != (event.order_id, event.account, event.side):
            raise AuditError("a breaker stops the order that takes", event)
        _require(event.order_type in (1, 2), "it is the dynamic breaker or velocity", event)
        prices = [maker.price for maker in self._crossing(taker) if not self._is_own(taker, maker)]
        _require(event.price_ticks in prices[:1], "the price is the next that it would trade at", event)
        self._must_pause.add(event.instrument)

    def _market_wide(self, event: Event) -> None:
        close, index = self._market_close, event.price_ticks
        fallen = sum((close - index) * 100 >= close * percent for percent in (7, 13, 20))
        _require(fallen == event.order_type > 0, "the level is that of the fall", event)
        self._must_pause |= set(range(len(self._schedules)))

    def _line_of(self, instrument: int, side: Side) -> list[AuditedOrder]:
        """Who trades first in an auction."""
        return self._calls[instrument].market_orders(side) + self._queues[instrument, side]

    def _wanted(self, instrument: int, side: Side, price: int) -> int:
        """What a side would trade at a price."""
        line = self._line_of(instrument, side)
        return sum(order.open for order in line if order.beside or side.crosses(order.price, price))

    def _auctioned(self, event: Event) -> None:
        """A trade of an auction."""
        call = self._calls[event.instrument]
        _require(call.state.is_call and not self._venue_halted, "an auction ends a call", event)
        _require(not call.is_short, "an auction trades no more than its quantity", event)
        _require(all(price == event.price_ticks for price, _ in call.traded), "an auction has one price", event)
        pair = []
        told = ((Side.BUY, event.order_id, event.account), (Side.SELL, event.counter_order_id, event.counter_account))
        for side, order_id, account in told:
            order = next(iter(self._line_of(event.instrument, side)), None)
            if order is None or (order.order_id, order.account) != (order_id, account):
                raise AuditError("market orders trade first, then the best price, then the first to come", event)
            within = side.crosses(order.price, event.price_ticks) or (order.beside and side is Side.SELL)
            _require(within, "an auction keeps to the limits", event)
            pair.append(order)
        bid, ask = pair
        lots, units = event.quantity_lots, self._units[event.instrument]
        smaller = min(bid.open, ask.open)
        _require(0 < lots <= smaller, "a trade takes no more than the smaller open quantity", event)
        call.is_short = lots < smaller
        notional = units.notional(event.price_ticks, lots)
        fees = []
        for order in pair:
            rate = max(order.rates.maker_ppm, 0)
            fees.append(fee_of_fill(order.maker_notional, notional, rate) if rate else 0)
            self._hold(order, -1)
            order.open -= lots
            order.shown = order.open
            order.maker_notional += notional if rate else 0
            self._hold(order, 1)
            self._pay(order.account, units.quote, -fees[-1])
        self._pay(FEE_ACCOUNT, units.quote, sum(fees))
        _require([event.amount, event.counter_amount] == fees, f"both pay as makers, without rebates: {fees=}", event)
        self._deliver(bid, ask, lots, notional)
        self._trades[event.instrument] += 1
        _require(event.reference == self._trades[event.instrument], "trade ids are consecutive", event)
        _require(event.open_lots == bid.open, "open_lots is what the bid has left", event)
        done = (event.has(EventFlags.TAKER_DONE), event.has(EventFlags.MAKER_DONE))
        _require(done == (bid.open == 0, ask.open == 0), "DONE marks what is closed", event)
        for order in pair:
            tied = self._lists.list_of(order)
            _require(tied is None or not tied.is_pair, "a leg of a pair trades alone", event)
            if order.open == 0:
                self._take_out(order)
                self._working_leg_filled(order)
        call.traded.append((event.price_ticks, lots))
        for order in pair:
            self._quotes.count(order, lots, event.time_ns)

    def _uncrossed(self, event: Event) -> None:
        call = self._calls[event.instrument]
        _require(call.state.is_call and event.time_in_force == call.joined, "an auction ends its call", event)
        quantity = sum(lots for _, lots in call.traded)
        price = call.traded[0][0] if call.traded else 0
        _require((event.price_ticks, event.quantity_lots) == (price, quantity), "an auction tells its trades", event)
        if quantity:
            left = [self._wanted(event.instrument, side, price) for side in Side]
            _require(min(left) == 0, "an auction trades all that it can at its price", event)
            _require(event.amount == left[0] - left[1], "the surplus is what is left over", event)
            self._last_prices[event.instrument] = price
        call.is_short = False
        self._ended_phase = call.joined
        call.joined = Phase.NONE

    def _indication(self, event: Event) -> None:
        self._rest(event)
        call = self._calls[event.instrument]
        _require(call.state is State.AUCTION, "only auctions tell a price", event)
        told = (event.price_ticks, event.quantity_lots, event.amount)
        _require(told != call.told and event.time_in_force == call.joined, "an indication tells news", event)
        call.told = told
        if event.quantity_lots:
            bids, asks = (self._wanted(event.instrument, side, event.price_ticks) for side in Side)
            fits = event.quantity_lots == min(bids, asks) and event.amount == bids - asks
            _require(fits, "quantity and surplus are those of the price", event)

    def _crossed(self, event: Event) -> None:
        """An order expires that still crosses behind its auction."""
        order = self._open(event)
        fronts = [self._queues[event.instrument, side][0] for side in Side if self._queues[event.instrument, side]]
        crossed = len(fronts) == 2 and fronts[0].price >= fronts[1].price
        _require(crossed, "orders expire behind an auction while the book is crossed", event)
        _require(order is max(fronts, key=lambda each: each.arrived), "the one that came later goes", event)
        told = (event.price_ticks, event.quantity_lots, event.amount)
        _require(told == (order.price, order.open, 0), "the rest expires", event)
        self._hold(order, -1)
        self._take_out(order)
        self._lists.leave(order, event, by_timer=False)

    def _ended(self, event: Event) -> None:
        """An order expires with its auction or its day."""
        order = self._open(event)
        if event.reason == CloseReason.AUCTION_ENDED:
            fits = TimeInForce(order.time_in_force).joins(self._ended_phase)
            _require(fits, "an order expires behind its own auction", event)
        else:
            fits = order.time_in_force in (TimeInForce.DAY, TimeInForce.AT_CLOSE)
            _require(fits and self._calls[order.instrument].state is State.CLOSED, "day orders end with the day", event)
        last = self._last
        if last is not None and last.kind is EventKind.ORDER_EXPIRED and last.reason == event.reason:
            same_command = not last.has(EventFlags.LAST) and last.instrument == event.instrument
            _require(not same_command or last.order_id < event.order_id, "they expire by order id", event)
        told = (event.price_ticks, event.quantity_lots, event.amount)
        _require(told == (order.price, order.open, 0), "the rest expires", event)
        self._hold(order, -1)
        self._take_out(order)

    # Money.

    def _amount_is_positive(self, event: Event) -> None:
        _require(event.amount > 0 and event.instrument < self._assets, "money has an asset and is positive", event)
        _require(event.account < len(self._accounts), "the account is open", event)

    def _deposited(self, event: Event) -> None:
        self._amount_is_positive(event)
        self._totals[event.instrument] += event.amount
        here = self._totals[event.instrument] - self._away[event.instrument]
        _require(here <= AMOUNT_MAX, "the venue's total has a bound", event)
        self._pay(event.account, event.instrument, event.amount)

    def _withdrawal_requested(self, event: Event) -> None:
        self._amount_is_positive(event)
        self._withdrawals_requested += 1
        _require(event.reference == self._withdrawals_requested, "withdrawal ids are consecutive", event)
        may = self._accounts[event.account].permissions & Permissions.WITHDRAW
        _require(bool(may), "the account may withdraw", event)
        self._withdrawals[event.reference] = (event.account, event.instrument, event.amount)
        self._pay(event.account, event.instrument, -event.amount)
        self._held[event.account, event.instrument] += event.amount

    def _withdrawal_ended(self, event: Event) -> None:
        pending = self._withdrawals.pop(event.reference, None)
        told = (event.account, event.instrument, event.amount)
        _require(pending == told, "a withdrawal ends once, as it was requested", event)
        self._held[event.account, event.instrument] -= event.amount
        if event.kind is EventKind.WITHDRAWAL_CONFIRMED:
            self._totals[event.instrument] -= event.amount
        else:
            self._pay(event.account, event.instrument, event.amount)

    def _transferred(self, event: Event) -> None:
        self._amount_is_positive(event)
        _require(event.counter_account < len(self._accounts), "the receiver is open", event)
        _require(event.counter_account != event.account, "a transfer needs two accounts", event)
        sender, receiver = self._accounts[event.account], self._accounts[event.counter_account]
        _require(bool(sender.permissions & Permissions.TRANSFER), "the account may transfer", event)
        ends = (sender.kind, receiver.kind)
        _require(known(TransferKind, event.reference), "the kind of transfer is known", event)
        fine = {
            TransferKind.INTERNAL: sender.kind == receiver.kind,
            TransferKind.FEE_PAYOUT: ends == (AccountKind.FEE, AccountKind.HOUSE),
            TransferKind.INSURANCE_CONTRIBUTION: ends
            in ((AccountKind.FEE, AccountKind.INSURANCE), (AccountKind.HOUSE, AccountKind.INSURANCE)),
            TransferKind.CLIENT_CREDIT: ends == (AccountKind.HOUSE, AccountKind.CLIENT),
        }
        _require(fine[TransferKind(event.reference)], "kinds of money mix only by a typed transfer", event)
        self._pay(event.account, event.instrument, -event.amount)
        self._pay(event.counter_account, event.instrument, event.amount)
        _require(self._available[event.account, event.instrument] >= 0, "the sender has what he sends", event)

    def _transfer_sent(self, event: Event) -> None:
        self._amount_is_positive(event)
        sender, shard = self._accounts[event.account], event.order_type
        _require(bool(sender.permissions & Permissions.TRANSFER), "the account may transfer", event)
        self._sent[shard] += 1
        _require(event.reference == self._sent[shard], "transfers to a shard are numbered in order", event)
        self._in_transit[shard, event.reference] = (event.account, event.instrument, event.amount)
        self._away[event.instrument] += event.amount
        self._pay(event.account, event.instrument, -event.amount)
        _require(self._available[event.account, event.instrument] >= 0, "the sender has what he sends", event)

    def _transfer_received(self, event: Event) -> None:
        self._amount_is_positive(event)
        self._received[event.order_type] += 1
        told = self._received[event.order_type]
        _require(event.reference == told, "transfers from a shard come in order, each once", event)
        self._away[event.instrument] -= event.amount
        self._pay(event.account, event.instrument, event.amount)

    def _transfer_confirmed(self, event: Event) -> None:
        pending = self._in_transit.pop((event.order_type, event.reference), None)
        told = (event.account, event.instrument, event.amount)
        _require(pending == told, "a transfer arrives once, as it was sent", event)

    # Settings.

    def _setting(self, event: Event) -> None:
        match CommandKind(event.open_lots):
            case CommandKind.ADD_ASSET:
                _require(event.instrument == self._assets, "asset ids are consecutive", event)
                self._assets += 1
            case CommandKind.LIST_INSTRUMENT:
                _require(event.instrument == len(self._schedules), "instrument ids are consecutive", event)
                _require(event.instrument in self._units, "the auditor was told the instrument's units", event)
                self._schedules.append(event.order_flags)
            case CommandKind.OPEN_ACCOUNT:
                _require(event.account == len(self._accounts), "account ids are consecutive", event)
                self._accounts.append(AuditedAccount(event.order_type))
            case CommandKind.SET_FEE_TIER:
                self._fee_tier(event)
            case CommandKind.SET_ACCOUNT_FEE_TIER:
                self._accounts[event.account].tier = event.order_type
            case CommandKind.SET_TRADE_GROUP:
                self._accounts[event.account].group = event.quantity_lots
                if self._controls.is_killed(event.account, event.quantity_lots):
                    self._controls.due = self._of_accounts([event.account])
            case CommandKind.SET_QUOTE_PROTECTION | CommandKind.RESET_QUOTE_PROTECTION:
                self._quotes.learn(event)
            case CommandKind.SET_REFERENCE_PRICE:
                self._references[event.instrument] = event.price_ticks
            case CommandKind.SET_APPROVAL_BANDS:
                self._controls.learn_bands(event)
            case CommandKind.ENGAGE_KILL_SWITCH | CommandKind.RELEASE_KILL_SWITCH | CommandKind.SET_RESTRICTION:
                self._control(event)
            case CommandKind.END_SESSION:
                self._controls.session_reason = CloseReason.SESSION_ENDED
            case CommandKind.SET_PERMISSIONS:
                self._permissions(event)
            case CommandKind.SET_MARK_PRICE | CommandKind.SET_INDEX_PRICE as kind:
                source = PriceSource.MARK if kind is CommandKind.SET_MARK_PRICE else PriceSource.INDEX
                halted = self._venue_halted or self._calls[event.instrument].state is not State.CONTINUOUS
                self._waiting.see(event.instrument, source, event.price_ticks, halted=halted)
            case CommandKind.SET_BREAKER:
                has_any = event.quantity_lots or event.reference
                (self._guarded.add if has_any else self._guarded.discard)(event.instrument)
            case CommandKind.SET_MARKET_REFERENCE:
                self._market_close = event.price_ticks
            case CommandKind.SET_ALLOCATION:
                sides = (self._queues[event.instrument, side] for side in Side)
                _require(not any(sides), "a rule of allocation changes while the book is empty", event)
                (self._shared.add if event.side else self._shared.discard)(event.instrument)
            case CommandKind.HALT | CommandKind.RESUME as kind:
                self._halt(event, kind is CommandKind.HALT)
            case _:
                # Limits and prices decide what is refused, and refusals leave no trace in the books.
                pass

    def _permissions(self, event: Event) -> None:
        account = self._accounts[event.account]
        fixed = account.kind in (AccountKind.FEE, AccountKind.INSURANCE)
        fine = not (fixed and event.quantity_lots & ~Permissions.TRANSFER)
        _require(fine, "the venue's own accounts do nothing but transfer", event)
        account.permissions = event.quantity_lots

    def _control(self, event: Event) -> None:
        """A kill switch or a restriction: it says which open orders go behind it."""
        members = [event.account]
        if event.side == ControlScope.TRADE_GROUP:
            members = [each for each, account in enumerate(self._accounts) if account.group == event.quantity_lots]
        orders = self._of_accounts(members)
        self._controls.learn(event)
        if event.side == ControlScope.SESSION:
            return
        if event.open_lots == CommandKind.ENGAGE_KILL_SWITCH:
            self._controls.due = orders
        elif event.open_lots == CommandKind.SET_RESTRICTION and event.reference:
            level = Restriction(event.order_type)
            here = (order for order in orders if order.instrument == event.instrument)
            self._controls.due = [order for order in here if level.forbids(order.side)]

    def _of_accounts(self, accounts: Iterable[int]) -> list[AuditedOrder]:
        wanted = set(accounts)
        return [order for _, order in sorted(self._orders.items()) if order.account in wanted]

    def _fee_tier(self, event: Event) -> None:
        schedule = event.order_flags
        rates = FeeRates(event.price_ticks, signed(event.quantity_lots))
        self._tiers[schedule, event.order_type] = rates
        tiers = [resolved_tier(self._tiers, schedule, tier) for tier in range(TIERS)]
        orders = self._orders.values()
        tiers += [order.rates for order in orders if self._schedules[order.instrument] == schedule]
        lowest = min(rate.taker_ppm for rate in tiers) + min(rate.maker_ppm for rate in tiers)
        _require(lowest >= 0, "no taker and maker are paid together", event)

    def _halt(self, event: Event, halted: bool) -> None:
        match HaltScope(event.side):
            case HaltScope.VENUE:
                self._venue_halted = halted
            case HaltScope.INSTRUMENT:
                # What comes of it is told by the state.
                pass
            case HaltScope.ACCOUNT:
                self._accounts[event.account].halted = halted


_ABOUT_ORDER = (EventKind.CLIENT_ORDER_ID_TEXT, EventKind.ORDER_CONDITIONS, EventKind.ORDER_DISPLAY)
"""Events that tell more of the order that was accepted."""


def _require(condition: bool, rule: str, event: Event) -> None:
    if not condition:
        raise AuditError(rule, event)


def _rate(bits: int) -> int:
    """A rate from the lower 32 bits of a packed pair."""
    low = bits & (2**32 - 1)
    return low - 2**32 if low >= 2**31 else low


def _number(order: AuditedOrder) -> int:
    return order.client_order_id if isinstance(order.client_order_id, int) else 0


def _is_of_command(event: Event) -> bool:
    """Whether the command itself must have begun: timers close orders, change states, trade auctions, fire triggers."""
    if event.kind is EventKind.ORDER_CANCELLED:
        return event.reason not in (
            CloseReason.INSTRUMENT_EXPIRED,
            CloseReason.QUOTE_PROTECTION,
            CloseReason.OTHER_LEG_EXECUTED,
            CloseReason.LIST_CLOSED,
        )
    return event.kind not in (
        EventKind.TRADE,
        EventKind.MATCH_PREVENTED,
        EventKind.ORDER_EXPIRED,
        EventKind.ORDER_TRIGGERED,
        EventKind.INSTRUMENT_STATE_CHANGED,
        EventKind.AUCTION_UNCROSSED,
        EventKind.BREAKER_TRIPPED,
        EventKind.ORDER_REFRESHED,
        EventKind.ORDER_REPRICED,
        EventKind.QUOTE_PROTECTION_TRIGGERED,
        EventKind.LIST_UPDATED,
        EventKind.LIST_DONE,
    )


def _cover(order: AuditedOrder, units: Units) -> int:
    """What a bid by quantity costs at worst."""
    notional = units.notional(order.price, order.open)
    taker = 0 if order.flags & OrderFlags.POST_ONLY else order.rates.taker_ppm
    maker = order.rates.maker_ppm if order.may_rest else 0
    return notional + fee_on(notional, max(taker, maker, 0)) + int(taker > 0 and maker > 0)
