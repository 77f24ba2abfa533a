"""Draws terms of auctions, and orders for them only."""

from __future__ import annotations

from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import MARKETS, SECOND_NS
from tests.reference import records
from tests.reference.codes import Prevention, Side, TimeInForce


class Auctions:
    """Terms of auctions, and orders for them only."""

    def __init__(self, floor: Floor, draws: Draws) -> None:
        self._random = floor.random
        self._floor = floor
        self._draws = draws

    def for_auction(self) -> bytes:
        """An order for auctions only, limit or market; some are what none may be."""
        random = self._random
        number = random.choice([0, 0, 0, 1, 1])
        market, side = MARKETS[number], random.choice(list(Side))
        calls = [each for each in self._floor.exchange.venue.instruments[:2] if each.state.is_call]
        if calls and random.random() < 0.5:
            number = random.choice(calls).id
            market = MARKETS[number]
        force = random.choice([TimeInForce.AT_OPENING, TimeInForce.AT_CLOSE, TimeInForce.GOOD_FOR_AUCTION])
        has_conditions = random.random() < 0.03
        values = self._draws.trigger(number, side) if random.random() < 0.5 else {"minimum_lots": 2}
        return records.place(
            self._draws.owner(number),
            number,
            side,
            self._draws.quantity(market),
            None if random.random() < 0.3 else self._draws.price(market),
            time_in_force=force,
            prevention=random.choice(list(Prevention)),
            post_only=random.random() < 0.03,
            client_order_id=self._draws.client_order_id(),
            conditions=records.conditions_record(**values) if has_conditions else b"",
        )

    def auction_terms(self) -> bytes:
        random = self._random
        collar = random.choice([0, 10_000, 20_000, 50_000, 10**6, 10**6 + 1])
        extension = random.choice([0, SECOND_NS // 2, SECOND_NS])
        call = random.choice([0, SECOND_NS, SECOND_NS, 3 * SECOND_NS, 2**62 + 1])
        number, extensions = random.choice([0, 0, 1, 1, 88]), random.choice([0, 1, 2])
        return records.set_auction_terms(
            number, collar_ppm=collar, extension_ns=extension, call_ns=call, extensions_max=extensions
        )
