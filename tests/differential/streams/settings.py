"""Draws settings: names, limits, fees, permissions, rules of allocation."""

from __future__ import annotations

from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import MARKETS, SECOND_NS, TRADERS
from tests.reference import records


class Settings:
    """Settings of the venue, its instruments and its accounts."""

    def __init__(self, floor: Floor, draws: Draws) -> None:
        self._random = floor.random
        self._floor = floor
        self._draws = draws

    def advance_time(self) -> bytes:
        self._floor.time_ns += self._random.choice([0, SECOND_NS, SECOND_NS - self._floor.time_ns % SECOND_NS])
        return records.advance_time(self._floor.time_ns)

    def setting(self) -> bytes:
        draws = [
            self.name,
            self._instrument_limits,
            self._reference_price,
            self._fee_tier,
            self._account_limits,
            self._position_limit,
            self._permissions,
            self._allocation,
            self._step,
        ]
        kind = self._random.randrange(len(draws) + 2)
        if kind == len(draws):
            return records.set_trade_group(self._draws.trader(), self._random.choice([0, 1, 2, 2**32 - 1]))
        if kind > len(draws):
            return records.set_account_fee_tier(self._draws.trader(), self._random.choice([0, 1, 2, 3, 200, 255]))
        return draws[kind]()

    def name(self) -> bytes:
        random = self._random
        wrong = random.choice([0, 0, 0, 1, -1])
        fresh = b"n%d" % random.randrange(10**6)
        if random.random() < 0.1:
            fresh = random.choice([b"", b"two words", b"n" * 33, b"\x7f"])
        kind = random.randrange(3)
        if kind == 0:
            name = random.choice([fresh, fresh, b"ASSET1"])
            return records.add_asset(self._floor.assets + wrong, name, random.choice([0, 30, 31]))
        if kind == 1:
            name = random.choice([fresh, fresh, b"fees", b"trader-3"])
            account_kind = random.choice([1, 2, 2, 3, 4])
            return records.open_account(self._floor.accounts + wrong, name, account_kind)
        name = random.choice([fresh, fresh, MARKETS[0].name])
        base, quote = random.choice([(0, 1), (0, 1), (1, 1), (0, 500)])
        units = records.units_record(base, quote, random.choice([1, 1, 0, 2**64 - 1]), 1)
        limits = random.choice(MARKETS).limits_record()
        if random.random() < 0.15:
            limits = records.limits_record(notional_max_quanta=2**119 + 1)
        schedule = random.choice([0, 1, 255, 256])
        return records.list_instrument(self._floor.instruments + wrong, name, units, limits, schedule)

    def _instrument_limits(self) -> bytes:
        random = self._random
        number = random.choice([0, 1, 1, 2, 3, 88])
        market = MARKETS[number % len(MARKETS)]
        limits = market.limits_record(random if random.random() < 0.25 else None)
        if random.random() < 0.1:
            limits = random.choice(
                [
                    records.limits_record(price_increment_ticks=0),
                    records.limits_record(quantity_min_lots=5, quantity_max_lots=4),
                    records.limits_record(quantity_max_lots=2**40 + 1),
                    records.limits_record(notional_max_quanta=2**119 + 1),
                    records.limits_record(notional_min_quanta=9, notional_max_quanta=8),
                    records.limits_record(band_down_ppm=1_000_001),
                ]
            )
        return records.set_instrument_limits(number, limits)

    def _reference_price(self) -> bytes:
        random = self._random
        number = random.choice([0, 1, 2, 3, 88])
        middle = MARKETS[number % len(MARKETS)].price_middle
        price = random.choice([0, 0, middle, middle, middle, middle + 7, middle - 9, 2**62 + 1, -1])
        return records.set_reference_price(number, price)

    def _allocation(self) -> bytes:
        return self.allocation_of(self._random.choice([0, 0, 1, 1, 88]))

    def allocation_of(self, number: int) -> bytes:
        random = self._random
        if random.random() < 0.1:
            wrong = random.choice(
                [{"rule": 4}, {"rule": 0, "minimum": 1}, {"rule": 3, "weight": 2}, {"rule": 1, "fifo_ppm": 9}]
            )
            return records.set_allocation(number, **wrong)
        rule = random.choice([0, 1, 1, 2, 2, 3, 3])
        numbers = {
            0: {},
            1: {"minimum": random.choice([0, 2, 5])},
            2: {
                "minimum": random.choice([0, 2]),
                "fifo_ppm": random.choice([0, 400_000, 10**6]),
                "leveling": random.choice([0, 1]),
            },
            3: {"weight": random.choice([0, 1, 3])},
        }
        return records.set_allocation(number, rule, **numbers[rule])

    def steps_of(self, number: int) -> list[bytes]:
        """TOP and lead market makers of an instrument; some are too many, or are promised too much."""
        random = self._random
        commands = [records.set_top(number, random.choice([0, 5, 30]), random.choice([30, 50, 2**40]))]
        if random.random() < 0.2:
            # Everybody, the venue's own accounts too.
            commands += [records.set_lead(number, account, 90_000) for account in range(10)]
        for _ in range(random.randint(0, 3)):
            share = random.choice([100_000, 250_000, 400_000, 0, 10**6])
            commands.append(records.set_lead(number, random.choice(TRADERS), share))
        return commands

    def _step(self) -> bytes:
        """One of TOP and lead market makers, mostly while orders stand; the empty markets have no such steps."""
        random = self._random
        number = random.choice([0, 0, 1, 88, max(self._floor.instruments - 1, 0)])
        if random.random() < 0.4:
            return records.set_top(number, *random.choice([(0, 0), (0, 40), (5, 2**40), (5, 4), (0, 2**40 + 1)]))
        return records.set_lead(number, self._draws.trader(), random.choice([0, 100_000, 900_000, 10**6 + 1]))

    def _fee_tier(self) -> bytes:
        random = self._random
        schedule, tier = random.choice([0, 1, 1, 2, 256]), random.choice([0, 1, 2, 3, 100, 255])
        taker = random.choice([0, 250, 2_800, 4_000, -800, 10**6, 10**6 + 1, -(2**31)])
        maker = random.choice([0, 0, 200, 1_600, -2_777, -2_000, -100])
        return records.set_fee_tier(schedule, tier, taker, maker)

    def _account_limits(self) -> bytes:
        random = self._random
        limits = [random.choice([2**32 - 1] * 9 + [1, 3, 5]) for _ in range(3)]
        if random.random() < 0.05:
            limits[random.randrange(3)] = 2**32
        return records.set_account_limits(
            self._draws.trader(),
            open_orders_max=limits[0],
            orders_per_second_max=limits[1],
            messages_per_second_max=limits[2],
        )

    def _position_limit(self) -> bytes:
        lots = self._random.choice([0, 60, 600, 2**62, 2**62, 2**62, 2**62, 2**62 + 1])
        return records.set_position_limit(self._draws.trader(), self._random.choice([0, 1, 88]), lots)

    def _permissions(self) -> bytes:
        if self._random.random() < 0.1:
            return records.set_permissions(self._random.choice([0, 1]), self._random.choice([4, 4, 0, 1, 6, 7, 8]))
        return records.set_permissions(self._draws.trader(), self._random.choice([7] * 12 + [15, 15, 3, 5, 6, 8, 16]))
