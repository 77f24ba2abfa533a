"""Draws changes of state, at once or to come, up to the end of an instrument."""

from __future__ import annotations

from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import MARKETS, SECOND_NS, TRADERS
from tests.differential.streams.settings import Settings
from tests.reference import records
from tests.reference.codes import HaltScope, Phase, Side, State
from tests.reference.instruments import Instrument


class States:
    """States of the instruments, at once or to come."""

    def __init__(self, floor: Floor, settings: Settings) -> None:
        self._random = floor.random
        self._floor = floor
        self._settings = settings

    def state(self) -> bytes:
        """A change of state, legal or not."""
        random = self._random
        number = random.choice([0, 0, 1, 1, 88])
        states = [State.PRE_OPEN, State.AUCTION, State.CONTINUOUS, State.HALTED, State.CANCEL_ONLY, State.CLOSED]
        (state,) = random.choices([*states, State.PAUSED], [4, 8, 5, 2, 1, 2, 1])
        phase = random.choice([Phase.OPENING, Phase.INTRADAY, Phase.CLOSING]) if state is State.AUCTION else Phase.NONE
        if random.random() < 0.04:
            return records.set_instrument_state(number, random.choice([8, 255, 3, 0]), random.choice([0, 1, 4, 9]))
        return records.set_instrument_state(number, state, phase)

    def go_on(self, instrument: Instrument) -> bytes:
        """What takes an instrument nearer to continuous trading."""
        random, number = self._random, instrument.id
        if self._floor.exchange.venue.is_paused and random.random() < 0.5:
            return records.set_market_reference(random.choice([0, 4_000]))
        match instrument.state:
            case State.PRE_OPEN:
                if random.random() < 0.5:
                    return records.set_instrument_state(number, State.AUCTION, Phase.OPENING)
                return records.set_instrument_state(number, State.CONTINUOUS)
            case State.AUCTION:
                if random.random() < 0.15:
                    return records.set_instrument_state(number, State.CLOSED)
                return records.set_instrument_state(number, State.CONTINUOUS)
            case State.PAUSED if instrument.until_ns:
                self._floor.time_ns = max(self._floor.time_ns, instrument.until_ns + random.choice([-1, 0, 1]))
                return records.advance_time(self._floor.time_ns)
            case State.PAUSED:
                return records.set_instrument_state(number, State.CLOSED)
            case State.HALTED:
                return records.resume(HaltScope.INSTRUMENT, instrument=number)
            case State.CANCEL_ONLY:
                return records.set_instrument_state(number, State.AUCTION, Phase.INTRADAY)
            case _:
                return records.set_instrument_state(number, State.PRE_OPEN)

    def schedule(self) -> bytes:
        """A change to come: often the end of a call."""
        random = self._random
        number = random.choice([0, 0, 1, 1, 88])
        (state,) = random.choices([State.CONTINUOUS, State.AUCTION, State.CLOSED, State.PRE_OPEN], [5, 3, 2, 1])
        phase = random.choice([Phase.OPENING, Phase.INTRADAY, Phase.CLOSING]) if state is State.AUCTION else Phase.NONE
        at_ns = self._floor.time_ns + random.choice([0, 1, 5, 5, 9, 20]) * SECOND_NS // 5
        window, draw = random.choice([(0, 0), (0, 0), (SECOND_NS, random.randrange(2**64))])
        if random.random() < 0.08:
            return records.schedule_instrument_state(number, 0, 0, at_ns=0)
        if random.random() < 0.08:
            at_ns, window = random.choice([(0, 1), (2**62 + 1, 0), (1, 0), (at_ns, 2**62 + 1)])
        if random.random() < 0.03:
            state = State.PAUSED
        return records.schedule_instrument_state(number, state, phase, at_ns=at_ns, window_ns=window, draw=draw)

    def expire_instrument(self) -> bytes:
        """The end of an instrument that was listed on the way, with an order on it."""
        random, venue = self._random, self._floor.exchange.venue
        listed = [each for each in venue.instruments[len(MARKETS) :] if each.state is not State.EXPIRED]
        if not listed:
            return self._settings.name()
        instrument, account = random.choice(listed), random.choice(TRADERS)
        quantity = instrument.limits.quantity_min_lots * random.choice([1, 20])
        # They come in the opposite order: two orders, the end, and one that is too late.
        self._floor.next.append(records.place(account, instrument.id, Side.SELL, quantity, 100))
        self._floor.next.append(records.set_instrument_state(instrument.id, State.EXPIRED))
        for price in (100, 200):
            order = records.place(account, instrument.id, Side.SELL, quantity, price)
            self._floor.next.append(order)
        return records.deposit(account, instrument.units.base, instrument.units.base_quanta(2 * quantity))
