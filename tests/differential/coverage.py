"""What a stream has reached: commands, reject reasons, events, close reasons, prevention modes, and rarer turns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.reference.codes import (
    QUOTE,
    Cause,
    CloseReason,
    CommandKind,
    ControlScope,
    Display,
    EventFlags,
    EventKind,
    OrderFlags,
    OrderType,
    PegKind,
    Phase,
    Prevention,
    PriceSource,
    Side,
    State,
    TimeInForce,
    known,
)
from tests.reference.event import Event
from tests.reference.reject import RejectReason

TURNS = (
    "a pair came to the market alone",
    "a pair fired",
    "a pair traded",
    "a pair was untied by prevention",
    "a pair with a peg started",
    "a pegged leg accepted",
    "a pending leg refused at its start",
    "a pending market order started",
    "a pending order started",
    "a pending order with a trigger started",
    "a pending peg started",
    "a pending pair started",
    "a market order traded in an auction",
    "a price was shared",
    "a rebate was not paid in an auction",
    "an auction found nothing",
    "an auction left buyers over",
    "an auction left sellers over",
    "an auction traded",
    "an order waited for its auction",
    "breaker stopped an order that expires",
    "breaker stopped an order that rests",
    "indication behind a refusal",
    "own orders met in an auction",
    "the market paused what was halted",
    "triggered by an auction",
    "a price was shared where there are leads",
    "a price was shared where there is TOP",
    "a price was shared with an iceberg",
    "a hidden order came to its book by a trigger",
    "a hidden order traded",
    "a hidden order traded in an auction",
    "a hidden order traded where prices are shared",
    "a hidden taker",
    "a fixed peg took",
    "a fixed peg with an offset",
    "a following peg came back to the book",
    "a following peg left the book to wait",
    "a following peg moved",
    "a following peg moved behind a timer",
    "a following peg shared a price",
    "a following peg traded",
    "a following peg was cancelled while it waited",
    "a following peg was replaced",
    "a hidden peg traded",
    "a market peg moved",
    "a midpoint peg moved",
    "a pegged bid traded below its limit",
    "an amended hidden order",
    "prevention met a following peg",
    "several pegs moved",
    "an amended iceberg keeps its place",
    "fill or kill filled from hidden orders",
    "prevention met a hidden order",
    "an iceberg came to the book by a trigger",
    "an iceberg showed its next peak",
    "an iceberg showed its last peak",
    "an iceberg trades as a taker",
    "fill or kill filled from a reserve",
    "peaks of different sizes",
    "prevention took from a reserve",
    "a mass quote of several instruments",
    "a mass quote refused for what comes together",
    "a protection of all instruments took quotes elsewhere",
    "a protection triggered by fills",
    "a protection triggered by lots",
    "a protection triggered in an auction",
    "a protection triggered in a sweep",
    "a protection triggered where prices are shared",
    "a quote came when its protection was triggered",
    "a quote cancelled by its owner",
    "a quote kept its place",
    "a quote made smaller",
    "a quote replaced by an order",
    "a quote shared a price",
    "a quote stopped by its protection while it took",
    "a quote took",
    "a quote took quotes",
    "a quote traded in an auction",
    "a quote was withdrawn",
    "a quote went with the kill switch",
    "quotes came while a breaker tripped",
    "quotes fired a stop",
    "quotes let a leg start",
    "quotes let a leg start in vain for lack of funds",
    "quotes gathered in a call",
    "two protections triggered by one trade",
    "a cascade of three",
    "a kill switch took several orders",
    "a kill switch took the orders of a session",
    "a retry of a command that gave orders",
    "a retry of a refused command",
    "a retry behind timers",
    "a number out of sequence in an auction",
    "a session opened again",
    "a session that ended took orders of several accounts",
    "a kill switch took an order that waits for approval",
    "a released order rests",
    "a released order takes",
    "a released order waits for its trigger",
    "an order has some of its approvals",
    "an order needs three approvers",
    "cancelled before it was approved",
    "declined",
    "expired by date before it was approved",
    "replaced before it was approved",
    "replaced by one that needs approval",
    "a kill switch took a waiting order",
    "a kill switch took who joined its group",
    "a restriction took an order",
    "a trail moved its trigger",
    "a triggered order rests",
    "amend keeps its place",
    "amend comes in again",
    "amend names a new id",
    "amend names a new id as text",
    "cancel fails, new order does not",
    "cancel does not fail, new order does",
    "cancelled alone by the order rate",
    "cancelled alone for lack of funds",
    "both halves fail",
    "amended order takes",
    "cancelled by a list's client id",
    "list id as text",
    "list ended by a timer",
    "list ended with a working leg",
    "by amount traded",
    "by amount spent to the last quantum",
    "client order id as text",
    "fill or kill filled",
    "good till date amended",
    "minimum quantity filled",
    "maker rebate paid",
    "quantity above 2^39 traded",
    "replaced by one on another instrument",
    "replaced while it waits",
    "several timers",
    "several wait at one trigger price",
    "taker rebate paid",
    "taker rebate paid by amount",
    "transfer between accounts",
    "timer before a refusal",
    "transfer within an account decided as decrement",
    "triggered by the index price",
    "triggered by the last trade",
    "triggered by the mark price",
    "triggered market bid at the held price",
    "triggered market bid below it",
    "triggered order takes",
    "waiting order amended in place",
    "waiting order amended to another trigger price",
    "waiting order cancelled",
    "waiting order expired by date",
)

TRIPS = {1: "DYNAMIC", 2: "VELOCITY"}

AT_TRIGGER = (
    RejectReason.ACCOUNT_HALTED,
    RejectReason.ACCOUNT_NOT_PERMITTED,
    RejectReason.ACCOUNT_RESTRICTED,
    RejectReason.NO_REFERENCE_PRICE,
    RejectReason.PRICE_OUTSIDE_BAND,
)
"""Why an order can be refused when its trigger fires."""

OF_QUOTES = (
    RejectReason.MALFORMED_RECORDS,
    RejectReason.INVALID_SELF_TRADE_PREVENTION,
    RejectReason.INVALID_FLAGS,
    RejectReason.UNKNOWN_INSTRUMENT,
    RejectReason.VENUE_HALTED,
    RejectReason.INSTRUMENT_HALTED,
    RejectReason.INSTRUMENT_PAUSED,
    RejectReason.INSTRUMENT_CANCEL_ONLY,
    RejectReason.INSTRUMENT_CLOSED,
    RejectReason.UNKNOWN_ACCOUNT,
    RejectReason.ACCOUNT_HALTED,
    RejectReason.ACCOUNT_NOT_PERMITTED,
    RejectReason.ACCOUNT_RESTRICTED,
    RejectReason.KILL_SWITCH_ENGAGED,
    RejectReason.INSTRUMENT_QUOTED_TWICE,
    RejectReason.PRICE_NOT_POSITIVE,
    RejectReason.PRICE_NOT_ON_TICK,
    RejectReason.QUANTITY_NOT_ON_LOT,
    RejectReason.QUANTITY_BELOW_MINIMUM,
    RejectReason.QUANTITY_ABOVE_MAXIMUM,
    RejectReason.NOTIONAL_BELOW_MINIMUM,
    RejectReason.PRICE_OUTSIDE_BAND,
    RejectReason.MESSAGE_RATE_EXCEEDED,
    RejectReason.ORDER_RATE_EXCEEDED,
    RejectReason.OPEN_ORDER_LIMIT_EXCEEDED,
    RejectReason.POSITION_LIMIT_EXCEEDED,
    RejectReason.INSUFFICIENT_FUNDS,
    RejectReason.POST_ONLY_WOULD_TRADE,
    RejectReason.QUOTE_PROTECTION_TRIGGERED,
    RejectReason.QUOTE_CROSSES_ITSELF,
    RejectReason.ORDER_NOT_APPROVABLE,
)
"""Why a mass quote is refused."""

AT_RELEASE = (
    RejectReason.ACCOUNT_HALTED,
    RejectReason.ACCOUNT_NOT_PERMITTED,
    RejectReason.ACCOUNT_RESTRICTED,
    RejectReason.PRICE_OUTSIDE_BAND,
    RejectReason.POSITION_LIMIT_EXCEEDED,
    RejectReason.WOULD_TRIGGER_AT_ONCE,
)
"""Why an order can be refused when it has all its approvals, as far as the streams go."""


AT_START = (
    RejectReason.ACCOUNT_NOT_PERMITTED,
    RejectReason.PRICE_OUTSIDE_BAND,
    RejectReason.NO_PEG_REFERENCE,
    RejectReason.POSITION_LIMIT_EXCEEDED,
    RejectReason.INSUFFICIENT_FUNDS,
    RejectReason.POST_ONLY_WOULD_TRADE,
    RejectReason.WOULD_TRIGGER_AT_ONCE,
    RejectReason.LIST_PRICES_OUT_OF_ORDER,
)
"""Why a pending order can be refused when its list lets it start; others are rarer."""


@dataclass(slots=True)
class Conditional:
    """What the events have told of an order with conditions."""

    order_type: int
    minimum_lots: int
    first_trigger_ticks: int
    expires: bool
    price_ticks: int
    waits: bool


@dataclass(slots=True)
class Peg:
    """What the events have told of a peg."""

    kind: int
    fixed: bool
    limit_ticks: int
    is_placed: bool = False
    was_placed: bool = False


class Coverage:
    """Counts by (topic, name). One for each stream, as it follows the orders that wait; merge them afterwards."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._conditional: dict[int, Conditional] = {}
        self._unapproved: set[int] = set()
        """By order id."""
        self._accepted: dict[int, Event] = {}
        """Orders for auctions only, and those whose maker rate is a rebate, by id."""
        self._states: dict[int, int] = {}
        """By instrument; the phase stands in the tens."""
        self._peaks: dict[int, list[int]] = {}
        """Of icebergs, by order id: the peaks that they have shown."""
        self._hidden: set[int] = set()
        self._pegs: dict[int, Peg] = {}
        """By order id."""
        self._opened: set[int] = set()
        """Sessions by number."""
        self._quotes: set[int] = set()
        """By order id."""
        self._shared: set[int] = set()
        self._topped: set[int] = set()
        self._leads: defaultdict[int, set[int]] = defaultdict(set)
        """Instruments whose prices are shared."""
        self._is_market: dict[int, bool] = {}
        self._other_leg = 0
        """The order that was cancelled last because another leg came to be executed, until its list is done."""
        for topic, names in _everything():
            for name in names:
                self.counts[topic, name] = 0

    def add(self, command: bytes, events: Sequence[Event]) -> None:
        """Count a command and what came of it."""
        kind = command[0]
        self._count("command", CommandKind(kind).name if known(CommandKind, kind) and kind < 128 else "not a command")
        accepted: Event | None = None
        replaced: Event | None = None
        amended = 0
        for event in events:
            self._count("event", event.kind.name)
            self._add_state(event)
            self._add_quote(event)
            match event.kind:
                case EventKind.REJECTED:
                    self._count("reject", RejectReason(event.reason).name)
                    if _out_of_sequence(event) and State.AUCTION in {state % 10 for state in self._states.values()}:
                        self._turn("a number out of sequence in an auction")
                    if event.k > 0:
                        self._turn("timer before a refusal")
                case EventKind.ORDER_ACCEPTED:
                    accepted = event
                    if replaced is not None and replaced.instrument != event.instrument:
                        self._turn("replaced by one on another instrument")
                case EventKind.COMMAND_REPEATED:
                    if event.order_id:
                        self._turn("a retry of a command that gave orders")
                    if event.reason:
                        self._turn("a retry of a refused command")
                    if event.k > 0:
                        self._turn("a retry behind timers")
                case EventKind.SESSION_OPENED:
                    if event.counter_account in self._opened:
                        self._turn("a session opened again")
                    self._opened.add(event.counter_account)
                case EventKind.ORDER_CONDITIONS if accepted is not None:
                    self._learn_conditions(event, accepted)
                case EventKind.ORDER_CONDITIONS:
                    # An amendment moved its trigger price.
                    self._conditional[event.order_id].first_trigger_ticks = event.price_ticks
                case EventKind.ORDER_DISPLAY:
                    self._learn_display(event, accepted)
                case EventKind.ORDER_REPRICED:
                    self._add_move(event)
                case EventKind.SETTING_APPLIED:
                    self._add_setting(event)
                case EventKind.ORDER_REFRESHED:
                    self._add_peak(event)
                case EventKind.APPROVAL_REQUIRED:
                    self._unapproved.add(event.order_id)
                    if event.order_type == 3:
                        self._turn("an order needs three approvers")
                    if replaced is not None:
                        self._turn("replaced by one that needs approval")
                case EventKind.ORDER_APPROVED:
                    if event.time_in_force < event.order_type:
                        self._turn("an order has some of its approvals")
                case EventKind.ORDER_RELEASED:
                    self._unapproved.discard(event.order_id)
                    self._add_released(event, events)
                case EventKind.ORDER_TRIGGERED:
                    self._add_triggered(event)
                case EventKind.ORDER_AMENDED:
                    kept = event.has(EventFlags.KEPT_PRIORITY)
                    waits = event.order_id in self._conditional and self._conditional[event.order_id].waits
                    if waits:
                        self._conditional[event.order_id].price_ticks = event.price_ticks
                        elsewhere = "waiting order amended to another trigger price"
                        self._turn("waiting order amended in place" if kept else elsewhere)
                    else:
                        self._turn("amend keeps its place" if kept else "amend comes in again")
                    amended = event.order_id
                    if event.order_id in self._hidden:
                        self._turn("an amended hidden order")
                    if kept and event.order_id in self._peaks:
                        self._turn("an amended iceberg keeps its place")
                    if event.order_id in self._conditional and self._conditional[event.order_id].expires:
                        self._turn("good till date amended")
                case EventKind.ORDER_CANCELLED | EventKind.ORDER_EXPIRED:
                    self._add_closed(event)
                    if event.reason == CloseReason.REPLACED:
                        replaced = event
                case EventKind.MATCH_PREVENTED:
                    self._add_prevented(event, accepted)
                case EventKind.TRADE:
                    self._add_trade(event, accepted, amended)
                case EventKind.CLIENT_ORDER_ID_TEXT:
                    self._turn("amend names a new id as text" if amended else "client order id as text")
                case _:
                    pass
        self._add_whole(events)
        self._add_protections(events)
        if kind == CommandKind.MASS_QUOTE:
            self._add_mass_quote(command, events)
        self._add_lists(command, events)
        if kind == CommandKind.REPLACE_ORDER:
            self._add_halves(events)
        if amended and len(command) > 64 and CommandKind.TEXT in command[64::64]:
            self._turn("amend names a new id")

    def _add_quote(self, event: Event) -> None:
        """What happens to quotes."""
        match event.kind:
            case EventKind.ORDER_ACCEPTED if event.order_flags & QUOTE:
                self._quotes.add(event.order_id)
                if self._states.get(event.instrument, 0) % 10 in (State.PRE_OPEN, State.AUCTION):
                    self._turn("quotes gathered in a call")
            case EventKind.ORDER_AMENDED if event.order_id in self._quotes:
                self._turn("a quote made smaller")
            case EventKind.ORDER_CANCELLED if event.order_id in self._quotes:
                turn = {
                    CloseReason.CANCELLED_BY_OWNER: "a quote cancelled by its owner",
                    CloseReason.REPLACED: "a quote replaced by an order",
                    CloseReason.KILL_SWITCH: "a quote went with the kill switch",
                }.get(CloseReason(event.reason))
                if turn is not None:
                    self._turn(turn)
            case EventKind.TRADE:
                if event.has(EventFlags.AUCTION):
                    if {event.order_id, event.counter_order_id} & self._quotes:
                        self._turn("a quote traded in an auction")
                    return
                if event.order_id in self._quotes:
                    self._turn("a quote took")
                    if event.counter_order_id in self._quotes:
                        self._turn("a quote took quotes")
                if event.counter_order_id in self._quotes and event.instrument in self._shared:
                    self._turn("a quote shared a price")
            case _:
                pass

    def _add_mass_quote(self, command: bytes, events: Sequence[Event]) -> None:
        refused = [event for event in events if event.kind is EventKind.REJECTED]
        if refused:
            self._count("quote reject", RejectReason(refused[0].reason).name)
            together = (RejectReason.INSUFFICIENT_FUNDS, RejectReason.OPEN_ORDER_LIMIT_EXCEEDED)
            if refused[0].reason in together and len(command) > 128:
                self._turn("a mass quote refused for what comes together")
            return
        told = [event for event in events if event.kind is EventKind.QUOTE_ACCEPTED]
        accepted = {event.order_id for event in events if event.kind is EventKind.ORDER_ACCEPTED}
        if len(told) > 1:
            self._turn("a mass quote of several instruments")
        if any({event.order_id, event.counter_order_id} - {0} - accepted for event in told):
            self._turn("a quote kept its place")
        closed = [event for event in events if event.reason == CloseReason.QUOTE_REPLACED and _closes(event)]
        if any(
            event.instrument not in {each.instrument for each in events if each.order_id in accepted}
            for event in closed
        ):
            self._turn("a quote was withdrawn")
        kinds = {event.kind for event in events}
        if EventKind.BREAKER_TRIPPED in kinds:
            self._turn("quotes came while a breaker tripped")
        if EventKind.ORDER_TRIGGERED in kinds:
            self._turn("quotes fired a stop")
        if EventKind.LIST_UPDATED in kinds:
            self._turn("quotes let a leg start")
        vain = (CloseReason.REFUSED_AT_START, RejectReason.INSUFFICIENT_FUNDS)
        if any((event.reason, event.open_lots) == vain for event in events if _closes(event)):
            self._turn("quotes let a leg start in vain for lack of funds")

    def _add_protections(self, events: Sequence[Event]) -> None:
        """What protections did in a command."""
        for event, before in zip(events[1:], events, strict=False):
            if event.kind is EventKind.ORDER_EXPIRED and event.reason == CloseReason.QUOTE_PROTECTION:
                came = before.kind is EventKind.ORDER_ACCEPTED
                late = "a quote came when its protection was triggered"
                self._turn(late if came else "a quote stopped by its protection while it took")
            if event.kind is not EventKind.QUOTE_PROTECTION_TRIGGERED:
                continue
            self._turn(f"a protection triggered by {'lots' if event.order_type == 1 else 'fills'}")
            trades = [each for each in events[: event.k] if each.kind is EventKind.TRADE]
            last = trades[-1]
            if last.has(EventFlags.AUCTION):
                self._turn("a protection triggered in an auction")
            elif any(
                each.order_id == last.order_id and each.k > event.k for each in events if each.kind is EventKind.TRADE
            ):
                self._turn("a protection triggered in a sweep")
            if last.instrument in self._shared:
                self._turn("a protection triggered where prices are shared")
            triggered = [each for each in events if each.kind is EventKind.QUOTE_PROTECTION_TRIGGERED]
            if any(last.k < each.k < event.k for each in triggered):
                self._turn("two protections triggered by one trade")
            gone = [each for each in events[event.k :] if each.reason == CloseReason.QUOTE_PROTECTION and _closes(each)]
            if any(each.account == event.account and each.instrument != last.instrument for each in gone):
                self._turn("a protection of all instruments took quotes elsewhere")

    def _add_halves(self, events: Sequence[Event]) -> None:
        """What became of the two halves of a replacement."""
        refused = [event for event in events if event.kind is EventKind.REJECTED]
        if not refused or len(events) == 1:
            return
        if len(refused) > 1:
            self._turn("both halves fail")
        elif refused[0].open_lots == CommandKind.PLACE_ORDER:
            self._turn("cancel does not fail, new order does")
            if refused[0].reason == RejectReason.ORDER_RATE_EXCEEDED:
                self._turn("cancelled alone by the order rate")
            if refused[0].reason == RejectReason.INSUFFICIENT_FUNDS:
                self._turn("cancelled alone for lack of funds")
        elif any(event.kind is EventKind.ORDER_ACCEPTED for event in events):
            self._turn("cancel fails, new order does not")

    def _add_setting(self, event: Event) -> None:
        """Learn how an instrument shares its prices."""
        match event.open_lots:
            case CommandKind.SET_ALLOCATION:
                (self._shared.add if event.side else self._shared.discard)(event.instrument)
                self._topped.discard(event.instrument)
                self._leads.pop(event.instrument, None)
            case CommandKind.SET_TOP:
                (self._topped.add if event.reference else self._topped.discard)(event.instrument)
            case CommandKind.SET_LEAD:
                leads = self._leads[event.instrument]
                (leads.add if event.price_ticks else leads.discard)(event.account)
            case _:
                pass

    def _add_state(self, event: Event) -> None:
        """States, auctions and breakers."""
        match event.kind:
            case EventKind.ORDER_ACCEPTED:
                self._count("in force", TimeInForce(event.time_in_force).name)
                is_rebate = event.open_lots >> 63
                if TimeInForce(event.time_in_force).is_for_auction or is_rebate:
                    self._accepted[event.order_id] = event
                state = self._states.get(event.instrument, 0)
                if TimeInForce(event.time_in_force).is_for_auction and state % 10 == State.CONTINUOUS:
                    self._turn("an order waited for its auction")
            case EventKind.INSTRUMENT_STATE_CHANGED:
                self._states[event.instrument] = event.order_type + 10 * event.time_in_force
                self._count("state", State(event.order_type).name)
                self._count("cause", Cause(event.reason).name)
                self._count("phase", Phase(event.time_in_force).name)
                if event.order_type == State.HALTED == event.self_trade_prevention:
                    self._turn("the market paused what was halted")
            case EventKind.AUCTION_UNCROSSED:
                self._turn("an auction traded" if event.quantity_lots else "an auction found nothing")
                if event.amount:
                    self._turn(f"an auction left {'buyers' if event.amount > 0 else 'sellers'} over")
            case EventKind.BREAKER_TRIPPED:
                self._count("breaker", TRIPS[event.order_type])
            case EventKind.MARKET_WIDE_LEVEL_REACHED:
                self._count("level", str(event.order_type))
            case EventKind.TRADE if event.has(EventFlags.AUCTION):
                if event.account == event.counter_account:
                    self._turn("own orders met in an auction")
                for order_id, fee in ((event.order_id, event.amount), (event.counter_order_id, event.counter_amount)):
                    accepted = self._accepted.get(order_id)
                    if accepted is not None and accepted.order_type == OrderType.MARKET:
                        self._turn("a market order traded in an auction")
                    if accepted is not None and accepted.open_lots >> 63 and fee == 0:
                        self._turn("a rebate was not paid in an auction")
            case _:
                pass

    def _add_whole(self, events: Sequence[Event]) -> None:
        """Turns that a command's events show together."""
        if len(events) < 2:
            return
        kinds = [event.kind for event in events]
        if EventKind.REJECTED in kinds and kinds[-1] is EventKind.AUCTION_INDICATION:
            self._turn("indication behind a refusal")
        if EventKind.AUCTION_UNCROSSED in kinds and EventKind.ORDER_TRIGGERED in kinds:
            self._turn("triggered by an auction")
        if EventKind.BREAKER_TRIPPED in kinds:
            expires = any(event.reason == CloseReason.TRADING_STOPPED for event in events)
            self._turn(f"breaker stopped an order that {'expires' if expires else 'rests'}")
        trades = [event for event in events if event.kind is EventKind.TRADE and not event.has(EventFlags.AUCTION)]
        for first, second in pairwise(trades):
            # Whoever is first in line is taken whole before the next one gets anything, unless they share.
            same = (first.order_id, first.price_ticks) == (second.order_id, second.price_ticks)
            refreshed = any(
                event.kind is EventKind.ORDER_REFRESHED and first.k < event.k < second.k for event in events
            )
            if same and not first.has(EventFlags.MAKER_DONE) and not refreshed:
                self._turn("a price was shared")
                if first.instrument in self._topped:
                    self._turn("a price was shared where there is TOP")
                if {first.counter_account, second.counter_account} & self._leads[first.instrument]:
                    self._turn("a price was shared where there are leads")
                if {first.counter_order_id, second.counter_order_id} & self._peaks.keys():
                    self._turn("a price was shared with an iceberg")
        killed = [event for event in events if event.reason == CloseReason.KILL_SWITCH and _closes(event)]
        if len(killed) > 1:
            self._turn("a kill switch took several orders")
        joined = any(event.open_lots == CommandKind.SET_TRADE_GROUP for event in events if _sets(event))
        engaged = [event for event in events if _sets(event) and event.open_lots == CommandKind.ENGAGE_KILL_SWITCH]
        if killed and any(event.side == ControlScope.SESSION for event in engaged):
            self._turn("a kill switch took the orders of a session")
        ended = [event for event in events if event.reason == CloseReason.SESSION_ENDED and _closes(event)]
        if len({event.account for event in ended}) > 1:
            self._turn("a session that ended took orders of several accounts")
        if killed and joined:
            self._turn("a kill switch took who joined its group")
        if any(event.reason == CloseReason.RESTRICTED for event in events if _closes(event)):
            self._turn("a restriction took an order")
        triggered = [event for event in events if event.kind is EventKind.ORDER_TRIGGERED]
        if len(triggered) >= 3 and len({event.open_lots for event in triggered}) >= 2:
            self._turn("a cascade of three")
        places = {(event.instrument, event.time_in_force, event.price_ticks, event.open_lots) for event in triggered}
        if len(places) < len(triggered):
            self._turn("several wait at one trigger price")
        moves = [event for event in events if event.kind is EventKind.ORDER_REPRICED]
        if len(moves) > 1:
            self._turn("several pegs moved")
        timers = [event for event in events if event.kind is EventKind.ORDER_EXPIRED]
        if moves and any(event.reason == CloseReason.GOOD_TILL_DATE and event.k + 1 == moves[0].k for event in timers):
            self._turn("a following peg moved behind a timer")
        if sum(event.reason == CloseReason.GOOD_TILL_DATE for event in timers) > 1:
            self._turn("several timers")
        for event, following in pairwise([*events, None]):
            if event is None or event.kind is not EventKind.ORDER_TRIGGERED:
                continue
            if following is None or following.kind is EventKind.ORDER_TRIGGERED:
                self._turn("a triggered order rests")

    def _add_lists(self, command: bytes, events: Sequence[Event]) -> None:
        """Turns of lists: each is told by two events that follow each other."""
        for event, following in pairwise([*events, None]):
            if event is None:
                return
            after = None if following is None else following.kind
            match event.kind:
                case EventKind.REJECTED if event.open_lots == CommandKind.PLACE_LIST and not _out_of_sequence(event):
                    self._count("refused leg", str(event.amount))
                case EventKind.CLIENT_LIST_ID_TEXT:
                    self._turn("list id as text")
                case EventKind.ORDER_CANCELLED if event.reason == CloseReason.OTHER_LEG_EXECUTED:
                    self._other_leg = event.order_id
                case EventKind.LIST_DONE if self._other_leg:
                    self._other_leg = 0
                    turns = {
                        EventKind.ORDER_TRIGGERED: "a pair fired",
                        EventKind.MATCH_PREVENTED: "a pair was untied by prevention",
                    }
                    is_first = command[0] == CommandKind.PLACE_LIST and events[0].reference == event.reference
                    self._turn(
                        "a pair came to the market alone"
                        if is_first
                        else turns.get(after or EventKind.TRADE, "a pair traded")
                    )
                case EventKind.LIST_UPDATED if following and _same_list(event, following):
                    self._turn("a pending pair started")
                    if event.order_id in self._pegs:
                        self._turn("a pair with a peg started")
                case EventKind.ORDER_DISPLAY if command[0] == CommandKind.PLACE_LIST:
                    self._turn("a pegged leg accepted")
                case EventKind.LIST_UPDATED if after is EventKind.LIST_DONE:
                    self._turn(
                        "a pending order with a trigger started" if event.open_lots else "a pending order started"
                    )
                    if self._is_market.get(event.order_id):
                        self._turn("a pending market order started")
                    if event.order_id in self._pegs:
                        self._turn("a pending peg started")
                case EventKind.ORDER_EXPIRED if after is EventKind.ORDER_CANCELLED or after is EventKind.LIST_DONE:
                    if event.reason == CloseReason.GOOD_TILL_DATE:
                        self._turn("list ended by a timer")
                    elif event.reason in (CloseReason.IMMEDIATE_OR_CANCEL, CloseReason.FILL_OR_KILL):
                        self._turn("list ended with a working leg")
                case EventKind.ORDER_ACCEPTED:
                    self._is_market[event.order_id] = event.order_type == OrderType.MARKET
                case _:
                    pass
            if event.kind is EventKind.ORDER_EXPIRED and event.reason == CloseReason.REFUSED_AT_START:
                self._turn("a pending leg refused at its start")
                self._count("at start", RejectReason(event.open_lots).name)
        if command[0] == CommandKind.CANCEL_LIST and command[36] and events[-1].kind is EventKind.LIST_DONE:
            self._turn("cancelled by a list's client id")

    def _add_released(self, event: Event, events: Sequence[Event]) -> None:
        behind = [other for other in events if other.k > event.k]
        if any(other.kind is EventKind.TRADE and other.order_id == event.order_id for other in behind):
            self._turn("a released order takes")
        elif not behind:
            order = self._conditional.get(event.order_id)
            waits = order is not None and order.waits
            self._turn("a released order waits for its trigger" if waits else "a released order rests")

    def _learn_conditions(self, event: Event, accepted: Event) -> None:
        has_trigger = event.order_type != 0
        self._conditional[event.order_id] = Conditional(
            accepted.order_type,
            event.open_lots,
            event.price_ticks,
            event.reference != 0,
            accepted.price_ticks,
            has_trigger,
        )

    def _learn_display(self, event: Event, accepted: Event | None) -> None:
        if event.order_type == Display.HIDDEN:
            self._hidden.add(event.order_id)
        if event.quantity_lots:
            self._peaks[event.order_id] = []
        if event.time_in_force and accepted is not None:
            fixed = bool(event.self_trade_prevention)
            self._pegs[event.order_id] = Peg(event.time_in_force, fixed, accepted.price_ticks)
            if fixed and event.price_ticks:
                self._turn("a fixed peg with an offset")

    def _add_move(self, event: Event) -> None:
        peg = self._pegs[event.order_id]
        if not event.price_ticks:
            self._turn("a following peg left the book to wait")
        elif not event.open_lots:
            if peg.was_placed:
                self._turn("a following peg came back to the book")
        else:
            self._turn("a following peg moved")
            if peg.kind == PegKind.MARKET:
                self._turn("a market peg moved")
            if peg.kind == PegKind.MIDPOINT:
                self._turn("a midpoint peg moved")
        peg.is_placed = event.price_ticks != 0
        peg.was_placed |= peg.is_placed

    def _add_peak(self, event: Event) -> None:
        peaks = self._peaks[event.order_id]
        if peaks:
            last = event.quantity_lots == event.open_lots
            self._turn("an iceberg showed its last peak" if last else "an iceberg showed its next peak")
            if not last and event.quantity_lots != peaks[-1]:
                self._turn("peaks of different sizes")
        elif self._conditional[event.order_id].first_trigger_ticks:
            self._turn("an iceberg came to the book by a trigger")
        peaks.append(event.quantity_lots)

    def _add_triggered(self, event: Event) -> None:
        self._turn(
            {
                PriceSource.LAST: "triggered by the last trade",
                PriceSource.MARK: "triggered by the mark price",
                PriceSource.INDEX: "triggered by the index price",
            }[PriceSource(event.time_in_force)]
        )
        order = self._conditional[event.order_id]
        order.waits = False
        if event.order_id in self._hidden:
            self._turn("a hidden order came to its book by a trigger")
        if event.price_ticks != order.first_trigger_ticks:
            self._turn("a trail moved its trigger")

    def _add_closed(self, event: Event) -> None:
        self._count("close", CloseReason(event.reason).name)
        if event.reason == CloseReason.REFUSED_AT_RELEASE:
            self._count("at release", RejectReason(event.open_lots).name)
        if event.order_id in self._unapproved:
            self._unapproved.discard(event.order_id)
            turn = {
                CloseReason.CANCELLED_BY_OWNER: "cancelled before it was approved",
                CloseReason.REPLACED: "replaced before it was approved",
                CloseReason.KILL_SWITCH: "a kill switch took an order that waits for approval",
                CloseReason.GOOD_TILL_DATE: "expired by date before it was approved",
                CloseReason.DECLINED: "declined",
            }.get(CloseReason(event.reason))
            if turn is not None:
                self._turn(turn)
        if event.reason == CloseReason.REFUSED_AT_TRIGGER:
            self._count("at trigger", RejectReason(event.open_lots).name)
        order = self._conditional.pop(event.order_id, None)
        peg = self._pegs.pop(event.order_id, None)
        if peg is not None and not peg.fixed and event.kind is EventKind.ORDER_CANCELLED:
            if event.reason == CloseReason.REPLACED:
                self._turn("a following peg was replaced")
            if not peg.is_placed:
                self._turn("a following peg was cancelled while it waited")
        if order is None:
            return
        if order.waits:
            if event.reason == CloseReason.REPLACED:
                self._turn("replaced while it waits")
            is_timer = event.reason == CloseReason.GOOD_TILL_DATE
            if event.reason == CloseReason.KILL_SWITCH:
                self._turn("a kill switch took a waiting order")
            self._turn("waiting order expired by date" if is_timer else "waiting order cancelled")
        elif event.reason == CloseReason.NO_LIQUIDITY and event.side == Side.BUY and order.first_trigger_ticks:
            at_the_cap = event.price_ticks == order.price_ticks
            self._turn("triggered market bid at the held price" if at_the_cap else "triggered market bid below it")

    def _add_prevented(self, event: Event, accepted: Event | None) -> None:
        mode = Prevention(event.self_trade_prevention)
        self._count("prevention", mode.name)
        if mode is Prevention.TRANSFER:
            self._turn("transfer between accounts")
        if event.counter_order_id in self._hidden:
            self._turn("prevention met a hidden order")
        if event.counter_order_id in self._pegs and not self._pegs[event.counter_order_id].fixed:
            self._turn("prevention met a following peg")
        peaks = self._peaks.get(event.counter_order_id)
        if peaks and event.open_lots and not event.has(EventFlags.MAKER_DONE):
            self._turn("prevention took from a reserve")
        asked = accepted is not None and accepted.self_trade_prevention == Prevention.TRANSFER
        if asked and mode is Prevention.DECREMENT and event.account == event.counter_account:
            self._turn("transfer within an account decided as decrement")

    def _add_trade(self, event: Event, accepted: Event | None, amended: int) -> None:
        if event.counter_amount < 0:
            self._turn("maker rebate paid")
        if event.amount < 0:
            self._turn("taker rebate paid")
        if event.quantity_lots > 2**39:
            self._turn("quantity above 2^39 traded")
        if event.order_id == amended:
            self._turn("amended order takes")
        if event.order_id in self._peaks:
            self._turn("an iceberg trades as a taker")
        self._add_peg_trade(event)
        if event.order_id in self._hidden:
            self._turn("a hidden taker")
        if event.has(EventFlags.AUCTION) and {event.order_id, event.counter_order_id} & self._hidden:
            self._turn("a hidden order traded in an auction")
        elif event.counter_order_id in self._hidden:
            self._turn("a hidden order traded")
            if event.instrument in self._shared:
                self._turn("a hidden order traded where prices are shared")
        order = self._conditional.get(event.order_id)
        if order is not None and order.first_trigger_ticks:
            self._turn("triggered order takes")
        if order is not None and order.minimum_lots:
            self._turn("minimum quantity filled")
        if accepted is None or accepted.order_id != event.order_id:
            return
        if accepted.order_flags & OrderFlags.QUOTE_AMOUNT:
            self._turn("by amount traded")
            if event.amount < 0:
                self._turn("taker rebate paid by amount")
            if event.has(EventFlags.TAKER_DONE):
                self._turn("by amount spent to the last quantum")
        if accepted.time_in_force == TimeInForce.FILL_OR_KILL and event.has(EventFlags.TAKER_DONE):
            self._turn("fill or kill filled")
            if event.counter_order_id in self._hidden:
                self._turn("fill or kill filled from hidden orders")
            peaks = self._peaks.get(event.counter_order_id, [])
            if len(peaks) > 1 and accepted.quantity_lots > peaks[-1]:
                self._turn("fill or kill filled from a reserve")

    def _add_peg_trade(self, event: Event) -> None:
        if event.order_id in self._pegs:
            self._turn("a fixed peg took")
        peg = self._pegs.get(event.counter_order_id)
        if peg is None or peg.fixed:
            return
        self._turn("a following peg traded")
        if event.counter_order_id in self._hidden:
            self._turn("a hidden peg traded")
        elif event.instrument in self._shared:
            self._turn("a following peg shared a price")
        if event.side == Side.SELL and event.price_ticks < peg.limit_ticks:
            self._turn("a pegged bid traded below its limit")

    def _turn(self, name: str) -> None:
        self._count("turn", name)

    def _count(self, topic: str, name: str) -> None:
        self.counts[topic, name] += 1

    def merge(self, other: Coverage) -> None:
        self.counts.update(other.counts)

    def missing(self) -> list[str]:
        """What was never reached."""
        return [f"{topic}: {name}" for (topic, name), count in self.counts.items() if count == 0]

    def table(self) -> str:
        return "\n".join(f"{topic:<12}{name:<38}{count:>9}" for (topic, name), count in self.counts.items())


