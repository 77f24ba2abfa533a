"""The states of an instrument: what each lets in, what takes it to another one, and what that does to its orders."""

from __future__ import annotations

from tests.reference import calls, closing, line, pegs
from tests.reference.codes import Cause, CloseReason, EventKind, Phase, PriceSource, State, TimeInForce
from tests.reference.event import Event
from tests.reference.instruments import Instrument, Scheduled
from tests.reference.orders import Order
from tests.reference.triggers import see_price
from tests.reference.venue import Venue

LEGAL = {
    State.CONTINUOUS: {
        State.PRE_OPEN,
        State.AUCTION,
        State.HALTED,
        State.CANCEL_ONLY,
        State.CLOSED,
        State.EXPIRED,
    },
    State.PRE_OPEN: {
        State.AUCTION,
        State.CONTINUOUS,
        State.HALTED,
        State.CANCEL_ONLY,
        State.CLOSED,
        State.EXPIRED,
    },
    State.AUCTION: {State.CONTINUOUS, State.HALTED, State.CANCEL_ONLY, State.CLOSED, State.EXPIRED},
    State.PAUSED: {State.HALTED, State.CLOSED, State.EXPIRED},
    State.HALTED: {State.PRE_OPEN, State.AUCTION, State.CANCEL_ONLY, State.CLOSED, State.EXPIRED},
    State.CANCEL_ONLY: {State.PRE_OPEN, State.AUCTION, State.HALTED, State.CLOSED, State.EXPIRED},
    State.CLOSED: {State.PRE_OPEN, State.AUCTION, State.HALTED, State.CANCEL_ONLY, State.EXPIRED},
    State.EXPIRED: set[State](),
}
"""Where a command or a schedule may take an instrument from each state."""


def is_legal(venue: Venue, instrument: Instrument, to: State, phase: Phase) -> bool:
    if to in (State.CONTINUOUS, State.PRE_OPEN, State.AUCTION) and venue.is_paused:
        return False
    if instrument.before_halt is not None and instrument.before_halt[0] is State.PAUSED:
        return to in (State.CLOSED, State.EXPIRED)
    if to is State.AUCTION and instrument.state in (State.PRE_OPEN, State.CLOSED) and phase is not Phase.OPENING:
        return False
    return to in LEGAL[instrument.state]


def would_uncross(old: State, to: State) -> bool:
    return (old.is_call and to is State.CONTINUOUS) or (old is State.AUCTION and to is State.CLOSED)


def become(venue: Venue, instrument: Instrument, to: State, phase: Phase, cause: Cause) -> None:
    """Take an instrument to a state, by command or schedule."""
    change(venue, instrument, to, Phase.OPENING if to is State.PRE_OPEN else phase, 0, cause)


def halt(venue: Venue, instrument: Instrument) -> None:
    if instrument.state is not State.HALTED:
        change(venue, instrument, State.HALTED, Phase.NONE, 0, Cause.HALT)


def resume(venue: Venue, instrument: Instrument) -> None:
    if instrument.before_halt is not None:
        state, phase, until_ns = instrument.before_halt
        change(venue, instrument, state, phase, until_ns, Cause.RESUME)


def change(venue: Venue, instrument: Instrument, to: State, phase: Phase, until_ns: int, cause: Cause) -> None:
    """The five steps of a change."""
    old, joined = instrument.state, instrument.joined
    price = None
    # 1. The auction, or its end without one.
    if would_uncross(old, to):
        price = calls.uncross(venue, instrument)
    else:
        goes_on = to in (State.HALTED, State.PAUSED, State.EXPIRED) or (to.is_call and phase is instrument.joined)
        if instrument.joined is not Phase.NONE and not goes_on:
            calls.withdraw(instrument)
    # 2. The state.
    if to is State.HALTED:
        instrument.before_halt = (old, instrument.phase, instrument.until_ns)
        instrument.phase, instrument.until_ns = Phase.NONE, 0
    else:
        instrument.before_halt = None
        instrument.phase, instrument.until_ns = phase, until_ns
    instrument.state = to
    if to is State.AUCTION:
        instrument.told = (0, 0, 0)
    if to is State.EXPIRED:
        instrument.scheduled = None
    if instrument.scheduled is not None:
        instrument.scheduled.waits = False
    tell(venue, instrument, old, until_ns, cause)
    if to is not State.CONTINUOUS:
        pegs.leave(venue, instrument)
    if joined is not Phase.NONE and instrument.joined is Phase.NONE and not to.is_call:
        calls.fold(venue, instrument)
    # 3. Who joins.
    if to.is_call and instrument.joined is not phase:
        instrument.extensions = 0
        calls.join(venue, instrument, phase)
    # 4. Who goes.
    if to is State.CLOSED:
        for order in _orders(venue, instrument):
            if order.time_in_force in (TimeInForce.DAY, TimeInForce.AT_CLOSE):
                venue.take_out(order)
                closing.expire(venue, order, CloseReason.DAY_ENDED)
    if to is State.EXPIRED:
        for order in _orders(venue, instrument):
            # One may have gone with its list.
            if order.order_id in venue.accounts[order.account].open_orders:
                closing.cancel(venue, order, CloseReason.INSTRUMENT_EXPIRED)
        instrument.joined = Phase.NONE
    # 5. Who fires.
    if price is not None:
        see_price(venue, instrument, PriceSource.LAST, price)
        line.work_off(venue)


def tell(venue: Venue, instrument: Instrument, old: State, until_ns: int, cause: Cause) -> None:
    has_phase = instrument.state.is_call or instrument.state is State.PAUSED
    venue.emit(
        Event(
            EventKind.INSTRUMENT_STATE_CHANGED,
            instrument=instrument.id,
            order_type=instrument.state,
            time_in_force=instrument.phase if has_phase else Phase.NONE,
            self_trade_prevention=old,
            reason=cause,
            reference=until_ns,
        )
    )


def _orders(venue: Venue, instrument: Instrument) -> list[Order]:
    return [order for order in venue.open_orders() if order.instrument == instrument.id]


# What is due.


def end_by_itself(venue: Venue, instrument: Instrument) -> None:
    """The pause goes on to its auction, the auction to continuous trading, or on."""
    due_ns, instrument.until_ns = instrument.until_ns, 0
    if instrument.state is State.PAUSED:
        until_ns = due_ns + instrument.call_ns
        change(venue, instrument, State.AUCTION, instrument.phase, until_ns, Cause.PAUSE_OVER)
    elif calls.goes_on(instrument):
        instrument.until_ns = due_ns + instrument.extension_ns
        _extend(venue, instrument, instrument.until_ns)
    else:
        change(venue, instrument, State.CONTINUOUS, Phase.NONE, 0, Cause.CALL_OVER)


def follow_schedule(venue: Venue, instrument: Instrument, scheduled: Scheduled) -> None:
    """What was scheduled is due: it happens, or it waits until it is legal."""
    to = scheduled.state
    if not is_legal(venue, instrument, to, scheduled.phase):
        scheduled.waits = True
        return
    ends = instrument.state is State.AUCTION and would_uncross(State.AUCTION, to)
    if ends and calls.goes_on(instrument):
        scheduled.due_ns += instrument.extension_ns
        _extend(venue, instrument, scheduled.due_ns)
        return
    instrument.scheduled = None
    become(venue, instrument, to, scheduled.phase, Cause.SCHEDULE)


def _extend(venue: Venue, instrument: Instrument, until_ns: int) -> None:
    instrument.extensions += 1
    tell(venue, instrument, instrument.state, until_ns, Cause.EXTENDED)
