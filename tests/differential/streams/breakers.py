"""Draws breakers of instruments, and the levels of the whole market."""

from __future__ import annotations

from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import MARKETS, SECOND_NS
from tests.reference import records
from tests.reference.codes import HaltScope, State


class Breakers:
    """Breakers of instruments, and the levels of the whole market."""

    def __init__(self, floor: Floor) -> None:
        self._random = floor.random
        self._floor = floor

    def breaker(self) -> bytes:
        return self.breaker_of(self._random.choice([0, 0, 1, 1, 88]))

    def breaker_of(self, number: int) -> bytes:
        random = self._random
        market = MARKETS[number % len(MARKETS)]
        if random.random() < 0.25:
            return records.set_breaker(number)
        values = {"pause_ns": random.choice([1, 1, 2]) * SECOND_NS}
        if random.random() < 0.7:
            values |= {"settlement_ticks": market.price_middle, "share_ppm": random.choice([40_000, 60_000, 90_000])}
        if random.random() < 0.7 or len(values) == 1:
            values |= {
                "velocity_ticks": random.choice([3, 4, 5]) * market.price_increment,
                "velocity_slots": random.choice([1, 3]),
                "velocity_slot_ns": SECOND_NS,
            }
        if random.random() < 0.4:
            values |= {"closing_ns": 2 * SECOND_NS, "closing_pause_ns": SECOND_NS // 4}
        if random.random() < 0.08:
            wrong = [{"settlement_ticks": -1}, {"share_ppm": 10**6 + 1}, {"velocity_slots": 1_001}, {"pause_ns": 0}]
            values |= random.choice([*wrong, {"closing_ns": 5, "closing_pause_ns": 0}, {"velocity_ticks": 2**63}])
        return records.set_breaker(number, **values)

    def market_wide(self) -> bytes:
        """An index that falls now and then; the session of its levels begins anew now and then."""
        random = self._random
        if any(each.state is State.HALTED for each in self._floor.exchange.venue.instruments) and random.random() < 0.8:
            return random.choice([records.set_market_reference(4_000), records.set_market_level(3_720)])
        if random.random() < 0.1:
            # A pause of the market comes to an instrument that is halted.
            self._floor.next += [records.set_market_level(3_720), records.halt(HaltScope.INSTRUMENT, instrument=0)]
            return records.set_market_reference(4_000)
        if random.random() < 0.4:
            return records.set_market_reference(random.choice([0, 4_000, 4_000, 4_000, 2**62 + 1]))
        return records.set_market_level(random.choice([4_000, 3_721, 3_720, 3_720, 3_480, 3_200, 0, 2**62 + 1]))