def _same_list(event: Event, following: Event) -> bool:
    return following.kind is EventKind.LIST_UPDATED and following.reference == event.reference


def _out_of_sequence(event: Event) -> bool:
    return event.reason in (RejectReason.CLIENT_SEQUENCE_GAP, RejectReason.CLIENT_SEQUENCE_TOO_OLD)


def _closes(event: Event) -> bool:
    return event.kind in (EventKind.ORDER_CANCELLED, EventKind.ORDER_EXPIRED)


def _sets(event: Event) -> bool:
    return event.kind is EventKind.SETTING_APPLIED


def _everything() -> list[tuple[str, list[str]]]:
    commands = [kind.name for kind in CommandKind if kind < 128]
    modes = [mode.name for mode in Prevention if mode is not Prevention.NONE]
    return [
        ("command", [*commands, "not a command"]),
        ("reject", [reason.name for reason in RejectReason]),
        ("at trigger", [reason.name for reason in AT_TRIGGER]),
        ("at start", [reason.name for reason in AT_START]),
        ("refused leg", ["0", "1", "2", "3"]),
        ("at release", [reason.name for reason in AT_RELEASE]),
        ("event", [kind.name for kind in EventKind]),
        ("close", [reason.name for reason in CloseReason]),
        ("prevention", modes),
        ("turn", list(TURNS)),
        ("quote reject", [reason.name for reason in OF_QUOTES]),
        ("in force", [force.name for force in TimeInForce]),
        ("state", [state.name for state in State]),
        ("cause", [cause.name for cause in Cause]),
        ("phase", [phase.name for phase in Phase]),
        ("breaker", list(TRIPS.values())),
        ("level", ["1", "2", "3"]),
    ]
