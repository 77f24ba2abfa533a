"""Draws values near the limits of their fields."""

from __future__ import annotations

from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import HUGE_BASE, HUGE_INSTRUMENTS, HUGE_QUOTE, RICH
from tests.reference import records
from tests.reference.codes import Side


class Huge:
    """Values near the limits of their fields."""

    def __init__(self, floor: Floor) -> None:
        self._random = floor.random
        self._floor = floor

    def command(self) -> bytes:
        """Values near the limits of their fields."""
        random = self._random
        trader, side = random.choice(RICH), random.choice(list(Side))
        amounts = [2**120, 2**119 + 1, 2**118, 2**100, 2**127 - 1, -(2**127), -1, 0, 2**64]
        kind = random.randrange(10)
        if kind == 0:
            return records.deposit(trader, random.choice([HUGE_BASE, HUGE_QUOTE]), random.choice(amounts))
        if kind == 1:
            return records.transfer(trader, random.choice([2, 3, 4]), HUGE_QUOTE, random.choice(amounts))
        if kind == 2:
            return records.request_withdrawal(trader, HUGE_QUOTE, random.choice(amounts))
        if kind == 3:
            instrument = random.choice([0, *HUGE_INSTRUMENTS, HUGE_INSTRUMENTS[1]])
            amount = random.choice([*amounts, 9 * 2**62, 2**62, 2**62 - 1, 2**66, 2**88])
            return records.place(trader, instrument, side, quote_amount=amount, prevention=random.randrange(4))
        price = random.choice([2**62, 2**63 - 1, 2**61 + 1, 2**40, 1, 0, -1, -(2**63)])
        quantity = random.choice([2**40, 2**40 + 1, 2**64 - 1, 2**39, 3, 1])
        if kind == 4:
            live = [order for order in self._floor.live.values() if order.instrument in HUGE_INSTRUMENTS]
            if live:
                order = random.choice(live)
                return records.amend(order.account, order.order_id, price, quantity)
        if kind == 5:
            reference = random.choice([2**62, 2**62 + 1, 2**63 - 1, -1, 2**61, 2**40, 1])
            return records.set_reference_price(random.choice(HUGE_INSTRUMENTS), reference)
        if kind == 6:
            values = {"trigger": random.choice([1, 1, 2]), "source": random.randrange(3), "trigger_price_ticks": price}
            if values["trigger"] == 1 and random.random() < 0.6:
                values |= {"trail_unit": random.choice([1, 2]), "trail": random.choice([1, 9_999, 2**32 - 1])}
                values["trigger_price_ticks"] = random.choice([0, 0, 1, 2**62])
            return records.place(
                trader,
                random.choice(HUGE_INSTRUMENTS),
                side,
                random.choice([2**40, 2**39, 100]),
                random.choice([None, 1, 2**61, 2**62, 2**63 - 1]),
                conditions=records.conditions_record(**values),
            )
        if kind == 7:
            number = random.choice(HUGE_INSTRUMENTS)
            return random.choice([records.set_mark_price, records.set_index_price])(number, price)
        if kind == 8:
            # Two that meet with as much as an order may have.
            number = HUGE_INSTRUMENTS[0]
            self._floor.next.append(records.place(random.choice(RICH), number, side.opposite, 2**40, 2**40))
            return records.place(trader, number, side, 2**40, 2**40)
        limit = price if random.random() < 0.8 else None
        return records.place(
            trader,
            random.choice([*HUGE_INSTRUMENTS, 0]),
            side,
            quantity,
            limit,
            prevention=random.randrange(6),
        )
