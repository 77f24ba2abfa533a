"""Circuit breakers at work: a trade that would trip one does not happen, and trading pauses.

The limits are those of `breaker.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.reference import states
from tests.reference.breaker import SECOND_NS, MoveLimit, market_wide_level, variant_ticks
from tests.reference.codes import ANY, Cause, EventKind, Phase, State
from tests.reference.event import Event
from tests.reference.instruments import BreakerTerms, Instrument
from tests.reference.orders import Order
from tests.reference.venue import Venue


@dataclass(slots=True)
class Guard:
    """The breaker of an instrument."""

    terms: BreakerTerms
    limits: list[tuple[int, MoveLimit]]
    """By their codes: 1 the dynamic breaker, 2 velocity."""


def set_breaker(venue: Venue, instrument: Instrument, terms: BreakerTerms) -> None:
    """Set the breaker, or none; its windows begin with the last price."""
    limits = []
    variant = variant_ticks(terms.settlement_ticks, terms.share_ppm, instrument.limits.price_increment_ticks)
    if variant:
        limits.append((1, MoveLimit(move_max_ticks=variant, slot_ns=10 * SECOND_NS, slots=360)))
    if terms.velocity_ticks:
        slot_ns, slots = terms.velocity_slot_ns, terms.velocity_slots
        limits.append((2, MoveLimit(move_max_ticks=terms.velocity_ticks, slot_ns=slot_ns, slots=slots)))
    instrument.guard = Guard(terms, limits) if terms.pause_ns else None
    restart(venue, instrument)


def limits_of(instrument: Instrument) -> list[tuple[int, MoveLimit]]:
    return instrument.guard.limits if isinstance(instrument.guard, Guard) else []


def restart(venue: Venue, instrument: Instrument) -> None:
    for _, limit in limits_of(instrument):
        limit.restart()
        if instrument.last_price_ticks is not None:
            limit.observe(venue.time_ns, instrument.last_price_ticks)


def observe(venue: Venue, instrument: Instrument, price: int) -> None:
    for _, limit in limits_of(instrument):
        limit.observe(venue.time_ns, price)


def would_trip(venue: Venue, instrument: Instrument, before: list[int], price: int) -> bool:
    """Whether a trade would trip, after trades at the prices before it."""
    return any(
        abs(price - other) > limit.move_max_ticks
        for _, limit in limits_of(instrument)
        for other in limit.prices(venue.time_ns) + before
    )


def trips(venue: Venue, instrument: Instrument, taker: Order, price: int) -> bool:
    """Whether a trade does not happen; then trading pauses."""
    code = next((code for code, limit in limits_of(instrument) if limit.trips(venue.time_ns, price)), None)
    if code is None or not isinstance(instrument.guard, Guard):
        return False
    terms, pause_ns = instrument.guard.terms, instrument.guard.terms.pause_ns
    close = instrument.scheduled
    closes = close is not None and (close.state is State.CLOSED or close.phase is Phase.CLOSING)
    if close is not None and closes and max(close.due_ns - venue.time_ns, 0) <= terms.closing_ns:
        pause_ns = terms.closing_pause_ns
    until_ns = min(venue.time_ns + pause_ns, 2**64 - 1)
    venue.emit(
        Event(
            EventKind.BREAKER_TRIPPED,
            instrument=instrument.id,
            order_id=taker.order_id,
            account=taker.account,
            side=taker.side,
            order_type=code,
            price_ticks=price,
            reference=until_ns,
        )
    )
    states.change(venue, instrument, State.PAUSED, Phase.VOLATILITY, until_ns, Cause.BREAKER)
    return True


# The whole market.


def set_market_level(venue: Venue, index: int) -> None:
    """The index moved; at a level that it newly reaches everything pauses."""
    level = market_wide_level(index, venue.market_close or 0, venue.market_reached)
    if level == 0:
        return
    pause_ns = {1: 15 * 60 * SECOND_NS, 2: 15 * 60 * SECOND_NS, 3: None}[level]
    until_ns = 0 if pause_ns is None else min(venue.time_ns + pause_ns, 2**64 - 1)
    venue.market_reached, venue.market_until_ns = level, until_ns
    venue.emit(
        Event(
            EventKind.MARKET_WIDE_LEVEL_REACHED,
            instrument=ANY,
            order_type=level,
            price_ticks=index,
            reference=until_ns,
        )
    )
    for instrument in venue.instruments:
        pause_with_market(venue, instrument)


def pause_with_market(venue: Venue, instrument: Instrument) -> None:
    until_ns, state = venue.market_until_ns, instrument.state
    if state is State.HALTED and instrument.before_halt is not None:
        before, phase, before_until_ns = instrument.before_halt
        if before in (State.CLOSED, State.EXPIRED):
            return
        if before is State.PAUSED:
            until_ns = _later(before_until_ns, until_ns)
        elif not before.is_call:
            phase = Phase.VOLATILITY
        instrument.before_halt = (State.PAUSED, phase, until_ns)
        states.tell(venue, instrument, State.HALTED, until_ns, Cause.MARKET_WIDE)
    elif state is State.PAUSED:
        until_ns = _later(instrument.until_ns, until_ns)
        states.change(venue, instrument, State.PAUSED, instrument.phase, until_ns, Cause.MARKET_WIDE)
    elif state not in (State.CLOSED, State.EXPIRED):
        phase = instrument.phase if state.is_call else Phase.VOLATILITY
        states.change(venue, instrument, State.PAUSED, phase, until_ns, Cause.MARKET_WIDE)


def _later(first_ns: int, second_ns: int) -> int:
    """The later of two ends of a pause; 0 is never."""
    return 0 if 0 in (first_ns, second_ns) else max(first_ns, second_ns)
